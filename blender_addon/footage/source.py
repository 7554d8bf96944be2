# SPDX-License-Identifier: GPL-3.0-or-later
"""From the panel's choice to what the backend is asked for: the footage of the chosen kind, and the selection.

What the backend's probe says of the footage (rate, number of frames) decides; until it has been asked, Blender's own
figures serve the panel.
"""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import InputError

from .. import session
from .clips import clip_footage
from .disk import Seen
from .files import file_footage, scene_rate
from .selection import Footage, Selection
from .strips import strip_footage
from .timing import Timing

__all__ = ["engine_options", "footage_of", "scene_rate", "selection_of"]

_KINDS = {"CLIP": clip_footage, "FILE": file_footage, "STRIP": strip_footage}


def footage_of(settings: Any, scene: bpy.types.Scene, drawing: bool = False) -> Footage:
    """Raises InputError or MediaError with the reason when no usable footage is chosen.

    With `drawing` what was seen on disk within the last seconds will do, so that a redraw never waits for a folder.
    """
    return _KINDS[settings.source](settings, scene, _seen_lately if drawing and not bpy.app.background else _see)


def _see(path: str, sequence: bool) -> Seen:
    return session.current().looker.now(path, sequence)


def _seen_lately(path: str, sequence: bool) -> Seen:
    now = session.current()
    seen = now.looker.lately(path, sequence)
    if now.looker.looking:
        now.attach(now.looker)
    if seen is None:
        raise InputError("looking for the footage on disk")
    return seen


def selection_of(settings: Any, scene: bpy.types.Scene) -> Selection:
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
        within=settings.within,
        sensitivity=settings.sensitivity,
        most=settings.most_keys,
    )


def engine_options(settings: Any) -> dict[str, Any]:
    """What the engine is asked for, its name included where one was chosen."""
    options: dict[str, Any] = {"face": settings.face_index} if settings.face == "INDEX" else {}
    engine = settings.engine.strip()
    return options | ({"engine": engine} if engine and engine != "auto" else {})
