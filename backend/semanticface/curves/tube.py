"""The calmest curve that the readings allow: each reading says where the truth may be, the motion around it how much
it may turn there.

A reading on a grid says that the truth is within half a step of it, with soft edges, since an engine is not sure either
(a tube); a reading without a grid says that the truth is near it. Against this stands the motion: how much a curve moves
and turns from frame to frame. That is learnt from the curve itself, around each frame, so that a face at rest is held
still while a blink next to it is left alone. Both together are the negative logarithm of a probability; `calm` finds
its minimum by Newton steps. Nothing here knows of seconds, actions or takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.banded import solve_in_chunks

Array = NDArray[np.float64]

ROUNDS = 4
"""Newton steps with learnt motion. More change the recording's error by less than a fiftieth of it."""
STIFFEST = 0.05
"""The least that a reading counts, in parts of what it would count without a grid: keeps the equations well posed."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What a curve may do from frame to frame before anything is learnt from it, and how it is learnt.

    `drift` and `turn` are what first and second differences of a face at rest are, in deviations of a reading.
    `freedom` is how far the motion may be from what was found around it, as a factor on squares. `reach` is the
    deviation, in frames, of the window in which motion is looked for. `start` is the drift of the first round.
    """

    drift: float
    turn: float
    freedom: float
    reach: float
    start: float


@dataclass(frozen=True, slots=True)
class Readings:
    """`values`, `weights` (F, C); `deviation` (C,) of a reading from the truth; `step` of the grid, 0 for none."""

    values: Array
    weights: Array
    deviation: Array
    step: float


EDGE = 0.2
"""Deviation of the noise before rounding, in steps: how soft the tube's edges are."""


def deviation_on_grid(step: float) -> float:
    """Of a reading rounded to `step`, with noise of EDGE steps before: the root of step^2 / 12 + noise^2."""
    return float(step * np.sqrt(1.0 / 12.0 + EDGE**2))


def calm(readings: Readings, pairs: NDArray[np.int64], motion: Motion) -> Array:
    """(F, C) the calmest curves. `pairs` (P, 2) are columns that usually move alike, each column in one pair at most.

    What both columns of a pair do, and by how much they differ, are held still separately: two readings of one
    movement are better than one, and a movement of one side alone stays where it is.
    """
    x = readings.values
    spread = readings.deviation
    first, second = np.ones((len(x) - 1, 1)), np.zeros((len(x) - 2, 1))
    x = x + _step(x, readings, pairs, first / (motion.start * spread) ** 2, second / spread**2)
    taps = _taps(motion.reach)
    for _ in range(ROUNDS):
        turned = _turn_pairs(x, pairs)
        variances = []
        for order, floor in ((1, motion.drift), (2, motion.turn)):
            seen = _blurred(np.diff(turned, order, axis=0) ** 2, taps)
            variances.append((floor * spread) ** 2 + motion.freedom * seen)
        x = x + _step(x, readings, pairs, 1.0 / variances[0], 1.0 / variances[1])
    return x


def _step(x: Array, readings: Readings, pairs: NDArray[np.int64], first: Array, second: Array) -> Array:
    """One Newton step. `first`, `second`: weights on squared first and second differences, in turned columns."""
    slope, bend = _pull(x, readings)
    left, right = pairs[:, 0], pairs[:, 1]
    bend[:, left] = bend[:, right] = np.maximum(bend[:, left], bend[:, right])
    turned = _turn_pairs(x, pairs)
    slope = _turn_pairs(slope, pairs)
    once, twice = first * np.diff(turned, axis=0), second * np.diff(turned, 2, axis=0)
    slope[:-1] -= once
    slope[1:] += once
    slope[:-2] += twice
    slope[1:-1] -= 2.0 * twice
    slope[2:] += twice
    bend[:-1] += first
    bend[1:] += first
    bend[:-2] += second
    bend[1:-1] += 4.0 * second
    bend[2:] += second
    beside = np.broadcast_to(-first, once.shape).copy()
    beside[:-1] -= 2.0 * second
    beside[1:] -= 2.0 * second
    beyond = np.broadcast_to(second, twice.shape)
    return _turn_pairs(solve_in_chunks(bend, beside, beyond, -slope), pairs)


def _turn_pairs(x: Array, pairs: NDArray[np.int64]) -> Array:
    """Each pair as its sum and difference over the root of 2; the same again turns back."""
    out = x.copy()
    left, right = x[:, pairs[:, 0]], x[:, pairs[:, 1]]
    out[:, pairs[:, 0]] = (left + right) * np.sqrt(0.5)
    out[:, pairs[:, 1]] = (left - right) * np.sqrt(0.5)
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
        return plain * away, plain.copy()
    scale = readings.step * EDGE * np.sqrt(3.0) / np.pi
    distance = np.abs(away)
    decay, edge = np.exp(-distance / scale), np.exp(0.5 * readings.step / scale)
    inner, outer = 1.0 / (1.0 + decay / edge), 1.0 / (1.0 + decay * edge)
    slope = (inner + outer - 1.0) / scale
    bend = (inner * (1.0 - inner) + outer * (1.0 - outer)) / scale**2
    bend = np.maximum(bend, slope / np.maximum(distance, 1e-9 * readings.step))
    return readings.weights * slope * np.sign(away), np.maximum(readings.weights * bend, STIFFEST * plain)


def _taps(reach: float) -> Array:
    """A bell of deviation `reach` frames, cut at two and a half of them, that sums to 1."""
    half = int(np.ceil(2.5 * reach))
    bell: Array = np.exp(-0.5 * (np.arange(-half, half + 1) / reach) ** 2)
    return bell / bell.sum()


def _blurred(x: Array, taps: Array) -> Array:
    """(F, C) the mean around each row, the ends carried on."""
    half = len(taps) // 2
    wide = np.concatenate((np.repeat(x[:1], half, axis=0), x, np.repeat(x[-1:], half, axis=0)))
    out = taps[half] * x
    for k in range(half):
        out += taps[k] * (wide[k : k + len(x)] + wide[len(taps) - 1 - k : len(taps) - 1 - k + len(x)])
    return out
