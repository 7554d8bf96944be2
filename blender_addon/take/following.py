# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on in the background when there is another reading: load it, fill the list, compare text and numbers.

All of it happens in the session's ticks, in portions of a few milliseconds; nothing runs in a thread (see
`semanticface.steps`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from semanticface.errors import SemanticFaceError, TakeError
from semanticface.pump import Event
from semanticface.steps import Steps

from .. import session
from . import listing, state
from .fetching import fetch
from .reading import Reading, folders, reading_signature
from .review import load_reviewed
from .table import Table, tabling

PORTION = 0.004
"""Seconds of a tick that we take; other tasks and the connection have the rest."""
CHECK_SECONDS = 0.0025
"""What one comparison of text and numbers takes (measured: 2 ms), so that the last one of a tick isn't late."""
REDRAW_INTERVAL = 0.5
ROWS_AT_ONCE = 200


class Loading:
    """Load the reading of a signature, such as that of the Action that came with the file."""

    def __init__(self, signature: str) -> None:
        self.signature = signature
        self._work = Steps(reading_signature(signature))

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        """See `session.Task`."""
        try:
            if not self._work.go_on(min(deadline, time.perf_counter() + PORTION)):
                return True
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
        self._work = Steps(tabling(reading, _reviewed(reading)))
        self._drawn = 0.0

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        """See `session.Task`."""
        work = state.current()
        if work.reading is not self._reading:
            return False
        end = min(deadline, time.perf_counter() + PORTION)
        if work.table is None:
            if self._work.go_on(end):
                work.table = self._work.result()
                now.redraw()
            return True
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
