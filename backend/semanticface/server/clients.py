"""Who is connected: the hello that admits a client, and the lease that keeps its jobs alive.

A client is known by its connection's routing id, which the front's socket makes or the client chooses; nobody can send
under another's. This module knows nothing of jobs and answers nothing itself; it says what is wrong.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from semanticface import __version__
from semanticface.actions import SCHEMA_ID
from semanticface.errors import BackendError, ProtocolError, VersionMismatch
from semanticface.protocol import MAJOR, MINOR, Message
from semanticface.server.options import Limits


@dataclass(slots=True)
class Client:
    """An admitted client. `heard`: when it last sent anything (monotonic seconds). `ended`: its last jobs that did.

    `thumbnails`: requests for thumbnails that wait.
    """

    identity: bytes
    name: str
    app: str
    heard: float
    ended: deque[str] = field(default_factory=lambda: deque(maxlen=256))
    thumbnails: int = 0


class Clients:
    """The admitted clients and their leases."""

    def __init__(self, token: str, limits: Limits, now: float) -> None:
        self._token = token
        self._limits = limits
        self._clients: dict[bytes, Client] = {}
        self._last_lease = now

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    def get(self, identity: bytes) -> Client | None:
        return self._clients.get(identity)

    def admit(self, identity: bytes, hello: Message, now: float) -> Client:
        """Check a hello and grant a lease. Raises ProtocolError for a wrong token, VersionMismatch, BackendError."""
        if not hmac.compare_digest(hello["token"].encode(), self._token.encode()):
            raise ProtocolError("hello: the token is not this backend's", "read the run file again")
        check_versions(hello["protocol"], hello["schema"])
        if identity not in self._clients and len(self._clients) >= self._limits.clients:
            raise BackendError(f"{len(self._clients)} clients are connected already", "close one of them")
        client = Client(identity, hello["client"], hello.get("app", ""), now)
        self._clients[identity] = client
        self._last_lease = now
        return client

    def renew(self, identity: bytes, now: float) -> None:
        """Any message renews a lease."""
        client = self._clients.get(identity)
        if client is not None:
            client.heard = self._last_lease = now

    def drop(self, identity: bytes, now: float) -> None:
        if self._clients.pop(identity, None) is not None:
            self._last_lease = now

    def lapsed(self, now: float) -> list[Client]:
        """The clients that have been silent for longer than the lease."""
        return [client for client in self._clients.values() if now - client.heard > self._limits.lease]

    def deserted(self, now: float) -> bool:
        """Whether there has been no lease for the whole time of grace."""
        return not self._clients and now - self._last_lease > self._limits.grace


def check_versions(protocol: tuple[int, int], schema: str) -> None:
    """Raises VersionMismatch that says which side to update."""
    major, minor = protocol
    if major != MAJOR:
        side = "the add-on or client" if major < MAJOR else "the backend"
        raise VersionMismatch(
            f"the client speaks protocol {major}.{minor}, this backend ({__version__}) speaks {MAJOR}.{MINOR}",
            f"update {side}",
        )
    if schema != SCHEMA_ID:
        raise VersionMismatch(
            f"the client's table of facial actions ({schema[:32]}) differs from this backend's ({SCHEMA_ID})",
            "install the same version of SemanticFace on both sides",
        )
