# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an analysis will still take, from the pace of its last frames: loading the engine doesn't count."""

from __future__ import annotations

from collections import deque

LAST = 64
"""Frames from whose pace the rest is foretold."""
PATIENCE = 2.0
"""Seconds of which something must be known before anything is said."""


class Pace:
    """Times of the last results."""

    def __init__(self) -> None:
        self._times: deque[tuple[int, float]] = deque(maxlen=LAST)

    def note(self, done: int, at: float) -> None:
        """The result number `done` came at this time (`time.monotonic`)."""
        self._times.append((done, at))

    def left(self, done: int, total: int) -> str:
        """`2 min left`; "" while that can't be said."""
        if len(self._times) < 2 or done >= total:
            return ""
        (first, start), (last, end) = self._times[0], self._times[-1]
        if end <= start or (end - start < PATIENCE and len(self._times) < LAST):
            return ""
        return duration((total - done) * (end - start) / (last - first)) + " left"


def duration(seconds: float) -> str:
    """In words that don't change with every tick: `5 s`, `40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 55:
        step = 1 if seconds < 10 else 5
        return f"{max(1, round(seconds / step) * step)} s"
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
