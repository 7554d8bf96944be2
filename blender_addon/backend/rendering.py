# SPDX-License-Identifier: GPL-3.0-or-later
"""Frees the GPU when a render begins, so that the render has the memory. Never delays it: asks, and doesn't wait.

Blender calls render handlers in a thread of its own when the render runs beside the window, and in the main thread
when a script renders. The connection belongs to the main thread; so in the first case the handler leaves a note, and
a timer, which runs during such a render, does the asking.
"""

from __future__ import annotations

import threading
from typing import Any

import bpy

from semanticface.errors import SemanticFaceError
from semanticface.link import LinkState

from .. import preferences, session
from .tasks import Release

EVERY = 0.2
"""Seconds between two looks at the note."""


@bpy.app.handlers.persistent
def _on_render(*_: Any) -> None:
    now = session.current()
    if threading.get_ident() == threading.main_thread().ident:
        free(now)
    else:
        now.render_begins = True


def free(now: session.Session) -> None:
    """Ask the backend to give its memory back, if that is wanted and nobody needs it. Raises nothing."""
    now.render_begins = False
    if now.link.state is not LinkState.CONNECTED or not preferences.release_before_render(bpy.context):
        return
    if now.job is not None:
        now.tell(["The GPU was not freed for this render: an analysis is running. Cancel it if the render fails"])
        return
    try:
        now.attach(Release(now, quiet=True))
    except SemanticFaceError as error:
        now.tell([f"The GPU was not freed for this render: {error}"])


def _on_timer() -> float:
    if session.current().render_begins:
        free(session.current())
    return EVERY


def register() -> None:
    if _on_render not in bpy.app.handlers.render_init:
        bpy.app.handlers.render_init.append(_on_render)
    if not bpy.app.background:
        bpy.app.timers.register(_on_timer, first_interval=EVERY, persistent=True)


def unregister() -> None:
    if _on_render in bpy.app.handlers.render_init:
        bpy.app.handlers.render_init.remove(_on_render)
    if bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.unregister(_on_timer)
