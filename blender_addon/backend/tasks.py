# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on in the background about the backend: following an installation, freeing the GPU, waiting for its end.

Each is a task of the session: it does a little at every tick and keeps no Blender data in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import bpy

from semanticface.errors import BackendLost, SemanticFaceError
from semanticface.launch import live_run_file
from semanticface.link import LinkState
from semanticface.provision.overview import ending
from semanticface.provision.progress import Outcome
from semanticface.pump import Answer, Event, RequestFailed

from .. import preferences, session

END_SECONDS = 15.0
"""For a backend that was told to end: it ends its engines first."""


class FollowDesk:
    """Follows an installation or a check to its end, and tells how it ended. `then` is called after a good end."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self._then = then

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        before = now.desk.view
        ended = now.desk.step()
        if ended is not None:
            done = ended.outcome is Outcome.DONE
            now.tell(ending(ended), failed=ended.outcome is Outcome.FAILED)
            if done and ended.work != "remove":
                _check(now)
            if done and self._then is not None:
                self._then()
        if now.desk.view != before:
            now.redraw()
        return now.desk.busy


class Release:
    """Asks the backend to give its memory back, and tells what it gave. `quiet`: only when it gave something."""

    def __init__(self, now: session.Session, quiet: bool = False) -> None:
        """Raises SemanticFaceError when it can't be asked."""
        if now.link.pump is None or now.link.state is not LinkState.CONNECTED:
            raise BackendLost("no backend is connected", "press Start Backend; one that does not run holds no memory")
        self._number = now.link.pump.request("release")
        self._quiet = quiet

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        for event in events:
            if isinstance(event, (Answer, RequestFailed)) and event.re == self._number:
                self._tell(now, event)
                return False
        return now.link.state is LinkState.CONNECTED

    def _tell(self, now: session.Session, event: Answer | RequestFailed) -> None:
        if isinstance(event, RequestFailed):
            now.tell([f"Nothing was released: {event.error}"], failed=not self._quiet)
            return
        ended = event.message.get("ended") or []
        if ended:
            now.tell([f"Memory and GPU are free again: {', '.join(map(str, ended))} ended"])
        elif not self._quiet:
            now.tell(["The backend holds no engine in memory"])


class AfterEnd:
    """Ends the backend, waits until its process is gone, and calls `then`. A running analysis is cancelled."""

    def __init__(self, now: session.Session, then: Callable[[], None]) -> None:
        self._then = then
        self._until = time.monotonic() + END_SECONDS
        if now.link.pump is not None and now.link.state is LinkState.CONNECTED:
            now.link.pump.request("shutdown")
        now.disconnect()

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        run = live_run_file()
        if run is None:
            self._then()
            return False
        if time.monotonic() > self._until:
            hint = "end it with the system's task manager"
            raise BackendLost(f"the backend, process {run.pid}, doesn't end", hint)
        return True


def follow(now: session.Session, then: Callable[[], None] | None = None) -> FollowDesk:
    """Follow what the desk has begun, unless that is followed already."""
    task = FollowDesk(then)
    if then is not None or not any(isinstance(other, FollowDesk) for other in now.tasks):
        now.attach(task)
    return task


def wait_for(now: session.Session, task: Any, pause: float = 0.02) -> None:
    """Tick until the task has ended. For scripts: it blocks."""
    while task in now.tasks:
        now.tick()
        time.sleep(pause)


def look(now: session.Session) -> None:
    """Look at the files; follow an installation that is under way, whoever started it."""
    now.desk.look(preferences.backend_command(bpy.context), preferences.environment_folder(bpy.context))
    if now.desk.busy:
        follow(now)
    now.redraw()


def _check(now: session.Session) -> None:
    try:
        now.desk.check(preferences.backend_command(bpy.context), preferences.environment_folder(bpy.context))
    except SemanticFaceError as error:
        now.tell([str(error)], failed=True)


def check(now: session.Session) -> FollowDesk:
    """Run the backend's Python to be sure of it."""
    _check(now)
    now.redraw()
    return follow(now)


def _look_once() -> None:
    """A moment after the add-on was enabled, when Blender's data can be read: what is wrong is said before it is met.

    Must not raise.
    """
    try:
        look(session.current())
        if not session.current().desk.busy:
            check(session.current())
    except (SemanticFaceError, OSError) as error:
        session.current().tell([str(error)], failed=True)


def register() -> None:
    if not bpy.app.background:
        bpy.app.timers.register(_look_once, first_interval=1.0, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_look_once):
        bpy.app.timers.unregister(_look_once)
