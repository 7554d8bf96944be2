# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of frames as Blender has it: empty rows on the window manager, and the active one, tied to the playhead.

What a row shows is in the table (`state`); the rows are there because a list needs a collection. They are not in the
file. Choosing a row moves the playhead, and the playhead takes the active row along, each without calling the other.
"""

from __future__ import annotations

from typing import Any

import bpy

from .. import names, session
from ..properties import settings_of
from . import state
from .fetching import fetch


class SEMANTICFACE_PG_frame(bpy.types.PropertyGroup):
    """One row; its place in the collection is its row in the table."""


def _chosen(self: Any, context: Any) -> None:
    """The user has clicked a row, or the playhead has moved on."""
    work = state.current()
    work.active = max(0, self.active)
    if work.moving or work.reading is None or not 0 <= self.active < len(work.reading.frames):
        return
    go_to(context.scene, work.reading.frames[self.active])
    fetch(session.current())


class SEMANTICFACE_PG_frames(bpy.types.PropertyGroup):
    """The list on the window manager."""

    rows: bpy.props.CollectionProperty(type=SEMANTICFACE_PG_frame)
    active: bpy.props.IntProperty(name="Frame", description="The frame in the list", update=_chosen)


def frames_list(context: Any = None) -> SEMANTICFACE_PG_frames:
    return getattr((context or bpy.context).window_manager, names.FRAMES)


def fill(count: int, most: int) -> int:
    """Bring the number of rows nearer to `count`, by at most so many; returns how many there are."""
    rows = frames_list().rows
    if len(rows) > count:
        rows.clear()
    for _ in range(min(most, count - len(rows))):
        rows.add()
    return len(rows)


def go_to(scene: bpy.types.Scene, frame: float) -> None:
    """Move the playhead to a scene frame, parts of a frame included."""
    whole = int(frame // 1)
    scene.frame_set(whole, subframe=min(frame - whole, 0.99999))


def follow_playhead() -> None:
    """Make the row that is in force at the playhead the active one; nothing changes when it is already."""
    work, scene = state.current(), bpy.context.scene
    if work.reading is None or scene is None or not settings_of(scene).follow_playhead:
        return
    row, chosen = work.reading.place(scene.frame_current_final), frames_list()
    if row is None or row == chosen.active or row >= len(chosen.rows):
        return
    work.moving = True
    try:
        chosen.active = row
    finally:
        work.moving = False


_CLASSES = (SEMANTICFACE_PG_frame, SEMANTICFACE_PG_frames)


def register() -> None:
    for one in _CLASSES:
        bpy.utils.register_class(one)
    setattr(bpy.types.WindowManager, names.FRAMES, bpy.props.PointerProperty(type=SEMANTICFACE_PG_frames))


def unregister() -> None:
    delattr(bpy.types.WindowManager, names.FRAMES)
    for one in reversed(_CLASSES):
        bpy.utils.unregister_class(one)
