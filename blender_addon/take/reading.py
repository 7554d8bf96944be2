# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says about the current frame: the analysis that came with the key that is in force there."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from semanticface.results import FrameResult, Status
from semanticface.take import Take, read_take

from ..footage.timing import TimeMap
from ..keying.takes import origins_in, time_of_anchor

TOLERANCE = 0.5
"""A key up to half a frame after the playhead counts as being under it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Results by scene frame, ascending; `signature` is that of the Action that they were keyed onto."""

    signature: str
    frames: tuple[float, ...]
    results: tuple[FrameResult, ...]

    def at(self, scene_frame: float) -> tuple[float, FrameResult] | None:
        """The result at or before a scene frame, with its own place; None before the first."""
        place = bisect_right(self.frames, scene_frame + TOLERANCE) - 1
        return None if place < 0 else (self.frames[place], self.results[place])


def read_signature(signature: str, last: Take | None = None) -> Reading:
    """Load the takes that an Action was keyed from; where they overlap the later one holds.

    `last` is the last of them if it is loaded already. Raises TakeError when the last of them can't be read; earlier
    ones that are gone are left out.
    """
    origins = origins_in(signature)
    placed: list[tuple[float, FrameResult]] = []
    for origin in origins:
        if origin is not origins[-1] and not origin.take.exists():
            continue
        known = last if last is not None and last.path == origin.take else read_take(origin.take)
        placed = overlaid(placed, _place(known, origin.plan.time))
    frames, results = [where for where, _ in placed], [result for _, result in placed]
    return Reading(signature, tuple(frames), tuple(results))


def _place(take: Take, time: TimeMap) -> list[tuple[float, FrameResult]]:
    start = time_of_anchor(take.results, time)
    return sorted(
        ((time.to_scene(result.frame, result.time, start), result) for result in take.results),
        key=lambda entry: entry[0],
    )


def overlaid(
    below: list[tuple[float, FrameResult]], above: list[tuple[float, FrameResult]]
) -> list[tuple[float, FrameResult]]:
    """Both by scene frame, without what lies below within the span of what lies above."""
    if not above:
        return below
    first, last = above[0][0], above[-1][0]
    return [entry for entry in below if entry[0] < first] + above + [entry for entry in below if entry[0] > last]


def describe(where: float, result: FrameResult) -> list[str]:
    """Lines for the panel: the frame, then the analysis or why there is none."""
    lines = [f"Source frame {result.frame}, scene frame {where:.6g}"]
    if result.status is not Status.OK:
        lines.append(f"No key here: {result.status.value.replace('_', ' ')}")
        return lines + ([result.message] if result.message else [])
    if result.confidence is not None:
        lines[0] += f", confidence {result.confidence:.0%}"
    return lines + (result.analysis.to_text().splitlines() if result.analysis else ["No analysis came with this frame"])
