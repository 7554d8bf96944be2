"""What an engine says of a frame while it works on it: the text so far, and that it lives.

The engine calls as often as it likes; what goes to the front is thinned here, where it costs nothing. This module knows
nothing of sessions, jobs or sockets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from semanticface.engines.base import FrameInput
from semanticface.protocol import MAX_TEXT

TEXT_EVERY = 0.1
"""Seconds between two texts of one frame: nobody reads faster."""
SIGN_EVERY = 0.5
"""Seconds between two signs of life where no text goes."""


@dataclass(slots=True)
class _Page:
    """A frame in hand. It holds the picture by whose identity it is found, lest another be made in its place."""

    frame: FrameInput
    unit: int
    place: int
    wanted: bool
    text: str = ""
    told: float = -TEXT_EVERY


class Scribe:
    """`engines.base.RunOptions.partial` of one lane. It may be called from any thread of the engine's."""

    def __init__(self, report: Callable[[str, dict[str, Any]], None]) -> None:
        self._report = report
        self._pages: dict[int, _Page] = {}
        self._signed = 0.0

    def open(self, frame: FrameInput, unit: int, place: int, wanted: bool) -> None:
        """The engine gets this picture; `wanted`: somebody follows its text."""
        self._pages[id(frame)] = _Page(frame, unit, place, wanted)

    def close(self, frame: FrameInput) -> None:
        """The picture has its result: what still comes of it is late."""
        self._pages.pop(id(frame), None)

    def clear(self) -> None:
        self._pages.clear()

    def __call__(self, frame: FrameInput, text: str) -> None:
        now = time.monotonic()
        page = self._pages.get(id(frame))
        if page is not None and page.wanted and text != page.text and now - page.told >= TEXT_EVERY:
            page.text, page.told = text, now
            self._signed = now
            self._report("partial", {"unit": page.unit, "place": page.place, "text": text[:MAX_TEXT]})
        elif now - self._signed >= SIGN_EVERY:
            self._signed = now
            self._report("working", {})
