"""The clients' socket, and what waits for those that read slowly.

This module knows nothing of jobs or of what a message means.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

import msgpack
import zmq

from semanticface.protocol import MAX_PAYLOAD, REPLIES, pack
from semanticface.server import channel
from semanticface.server.access import ZAP_DOMAIN, Keys, is_loopback

BURST = 64
"""Messages read in one go from either side, so that neither starves the other."""
SEND_MARK = 1000
MOST_WAITING = 10_000
"""Messages that may wait for one connection; one that asks on and on and never reads is given up."""


class Post:
    """The clients' socket. What a slow client doesn't take waits here; one that is gone is told of once."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], bind: str, keys: Keys) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger = 500
        self.socket.sndhwm = SEND_MARK
        self.socket.rcvhwm = 2 * BURST
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_PAYLOAD + 4096)
        self.socket.setsockopt(zmq.HANDSHAKE_IVL, 10_000)
        if is_loopback(bind):
            self.socket.sndbuf = self.socket.rcvbuf = channel.SYSTEM_BUFFER
        self.socket.curve_server = True
        self.socket.curve_publickey, self.socket.curve_secretkey = keys.public, keys.secret
        if keys.clients is not None:
            self.socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
        self.socket.bind(bind)
        self.endpoint: str = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._waiting: dict[bytes, deque[list[Any]]] = {}

    def send(self, identity: bytes, kind: str, **fields: Any) -> bool:
        """Send or queue; False when there is no such connection any more."""
        return self._put(identity, pack(REPLIES, kind, **fields))

    def offer(self, identity: bytes, kind: str, **fields: Any) -> None:
        """Send what is worth nothing later: it falls when anything waits, or would have to."""
        if self._waiting.get(identity):
            return
        with contextlib.suppress(zmq.Again, zmq.ZMQError):  # a connection that is gone shows with the next `send`
            self.socket.send_multipart([identity, *pack(REPLIES, kind, **fields)], zmq.DONTWAIT)

    def send_result(self, identity: bytes, job: str, result: dict[str, Any], stored: bool) -> bool:
        """`send` for the message that there are most of: its parts were checked when the result came in."""
        fields = {"type": "result", "job": job, "result": result, "stored": stored}
        return self._put(identity, [msgpack.packb(fields)])

    def _put(self, identity: bytes, parts: list[Any]) -> bool:
        frames = [identity, *parts]
        queue = self._waiting.get(identity)
        if queue:
            if len(queue) >= MOST_WAITING:
                self.forget(identity)
                return False
            queue.append(frames)
            return True
        try:
            self.socket.send_multipart(frames, zmq.DONTWAIT)
        except zmq.Again:
            self._waiting.setdefault(identity, deque()).append(frames)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._waiting.pop(identity, None)
            return False
        return True

    def forget(self, identity: bytes) -> None:
        """Nothing waits for this connection any more."""
        self._waiting.pop(identity, None)

    def waiting(self, identity: bytes) -> int:
        return len(self._waiting.get(identity, ()))

    def retry(self) -> list[bytes]:
        """Send what waits, as far as it goes; returns the connections that turn out to be gone."""
        gone = []
        for identity, queue in list(self._waiting.items()):
            try:
                while queue:
                    self.socket.send_multipart(queue[0], zmq.DONTWAIT)
                    queue.popleft()
            except zmq.Again:
                continue
            except zmq.ZMQError as error:
                if error.errno != zmq.EHOSTUNREACH:
                    raise
                gone.append(identity)
            del self._waiting[identity]
        return gone
