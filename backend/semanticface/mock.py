"""A backend that speaks the whole protocol and analyzes nothing: `python -m semanticface.mock [--script FILE]`.

For tests of add-ons and of clients in other languages. It is strict about order and says what was wrong, it
answers jobs with generated motion (`mock_jobs`), and it fails on demand (`mock_script`). It needs no more than a client
does. It keeps no takes. This module knows nothing of engines.
"""

from __future__ import annotations

import argparse
import hmac
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zmq

from semanticface import __version__
from semanticface.actions import SCHEMA_ID
from semanticface.errors import (
    BackendError,
    MediaError,
    OptionsError,
    ProtocolError,
    SemanticFaceError,
    VersionMismatch,
    to_wire,
)
from semanticface.mock_jobs import REASON, Death, Jobs, MockJob
from semanticface.mock_script import Fault, Script, media_info, read_script, thumbnail
from semanticface.protocol import (
    MAJOR,
    MAX_HEADER,
    MAX_PAYLOAD,
    REPLIES,
    REQUESTS,
    JobState,
    Message,
    WorkerState,
    expand_runs,
    pack,
    unpack,
)
from semanticface.runfile import RunFile, own_run_file, remove_run_file, write_run_file

DEATH_CODE = 9


class MockBackend:
    """One mock with its socket, from `open` to `close`."""

    def __init__(self, script: Script | None = None, folder: Path | None = None, *, lease: bool = False) -> None:
        """`folder` takes the run file, by default the user's own; `lease`: end when no client is left."""
        self.script = script or Script()
        self.received: list[Message] = []
        self.stopped = False
        self._folder, self._lease = folder, lease
        self._leases: dict[bytes, float] = {}
        self._jobs = Jobs(self.script, self._send, self._send_rubbish)
        self._alone_since = time.monotonic()

    def open(self) -> RunFile:
        """Bind, and publish the run file; returns it."""
        public, secret = zmq.curve_keypair()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.sndhwm = 0  # a ROUTER drops what is over the mark
        self._socket.maxmsgsize = max(MAX_HEADER, MAX_PAYLOAD)
        self._socket.curve_server = True
        self._socket.curve_secretkey = secret
        self._socket.bind("tcp://127.0.0.1:*")
        endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        instance, token = os.urandom(8).hex(), os.urandom(24).hex()
        self.run = own_run_file(endpoint=endpoint, instance=instance, public_key=public.decode(), token=token)
        write_run_file(self.run, self._folder)
        return self.run

    def serve(self) -> bool:
        """Answer until told to stop; False when the script has let it die, which leaves the run file."""
        try:
            while not self.stopped:
                self.step()
        except Death:
            return False
        return True

    def step(self, wait: float = 0.01) -> None:
        """Wait for a message for so long, take what has come, and move the jobs."""
        if self._jobs.frozen:
            time.sleep(wait)
            return
        if self._socket.poll(0 if self._jobs.busy else int(wait * 1000)):
            peer, *frames = self._socket.recv_multipart()
            self._take(peer, frames)
        self._drop_lapsed()
        self._jobs.work()

    def close(self, *, tidy: bool = True) -> None:
        """Free the socket; `tidy` removes the run file, as a backend does that ends by itself."""
        self._socket.close(100 if tidy else 0)
        self._context.term()
        if tidy:
            remove_run_file(self.run.instance, self._folder)

    def _send(self, peer: bytes, kind: str, **fields: Any) -> None:
        self._socket.send_multipart([peer, *pack(REPLIES, kind, **fields)])

    def _send_rubbish(self, peer: bytes) -> None:
        self._socket.send_multipart([peer, b"\xc1 this is no msgpack"])

    def _refuse(self, peer: bytes, error: SemanticFaceError, re: int | None = None, job: str | None = None) -> None:
        self._send(peer, "error", error=to_wire(error), re=re, job=job)

    def _take(self, peer: bytes, frames: list[bytes]) -> None:
        try:
            message = unpack(REQUESTS, frames)
        except ProtocolError as error:
            self._refuse(peer, error)
            return
        self.received.append(message)
        number, job = message.get("id"), message.get("job")
        try:
            if message.type != "hello" and peer not in self._leases:
                raise ProtocolError(f"{message.type} came before hello", "say hello first, and again after a lapse")
            if peer in self._leases:
                self._leases[peer] = time.monotonic() + self.script.lease
            _HANDLERS[message.type](self, peer, message)
        except SemanticFaceError as error:
            self._refuse(peer, error, number, job)

    def _hello(self, peer: bytes, message: Message) -> None:
        if peer in self._leases:
            raise ProtocolError("hello was said before on this connection")
        if not hmac.compare_digest(message["token"].encode(), self.run.token.encode()):
            raise ProtocolError("the token is not this backend's", "read the run file again")
        if message["protocol"][0] != self.script.protocol[0] and self.script.protocol[0] == MAJOR:
            text = f"the client speaks protocol {message['protocol'][0]}, this backend {MAJOR}"
            raise VersionMismatch(text, "update the " + ("client" if message["protocol"][0] < MAJOR else "backend"))
        if message["schema"] != SCHEMA_ID:
            raise VersionMismatch("the client names other facial actions", "install equal versions")
        self._leases[peer] = time.monotonic() + self.script.lease
        self._send(
            peer,
            "welcome",
            re=message["id"],
            protocol=self.script.protocol,
            backend=f"semanticface mock {__version__}",
            instance=self.run.instance,
            schema=SCHEMA_ID,
            engines=[{"name": "mock", "title": "Mock", "installed": True, "auto": True, "reason": REASON}],
            window=self.script.window,
            max_payload=MAX_PAYLOAD,
            lease=self.script.lease,
        )

    def _ping(self, peer: bytes, message: Message) -> None:
        self._send(peer, "pong", re=message["id"])

    def _bye(self, peer: bytes, message: Message) -> None:
        self._forget(peer)
        self._send(peer, "done", re=message["id"])

    def _probe(self, peer: bytes, message: Message) -> None:
        self._require_media(message["media"])
        self._send(peer, "media", re=message["id"], info=media_info(self.script))

    def _thumbnails(self, peer: bytes, message: Message) -> None:
        """The same picture for each frame of the footage; those past its end, and those ordered so, have none."""
        self._require_media(message["media"])
        script, data = self.script, thumbnail()
        lost = {frame: "unreadable" for frame, fault in script.faults.items() if fault is Fault.UNREADABLE}
        lost |= {frame: "missing" for frame in message["frames"] if frame >= script.frames}
        asked = sorted(message["frames"])
        pictures = [(frame, len(data)) for frame in asked if frame not in lost]
        problems = [(frame, lost[frame], f"the script says {lost[frame]}") for frame in asked if frame in lost]
        fields = {"re": message["id"], "pictures": pictures, "problems": problems}
        self._send(peer, "thumbnails", payload=data * len(pictures), **fields)

    def _submit(self, peer: bytes, message: Message) -> None:
        name, media, runs = message["job"], message.get("media"), message.get("frames")
        if name in self._jobs.running:
            raise ProtocolError(f"there is a job {name} already", "choose a new id")
        if media is None and runs is not None:
            raise OptionsError("`frames` needs `media`")
        numbers: list[int] = []
        if media is not None:
            self._require_media(media)
            numbers = list(range(self.script.frames)) if runs is None else expand_runs(runs)
        job = MockJob(name, peer, message["priority"], None if media is None else len(numbers))
        job.partials = message.get("partials", False)
        job.reason = REASON if message["engine"] == "auto" else ""
        self._jobs.begin(job, numbers)
        self._send(peer, "accepted", re=message["id"], job=name, window=self.script.window, total=job.total)

    def _frame(self, peer: bytes, message: Message) -> None:
        job, number = self._jobs.find(peer, message["job"]), message["frame"]
        if job is None:
            return
        if not job.streams or job.ended:
            raise ProtocolError(f"job {job.name} takes no pictures" + (" after its end" if job.streams else ""))
        if number in job.numbers:
            raise ProtocolError(f"job {job.name}: frame {number} came twice")
        if len(job.waiting) >= self.script.window:
            raise ProtocolError(f"job {job.name}: more than {self.script.window} pictures are unanswered")
        job.numbers.add(number)
        job.waiting.append((number, message.get("time")))

    def _end(self, peer: bytes, message: Message) -> None:
        job = self._jobs.find(peer, message["job"])
        if job is None:
            return
        if job.ended:
            raise ProtocolError(f"job {job.name} has no more pictures to end")
        job.ended, job.total = True, len(job.numbers)

    def _cancel(self, peer: bytes, message: Message) -> None:
        job = self._jobs.find(peer, message["job"])
        if job is not None:
            self._jobs.finish(job, JobState.CANCELLED)

    def _status(self, peer: bytes, message: Message) -> None:
        jobs = [{"job": job.name, "state": job.state.value, "done": job.done} for job in self._jobs.all()]
        worker = {"state": WorkerState.READY.value, "pid": os.getpid(), "engine": "mock"}
        status = {"state": "serving", "jobs": jobs, "worker": worker, "clients": len(self._leases)}
        self._send(peer, "status", re=message["id"], status=status)

    def _release(self, peer: bytes, message: Message) -> None:
        if self._jobs.running:
            raise BackendError(f"{len(self._jobs.running)} jobs are running", "cancel them first, or wait for them")
        self._send(peer, "done", re=message["id"], ended=[message.get("engine", "mock")])

    def _shutdown(self, peer: bytes, message: Message) -> None:
        self._send(peer, "done", re=message["id"])
        self.stopped = True

    def _require_media(self, media: Mapping[str, Any]) -> None:
        path = media.get("path")
        if not isinstance(path, str):
            raise OptionsError("`media` needs a `path`")
        if self.script.check_files and not Path(path).exists():
            raise MediaError(f"{path} does not exist", "check the path")

    def _drop_lapsed(self) -> None:
        now = time.monotonic()
        for peer in [peer for peer, until in self._leases.items() if until < now]:
            self._forget(peer)
        if self._leases or not self._lease:
            self._alone_since = now
        elif now - self._alone_since > self.script.grace:
            self.stopped = True

    def _forget(self, peer: bytes) -> None:
        for job in [job for job in self._jobs.all() if job.peer == peer]:
            self._jobs.finish(job, JobState.CANCELLED)
        self._leases.pop(peer, None)


_HANDLERS: Mapping[str, Callable[[MockBackend, bytes, Message], None]] = {
    "hello": MockBackend._hello,
    "ping": MockBackend._ping,
    "bye": MockBackend._bye,
    "probe": MockBackend._probe,
    "thumbnails": MockBackend._thumbnails,
    "submit": MockBackend._submit,
    "frame": MockBackend._frame,
    "end": MockBackend._end,
    "cancel": MockBackend._cancel,
    "status": MockBackend._status,
    "release": MockBackend._release,
    "shutdown": MockBackend._shutdown,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the mock until `shutdown`, Ctrl-C or its lease's end; returns the exit code."""
    parser = argparse.ArgumentParser("semanticface.mock", description="A backend that speaks the protocol, for tests.")
    parser.add_argument("--script", type=Path, help="JSON with the mock's behaviour (docs/protocol.md)")
    parser.add_argument("--run-dir", type=Path, help="folder for the run file (default: the user's own)")
    parser.add_argument("--lease", action="store_true", help="end when no client is left")
    chosen = parser.parse_args(arguments)
    try:
        script = Script() if chosen.script is None else read_script(chosen.script)
        backend = MockBackend(script, chosen.run_dir, lease=chosen.lease)
        backend.open()
    except SemanticFaceError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        alive = backend.serve()
    except KeyboardInterrupt:
        alive = True
    if not alive:
        os._exit(DEATH_CODE)
    backend.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
