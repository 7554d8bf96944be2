"""The worker process: one engine, its lanes, and the media that they read.

    python -m semanticface.server.worker ENDPOINT ENGINE        (the front's supervisor starts it)

It calls the front, builds its engine in a thread of its own while it already answers questions about media, and says
`ready` with the engine's traits, or `unfit`. It may be killed at any time and dies with the front: it notices the end
of its stdin, and on Linux the system tells it. This module knows nothing of clients, takes or the cache.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

import zmq

from semanticface.engines.base import Engine
from semanticface.errors import EngineError, SemanticFaceError, to_wire
from semanticface.server import channel
from semanticface.server.channel import HEARTBEAT, ORDERS, REPORTS, Envelope
from semanticface.server.engines import resolve
from semanticface.server.footage import Library, Shelf
from semanticface.server.lanes import Lane

_PR_SET_PDEATHSIG = 1


class Reporter:
    """The socket to the front, shared by all threads under a lock."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket
        self._lock = threading.Lock()

    def __call__(self, kind: str, fields: dict[str, Any]) -> None:
        frames = channel.encode(kind, fields)
        with self._lock:
            self._socket.send_multipart(frames)


class Worker:
    """The process's state: its engine once it is built, its lanes, and the jobs that are gone."""

    def __init__(self, engine: str, report: Reporter) -> None:
        self._name = engine
        self._report = report
        self._engine: Engine | None = None
        self._lanes: list[Lane] = []
        self._library = Library()
        self._gone: set[str] = set()
        self._questions: SimpleQueue[Envelope] = SimpleQueue()
        self._pictures: SimpleQueue[Envelope] = SimpleQueue()

    def start(self) -> None:
        """Set the threads going."""
        for work in (self._beat, self._build, self._answer_questions, self._make_thumbnails):
            threading.Thread(target=work, daemon=True).start()

    def take(self, order: Envelope) -> None:
        """One order of the front."""
        match order.kind:
            case "begin":
                self.start()
            case "unit":
                self._lanes[order["lane"]].orders.put(order)
            case "forget":
                self._gone.add(order["job"])
                for lane in self._lanes:
                    lane.orders.put(order)
            case "probe" | "prepare":
                self._questions.put(order)
            case "thumbnails":
                self._pictures.put(order)

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT)
            self._report("beat", {})

    def _build(self) -> None:
        try:
            named = resolve(self._name)
            engine = named.entry.build(named.variant)
            decodes = named.entry.decodes
            lanes = [Lane(engine, decodes, self._library, self._report, self._gone) for _ in range(engine.traits.lanes)]
        except Exception as error:  # the boundary to engines: whatever it is, the front tells the user
            if not isinstance(error, SemanticFaceError):
                traceback.print_exc()
            self._report("unfit", {"error": to_wire(_as_engine_error(self._name, error))})
            return
        for lane in lanes:
            lane.start()
        self._engine, self._lanes = engine, lanes
        self._report("ready", {"info": engine.info.to_dict(), "traits": asdict(engine.traits)})

    def _answer_questions(self) -> None:
        while True:
            order = self._questions.get()
            self._answer(order, lambda order: self._prepare(order) if order.kind == "prepare" else self._probe(order))

    def _make_thumbnails(self) -> None:
        """In a thread of its own: no job waits for it."""
        shelf = Shelf(self._library)
        while True:
            self._answer(self._pictures.get(), lambda order: _thumbnails(shelf, order))

    def _answer(self, order: Envelope, find: Callable[[Envelope], dict[str, Any]]) -> None:
        try:
            self._report("answer", {"number": order["number"], **find(order)})
        except Exception as error:  # the boundary to decoders and options: the client is told, the worker lives
            if not isinstance(error, SemanticFaceError):
                traceback.print_exc()
            self._report("refusal", {"number": order["number"], "error": to_wire(error)})

    def _probe(self, order: Envelope) -> dict[str, Any]:
        return {"info": self._library.describe(order["media"])}

    def _prepare(self, order: Envelope) -> dict[str, Any]:
        """What a job depends on, before its first frame: see `feeds.Prepared`."""
        engine = self._engine
        if engine is None:
            raise EngineError(f"engine {self._name} is not built yet")
        info: dict[str, Any] = {}
        content, video = "", order["video"]
        options = engine.options(order["options"])
        if order["media"] is not None:
            info = self._library.describe(order["media"])
            content = self._library.fingerprint(order["media"])
            video = info["kind"] != "image"
        fingerprint = engine.fingerprint(options, video)
        return {"options": options, "fingerprint": fingerprint, "video": video, "info": info, "content": content}


def _thumbnails(shelf: Shelf, order: Envelope) -> dict[str, Any]:
    from semanticface.server.thumbnails import make_thumbnails  # OpenCV, which a worker of a server needs not have

    return make_thumbnails(shelf, order.fields)


def _as_engine_error(name: str, error: Exception) -> SemanticFaceError:
    if isinstance(error, SemanticFaceError):
        return error
    return EngineError(f"engine {name} can't start: {type(error).__name__}: {error}", "run `semanticface doctor`")


def _die_with_the_front() -> None:
    """End this process when the front has ended, however that happened."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.read(0, 64):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _read_secret() -> bytes:
    """The line that the front writes first; read byte by byte, because `watch` goes on with the bare descriptor."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            raise SystemExit("a worker is started by the backend's front, which tells it its secret on stdin")
        line += byte
    return line.strip()


def _connect(context: zmq.Context[zmq.Socket[bytes]], endpoint: str, name: bytes) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.DEALER)
    channel.tune(socket)
    socket.setsockopt(zmq.ROUTING_ID, name)
    socket.connect(endpoint)
    return socket


def main(endpoint: str, engine: str) -> None:
    """Serve the front at this endpoint until killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the front, which then ends this process
    secret = _read_secret()
    _die_with_the_front()
    context = zmq.Context()
    orders = _connect(context, endpoint, secret + ORDERS)
    worker = Worker(engine, Reporter(_connect(context, endpoint, secret + REPORTS)))
    orders.send_multipart(channel.encode("up", {}))  # by this socket: now the front knows that orders reach it
    while True:
        worker.take(channel.decode(orders.recv_multipart(copy=False)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
