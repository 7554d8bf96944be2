"""The calmest curve that the readings allow.

A reading on a grid says that the truth is within half a step of it, with soft edges, since an engine is not sure
either (a tube); a reading without a grid says that the truth is near it. Against this stands the motion: how much a
curve moves and turns from frame to frame. That is learnt from the curve itself, around each frame, so that a face at
rest is held still while a blink next to it is left alone. Both together are the negative logarithm of a probability;
`calm` goes to its minimum by Newton steps. Nothing here knows of seconds, actions or takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.banded import solve_in_chunks

Array = NDArray[np.float32]
"""Single precision: a slider waits for this, and a tenth of a millionth is far below what anyone sees."""

ROUNDS = 3
"""Newton steps. More change the recording's error by less than a fiftieth of it."""
STIFFEST = 0.05
"""The least that a reading counts, in parts of what it would count without a grid: keeps the equations well posed."""
EDGE = 0.2
"""Deviation of the noise before rounding, in steps: how soft the tube's edges are."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What a curve may do from frame to frame before anything is learnt from it, and how it is learnt.

    `drift` and `turn` are what first and second differences of a face at rest are, in deviations of a reading.
    `freedom` is how far the motion may be from what was found around it, as a factor on squares. `reach` is the
    deviation, in frames, of the window in which motion is looked for, and of the blur from which the search starts.
    """

    drift: float
    turn: float
    freedom: float
    reach: float


@dataclass(frozen=True, slots=True)
class Readings:
    """`values`, `weights` (F, C); `deviation` (C,) of a reading from the truth; `step` of the grid, 0 for none.

    Columns 2k and 2k + 1 usually move alike for k below `pairs`: what both do and by how much they differ are held
    still separately. Two readings of one movement are better than one, and what one side does alone stays there.
    """

    values: Array
    weights: Array
    deviation: Array
    step: float
    pairs: int


def deviation_on_grid(step: float) -> float:
    """Of a reading rounded to `step`, with noise of EDGE steps before: the root of step^2 / 12 + noise^2."""
    return step * math.sqrt(1.0 / 12.0 + EDGE**2)


def calm(readings: Readings, motion: Motion) -> Array:
    """(F, C) the calmest curves, F at least 3."""
    spread, taps = readings.deviation, _bell(motion.reach)
    x = _around(readings.weights * readings.values, taps) / _around(readings.weights, taps)
    for _ in range(ROUNDS):
        turned = _turned(x, readings.pairs)
        once = turned[1:] - turned[:-1]
        twice = once[1:] - once[:-1]
        first = 1.0 / ((motion.drift * spread) ** 2 + motion.freedom * _around(np.square(once), taps))
        second = 1.0 / ((motion.turn * spread) ** 2 + motion.freedom * _around(np.square(twice), taps))
        x = x + _newton_step(x, turned, readings, first, second)
    return x


def _newton_step(x: Array, turned: Array, readings: Readings, first: Array, second: Array) -> Array:
    """What to add to x. `first` (F - 1, C), `second` (F - 2, C): weights on squared differences of turned columns."""
    slope, bend = _pull(x, readings)
    left, right = slice(0, 2 * readings.pairs, 2), slice(1, 2 * readings.pairs, 2)
    bend[:, left] = np.maximum(bend[:, left], bend[:, right])  # one for both, so that turning them changes nothing
    bend[:, right] = bend[:, left]
    slope = _turned(slope, readings.pairs)
    once = np.diff(turned, axis=0)
    twice = second * np.diff(once, axis=0)
    once *= first
    slope[:-1] -= once
    slope[1:] += once
    slope[:-2] += twice
    slope[2:] += twice
    slope[1:-1] -= 2.0 * twice
    beside = -first
    double = 2.0 * second
    beside[:-1] -= double
    beside[1:] -= double
    bend[:-1] += first
    bend[1:] += first
    bend[:-2] += second
    bend[2:] += second
    bend[1:-1] += 2.0 * double
    np.negative(slope, out=slope)
    return _turned(solve_in_chunks(bend, beside, second, slope), readings.pairs)


def _turned(x: Array, pairs: int) -> Array:
    """Each pair as its sum and difference over the root of 2; the same again turns back."""
    out = x.copy()
    left, right = x[:, 0 : 2 * pairs : 2], x[:, 1 : 2 * pairs : 2]
    half = math.sqrt(0.5)
    out[:, 0 : 2 * pairs : 2] = half * (left + right)
    out[:, 1 : 2 * pairs : 2] = half * (left - right)
    return out


def _pull(x: Array, readings: Readings) -> tuple[Array, Array]:
    """First derivative of a reading's negative log probability at x, and a curvature that Newton can't overshoot with.

    On a grid the noise before rounding is taken as logistic, which is as good as normal here and has a closed form:
    P(reading | x) = F((r + step / 2) / s) - F((r - step / 2) / s) with r = reading - x. Where the tube's edge makes the
    true curvature small far outside, that of the chord (slope over distance) takes its place.
    """
    away = x - readings.values
    plain = readings.weights / readings.deviation**2
    if readings.step == 0.0:
        return plain * away, plain
    scale = readings.step * EDGE * math.sqrt(3.0) / math.pi
    distance = np.abs(away)
    decay, edge = np.exp(distance / -scale), math.exp(0.5 * readings.step / scale)
    inner, outer = 1.0 / (1.0 + decay / edge), 1.0 / (1.0 + decay * edge)  # F at both edges
    slope = (inner + outer - 1.0) / scale
    bend = (inner * (1.0 - inner) + outer * (1.0 - outer)) / scale**2
    bend = np.maximum(bend, slope / np.maximum(distance, 1e-9 * readings.step))
    slope = readings.weights * np.copysign(slope, away)
    return slope, np.maximum(readings.weights * bend, STIFFEST * plain)


def _bell(reach: float) -> Array:
    """Weights of deviation `reach` frames, cut at two and a half of them, that sum to 1."""
    half = math.ceil(2.5 * reach)
    bell = np.exp(-0.5 * (np.arange(-half, half + 1) / reach) ** 2)
    normed: Array = (bell / bell.sum()).astype(np.float32)
    return normed


def _around(x: Array, taps: Array) -> Array:
    """(F, C) the mean around each row, the ends carried on."""
    half, rows = len(taps) // 2, len(x)
    wide = np.concatenate((np.repeat(x[:1], half, axis=0), x, np.repeat(x[-1:], half, axis=0)))
    out: Array = taps[half] * x
    for k in range(half):
        both = wide[k : k + rows] + wide[2 * half - k : 2 * half - k + rows]
        both *= taps[k]
        out += both
    return out
