# SPDX-License-Identifier: GPL-3.0-or-later
"""From the panel's choice of footage to what the backend is asked for: the media reference, the frames, the time map.

Footage is named, never decoded here: Blender's own decoder differs between versions, the backend's does not. What the
backend's probe says of the footage (rate, number of frames) decides; the clip's own figures serve the panel until then.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import InputError
from semanticface.media.source import MediaKind, MediaRef

from ..properties import SEMANTICFACE_PG_settings
from .timing import TimeMap, Timing, exact_rate, near_rate

SEEN_FOR = 3.0
"""Seconds for which the panel believes what it saw on disk."""


@dataclass(frozen=True, slots=True)
class Footage:
    """What was chosen. `rate` is a guess until the backend has looked (None: not known).

    Source frame `anchor` lands on scene frame `anchor_scene`; with `anchor` None it is the first chosen frame.
    """

    media: Mapping[str, Any]
    label: str
    rate: Fraction | None
    anchor: int | None
    anchor_scene: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Which frames the panel asked for, and the scene's clock, as they were when the job was started."""

    frames: str
    first: int
    last: int
    step: int
    timing: Timing
    whole: bool
    playhead: float
    scene_rate: Fraction


@dataclass(frozen=True, slots=True)
class Choice:
    """The frames to analyze, ascending, and where they land."""

    frames: tuple[int, ...]
    time: TimeMap


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    return exact_rate(scene.render.fps, scene.render.fps_base)


def footage_of(settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene, drawing: bool = False) -> Footage:
    """Raises InputError or MediaError with the reason when no usable footage is chosen.

    With `drawing` what was seen on disk within the last seconds will do, so that a redraw never lists a folder.
    """
    age = int(time.monotonic() / SEEN_FOR) if drawing else time.monotonic()
    if settings.source == "CLIP":
        return _clip_footage(settings, scene, age)
    if not settings.filepath.strip():
        raise InputError("no footage is chosen", "choose a file")
    path = bpy.path.abspath(settings.filepath)
    reference = _reference(path, settings.sequence, age)
    if reference.kind is not MediaKind.VIDEO:
        reference = _with_rate(reference, settings, scene)
    return Footage(reference.to_dict(), Path(path).stem, reference.rate, None, settings.scene_start)


@lru_cache(maxsize=4)
def _reference(path: str, sequence: bool, age: float) -> MediaRef:
    """`age` makes an entry that is too old differ from a new one."""
    return MediaRef.from_user(path, sequence=sequence)


def _clip_footage(settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene, age: float) -> Footage:
    clip = settings.clip
    if clip is None:
        raise InputError("no footage is chosen", "choose a movie clip, or switch the source to File")
    path = bpy.path.abspath(clip.filepath, library=clip.library)
    reference = _reference(path, clip.source == "SEQUENCE", age)
    rate, label = near_rate(clip.fps), Path(path).stem
    if reference.kind is not MediaKind.VIDEO:
        number = re.search(r"\d+(?=\D*$)", Path(path).stem)
        reference = _with_rate(reference, settings, scene, int(number.group()) if number else None)
        rate = reference.rate
    if settings.follow_clip:
        return Footage(reference.to_dict(), label, rate, clip.frame_offset, float(clip.frame_start))
    return Footage(reference.to_dict(), label, rate, None, settings.scene_start)


def _with_rate(
    reference: MediaRef, settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene, first: int | None = None
) -> MediaRef:
    rate = near_rate(settings.sequence_rate) or scene_rate(scene)
    number = first if reference.kind is MediaKind.SEQUENCE else None
    return MediaRef(reference.kind, reference.path, reference.pattern, rate, number)


def selection_of(settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene) -> Selection:
    return Selection(
        frames=settings.frames,
        first=settings.first,
        last=settings.last,
        step=settings.step,
        timing=Timing(settings.timing),
        whole=settings.whole_frames,
        playhead=scene.frame_current_final,
        scene_rate=scene_rate(scene),
    )


def time_map(footage: Footage, chosen: Selection, first: int) -> TimeMap:
    """The map from source to scene frames; `first` is the first chosen source frame."""
    return TimeMap(
        anchor=first if footage.anchor is None else footage.anchor,
        scene_frame=footage.anchor_scene,
        source_rate=footage.rate or chosen.scene_rate,
        scene_rate=chosen.scene_rate,
        timing=chosen.timing,
        whole=chosen.whole,
    )


def frame_under_playhead(footage: Footage, chosen: Selection) -> int:
    """The source frame that the scene's current frame shows; may lie outside the source."""
    return time_map(footage, chosen, 0).to_source(chosen.playhead)


def choose_frames(footage: Footage, info: Mapping[str, Any], chosen: Selection) -> Choice:
    """The frames that were asked for, within the footage as probed. Raises InputError when there are none."""
    known = replace(footage, rate=_probed_rate(info) or footage.rate)
    count = info.get("frame_count")
    if chosen.frames == "CURRENT":
        return _current_frame(known, count, chosen)
    first, last = (chosen.first, chosen.last) if chosen.frames == "RANGE" else (0, (count or 1) - 1)
    if chosen.frames == "ALL" and known.anchor is not None:
        first = min(max(known.anchor, 0), last)  # what the clip's offset cuts off is not shown in the scene
    if last < first:
        raise InputError(f"the range ends at {last} before it starts at {first}", "First and Last in the panel")
    if count is not None and first >= count:
        raise InputError(f"{footage.label} ends at source frame {count - 1}, before {first}", "choose another range")
    end = last if count is None else min(last, count - 1)
    return Choice(tuple(range(first, end + 1, chosen.step)), time_map(known, chosen, first))


def _current_frame(footage: Footage, count: int | None, chosen: Selection) -> Choice:
    """The frame under the playhead, keyed exactly there, whichever way it was rounded."""
    frame = frame_under_playhead(footage, chosen)
    if frame < 0 or (count is not None and frame >= count):
        end = "" if count is None else f", which has 0 to {count - 1}"
        raise InputError(f"the playhead is at source frame {frame} of {footage.label}{end}", "move it over the footage")
    here = replace(time_map(footage, chosen, frame), anchor=frame, scene_frame=chosen.playhead, whole=False)
    return Choice((frame,), here)


def _probed_rate(info: Mapping[str, Any]) -> Fraction | None:
    try:
        rate = Fraction(info["rate"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return rate if rate > 0 else None


def engine_options(settings: SEMANTICFACE_PG_settings) -> dict[str, Any]:
    return {"face": settings.face_index} if settings.face == "INDEX" else {}
