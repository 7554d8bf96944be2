"""The wire between the front and a worker process: orders one way, reports the other.

Loopback TCP without CURVE: encrypting costs over a millisecond on a large picture, and both ends are one program of
one user. What keeps strangers out is the name: the worker's two sockets call themselves by a secret of 128 bits that
the front made for this very process and handed over through its stdin, and the front drops whatever comes under
another name. The secret is new for each process, so reports of a dead one can't be taken for the living one's. A
message is a msgpack map, `kind` first among its fields, followed by the pictures as they came from the client, not
copied. This module knows nothing of jobs or engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack
import zmq

ORDERS = b"o"
"""Suffix of the socket by which a worker gets orders."""
REPORTS = b"r"
"""Suffix of the socket by which it reports; its threads share it under a lock."""
HEARTBEAT = 0.5
"""Seconds between a worker's signs of life."""
MAX_MESSAGE = 256 << 20
SYSTEM_BUFFER = 4 << 20
"""Of the loopback connection, in bytes; what fits goes over in one go (300 kB: a fifth faster, measured)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of the channel."""

    kind: str
    fields: dict[str, Any]
    pictures: Sequence[Any] = field(default=())

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


def encode(kind: str, fields: dict[str, Any], pictures: Sequence[Any] = ()) -> list[Any]:
    """Frames to send."""
    return [msgpack.packb([kind, fields]), *pictures]


def decode(frames: Sequence[zmq.Frame]) -> Envelope:
    """The message in these frames. The other end is our own process, so its shape is trusted."""
    kind, fields = msgpack.unpackb(frames[0].buffer)
    return Envelope(kind, fields, [frame.buffer for frame in frames[1:]])


def tune(socket: zmq.Socket[bytes]) -> None:
    """Never wait on close, never drop because a queue is full: the front bounds what is on its way."""
    socket.linger = 0
    socket.sndhwm = 0
    socket.rcvhwm = 0
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
    socket.sndbuf = socket.rcvbuf = SYSTEM_BUFFER
