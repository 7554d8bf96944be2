# SPDX-License-Identifier: GPL-3.0-or-later
"""From the panel's choice of footage to what the backend is asked for: the media reference and the selection.

Footage is named, never decoded here: Blender's own decoder differs between versions, the backend's does not. What the
backend's probe says of the footage (rate, number of frames) decides; the clip's own figures serve the panel until then.
"""

from __future__ import annotations

import re
import time
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import InputError
from semanticface.media.source import MediaKind, MediaRef

from ..properties import SEMANTICFACE_PG_settings
from .selection import Footage, Selection
from .timing import Timing, exact_rate, near_rate

SEEN_FOR = 3.0
"""Seconds for which the panel believes what it saw on disk."""


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
    preview = scene.use_preview_range
    return Selection(
        frames=settings.frames,
        scene_rate=scene_rate(scene),
        first=settings.first,
        last=settings.last,
        step=settings.step,
        timing=Timing(settings.timing),
        whole=settings.whole_frames,
        playhead=scene.frame_current_final,
        markers=tuple((marker.name, float(marker.frame)) for marker in scene.timeline_markers if marker.select),
        span=(
            float(scene.frame_preview_start if preview else scene.frame_start),
            float(scene.frame_preview_end if preview else scene.frame_end),
        ),
    )


def engine_options(settings: SEMANTICFACE_PG_settings) -> dict[str, Any]:
    return {"face": settings.face_index} if settings.face == "INDEX" else {}
