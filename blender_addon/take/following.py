# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on in the background when there is another reading: load it, fill the list, compare text and numbers.

Reading files and building columns happens in a thread, which touches nothing of Blender's; what is Blender's happens in
the session's ticks, in portions of a few milliseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from semanticface.errors import SemanticFaceError, TakeError
from semanticface.pump import Event

from .. import session
from . import listing, state
from .fetching import fetch
from .reading import Reading, folders, read_signature
from .review import load_reviewed
from .table import Table

PORTION = 0.004
"""Seconds of a tick that we take; other tasks and the connection have the rest."""
CHECK_SECONDS = 0.0025
"""What one comparison of text and numbers takes (measured: 2 ms), so that the last one of a tick isn't late."""
REDRAW_INTERVAL = 0.5
ROWS_AT_ONCE = 200
CALLS_PER_BREATH, BREATH = 16, 0.0005
"""Frames read in one go, some 60 µs each (measured), and the pause after them in seconds."""

T = TypeVar("T")


class Beside(Generic[T]):
    """Work in a thread, asked for its end at each tick. The work must touch nothing of Blender's."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="semanticface-take", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        time.sleep(BREATH)  # whoever has started us goes on first
        try:
            self._value.append(self._work())
        except BaseException as error:  # handed on to whoever asks for the result
            self._error = error

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> T:
        """The result, once `done`; raises what the work raised."""
        if self._error is not None:
            raise self._error
        return self._value[0]


class Breather:
    """Lets other threads have their turn now and then. Python hands over by itself only every 5 ms, which Blender's
    main thread would have to wait for at each call of ours, and a redraw makes many."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self) -> None:
        self._calls += 1
        if self._calls % CALLS_PER_BREATH == 0:
            time.sleep(BREATH)


class Loading:
    """Load the reading of a signature, such as that of the Action that came with the file."""

    def __init__(self, signature: str) -> None:
        self.signature = signature
        self._work = Beside(lambda: read_signature(signature, breathe=Breather()))

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        """See `session.Task`."""
        if not self._work.done:
            return True
        try:
            now.reading = self._work.result()
        except SemanticFaceError as error:
            work = state.current()
            work.begin(None)
            work.problem = str(error)
            now.redraw()
        return False


class Following:
    """Build the table of a reading, fill the list, then compare text and numbers row by row."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._work = Beside(lambda: Table(reading, _reviewed(reading)))
        self._drawn = 0.0

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        """See `session.Task`."""
        work = state.current()
        if work.reading is not self._reading:
            return False
        if work.table is None:
            if self._work.done:
                work.table = self._work.result()
                now.redraw()
            return True
        end = min(deadline, time.perf_counter() + PORTION)
        if work.rows < len(work.table):
            work.rows = listing.fill(len(work.table), ROWS_AT_ONCE)
            if work.rows == len(work.table):
                listing.follow_playhead()
                fetch(now)
                now.redraw()
            return True
        return self._check(now, work, work.table, end)

    def _check(self, now: session.Session, work: state.Work, table: Table, end: float) -> bool:
        rows = table.unchecked(work.active)
        while rows and time.perf_counter() < end - CHECK_SECONDS:
            row = rows.pop(0)
            table.note(row, len(work.disagreements(row)))
        if not rows:
            rows = table.unchecked(0)
        if not rows or time.monotonic() - self._drawn > REDRAW_INTERVAL:
            self._drawn = time.monotonic()
            now.redraw()
        return bool(rows)


def follow(now: session.Session, reading: Reading | None) -> None:
    """Another reading is in force: forget what was known of the old one, and get to know this one."""
    state.current().begin(reading)
    if reading is None:
        return
    now.attach(Following(reading))


def load(now: session.Session, signature: str) -> None:
    """Begin to load what an Action with this signature was keyed from, unless that is loaded or under way."""
    if now.reading is not None and now.reading.signature == signature:
        return
    if not any(isinstance(task, Loading) and task.signature == signature for task in now.tasks):
        now.attach(Loading(signature))


def _reviewed(reading: Reading) -> dict[Path, frozenset[int]]:
    """The marks of each take; a damaged list of marks counts as empty, which nothing but marks depends on."""
    marks = {}
    for folder in folders(reading.origins):
        try:
            marks[folder] = load_reviewed(folder)
        except TakeError:
            marks[folder] = frozenset[int]()
    return marks
