"""Calm curves out of an engine's values: without steps and jitter, with blinks, plosives and onsets.

Values are smoothed over time, forwards and backwards alike, so that nothing is late. Only frames that follow each other
are smoothed together: a frame that stands alone keeps its value. How a curve is found is `tube`'s business; this module
says what is smoothed together, how sure a reading is, and what must not get lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, Side
from semanticface.curves.gaps import stretches
from semanticface.curves.samples import COLUMN, Mark, Samples
from semanticface.curves.shaping import SHAPE_COLUMNS
from semanticface.curves.tube import Motion, Readings, calm, deviation_on_grid

Array = NDArray[np.float64]

SHORTEST_RUN = 5
LONGEST_STEP = 0.105
"""Seconds between frames of a run at most: what blinks are is lost beyond it."""
FRAME_TIMES = 3.5
"""Frame times between frames of a run at most."""

STEPS = (0.25, 0.2, 0.1, 0.05, 0.04, 0.025, 0.02, 0.01)
"""Grids that are looked for; a finer one is no grid worth the name."""
ON_GRID = 0.995
"""Share of values that must lie on it."""

DRIFT, TURN, FREEDOM = 0.085, 0.057, 4.0
REACH = 0.05
"""Seconds. At an `ease` of 1 these four are near the best on the recording, and not sharply so: see docs/curves.md."""
LIFT = 0.25
"""What a sharp peak is given back at most, in steps."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What smoothing consists of, to be measured one by one: both sides together, peaks given back, limits kept."""

    pairs: bool = True
    peaks: bool = True
    limits: bool = True


WHOLE = Parts()


def smooth(samples: Samples, amount: float, step: float | None, weighted: bool, parts: Parts = WHOLE) -> Samples:
    """The samples smoothed by `amount` in [0, 1]; see `Recipe` for `step` and `weighted`."""
    if amount == 0:
        return samples
    values = samples.values.copy()
    grid = step_of(samples) if step is None else step
    for start, end in runs(samples):
        part = samples.values[start:end]
        weights = relative(samples.weights[start:end]) if weighted else np.ones_like(part)
        spread = np.full(part.shape[1], deviation_on_grid(grid)) if grid else noise_of(part)
        pairs = len(PAIRS) if parts.pairs else 0
        read = part[:, ORDER].astype(np.float32)
        readings = Readings(read, weights[:, ORDER].astype(np.float32), spread[ORDER].astype(np.float32), grid, pairs)
        curves = part.copy()
        frame_time = float(np.median(np.diff(samples.times[start:end])))
        curves[:, ORDER] += (
            calm(readings, motion_at(amount, frame_time)) - read
        )  # what stays is the same to the last bit
        values[start:end] = _kept(curves, part, grid, parts)
    return replace(samples, values=values)


def _pair(left: str, right: str) -> str:
    """Which action of the right side moves along: eyes look to the same side, everything else mirrors."""
    swaps = {"EyeLookInLeft": "EyeLookOutRight", "EyeLookOutLeft": "EyeLookInRight"}
    return swaps.get(left, right)


PAIRS = tuple(
    (COLUMN[action.name], COLUMN[_pair(action.name, action.mirror)]) for action in ACTIONS if action.side is Side.LEFT
)
"""Columns that usually move alike."""
ORDER = [
    *(column for pair in PAIRS for column in pair),
    *sorted(set(COLUMN.values()) - {column for pair in PAIRS for column in pair}),
]
"""Columns as `tube` has them: pairs first, side by side."""


def motion_at(amount: float, frame_time: float) -> Motion:
    """The motion that is allowed at a strength, for frames `frame_time` seconds apart.

    At 0.67 `ease` is 1 and the recording's error is least; 0.5 leaves a little more of it and keeps quick closings of
    the lips, which at 0.67 lose three times as much.
    """
    wander = math.sqrt(30.0 * frame_time)  # a face at rest drifts with the root of time; the figures are for 1/30 s
    ease = 10.0 ** (1.0 - 1.5 * amount)  # from hardly anything to as calm as blinks bear
    return Motion(
        drift=DRIFT * ease * wander,
        turn=TURN * ease * wander,
        freedom=FREEDOM * ease,
        reach=REACH / frame_time,
    )


def runs(samples: Samples) -> list[tuple[int, int]]:
    """(start, end) of stretches of rows that follow each other closely enough to be smoothed together."""
    if len(samples.frames) < SHORTEST_RUN:
        return []
    apart = np.diff(samples.times)
    frame_time = float(np.median(apart / np.maximum(np.diff(samples.frames), 1)))
    near = (apart > 0) & (apart <= min(FRAME_TIMES * frame_time, LONGEST_STEP))
    found = []
    for start, end in stretches(samples.present):
        cuts = [start, *(start + 1 + np.flatnonzero(~near[start : end - 1])).tolist(), end]
        found += [(a, b) for a, b in pairwise(cuts) if b - a >= SHORTEST_RUN]
    return found


def step_of(samples: Samples) -> float:
    """The coarsest of STEPS on which the engine's values lie, 0 for none; columns that never move have no say."""
    given = samples.values[np.equal(samples.marks, Mark.GIVEN)]
    if len(given) == 0:
        return 0.0
    moving = given[:, np.ptp(given, axis=0) > 0]
    if moving.size == 0:
        return 0.0
    for step in STEPS:
        counts = moving / step
        if np.mean(np.abs(counts - np.rint(counts)) < 1e-4) >= ON_GRID:
            return step
    return 0.0


def noise_of(values: Array) -> Array:
    """(C,) deviation of the jitter of values without a grid: from the median of third differences, which motion hardly
    enters; for white noise they have 20 times its variance, and a median absolute value of 0.6745 deviations."""
    third = np.abs(np.diff(values, 3, axis=0))
    found: Array = np.median(third, axis=0) / (0.6745 * np.sqrt(20.0))
    at_least: Array = np.maximum(found, 1e-6)
    return at_least


def relative(weights: Array) -> Array:
    """Weights next to the surest value of each column: an engine that is never sure is not smoothed more for it."""
    shares: Array = np.maximum(weights / np.maximum(weights.max(axis=0), 1e-9), 1e-3)
    return shares


def _kept(curves: Array, readings: Array, grid: float, parts: Parts) -> Array:
    """The curves with their sharp peaks given back, and shapes no lower than 0 nor higher than 1 unless read so."""
    shapes, read = curves[:, SHAPE_COLUMNS], readings[:, SHAPE_COLUMNS]
    if parts.peaks and grid:
        shapes = lifted(shapes, grid)
    if parts.limits:
        shapes = np.clip(shapes, np.minimum(read, 0.0), np.maximum(read, 1.0))
    curves[:, SHAPE_COLUMNS] = shapes
    return curves


def lifted(curves: Array, step: float) -> Array:
    """Peaks that stand half a step above both neighbours' mean raised by LIFT steps, others by less.

    A peak of one frame has no neighbours that tell where in the tube it was, and whatever is taken from a blink leaves
    the eye open; so it gets the benefit of the doubt.
    """
    out = curves.copy()
    middle = curves[1:-1]
    above = middle - 0.5 * (curves[:-2] + curves[2:])
    peak = (middle >= curves[:-2]) & (middle >= curves[2:])
    out[1:-1] += peak * LIFT * step * np.clip(above / (0.5 * step), 0.0, 1.0)
    return out
