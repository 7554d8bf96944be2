"""The lanes of a worker: threads that take units of frames through sessions of the engine.

A lane keeps the session of each job that follows one performance, so that a tracker's state goes on from unit to
unit, and a few that unrelated stills share. It reports each result as it comes. What goes wrong in a unit is told and
ends that unit, never the lane. This module knows nothing of sockets: it gets a function that reports.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Set
from itertools import groupby
from queue import SimpleQueue
from typing import Any

import numpy as np

from semanticface.engines.base import Engine, FrameInput, RunOptions, Session
from semanticface.errors import EngineError, to_wire
from semanticface.media.reader import Picture
from semanticface.results import FrameResult
from semanticface.server.channel import Envelope
from semanticface.server.footage import Library, Shelf, decode
from semanticface.server.scribe import Scribe

SHARED_SESSIONS = 4

Report = Callable[[str, dict[str, Any]], None]


class Lane(threading.Thread):
    """One thread with its sessions and readers; `put` orders of kind `unit` and `forget`."""

    def __init__(self, engine: Engine, decodes: bool, library: Library, report: Report, gone: Set[str]) -> None:
        super().__init__(daemon=True)
        self.orders: SimpleQueue[Envelope] = SimpleQueue()
        self._engine = engine
        self._decodes = decodes
        self._shelf = Shelf(library)
        self._report = report
        self._gone = gone
        self._scribe = Scribe(report)
        self._order: Envelope | None = None
        self._answers = 0
        self._own: dict[str, Session] = {}
        self._shared: OrderedDict[str, Session] = OrderedDict()

    def run(self) -> None:
        while True:
            order = self.orders.get()
            if order.kind == "forget":
                self._forget(order["job"])
                continue
            error: dict[str, str] | None = None
            self._order, self._answers = order, 0
            since = time.perf_counter()
            try:
                self._unit(order)
            except Exception as caught:  # the boundary to engines and decoders: any error ends the unit, not the lane
                if not isinstance(caught, EngineError):
                    traceback.print_exc()
                self._close_session(order)
                error = to_wire(caught)
            self._order = None
            self._scribe.clear()
            spent = {"seconds": time.perf_counter() - since, "frames": self._answers}
            self._report("ended", {"unit": order["unit"], "error": error, **spent})

    def _unit(self, order: Envelope) -> None:
        """Run the unit's pictures through its session. Raises what the engine raises."""
        session = self._session(order)
        fed: deque[tuple[int, FrameInput]] = deque()
        since = time.perf_counter()
        for result in session.analyze(self._inputs(order, fed)):
            place, frame = fed.popleft()
            self._answers += 1
            self._scribe.close(frame)
            now = time.perf_counter()
            if order["rows"][place][0]:
                self._tell(order, place, result, now - since)
            since = now
        if fed and not self._cancelled(order):
            raise EngineError(f"the engine gave no answer for {len(fed)} of its frames")

    def _inputs(self, order: Envelope, fed: deque[tuple[int, FrameInput]]) -> Iterator[FrameInput]:
        """The pictures for the engine; those that can't be read are answered here. Stops when all jobs are gone."""
        since = time.perf_counter()
        for place, picture in self._pictures(order):
            row = order["rows"][place]
            if order["jobs"][row[1]] in self._gone:
                if self._cancelled(order):
                    return
                continue
            if picture.image is not None:
                frame = FrameInput(picture.frame, picture.time, picture.image)
                fed.append((place, frame))
                self._scribe.open(frame, order["unit"], place, row[0] and order["partials"][row[1]])
                yield frame
            elif row[0]:
                result = FrameResult(picture.frame, picture.time, picture.status, message=picture.message)
                self._tell(order, place, result, time.perf_counter() - since)
            since = time.perf_counter()

    def _pictures(self, order: Envelope) -> Iterator[tuple[int, Picture]]:
        rows = order["rows"]
        for (job, payload), places in groupby(range(len(rows)), lambda place: (rows[place][1], rows[place][4] >= 0)):
            run = list(places)
            if payload:
                for place in run:
                    yield place, self._payload(order.pictures[rows[place][4]], rows[place])
            else:
                frames = [rows[place][2] for place in run]
                yield from zip(run, self._shelf.read(order["jobs"][job], order["media"][job], frames), strict=True)

    def _payload(self, payload: Any, row: list[Any]) -> Picture:
        if self._decodes:
            return decode(payload, (row[2], row[3], *row[5:9]))
        flat = np.frombuffer(payload, np.uint8)
        return Picture(row[2], row[3], flat[: flat.size // 3 * 3].reshape(1, -1, 3))

    def _tell(self, order: Envelope, place: int, result: FrameResult, seconds: float) -> None:
        fields = {"unit": order["unit"], "place": place, "result": result.to_dict(), "seconds": seconds}
        self._report("result", fields)

    def _cancelled(self, order: Envelope) -> bool:
        return all(job in self._gone for job in order["jobs"])

    def _deserted(self) -> bool:
        """Whether nobody waits for the unit in hand any more; a session outlives its units, so it asks anew."""
        return self._order is not None and self._cancelled(self._order)

    # Sessions.

    def _session(self, order: Envelope) -> Session:
        owner = order["owner"]
        options = RunOptions(order["options"], self._deserted, self._scribe)
        if owner:
            if order["fresh"] or owner not in self._own:
                self._close_session(order)
                self._own[owner] = self._engine.session(options, order["video"])
            return self._own[owner]
        key = _shared_key(order)
        if key not in self._shared:
            self._shared[key] = self._engine.session(options, order["video"])
            while len(self._shared) > SHARED_SESSIONS:
                self._shared.popitem(last=False)[1].close()
        self._shared.move_to_end(key)
        return self._shared[key]

    def _close_session(self, order: Envelope) -> None:
        owner = order["owner"]
        session = self._own.pop(owner, None) if owner else self._shared.pop(_shared_key(order), None)
        if session is not None:
            session.close()

    def _forget(self, job: str) -> None:
        self._shelf.forget(job)
        session = self._own.pop(job, None)
        if session is not None:
            session.close()


def _shared_key(order: Envelope) -> str:
    return json.dumps([order["options"], order["video"]], sort_keys=True)
