"""What can go wrong with a request, in the kinds that call for different reactions; and how long one is patient.

    AWAY      nobody answered: refused, reset, no such host, TLS, 502, 503, 504        wait for the server, to a limit
    BUSY      429                                                                      the same, as long as it says
    BROKEN    an answer that breaks off, breaks the protocol, or an error of 500       ask again, a few times
    SLOW      no whole answer in time                                                  ask once more
    REFUSED   the request itself: 400, 413, 422 ...                                    don't ask this again
    FORBIDDEN 401, 403                                                                 nothing will help: say so
    UNKNOWN   404: no such model or address; and what sends elsewhere (301 ...)        the same

`Patience` is shared by all requests of an engine: it counts what no single frame sees. This module knows nothing of
HTTP clients; clock and chance are passed in.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from semanticface.errors import EngineError

FIRST_WAIT = 0.5
LONGEST_WAIT = 15.0
ASKS = {"broken": 4, "slow": 2}
"""How often a frame is asked in all when its answers fail in this way."""
LOST_FRAMES = 4
"""So many frames in a row without any answer end the run: it is not the frames."""
AWAY_FAILURES = 5
"""So many failures in a row, at least, before a server counts as gone."""


class Kind(StrEnum):
    AWAY = "away"
    BUSY = "busy"
    BROKEN = "broken"
    SLOW = "slow"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


class Trouble(Exception):
    """A request without a usable answer. `wait`: seconds that the server asks for; `complaint`: its own words."""

    def __init__(self, kind: Kind, message: str, wait: float = 0.0, complaint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.wait = wait
        self.complaint = complaint


def kind_of(status: int) -> Kind:
    """The kind of an HTTP status that is not success."""
    if status in (401, 403):
        return Kind.FORBIDDEN
    if status == 429:
        return Kind.BUSY
    if status in (502, 503, 504):
        return Kind.AWAY
    if status >= 500 or status == 408:
        return Kind.BROKEN
    return Kind.UNKNOWN if status == 404 or status < 400 else Kind.REFUSED


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds from a Retry-After header, which holds a number or a date; 0 without a readable one."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:6])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def wait_before(ask: int, trouble: Trouble, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait before asking again, doubling, half of it by chance so that frames don't come back together.

    `ask` counts from 1. What the server asks for is the least.
    """
    step = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(ask - 1, 16))
    return max(trouble.wait, step * (0.5 + 0.5 * chance()))


class Patience:
    """Whether it still makes sense to go on with a server. Not thread-safe: belongs to the engine's loop."""

    def __init__(self, name: str, url: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._url = url
        self._seconds = seconds
        self._clock = clock
        self._since: float | None = None
        self._failures = 0
        self._lost = 0
        self._gone: tuple[float, str] | None = None

    def answered(self) -> None:
        """The server gave a usable answer: all is forgotten."""
        self._since = self._gone = None
        self._failures = self._lost = 0

    def away(self, trouble: Trouble) -> None:
        """The server was not there, or was busy. Raises EngineError once that has lasted too long."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        self._failures += 1
        lasted = now - self._since
        enough = self._failures >= AWAY_FAILURES or trouble.wait >= self._seconds > 0
        if enough and lasted + trouble.wait >= self._seconds:
            self._gone = (now, trouble.message)
        self.check()

    def lost(self, trouble: Trouble) -> None:
        """A frame was given up. Raises EngineError when it is one of too many in a row."""
        self._lost += 1
        if self._lost >= LOST_FRAMES:
            hint = "see the server's log; `semanticface remote test` asks one question"
            message = f"server {self._name} answered none of {self._lost} frames in a row; the last: {trouble.message}"
            raise EngineError(message, hint)

    def check(self) -> None:
        """Raise EngineError while the server counts as gone; every so often somebody may try again."""
        if self._gone is None:
            return
        since, message = self._gone
        if self._clock() - since > LONGEST_WAIT:
            self._gone = None
            self._failures = AWAY_FAILURES - 1  # one more failure is enough
            return
        raise EngineError(
            f"server {self._name} at {self._url} is not there: {message}",
            "is it running, and is the address right? a tunnel or proxy in between? `semanticface remote test` tells",
        )
