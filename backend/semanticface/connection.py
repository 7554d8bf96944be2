"""One client's connection to the backend: the socket, the hello, the lease, and noticing that the other side is gone.

    CLOSED -> CONNECTING -> CONNECTED -> CLOSED
                  |  |          |
                  |  +-> LOST <-+        no answer, the process is gone, or the lease lapsed
                  +----> REFUSED         another version, another schema, a wrong token

"Connected" means that `hello` was answered and versions agree. Nothing here waits: the owner calls `receive`
until it returns None and then `tick`, as often as it likes. Not for use from two threads at once. This module
knows nothing of jobs; the messages that it hands on are validated.
"""

from __future__ import annotations

import os
import struct
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

import zmq

from semanticface import __version__, processes
from semanticface.actions import SCHEMA_ID
from semanticface.errors import BackendLost, ProtocolError, SemanticFaceError, VersionMismatch, from_wire
from semanticface.protocol import (
    MAJOR,
    MAX_HEADER,
    MAX_THUMBNAIL_BYTES,
    MAX_THUMBNAILS,
    MINOR,
    REPLIES,
    REQUESTS,
    Message,
    pack,
    unpack,
)
from semanticface.runfile import RunFile

KEY_VARIABLE = "SEMANTICFACE_CLIENT_KEY"
"""Names a `.key_secret` file of pyzmq; needed only for a backend on another machine, which admits known keys alone."""

HELLO_TIMEOUT = 5.0
SILENCE = 2.5
BUSY_PING = 1.0
MAX_GAP = 1.0
"""A host that was busy itself and didn't look for longer counts as having listened this long, no more."""


SYSTEM_BUFFER = 4 << 20
"""Of a loopback connection, in bytes: a picture goes over in one go."""


class ConnectionState(StrEnum):
    CLOSED = "closed"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    REFUSED = "refused"


_NEXT = {
    ConnectionState.CLOSED: {ConnectionState.CONNECTING},
    ConnectionState.CONNECTING: {ConnectionState.CONNECTED, ConnectionState.LOST, ConnectionState.REFUSED},
    ConnectionState.CONNECTED: {ConnectionState.LOST},
    ConnectionState.LOST: set[ConnectionState](),
    ConnectionState.REFUSED: set[ConnectionState](),
}


class WireLike(Protocol):
    """What a connection needs of a socket."""

    def send(self, frames: list[Any]) -> bool: ...
    def receive(self) -> list[bytes] | None: ...
    def fallen(self) -> str: ...
    def wait(self, seconds: float) -> None: ...
    def close(self, linger: int) -> None: ...


class Wire:
    """A DEALER socket with a fresh CURVE key pair, and the monitor that says when its peer is gone."""

    def __init__(self, run: RunFile) -> None:
        """Raises BackendLost when the run file's address or key can't be used."""
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.linger = 0
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_ALL)
        self._monitor.linger = 0
        try:
            self._connect(run)
        except (zmq.ZMQError, ValueError, OSError) as error:
            self.close(0)
            raise BackendLost(f"can't connect to {run.endpoint}: {error}", "restart the backend") from error

    def _connect(self, run: RunFile) -> None:
        public, secret = _key_pair()
        self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
        self._socket.curve_serverkey = run.public_key.encode("ascii")
        # A new backend has new keys, so coming back by itself never succeeds. Not -1, "never": with it libzmq 4.3 drops
        # what has arrived and is not read yet when the peer closes, and the answer to `shutdown` would be lost.
        self._socket.reconnect_ivl = 60_000
        self._socket.rcvhwm = 0  # a host that doesn't look for a while must not make the backend drop results
        self._socket.maxmsgsize = max(MAX_HEADER, MAX_THUMBNAILS * MAX_THUMBNAIL_BYTES)
        if run.endpoint.startswith("tcp://127.0.0.1:"):
            self._socket.sndbuf = SYSTEM_BUFFER
        self._socket.connect(run.endpoint)

    def send(self, frames: list[Any]) -> bool:
        """False when the socket takes no more for now."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def receive(self) -> list[bytes] | None:
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def fallen(self) -> str:
        """Why the connection has ended since the last call, or ''."""
        reason = ""
        while self._monitor.poll(0):
            event = struct.unpack("=Hi", self._monitor.recv_multipart(zmq.NOBLOCK)[0])[0]
            reason = _ENDINGS.get(event, reason)
        return reason

    def wait(self, seconds: float) -> None:
        """Return when something came in, or the connection changed, or the time is over."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        poller.poll(max(0, int(seconds * 1000)))

    def close(self, linger: int) -> None:
        """Free everything within `linger` milliseconds and a little."""
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(linger)
        self._context.term()


def _key_pair() -> tuple[bytes, bytes]:
    """A fresh pair; or the one that a backend on another machine knows, from the file named in the environment."""
    file = os.environ.get(KEY_VARIABLE)
    if not file:
        return zmq.curve_keypair()
    from zmq.auth import load_certificate

    public, secret = load_certificate(file)
    if secret is None:
        raise ValueError(f"{file} holds no secret key")
    return public, secret


_ENDINGS = {
    int(zmq.EVENT_DISCONNECTED): "it closed the connection",
    int(zmq.EVENT_CLOSED): "nothing listens at its address",
    int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL): "the encrypted handshake failed",
    int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL): "the encrypted handshake failed: another key than the run file's",
    int(zmq.EVENT_HANDSHAKE_FAILED_AUTH): "the encrypted handshake was refused",
}


class Connection:
    """The state machine above. `busy` is set by the owner: whether it waits for anything; then pings go each second."""

    def __init__(
        self,
        run: RunFile,
        app: str = "python",
        *,
        wire: Callable[[RunFile], WireLike] = Wire,
        clock: Callable[[], float] = time.monotonic,
        lives: Callable[[int, float | None], bool] = processes.is_alive,
    ) -> None:
        self.run = run
        self.state = ConnectionState.CLOSED
        self.error: SemanticFaceError | None = None
        self.welcome: Message | None = None
        self.busy = False
        self._app, self._make_wire, self._clock, self._lives = app, wire, clock, lives
        self._wire: WireLike | None = None
        self._outbox: deque[list[Any]] = deque()
        self._last_id = 0
        self._hello = 0
        self._pings: set[int] = set()
        self._last_ping = self._last_tick = self._last_look = 0.0
        self._silence = 0.0
        self._heard = False
        self._fallen = ""

    def open(self) -> None:
        """Connect and say hello; a second call, or one after the end, raises BackendLost."""
        self._go(ConnectionState.CONNECTING)
        self._last_ping = self._last_tick = self._last_look = self._clock()
        try:
            self._wire = self._make_wire(self.run)
        except BackendLost as error:
            self._end(ConnectionState.LOST, error)
            return
        self._hello = self.request(
            "hello",
            protocol=(MAJOR, MINOR),
            client=f"semanticface {__version__}",
            schema=SCHEMA_ID,
            token=self.run.token,
            app=self._app[:200],
        )

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def request(self, kind: str, **fields: Any) -> int:
        """Send a message that has an id; returns the id that its answer will repeat."""
        number = self.next_id()
        self.send(kind, id=number, **fields)
        return number

    def send(self, kind: str, payload: bytes | memoryview | None = None, **fields: Any) -> None:
        """Send, or keep until the socket takes it. Raises ProtocolError for bad fields, BackendLost after the end."""
        if self._wire is None:
            raise self.error or BackendLost("the connection is closed", "connect again")
        self._outbox.append(pack(REQUESTS, kind, payload, **fields))
        self._flush()

    @property
    def congested(self) -> bool:
        """Whether messages wait here because the socket takes no more."""
        return bool(self._outbox)

    def receive(self) -> Message | ProtocolError | None:
        """The next message for the owner, the error in one that breaks the protocol, or None when there is no more."""
        while self._wire is not None:
            if not self._fallen:
                self._fallen = self._wire.fallen()  # before reading: all that came before the end is read first
            frames = self._wire.receive()
            if frames is None:
                if self._fallen:
                    self._end(ConnectionState.LOST, self._lost(self._fallen))
                return None
            self._heard = True
            try:
                message = unpack(REPLIES, frames)
            except ProtocolError as error:
                if self.state is ConnectionState.CONNECTING:
                    self._end(ConnectionState.REFUSED, error)
                return error
            if not self._consume(message):
                return message
        return None

    def tick(self) -> None:
        """Send what waits and the pings that are due; end when the other side has been silent or is gone."""
        if self._wire is None:
            return
        self._flush()
        now = self._clock()
        gap, self._last_tick = min(now - self._last_tick, MAX_GAP), now
        waiting = self.state is ConnectionState.CONNECTING or self.busy or bool(self._pings)
        self._silence = self._silence + gap if waiting and not self._heard else 0.0
        self._heard = False
        limit = HELLO_TIMEOUT if self.state is ConnectionState.CONNECTING else SILENCE
        if self._silence > limit:
            self._end(ConnectionState.LOST, self._lost(f"it has not answered for {self._silence:.1f} s"))
        elif now - self._last_look >= 0.5:
            self._last_look = now
            if self._here and not self._lives(self.run.pid, self.run.started):
                self._fallen = self._fallen or f"its process {self.run.pid} has ended"
        if self.state is ConnectionState.CONNECTED and now - self._last_ping >= self._ping_interval:
            self._last_ping = now
            self._pings.add(self.request("ping"))

    def wait(self, seconds: float) -> None:
        """Sleep until there is something to receive, at most this long."""
        if self._wire is not None:
            self._wire.wait(seconds)

    def close(self) -> None:
        """Say goodbye and free the socket, within 100 ms whatever the other side does; may be called twice."""
        if self._wire is not None and self.state is ConnectionState.CONNECTED:
            self._wire.send(pack(REQUESTS, "bye", id=self.next_id()))
            self._free(linger=50)
        self._free(linger=0)
        self.state = ConnectionState.CLOSED

    @property
    def _here(self) -> bool:
        return not self.run.host or self.run.host == processes.host_name()

    @property
    def _ping_interval(self) -> float:
        lease = 60.0 if self.welcome is None else float(self.welcome["lease"])
        return min(BUSY_PING if self.busy else 5.0, lease / 3)

    def _consume(self, message: Message) -> bool:
        """Whether the message was for the connection itself."""
        answered = message.get("re")
        if self.state is ConnectionState.CONNECTING:
            if answered == self._hello or (answered is None and message.type == "error"):
                self._answered(message)
            return True  # nothing else may come before the answer to hello
        if answered is None or answered not in self._pings:
            return False
        self._pings.discard(answered)
        if message.type == "error":
            reason = from_wire(message["error"]).message
            self._end(ConnectionState.LOST, self._lost(f"it has ended this client's lease: {reason}"))
        return True

    def _answered(self, message: Message) -> None:
        error = from_wire(message["error"]) if message.type == "error" else _mismatch(message, self.run)
        if error is not None:
            self._end(ConnectionState.REFUSED, error)
            return
        self.welcome = message
        self._go(ConnectionState.CONNECTED)

    def _lost(self, reason: str) -> BackendLost:
        hint = f"start it again; {self.run.log} may say why" if self.run.log else "start it again"
        return BackendLost(f"the backend at {self.run.endpoint} is lost: {reason}", hint)

    def _flush(self) -> None:
        while self._outbox and self._wire is not None and self._wire.send(self._outbox[0]):
            self._outbox.popleft()

    def _go(self, state: ConnectionState) -> None:
        if state not in _NEXT[self.state] or (state is ConnectionState.CONNECTING and self._last_id):
            raise BackendLost(f"a connection that is {self.state} can't become {state}", "make a new one")
        self.state = state

    def _end(self, state: ConnectionState, error: SemanticFaceError) -> None:
        self._go(state)
        self.error = error
        self._free(linger=0)

    def _free(self, linger: int) -> None:
        wire, self._wire = self._wire, None
        self._outbox.clear()
        if wire is not None:
            wire.close(linger)


def _mismatch(message: Message, run: RunFile) -> SemanticFaceError | None:
    if message.type != "welcome":
        return ProtocolError(f"the backend answered hello with {message.type!r}", "restart it")
    major = message["protocol"][0]
    if major != MAJOR:
        older = "this client" if major > MAJOR else "the backend"
        text = f"the backend speaks protocol {major}, this client {MAJOR}"
        return VersionMismatch(text, f"update {older}")
    if message["schema"] != SCHEMA_ID:
        return VersionMismatch("the backend names other facial actions than this client", "install equal versions")
    if message["instance"] != run.instance:
        return ProtocolError("another backend answers at the run file's address", "read the run file again")
    return None
