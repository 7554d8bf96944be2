# SPDX-License-Identifier: GPL-3.0-or-later
"""Where results land on the scene's timeline, and which of them stand when several land on one frame.

Plain numbers; knows nothing of Blender, keys or recipes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semanticface.results import FrameResult

from ..footage.timing import TimeMap, Timing
from .keyframes import SAME_FRAME


@dataclass(frozen=True, slots=True)
class Places:
    """`rows` (P,) int64: which row lands at each place; a row may land at several, as under two markers.

    `frames` (P,) float64: its scene frame. `off` (P,): how far the row's own time is from it, in frames.
    """

    rows: NDArray[np.int64]
    frames: NDArray[np.float64]
    off: NDArray[np.float64]

    @property
    def span(self) -> tuple[float, float]:
        """First and last scene frame of all places."""
        return float(self.frames.min()), float(self.frames.max())

    def standing(self, present: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Places that stand, by ascending scene frame: of those on one frame that whose own time is nearest to it.

        The earlier of two that are equally near. Rows that aren't `present` (F,) give way to those that are.
        """
        cells = np.round(self.frames / SAME_FRAME).astype(np.int64)
        order = np.lexsort((np.arange(len(cells)), self.off, ~present[self.rows], cells))
        first = np.append(True, np.diff(cells[order]) != 0)
        return order[first[: len(order)]]


def places_of(results: Sequence[FrameResult], time: TimeMap) -> Places:
    """Where each of these results lands."""
    start = time_of_anchor(results, time)
    exact = replace(time, whole=False)
    landed = [
        (row, where)
        for row, result in enumerate(results)
        for where in time.places(result.frame, result.time, start)
    ]  # fmt: skip
    rows, frames = np.array([row for row, _ in landed], np.int64), np.array([where for _, where in landed], np.float64)
    if not time.whole:
        return Places(rows, frames, np.zeros(len(frames)))
    own = np.array([exact.to_scene(result.frame, result.time, start) for result in results], np.float64)[rows]
    return Places(rows, frames, np.round(np.abs(own - frames), 6))  # rounded so that ties are ties


def time_of_anchor(results: Sequence[FrameResult], time: TimeMap) -> float:
    """Seconds from the start of the source at which the map's anchor is shown."""
    for result in results:
        if result.frame == time.anchor and result.time is not None:
            return result.time
    return float(time.anchor / time.source_rate)


def same_map(one: TimeMap, other: TimeMap, results: Sequence[FrameResult]) -> bool:
    """Whether both put the source frames at the same scene frames, whatever their anchors; `results` know the times."""
    rates = (one.source_rate, one.scene_rate) == (other.source_rate, other.scene_rate)
    if one.timing is not other.timing or (one.timing is Timing.REAL_TIME and not rates):
        return False
    known = {result.frame: result.time for result in results}
    there = one.to_scene(other.anchor, known.get(other.anchor), time_of_anchor(results, one))
    return abs(there - other.scene_frame) < SAME_FRAME
