# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender tells us of: the playhead moved, a file was opened, something was undone. All of it is cheap.

Handlers outlive the opening of another file. None of them reads a take itself: that goes on in the background.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import session
from ..properties import settings_of
from . import following, here, listing


@persistent
def _frame_changed(*_: Any) -> None:
    if not _rendering():
        listing.follow_playhead()


def _rendering() -> bool:
    """A render moves the playhead from a thread of its own, where nothing of the window manager may be touched."""
    running = getattr(bpy.app, "is_job_running", None)
    return bool(running and running("RENDER"))


@persistent
def _file_loaded(*_: Any) -> None:
    """Load the analysis that the keys in this file came with, in the background."""
    session.current().reading = None
    look_again()


@persistent
def _undone(*_: Any) -> None:
    look_again()


def look_again() -> None:
    """Begin to load the analysis of what animates the target now, where it isn't the one that is shown."""
    scene = bpy.context.scene
    signature = "" if scene is None else here.signature(settings_of(scene))
    if signature:
        following.load(session.current(), signature)


_HANDLERS = (
    ("frame_change_post", _frame_changed),
    ("load_post", _file_loaded),
    ("undo_post", _undone),
    ("redo_post", _undone),
)


def register() -> None:
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in _HANDLERS:
        if handler in getattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(handler)
