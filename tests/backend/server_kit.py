"""For the tests of the backend process: a private backend, and a client that sends what it is told, right or wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zmq

from semanticface.actions import SCHEMA_ID
from semanticface.protocol import MAJOR, MINOR, REPLIES, REQUESTS, Message, pack, unpack
from semanticface.runfile import RunFile, live_run_file

PATIENCE = 30.0


@dataclass
class Backend:
    process: subprocess.Popen[bytes]
    run: RunFile
    home: Path


@contextmanager
def backend(home: Path, limits: str = "", options: str = "") -> Iterator[Backend]:
    """A front of its own in `home`; `limits` and `options` are keyword arguments in Python's spelling."""
    code = (
        "import sys; from semanticface.server.__main__ import *;"
        f"sys.exit(serve(ServeOptions(limits=Limits({limits}), {options})))"
    )
    log = home / "front.log"
    home.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        environment = os.environ | {"SEMANTICFACE_HOME": str(home)}
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stderr=stream, stdin=subprocess.DEVNULL
        )
    try:
        until = time.monotonic() + PATIENCE
        while (run := live_run_file(home / "run")) is None or run.pid != process.pid:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.01)
        yield Backend(process, run, home)
        if process.poll() not in {None, 0, -9}:
            raise AssertionError(log.read_text())
    finally:
        process.kill()
        process.wait()


@dataclass
class Ended:
    """A job as its client saw it."""

    state: str
    counts: dict[str, int]
    error: dict[str, str] | None
    take: str | None
    engine: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)
    stored: list[bool] = field(default_factory=list)

    @property
    def frames(self) -> list[int]:
        return [result["frame"] for result in self.results]


class Wire:
    """A raw client: one DEALER socket that speaks the protocol as far as it is told to."""

    def __init__(self, run: RunFile, hello: bool = True, identity: bytes = b"") -> None:
        self.run = run
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        if identity:
            self.socket.setsockopt(zmq.ROUTING_ID, identity)
        public, secret = zmq.curve_keypair()
        self.socket.curve_serverkey = run.public_key.encode()
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.connect(run.endpoint)
        self.number = 0
        self.inbox: list[Message] = []
        if hello:
            assert self.hello().type == "welcome"

    def close(self) -> None:
        self.socket.close()
        self.context.term()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hello(self, **changes: Any) -> Message:
        fields = {"protocol": (MAJOR, MINOR), "client": "test", "schema": SCHEMA_ID, "token": self.run.token}
        return self.ask("hello", **(fields | changes))

    def send(self, kind: str, payload: bytes | None = None, **fields: Any) -> None:
        self.socket.send_multipart(pack(REQUESTS, kind, payload, **fields))

    def receive(self, patience: float = PATIENCE) -> Message:
        if self.inbox:
            return self.inbox.pop(0)
        assert self.socket.poll(int(1000 * patience)), "the backend says nothing"
        return unpack(REPLIES, self.socket.recv_multipart())

    def ask(self, kind: str, **fields: Any) -> Message:
        """Send a request and return its direct answer; what else comes meanwhile stays in the inbox."""
        self.number += 1
        self.send(kind, id=self.number, **fields)
        kept = []
        while True:
            message = self.receive()
            if message.get("re") == self.number or (kind == "hello" and message.type == "error"):
                self.inbox[:0] = kept
                return message
            kept.append(message)

    def until(self, *kinds: str, job: str | None = None) -> Message:
        """The next message of these kinds (about this job); others stay in the inbox."""
        kept = []
        while True:
            message = self.receive()
            if message.type in kinds and (job is None or message.get("job") == job):
                self.inbox[:0] = kept
                return message
            kept.append(message)

    def submit(self, **fields: Any) -> str:
        job = fields.pop("job", uuid.uuid4().hex)
        plain = {"engine": "echo", "options": {}, "priority": "batch"}
        answer = self.ask("submit", job=job, **(plain | fields))
        assert answer.type == "accepted", answer.fields
        return job

    def send_pictures(self, job: str, pictures: Sequence[bytes], first: int = 0) -> None:
        for number, picture in enumerate(pictures, first):
            self.send("frame", picture, job=job, frame=number, format="encoded")

    def finish(self, job: str) -> Ended:
        """Collect the job's results up to its end."""
        results, stored = [], []
        while True:
            message = self.until("result", "finished", job=job)
            if message.type == "finished":
                fields = {name: message.get(name) for name in ("counts", "error", "take")}
                return Ended(
                    str(message["state"]), **fields, engine=message.get("engine"), results=results, stored=stored
                )
            results.append(message["result"])
            stored.append(message["stored"])

    def analyze(self, pictures: Sequence[bytes], **fields: Any) -> Ended:
        job = self.submit(**fields)
        self.send_pictures(job, pictures)
        self.send("end", job=job)
        return self.finish(job)

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.ask("status")["status"]
        return status


def picture(level: int) -> bytes:
    """A small PNG of one brightness."""
    return bytes(cv2.imencode(".png", np.full((16, 16, 3), level, np.uint8))[1])


def sequence(folder: Path, count: int, holes: Sequence[int] = ()) -> dict[str, Any]:
    """An image sequence whose frame `n` has brightness `n % 256`; returns its media reference."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in set(range(count)) - set(holes):
        (folder / f"face_{number:04d}.png").write_bytes(picture(number % 256))
    return {"path": str(folder)}


def wait_for(condition: Any, patience: float = PATIENCE) -> None:
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)
