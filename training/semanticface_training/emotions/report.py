"""What `dataset emotions` leaves behind: a CSV of vectors and map, a table as Markdown and JSON, pictures.

    emotions.csv     a row a line: the seven weights, the dominant one, x and y on the map, what was wrong
    balance.json     counts, shares, mean weights, entropy, silhouette, and how they were made
    README.md        the same to read
    map.png, map.svg, balance.png, balance.svg

Knows nothing of models.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError
from semanticface.take import write_atomic
from semanticface_training.emotions.statistics import Spread, map_of, spread
from semanticface_training.emotions.vectors import EMOTIONS, EmotionVector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS: Mapping[str, str] = dict(
    zip(EMOTIONS, ("#e6a700", "#7f7f7f", "#3b6fb6", "#c8321f", "#7b4ea3", "#e377a8", "#4d8c3a"), strict=True)
)
"""Told apart by those who see colours differently as far as seven can be; the table has the numbers."""


def write_report(folder: Path, vectors: Sequence[EmotionVector], made: Mapping[str, Any]) -> Spread:
    """Write everything and return the table. `made` says how the vectors came about. Raises InputError."""
    found = spread(vectors)
    places = map_of(vectors)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / "emotions.csv", _csv(vectors, places))
        write_atomic(folder / "balance.json", json.dumps({**facts(found), "made": dict(made)}, indent=2) + "\n")
        write_atomic(folder / "README.md", _markdown(found, len(vectors), made))
        _save(folder / "map", _map_picture(vectors, places))
        _save(folder / "balance", _balance_picture(found))
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror or error}") from error
    return found


def facts(found: Spread) -> dict[str, Any]:
    """The table as plain values."""
    return {
        "emotions": {
            s.emotion: {"lines": s.lines, "share": s.share, "mean_weight": s.mean_weight} for s in found.shares
        },
        "balance": found.balance,
        "entropy": found.entropy,
        "silhouette": found.silhouette,
        "unread": found.unread,
    }


def _csv(vectors: Sequence[EmotionVector], places: NDArray[np.float64]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["line", *EMOTIONS, "dominant", "x", "y", "problem"])
    for vector, (x, y) in zip(vectors, places.tolist(), strict=True):
        weights = [f"{weight:.6f}" for weight in vector.weights]
        writer.writerow([vector.line, *weights, vector.dominant, f"{x:.4f}", f"{y:.4f}", vector.problem])
    return out.getvalue()


def _markdown(found: Spread, lines: int, made: Mapping[str, Any]) -> str:
    head = ["# Emotions of script lines", "", f"{lines:,} different lines; {found.unread:,} could not be read.", ""]
    table = ["| emotion | lines | share | mean weight |", "|---|---:|---:|---:|"]
    table += [f"| {s.emotion} | {s.lines:,} | {s.share:.1%} | {s.mean_weight:.3f} |" for s in found.shares]
    near = "not defined" if found.silhouette is None else f"{found.silhouette:.3f}"
    told = [
        "",
        f"Balance {found.balance:.3f} (1: all seven alike). Mean entropy of a line {found.entropy:.3f} (0: certain). "
        f"Silhouette of the groups {near}.",
        "",
        "![map](map.png)",
        "",
        "![balance](balance.png)",
        "",
        *(f"- {name}: {value}" for name, value in made.items()),
    ]
    return "\n".join([*head, *table, *told]) + "\n"


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _map_picture(vectors: Sequence[EmotionVector], places: NDArray[np.float64]) -> Figure:
    figure = _figure(7.5, 6)
    axes = figure.subplots()
    for emotion in (*EMOTIONS, ""):
        chosen = [place for place, vector in enumerate(vectors) if vector.dominant == emotion]
        if chosen:
            name = f"{emotion or 'not read'} ({len(chosen)})"
            colour = COLOURS.get(emotion, "#000000")
            axes.scatter(
                places[chosen, 0],
                places[chosen, 1],
                s=28,
                color=colour,
                label=name,
                marker="o" if emotion else "x",
                alpha=0.85,
            )
    axes.set_title("Script lines by their emotion vectors (t-SNE, Hellinger distance)", fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    if vectors:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    return figure


def _balance_picture(found: Spread) -> Figure:
    figure = _figure(7.5, 3.6)
    axes = figure.subplots()
    names = [share.emotion for share in found.shares]
    places = np.arange(len(names))
    colours = [COLOURS[name] for name in names]
    axes.bar(places - 0.2, [share.share for share in found.shares], 0.38, color=colours, label="dominant in")
    axes.bar(places + 0.2, [share.mean_weight for share in found.shares], 0.38, color=colours, alpha=0.45,
             label="mean weight")  # fmt: skip
    axes.axhline(1 / len(names), color="#444444", linewidth=0.8, linestyle="--")
    axes.set_xticks(places, names)
    axes.set_ylabel("share of lines (solid), mean weight (pale)", fontsize=8)
    axes.set_title(f"Balance {found.balance:.2f}; dashed: all seven alike", fontsize=10)
    return figure


def _save(file: Path, figure: Figure) -> None:
    """PNG and SVG without dates or versions, so that the same vectors give the same files."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "semanticface"}):
        figure.savefig(file.with_suffix(".png"), dpi=120, metadata={"Software": None})
        figure.savefig(file.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
