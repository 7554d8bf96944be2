"""The dataset card: README.md with counts, per-action histograms, constant channels, and what was dropped and why.

It is written for whoever finds the folder later and has nothing else. This module knows rows, not their sources.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semanticface.actions import Kind
from semanticface.media.frames import format_frames
from semanticface.take import write_atomic
from semanticface_training.dataset.statistics import ActionStatistics, constant_actions, describe_values
from semanticface_training.dataset.table import CARD_NAME, Row, Split, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from semanticface_training.dataset.writer import Skip

HISTOGRAMS_NAME = "card/histograms.png"
_PER_ROW = 8
_MOST_TAKES = 200
_MOST_PLACES = 20
_TOP, _BASE = 0.2, 0.82
"""Where the tallest bar ends and all begin, in shares of a cell."""


def write_card(path: Path, header: Mapping[str, Any], rows: Sequence[Row], skips: Sequence[Skip]) -> None:
    """Write README.md and its picture into the dataset folder."""
    statistics = describe_values(values_of(rows))
    (path / HISTOGRAMS_NAME).parent.mkdir(parents=True, exist_ok=True)
    draw_histograms(path / HISTOGRAMS_NAME, statistics)
    parts = [
        _head(header),
        _counts(rows),
        _takes(rows, skips),
        _dropped(skips),
        _actions(statistics),
        _origin(header["made_from"]),
    ]
    write_atomic(path / CARD_NAME, "\n\n".join(parts) + "\n")


def _head(header: Mapping[str, Any]) -> str:
    return (
        f"# A dataset of {header['counts']['rows']:,} faces with their 61 facial actions\n\n"
        f"Format {header['format']} {header['version']}, made by semanticface {header['semanticface']}. "
        f"`frames.parquet` has one row a frame; values are as they were recorded, neither rounded nor clipped.\n\n"
        f"Digest `{header['digest']}`"
    )


def _counts(rows: Sequence[Row]) -> str:
    lines = ["## Splits", "", "| split | rows | subjects | takes |", "|---|---:|---|---:|"]
    for split in Split:
        chosen = [row for row in rows if row.split is split]
        subjects = sorted({row.subject for row in chosen})
        shown = ", ".join(subjects[:20]) + (f" and {len(subjects) - 20} more" if len(subjects) > 20 else "")
        lines.append(
            f"| {split} | {len(chosen):,} | {shown.replace('|', '/') or 'none'} | {len({row.take for row in chosen})} |"
        )
    tags = Counter(tag.split(":")[0] for row in rows for tag in row.tags)
    if tags:
        lines += ["", "Tags: " + ", ".join(f"{tag} {count:,}" for tag, count in sorted(tags.items()))]
    return "\n".join(lines)


def _takes(rows: Sequence[Row], skips: Sequence[Skip]) -> str:
    kept = Counter(row.take for row in rows)
    lost = Counter(skip.take for skip in skips)
    facts = {row.take: row for row in rows}
    lines = ["## Takes", "", "| take | subject | split | rows | dropped |", "|---|---|---|---:|---:|"]
    names = sorted(kept | lost)
    for name in names[:_MOST_TAKES]:
        subject, split = (facts[name].subject, facts[name].split.value) if name in facts else ("", "")
        lines.append(f"| {name} | {subject.replace('|', '/')} | {split} | {kept[name]:,} | {lost[name]:,} |")
    if len(names) > _MOST_TAKES:
        lines += ["", f"and {len(names) - _MOST_TAKES} more takes"]
    return "\n".join(lines)


def _dropped(skips: Sequence[Skip]) -> str:
    """Counts a reason, then the frames of each take as ranges."""
    if not skips:
        return "## Dropped frames\n\nNone."
    reasons = Counter(skip.reason for skip in skips)
    lines = ["## Dropped frames", "", "| reason | frames |", "|---|---:|"]
    lines += [f"| {reason} | {count:,} |" for reason, count in reasons.most_common()]
    where: dict[tuple[str, str], list[Skip]] = defaultdict(list)
    for skip in skips:
        where[skip.take, skip.reason].append(skip)
    lines.append("")
    lines += [f"- {take}: {reason}: {_places(here)}" for (take, reason), here in sorted(where.items())[:_MOST_TAKES]]
    if len(where) > _MOST_TAKES:
        lines.append(f"- and {len(where) - _MOST_TAKES} more")
    return "\n".join(lines)


def _places(skips: Sequence[Skip]) -> str:
    """Frames as ranges, and what has no frame by where it is in the source."""
    numbers = [skip.frame for skip in skips if skip.frame is not None]
    others = [skip.at for skip in skips if skip.frame is None]
    told = [f"frames {format_frames(numbers)}"] if numbers else []
    told += others[:_MOST_PLACES] + ([f"and {len(others) - _MOST_PLACES} more"] if len(others) > _MOST_PLACES else [])
    return ", ".join(told)


def _actions(statistics: Sequence[ActionStatistics]) -> str:
    still = constant_actions(statistics)
    lines = [
        "## Actions",
        "",
        f"Constant channels (they say nothing, and correlations over them don't exist): {', '.join(still) or 'none'}.",
        "",
        "Bars are histograms on a logarithmic scale, shapes from 0 to 1 and rotations about 0 (radians); the picture's "
        "numbers are the tallest bars' rows. "
        "*Active* is the share of rows at 0.05 and above.",
        "",
        f"![histograms]({HISTOGRAMS_NAME})",
        "",
        "| action | min | mean | max | std | active | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for entry in statistics:
        numbers = " | ".join(f"{v:z.3f}" for v in (entry.minimum, entry.mean, entry.maximum, entry.deviation))
        lines.append(f"| {entry.action.name} | {numbers} | {entry.active:.0%} | `{entry.bars}` |")
    return "\n".join(lines)


def _origin(made_from: Mapping[str, Any]) -> str:
    lines = ["## Made from", "", f"Kind: {made_from['kind']}", ""]
    lines += [f"- {_facts(source)}" for source in made_from["sources"][:_MOST_TAKES]]
    if len(made_from["sources"]) > _MOST_TAKES:
        lines.append(f"- and {len(made_from['sources']) - _MOST_TAKES} more (dataset.json has all)")
    lines += ["", "| option | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in made_from["options"].items()]
    lines += ["", f"Licence: {made_from['licence'] or 'not stated by who built it'}"]
    lines += [f"- {note}" for note in made_from["notes"]]
    return "\n".join(lines)


def _facts(source: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in source.items() if value not in ("", None))


def draw_histograms(file: Path, statistics: Sequence[ActionStatistics]) -> None:
    """All actions on one sheet as PNG: heights by the logarithm, the tallest bar's rows in words, constant ones grey.

    One pair of axes and two sets of bars for all of it: sixty pairs take matplotlib two seconds, this 0.3 (measured).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    rows = -(-len(statistics) // _PER_ROW)
    figure = Figure(figsize=(2.1 * _PER_ROW, 1.2 * rows))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, _PER_ROW)
    axes.set_ylim(rows, 0)
    for constant, colour in ((False, "#2b6cb0"), (True, "#b0b0b0")):
        places = [place for place, entry in enumerate(statistics) if entry.constant is constant]
        bars = [bar for place in places for bar in _bars(place, statistics[place])]
        axes.add_collection(PolyCollection(bars, facecolors=colour), autolim=False)
    for place, entry in enumerate(statistics):
        _name(axes, place, entry)
    figure.savefig(file, dpi=100, metadata={"Software": None}, pil_kwargs={"compress_level": 3})


def _bars(place: int, entry: ActionStatistics) -> list[list[tuple[float, float]]]:
    """Corners of each bar, in cells; y grows downward."""
    column, base = place % _PER_ROW, place // _PER_ROW + _BASE
    heights = np.log1p(entry.counts) / max(np.log1p(entry.counts.max()), 1.0) * (_BASE - _TOP)
    edges = column + 0.06 + np.linspace(0.0, 0.88, len(entry.edges))
    corners = zip(edges[:-1], edges[1:], base - heights, strict=True)
    line = [(edges[0], base), (edges[-1], base), (edges[-1], base + 0.01), (edges[0], base + 0.01)]
    return [line, *([(a, base), (a, top), (b, top), (b, base)] for a, b, top in corners if top < base)]


def _name(axes: Axes, place: int, entry: ActionStatistics) -> None:
    column, row = place % _PER_ROW, place // _PER_ROW
    name = f"{entry.action.name}{' (constant)' if entry.constant else ''}: {entry.counts.max():,}"
    axes.text(column + 0.5, row + _TOP - 0.05, name, fontsize=7, ha="center")
    if entry.action.kind is not Kind.SHAPE:
        ends = f"{entry.edges[0]:.2g} to {entry.edges[-1]:.2g}"
        axes.text(column + 0.5, row + _BASE + 0.03, ends, fontsize=6, ha="center", va="top")
