"""How a backend is run, and the limits that keep it up: plain values, passed in at the start.

This module knows nothing of sockets or processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "tcp://127.0.0.1:*"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in seconds, bytes and counts. Tests shorten the times; nobody else needs to change them.

    `lease`: how long a silent client keeps its jobs; a host's main thread may be busy for most of a minute.
    `grace`: how long a backend that a host has started lives without clients. `window`: picture payloads of a job
    that may be unanswered. `client_bytes`: payload bytes of one client that may wait; `client_thumbnails`: its
    requests for thumbnails that may. `outbox`: messages that may wait for a slow client before its jobs pause.
    `looking`: how long after its last message a client counts as looking; what is worth nothing late goes only to such.
    `attempts`: deaths of the worker on one frame before the frame is given up. `silence`: a worker without a sign of
    life for so long is killed; `stall`: the same without a result or a word of the engine (`RunOptions.partial`), for
    engines that hang while their process lives; `stall_heavy`: the same for an engine that fills a card, since on a
    processor its first step over a prompt takes minutes in one piece.
    """

    lease: float = 60.0
    grace: float = 60.0
    window: int = 24
    clients: int = 64
    client_jobs: int = 64
    client_bytes: int = 1 << 30
    client_thumbnails: int = 8
    outbox: int = 256
    looking: float = 3.0
    attempts: int = 3
    silence: float = 30.0
    stall: float = 300.0
    stall_heavy: float = 1200.0
    start_attempts: int = 3
    backoff: float = 0.25
    cache_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `serve` is told.

    `bind`: a ZeroMQ TCP address, port `*` for one that the system picks. `lease_bound`: started by a host, so end
    when no client holds a lease. `keys`: folder with the server's key and the clients' public keys (`access`), needed
    to bind beyond loopback. `idle`: seconds without work after which the worker ends and gives its memory back, 0 for
    never. `log`: file for the front's log lines, stderr by default. A worker's stderr goes to the user's log folder.
    """

    bind: str = LOOPBACK
    lease_bound: bool = False
    keys: Path | None = None
    idle: float = 600.0
    log: Path | None = None
    limits: Limits = field(default_factory=Limits)
