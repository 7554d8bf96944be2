# SPDX-License-Identifier: GPL-3.0-or-later
"""Two takes side by side, in numbers: where they part, by how much, and in which actions.

Frames are compared that lie on the same scene frame (nearest within half a frame) and have coefficients in both. Shapes
count as they are, rotations in radians. Knows nothing of Blender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import BY_NAME
from semanticface.results import FrameResult
from semanticface.steps import Work, finished

NAMES = tuple(BY_NAME)
ROWS_AT_ONCE = 50
"""Rows between two steps."""
NEAR = 0.5
"""Scene frames by which two results of one moment may lie apart."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Side:
    """One take: scene frames (F,), ascending, and its results (F)."""

    frames: Values
    results: Sequence[FrameResult]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows are the P moments that both have: `frames` (P,) of A, their places in A and B, and B less A (P, 61).

    `by_action` (61,): root mean square of the difference over all moments; `by_frame` (P,): over all actions.
    """

    frames: Values
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    difference: Values
    by_action: Values
    by_frame: Values

    def row(self, scene_frame: float) -> int | None:
        """The row of the moment that is in force at a scene frame; None before the first and where there is none."""
        row = int(np.searchsorted(self.frames, scene_frame + NEAR, side="right")) - 1
        return row if row >= 0 else None

    def worst_actions(self, most: int = 6) -> list[tuple[str, float]]:
        """The actions that differ most overall, with their root mean square, largest first; equal ones left out."""
        order = np.argsort(-self.by_action, kind="stable")[:most]
        return [(NAMES[place], float(self.by_action[place])) for place in order if self.by_action[place] > 0]

    def largest_at(self, row: int, most: int = 6) -> list[tuple[str, float]]:
        """(action, B less A) of a row, the largest first whatever its sign; equal ones left out."""
        values = self.difference[row]
        order = np.argsort(-np.abs(values), kind="stable")[:most]
        return [(NAMES[place], float(values[place])) for place in order if values[place] != 0]

    def peaks(self, most: int = 20, apart: float = 4.0) -> NDArray[np.int64]:
        """Rows that differ most, ascending: the largest, then the largest at least `apart` scene frames from those."""
        chosen: list[int] = []
        for row in np.argsort(-self.by_frame, kind="stable"):
            if len(chosen) >= most or self.by_frame[row] <= 0:
                break
            if all(abs(self.frames[row] - self.frames[other]) >= apart for other in chosen):
                chosen.append(int(row))
        return np.array(sorted(chosen), np.int64)


def peaks_mask(comparison: Comparison, most: int = 20) -> NDArray[np.bool_]:
    """(P,) Which rows are among those that differ most."""
    mask = np.zeros(len(comparison.frames), bool)
    mask[comparison.peaks(most)] = True
    return mask


def compare(a: Side, b: Side) -> Comparison:
    """All of `comparing` at once."""
    return finished(comparing(a, b))


def comparing(a: Side, b: Side) -> Work[Comparison]:
    """Compare two takes. Without a common moment the comparison has no rows, and zeros by action."""
    pairs = yield from _pairs(a, b)
    places_a = np.array([pair[0] for pair in pairs], np.int64)
    places_b = np.array([pair[1] for pair in pairs], np.int64)
    values = (yield from _values(b, places_b)) - (yield from _values(a, places_a))  # (P, 61)
    by_action = np.sqrt(np.mean(values**2, axis=0)) if len(pairs) else np.zeros(len(NAMES))
    return Comparison(a.frames[places_a], places_a, places_b, values, by_action, np.sqrt(np.mean(values**2, axis=1)))


def _pairs(a: Side, b: Side) -> Work[list[tuple[int, int]]]:
    """Places of one moment in A and in B; each frame of B goes to one frame of A, the nearest."""
    good_a = [place for place, result in enumerate(a.results) if result.coefficients is not None]
    good_b = [place for place, result in enumerate(b.results) if result.coefficients is not None]
    if not good_a or not good_b:
        return []
    frames_b = b.frames[good_b]
    pairs: list[tuple[int, int]] = []
    for count, place in enumerate(good_a):
        if count % ROWS_AT_ONCE == 0:
            yield
        right = int(np.searchsorted(frames_b, a.frames[place]))
        near = [one for one in (right - 1, right) if 0 <= one < len(frames_b)]
        best = min(near, key=lambda one: abs(frames_b[one] - a.frames[place]))
        off = abs(frames_b[best] - a.frames[place])
        if off > NEAR:
            continue
        pair = (place, good_b[best])
        if pairs and pairs[-1][1] == pair[1]:
            if off < abs(frames_b[best] - a.frames[pairs[-1][0]]):
                pairs[-1] = pair
            continue
        pairs.append(pair)
    return pairs


def _values(side: Side, places: NDArray[np.int64]) -> Work[Values]:
    """(P, 61) coefficients in the order of NAMES."""
    values = np.empty((len(places), len(NAMES)))
    for row, place in enumerate(places.tolist()):
        coefficients = side.results[place].coefficients or {}
        values[row] = [coefficients[name] for name in NAMES]
        if row % ROWS_AT_ONCE == 0:
            yield
    return values
