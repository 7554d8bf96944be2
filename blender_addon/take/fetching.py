# SPDX-License-Identifier: GPL-3.0-or-later
"""Thumbnails for the list, fetched from the backend in small batches, those near the active row first.

Without a connection, and from a backend that makes none, the list goes without. Knows the pump and the table; how a
picture is kept is `pictures`' matter.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from semanticface.errors import ProtocolError
from semanticface.link import LinkState
from semanticface.protocol import THUMBNAILS_SINCE, cut_payload
from semanticface.pump import Answer, Event, Pump, RequestFailed

from .. import session
from . import state
from .pictures import MOST_ICONS, SIDE, media_of
from .reading import Reading

BATCH = 12
PORTION = 0.003
"""Seconds of a tick that we take."""


class Fetching:
    """One request at a time, until all rows near the active one have their picture."""

    def __init__(self) -> None:
        self._asked: int | None = None
        self._pump: Pump | None = None
        self._keys: dict[int, str] = {}
        self._arrived: list[tuple[str, bytes]] = []

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        """See `session.Task`."""
        end = min(deadline, time.perf_counter() + PORTION)
        for event in events:
            if isinstance(event, (Answer, RequestFailed)) and self._asked is not None and event.re == self._asked:
                self._hear(event)
        work = state.current()
        while self._arrived and time.perf_counter() < end:
            work.pictures.store(*self._arrived.pop())
            if not self._arrived:
                now.redraw()
        if self._arrived:
            return True
        if work.reading is None or work.table is None:
            return False
        if work.pictures.prune(end):
            return True
        if self._asked is not None and self._pump is now.link.pump:
            return True
        return self._next(now, work, work.reading, end)

    def _next(self, now: session.Session, work: state.Work, reading: Reading, end: float) -> bool:
        """Show what is on disk and ask for what isn't; whether there is more to do."""
        wanted: dict[int, tuple[str, int]] = {}
        kept: set[str] = set()
        source: Mapping[str, Any] | None = None
        late = False
        for row in nearest(len(reading.results), work.active, MOST_ICONS):
            key = work.key(row)
            if not key:
                continue
            kept.add(key)
            late = late or time.perf_counter() > end
            if late or work.pictures.known(key) or work.pictures.load(key):
                continue
            of_row = reading.header(row).source
            source = source or of_row
            if len(wanted) < BATCH and of_row == source:
                wanted.setdefault(reading.results[row].frame, (key, row))
        if not late:
            work.pictures.keep(kept)
        if not wanted or source is None:
            return late
        return self._ask(now, reading, source, wanted)

    def _ask(
        self, now: session.Session, reading: Reading, source: Mapping[str, Any], wanted: dict[int, tuple[str, int]]
    ) -> bool:
        pump = now.link.pump
        if now.link.state is not LinkState.CONNECTED or pump is None:
            return now.link.state is not LinkState.OFF
        if not makes_thumbnails(pump):
            return False
        boxes = [
            [frame, *box]
            for frame, (_, row) in wanted.items()
            if (box := reading.results[row].box) is not None and min(box[2:]) > 0
        ]
        self._pump = pump
        self._keys = {frame: key for frame, (key, _) in wanted.items()}
        self._asked = pump.request("thumbnails", media=media_of(source), frames=list(wanted), side=SIDE, boxes=boxes)
        return True

    def _hear(self, event: Answer | RequestFailed) -> None:
        """Take the pictures; what has none isn't asked for again."""
        pictures: dict[int, bytes] = {}
        if isinstance(event, Answer):
            try:
                pictures = cut_payload(event.message)
            except ProtocolError:
                pictures = {}
        self._arrived = [(key, pictures[frame]) for frame, key in self._keys.items() if frame in pictures]
        state.current().pictures.failed |= {key for frame, key in self._keys.items() if frame not in pictures}
        self._asked, self._keys = None, {}


def fetch(now: session.Session) -> None:
    """Begin to fetch thumbnails about the active row, unless that is under way."""
    if not any(isinstance(task, Fetching) for task in now.tasks):
        now.attach(Fetching())


def makes_thumbnails(pump: Pump) -> bool:
    """Whether this backend is new enough."""
    return pump.welcome is not None and tuple(pump.welcome["protocol"]) >= THUMBNAILS_SINCE


def nearest(count: int, row: int, most: int) -> list[int]:
    """At most so many of the rows 0 to count - 1, the nearest to `row` first."""
    rows = sorted(range(max(0, row - most), min(count, row + most + 1)), key=lambda one: abs(one - row))
    return rows[:most]
