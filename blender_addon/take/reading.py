# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read from the face, by scene frame: the results that the keys of an Action came with.

Reads takes and touches nothing of Blender's; what takes long goes in steps.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semanticface.errors import TakeError
from semanticface.results import FrameResult, Status
from semanticface.steps import Work, finished
from semanticface.take import Take, TakeHeader, reading_take

from ..footage.timing import TimeMap
from ..keying.plan import KeyMode
from ..keying.takes import Origin, origins_in, time_of_anchor

TOLERANCE = 0.5
"""A key up to half a frame after the playhead counts as being under it."""
SAME_PLACE = 1e-3
"""Results closer than this, in scene frames, are of one key."""

ROWS_AT_ONCE = 200
"""Rows between two steps, of work that takes microseconds a row."""

Placed = tuple[float, FrameResult, int]
"""A scene frame, what was read there, and the number of its origin."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Results by scene frame, ascending; `signature` is that of the Action that they were keyed onto.

    `sources` has for each of them the number of its origin in `origins`; `takes` are these as they were read.
    `gone` are folders of takes that can't be read any more.
    """

    signature: str
    frames: tuple[float, ...]
    results: tuple[FrameResult, ...]
    sources: tuple[int, ...] = ()
    origins: tuple[Origin, ...] = ()
    takes: Mapping[Path, Take] = field(default_factory=dict, repr=False)
    gone: tuple[Path, ...] = ()

    def place(self, scene_frame: float) -> int | None:
        """The position of the result at or before a scene frame; None before the first."""
        found = bisect_right(self.frames, scene_frame + TOLERANCE) - 1
        return None if found < 0 else found

    def at(self, scene_frame: float) -> tuple[float, FrameResult] | None:
        """The result at or before a scene frame, with its own place; None before the first."""
        found = self.place(scene_frame)
        return None if found is None else (self.frames[found], self.results[found])

    def origin(self, place: int) -> Origin:
        """The take that the result at this position came from, and how it was keyed."""
        return self.origins[self.sources[place]]

    def header(self, place: int) -> TakeHeader:
        """What the take of the result at this position says of itself."""
        return self.takes[self.origin(place).take].header


def read_signature(signature: str, last: Take | None = None, before: Reading | None = None) -> Reading:
    """All of `reading_signature` at once."""
    return finished(reading_signature(signature, last, before))


def reading_signature(signature: str, last: Take | None = None, before: Reading | None = None) -> Work[Reading]:
    """Load the takes that an Action was keyed from; where they overlap the later one holds.

    `last` is the last of them if it is loaded already, `before` the reading that this one goes on from: what that has
    read isn't read again. Takes that can't be read are left out and named; raises TakeError when none can be.
    """
    known = {} if before is None else dict(before.takes)
    if last is not None:
        known[last.path] = last
    origins = origins_in(signature)
    entries: list[Placed] = []
    takes: dict[Path, Take] = {}
    gone: list[Path] = []
    problem: TakeError | None = None
    for number, origin in enumerate(origins):
        try:
            take = known.get(origin.take) or (yield from reading_take(origin.take))
        except TakeError as error:
            problem = error
            gone.append(origin.take)
            continue
        takes[origin.take] = take
        entries = overlaid(entries, (yield from placing(take, origin.plan.time, number)), origin.plan.mode)
        yield
    if problem is not None and not takes:
        if any(folder.exists() for folder in gone):
            raise problem
        raise TakeError(f"the take {gone[-1]} is gone", "put its folder back, or key the take from where it is now")
    frames, results, sources = zip(*entries, strict=True) if entries else ((), (), ())
    yield
    return Reading(signature, frames, results, sources, origins, takes, tuple(dict.fromkeys(gone)))


def placing(take: Take, time: TimeMap, number: int = 0) -> Work[list[Placed]]:
    """The take's results where the map puts them, ascending; `number` is that of their origin."""
    start = time_of_anchor(take.results, time)
    placed: list[Placed] = []
    for count, result in enumerate(take.results, 1):
        placed += [(where, result, number) for where in time.places(result.frame, result.time, start)]
        if count % ROWS_AT_ONCE == 0:
            yield
    return sorted(placed, key=lambda entry: entry[0])


def overlaid(below: Sequence[Placed], above: Sequence[Placed], mode: KeyMode) -> list[Placed]:
    """Both by scene frame, without what `above` hides: all of it, what shares a frame, or what lies in its span.

    A frame that was inserted without a result hides nothing: the key that was there stays.
    """
    if not above or mode is KeyMode.NEW:
        return list(above or below)
    if mode is KeyMode.INSERT:
        known = {_cell(entry) for entry in below}
        above = [entry for entry in above if entry[1].status is Status.OK or _cell(entry) not in known]
        taken = {_cell(entry) for entry in above}
        rest = (entry for entry in below if _cell(entry) not in taken)
    else:
        first, last = above[0][0] - SAME_PLACE, above[-1][0] + SAME_PLACE
        rest = (entry for entry in below if not first <= entry[0] <= last)
    return sorted([*rest, *above], key=lambda entry: entry[0])


def _cell(entry: Placed) -> int:
    return round(entry[0] / SAME_PLACE)


def describe(where: float, result: FrameResult) -> list[str]:
    """Lines for the panel: the frame, then the analysis or why there is none."""
    lines = [f"Source frame {result.frame}, scene frame {where:.6g}"]
    if result.status is not Status.OK:
        lines.append(f"No key here: {result.status.value.replace('_', ' ')}")
        return lines + ([result.message] if result.message else [])
    if result.confidence is not None:
        lines[0] += f", confidence {result.confidence:.0%}"
    return lines + (result.analysis.to_text().splitlines() if result.analysis else ["No analysis came with this frame"])


_REMEDIES: Mapping[Status, str] = {
    Status.NO_FACE: "Choose the face by its number, analyze the frame again with another engine, or key it by hand",
    Status.MISSING: "The footage has no such frame: fill the hole in the sequence, then analyze the frame again",
    Status.UNREADABLE: "The picture is damaged: replace the file, then analyze the frame again",
    Status.UNPARSEABLE: "The model's answer could not be read: analyze the frame again",
    Status.FAILED: "The engine gave up: analyze the frame again, or with another engine",
}


def remedy(result: FrameResult) -> str:
    """What the user can do about a frame without a key; "" for one that has one."""
    return _REMEDIES.get(result.status, "")


def folders(origins: Iterable[Origin]) -> tuple[Path, ...]:
    """The folders of the takes, each once."""
    return tuple(dict.fromkeys(origin.take for origin in origins))
