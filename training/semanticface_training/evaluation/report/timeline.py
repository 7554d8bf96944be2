"""A sequence over time: the truth and what each method says of it, for the actions that move most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from semanticface.actions import BY_NAME, CSV_ORDER, Kind
from semanticface.report import charts
from semanticface_training.evaluation.protocols_tables import are_probes
from semanticface_training.evaluation.report.answers import Answers

MOST_SEQUENCES = 2
MOST_ACTIONS = 10
LEAST = 8
"""Frames below which a sequence is no motion."""


@dataclass(frozen=True, slots=True)
class TimeLane:
    """One action: `scale` says what the box's height stands for."""

    name: str
    scale: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Timeline:
    """One sequence: how long, how many frames of how many, and its lanes."""

    name: str
    seconds: str
    frames: int
    of: int
    lanes: tuple[TimeLane, ...]


def timelines(answers: Answers, names: Sequence[str]) -> list[Timeline]:
    """The longest sequences that have times of their own. Frames that a method didn't answer are gaps of its line."""
    rows = answers.rows
    probes = are_probes(rows)
    counts = Counter(row.sequence for row, probe in zip(rows, probes, strict=True) if not probe)
    made: list[Timeline] = []
    for sequence, count in counts.most_common():
        places = [place for place, row in enumerate(rows) if row.sequence == sequence and not probes[place]]
        places.sort(key=lambda place: rows[place].time)
        times = np.array([rows[place].time for place in places])
        if count < LEAST or len(made) == MOST_SEQUENCES:
            break
        if np.ptp(times) > 0 and len(set(times.tolist())) == len(times):
            made.append(_timeline(answers, sequence, places, times, names))
    return made


def _timeline(
    answers: Answers, sequence: str, places: list[int], times: NDArray[np.float64], names: Sequence[str]
) -> Timeline:
    x = (times - times[0]) / (times[-1] - times[0])
    stack = [method.values[places] for method in answers.methods]
    spread = _spread(answers.truth[places] if answers.truth is not None else np.concatenate(stack))
    order = sorted(names, key=lambda name: -spread[CSV_ORDER.index(name)])[:MOST_ACTIONS]
    lanes = []
    for name in sorted((name for name in order if spread[CSV_ORDER.index(name)] > 0.01), key=CSV_ORDER.index):
        column, turned = CSV_ORDER.index(name), BY_NAME[name].kind is not Kind.SHAPE
        lines = [(method.mark, values[:, column]) for method, values in zip(answers.methods, stack, strict=True)]
        if answers.truth is not None:
            lines.append(("truth", answers.truth[places, column]))
        low, high = _limits([line for _, line in lines], turned)
        paths = [(f"line {css}", charts.curve_path(x, line, low, high)) for css, line in lines]
        scale = f"±{np.degrees(high):.0f}°" if turned else f"{low:g} to {high:g}"
        lanes.append(
            TimeLane(name, scale, charts.lane(paths, f"{name} over time, {scale}", (0.5,) if turned else (0.0, 1.0)))
        )
    return Timeline(
        sequence, f"{times[-1] - times[0]:.2f} s", int(answers.main[places].sum()), len(places), tuple(lanes)
    )


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(61,) from lowest to highest of what there is; 0 where there is nothing."""
    low = np.min(values, axis=0, where=np.isfinite(values), initial=np.inf)
    high = np.max(values, axis=0, where=np.isfinite(values), initial=-np.inf)
    return np.where(high >= low, high - low, 0.0)


def _limits(lines: Sequence[NDArray[np.float64]], turned: bool) -> tuple[float, float]:
    if not turned:
        return 0.0, 1.0
    most = max(0.1, *(float(np.nanmax(np.abs(line))) if np.isfinite(line).any() else 0.0 for line in lines))
    return -most, most
