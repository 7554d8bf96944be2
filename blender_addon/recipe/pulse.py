# SPDX-License-Identifier: GPL-3.0-or-later
"""That a slider of the recipe was moved, told to whoever listens. Many changes at once are told once.

A slider's callback must cost nothing, so the listener is called a moment later, from a timer. In background mode,
where no timer fires, it is called at once. Knows nothing of what a change leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import bpy


class _State:
    listener: Callable[[], None] | None = None
    holding = 0
    missed = False


def listen(listener: Callable[[], None] | None) -> None:
    """Call this one after changes from now on; None for nobody. It must not raise."""
    _State.listener = listener
    _State.holding, _State.missed = 0, False
    if listener is None and bpy.app.timers.is_registered(_fire):
        bpy.app.timers.unregister(_fire)


def note_change() -> None:
    """There was a change."""
    if _State.holding:
        _State.missed = True
    elif _State.listener is None:
        return
    elif bpy.app.background:
        _State.listener()
    elif not bpy.app.timers.is_registered(_fire):
        bpy.app.timers.register(_fire, first_interval=0.0)


@contextmanager
def held(tell: bool = True) -> Iterator[None]:
    """Changes within are told once at the end, or with `tell` false not at all."""
    _State.holding += 1
    try:
        yield
    finally:
        _State.holding -= 1
        missed = _State.missed
        if not _State.holding:
            _State.missed = False
            if missed and tell:
                note_change()


def _fire() -> None:
    if _State.listener is not None:
        _State.listener()
