# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of which footage were asked for, as plain data, and which source frames these are.

What the backend's probe says of the footage (rate, number of frames, holes) decides; the host's own figures serve the
panel until then. This module knows nothing of Blender's data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

from semanticface.errors import InputError

from .timing import TimeMap, Timing


class Pick(StrEnum):
    """How frames are chosen."""

    CURRENT = "CURRENT"
    """The one under the playhead, keyed exactly there."""
    MARKERS = "MARKERS"
    """Those under the selected timeline markers, each keyed exactly on its marker."""
    RANGE = "RANGE"
    """Source frames from first to last."""
    SCENE = "SCENE"
    """Those that lie within a span of the scene."""
    ALL = "ALL"
    """All that the host shows of the source."""
    MATTER = "MATTER"
    """Of those `within`, the extremes of the pose, as a fast first pass finds them."""
    LISTED = "LISTED"
    """Those listed, by the time map that comes with them."""


NOTICED = 1.5
"""Scene frames by which a strip may be longer or shorter than its footage before it counts as retimed."""


@dataclass(frozen=True, slots=True)
class Played:
    """How a strip lies in its scene: `length` scene frames before trimming, seen from `start` up to `end`.

    `clock`: the scene's frames per second.
    """

    length: float
    start: float
    end: float
    clock: Fraction


@dataclass(frozen=True, slots=True)
class Footage:
    """What was chosen. `rate` and `count` (frames) are guesses until the backend has looked (None: not known).

    Source frame `anchor` lands on scene frame `anchor_scene`; with `anchor` None it is the first chosen frame.
    `timing`: how the host plays it, where that isn't the user's choice. `shown`: first and last source frame that the
    host shows of it, None for all. `pins`: places of single source frames, see `TimeMap`. `remarks`: what the user
    should know of it before the analysis.
    """

    media: Mapping[str, Any]
    label: str
    rate: Fraction | None
    anchor: int | None
    anchor_scene: float
    count: int | None = None
    timing: Timing | None = None
    shown: tuple[int, int] | None = None
    pins: tuple[tuple[int, float], ...] = ()
    remarks: tuple[str, ...] = ()
    played: Played | None = None
    """Of a strip: its timing is sure only when its number of frames is known, and this is None from then on."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which frames the panel asked for, and the scene's clock, as they were when the job was started.

    `first`, `last`: source frames of RANGE. `playhead`, `markers` (name, frame), `span`: scene frames. `within`: what
    MATTER looks through (ALL, RANGE or SCENE); `sensitivity` in [0, 1] and `most` keys (0: as many as it takes) are its
    own. `listed` frames go by `time`, which nothing else uses.
    """

    frames: str
    scene_rate: Fraction
    first: int = 0
    last: int = 0
    step: int = 1
    timing: Timing = Timing.REAL_TIME
    whole: bool = False
    playhead: float = 1.0
    markers: tuple[tuple[str, float], ...] = ()
    span: tuple[float, float] = (1.0, 250.0)
    within: str = Pick.ALL
    sensitivity: float = 0.5
    most: int = 0
    listed: tuple[int, ...] = ()
    time: TimeMap | None = None

    @classmethod
    def of_frames(cls, frames: Iterable[int], time: TimeMap) -> Selection:
        """Exactly these source frames; `time` says where they land (`TimeMap.pinned` for places of their own)."""
        return cls(Pick.LISTED, time.scene_rate, listed=tuple(sorted(set(frames))), time=time)

    @property
    def matters(self) -> bool:
        """Whether a first pass has to find the frames."""
        return self.frames == Pick.MATTER


@dataclass(frozen=True, slots=True)
class Choice:
    """The frames to analyze, ascending, and where they land. `remarks`: what was asked for and isn't among them."""

    frames: Sequence[int]
    time: TimeMap
    remarks: tuple[str, ...] = ()


def time_map(footage: Footage, chosen: Selection, first: int) -> TimeMap:
    """The map from source to scene frames; `first` is the first chosen source frame."""
    if chosen.time is not None:
        return chosen.time
    return TimeMap(
        anchor=first if footage.anchor is None else footage.anchor,
        scene_frame=footage.anchor_scene,
        source_rate=footage.rate or chosen.scene_rate,
        scene_rate=chosen.scene_rate,
        timing=footage.timing or chosen.timing,
        whole=chosen.whole,
        pins=footage.pins,
    )


def frame_under_playhead(footage: Footage, chosen: Selection) -> int:
    """The source frame that the scene's current frame shows; may lie outside the source."""
    return time_map(footage, chosen, 0).to_source(chosen.playhead)


def known(footage: Footage, info: Mapping[str, Any]) -> Footage:
    """The footage with what a probe says of it in place of the host's guesses."""
    count = info.get("frame_count", footage.count)
    seen = replace(footage, rate=_probed_rate(info) or footage.rate, count=count)
    if seen.played is None or "frame_count" not in info:
        return seen
    return replace(_as_played(seen, seen.played), played=None)


def _as_played(footage: Footage, played: Played) -> Footage:
    """With the timing that makes these frames last as long as the strip does; unchanged where none does."""
    if footage.count is None or footage.rate is None or footage.anchor is None:
        return footage
    frames = footage.count - footage.anchor
    by_frame, in_time = (abs(played.length - lasts) for lasts in (frames, frames * played.clock / footage.rate))
    if min(by_frame, in_time) > NOTICED or footage.rate == played.clock:
        return footage
    timing = Timing.PER_FRAME if by_frame < in_time else Timing.REAL_TIME
    time = TimeMap(footage.anchor, footage.anchor_scene, footage.rate, played.clock, timing)
    return replace(footage, timing=timing, shown=(time.to_source(played.start), time.to_source(played.end - 1)))


def choose_frames(footage: Footage, info: Mapping[str, Any], chosen: Selection) -> Choice:
    """The frames that were asked for, within the footage as probed. Raises InputError when there are none.

    For MATTER these are the frames that are to be looked through. With an empty `info` the host's own figures hold.
    """
    footage = known(footage, info)
    choice = _CHOOSERS[Pick(chosen.within if chosen.matters else chosen.frames)](footage, chosen)
    if not choice.frames:
        raise InputError(f"no frame of {footage.label} was chosen", "choose other frames in the Footage panel")
    holes = _holes(info, choice.frames)
    return replace(choice, remarks=choice.remarks + holes)


def _run(footage: Footage, chosen: Selection, first: int, last: int, step: int) -> Choice:
    """The source frames from first to last, as far as there are any; the first lands on the anchor's place."""
    if last < first:
        raise InputError(f"the range ends at {last} before it starts at {first}", "First and Last in the panel")
    if footage.count is not None and first >= footage.count:
        text = f"{footage.label} ends at source frame {footage.count - 1}, before {first}"
        raise InputError(text, "choose another range")
    end = last if footage.count is None else min(last, footage.count - 1)
    return Choice(range(first, end + 1, step), _trimmed(time_map(footage, chosen, first), first, end))


def _trimmed(time: TimeMap, first: int, last: int) -> TimeMap:
    """Without pins of frames that weren't asked for: the map is kept with each Action."""
    return replace(time, pins=tuple(pin for pin in time.pins if first <= pin[0] <= last)) if time.pins else time


def _step(chosen: Selection) -> int:
    """The first pass of MATTER looks at each frame: a tracker needs its neighbours."""
    return 1 if chosen.matters else chosen.step


def _range(footage: Footage, chosen: Selection) -> Choice:
    return _run(footage, chosen, chosen.first, chosen.last, _step(chosen))


def _all(footage: Footage, chosen: Selection) -> Choice:
    last = (footage.count or 1) - 1
    first = 0 if footage.anchor is None else min(max(footage.anchor, 0), last)  # what an offset cuts off isn't shown
    if footage.shown is not None:
        first, last = max(footage.shown[0], 0), min(last, footage.shown[1])
    choice = _run(footage, chosen, first, last, _step(chosen))
    if not footage.pins:
        return choice
    frames = {frame for frame, _ in footage.pins}  # a strip of images may leave some out
    return replace(choice, frames=[frame for frame in choice.frames if frame in frames])


def _scene(footage: Footage, chosen: Selection) -> Choice:
    """The source frames whose scene frames lie within the span, both ends included."""
    time, (start, end) = time_map(footage, chosen, 0), chosen.span
    low, high = footage.shown or (0, 10**9)
    low, high = max(low, 0), high if footage.count is None else min(high, footage.count - 1)
    inside: Sequence[int]
    if time.pins:
        inside = sorted({frame for frame, where in time.pins if low <= frame <= high and start <= where <= end})
    else:
        margin = math.ceil(time.source_rate / time.scene_rate) + 1  # as far as rounding to whole frames may reach
        first = _edge(time, start - _SLACK, max(low, time.to_source(start) - margin))
        last = _edge(time, end + _SLACK, max(low, time.to_source(end) - margin)) - 1
        inside = range(first, min(high, last) + 1)
    if not inside:
        text = f"no source frame of {footage.label} lies at scene frames {start:g} to {end:g}"
        raise InputError(text, "move the scene's (or preview) range over the footage")
    return Choice(inside[:: _step(chosen)], _trimmed(time, inside[0], inside[-1]))


_SLACK = 1e-6
"""Scene frames by which a frame may miss the span's ends: what arithmetic leaves of nothing."""


def _edge(time: TimeMap, where: float, frame: int) -> int:
    """The first source frame from `frame` on that doesn't lie before a scene frame; a few steps away at most."""
    while time.to_scene(frame) < where:
        frame += 1
    return frame


def _at_places(footage: Footage, chosen: Selection, places: Sequence[tuple[str, float]]) -> tuple[Choice, list[str]]:
    """The frames shown at these scene frames, keyed exactly there, and the names of places that show none."""
    time, pins, outside = time_map(footage, chosen, 0), [], []
    low, high = footage.shown or (0, 10**9)
    if footage.count is not None:
        high = min(high, footage.count - 1)
    for name, where in places:
        frame = time.to_source(where)
        if max(low, 0) <= frame <= high:
            pins.append((frame, where))
        else:
            outside.append(name)
    frames = sorted({frame for frame, _ in pins})
    return Choice(frames, replace(time, whole=False).pinned(tuple(pins))), outside


def _current(footage: Footage, chosen: Selection) -> Choice:
    """The frame under the playhead, keyed exactly there, whichever way it was rounded."""
    choice, outside = _at_places(footage, chosen, [("", chosen.playhead)])
    if outside:
        frame = frame_under_playhead(footage, chosen)
        end = "" if footage.count is None else f", which has 0 to {footage.count - 1}"
        raise InputError(f"the playhead is at source frame {frame} of {footage.label}{end}", "move it over the footage")
    anchor = choice.frames[0]
    return replace(choice, time=replace(choice.time, anchor=anchor, scene_frame=chosen.playhead, pins=()))


def _markers(footage: Footage, chosen: Selection) -> Choice:
    if not chosen.markers:
        raise InputError("no timeline marker is selected", "select the markers that stand where keys are wanted")
    choice, outside = _at_places(footage, chosen, chosen.markers)
    if not choice.frames:
        raise InputError(f"no selected marker stands over {footage.label}", "check where the footage starts")
    remarks = (f"Outside the footage: marker {_named(outside)}",) if outside else ()
    return replace(choice, remarks=remarks)


def _named(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names[:8]) + (" and others" if len(names) > 8 else "")


def _listed(footage: Footage, chosen: Selection) -> Choice:
    last = math.inf if footage.count is None else footage.count - 1
    beyond = [frame for frame in chosen.listed if not 0 <= frame <= last]
    if beyond:
        raise InputError(f"{footage.label} has no source frame {beyond[0]}", f"it ends at {last}")
    return Choice(chosen.listed, time_map(footage, chosen, chosen.listed[0] if chosen.listed else 0))


_CHOOSERS = {
    Pick.CURRENT: _current,
    Pick.MARKERS: _markers,
    Pick.RANGE: _range,
    Pick.SCENE: _scene,
    Pick.ALL: _all,
    Pick.LISTED: _listed,
}


def _holes(info: Mapping[str, Any], frames: Sequence[int]) -> tuple[str, ...]:
    """What to say of chosen frames that have no file; `info` tells of file numbers."""
    numbers, base = info.get("missing") or (), info.get("first_number") or 0
    if not numbers or not isinstance(numbers, Sequence) or isinstance(numbers, str):
        return ()
    asked = frames if isinstance(frames, range) else set(frames)
    gone = [number for number in numbers if isinstance(number, int) and number - base in asked]
    if not gone:
        return ()
    return (f"No file for {spans(gone)}: source frames {spans([number - base for number in gone])}",)


def spans(numbers: Iterable[int], most: int = 8) -> str:
    """Ascending numbers as `3, 7-12`; at most so many runs."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    text = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:most])
    return text + (f" and {len(runs) - most} more runs" if len(runs) > most else "")


def _probed_rate(info: Mapping[str, Any]) -> Fraction | None:
    try:
        rate = Fraction(info["rate"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return rate if rate > 0 else None
