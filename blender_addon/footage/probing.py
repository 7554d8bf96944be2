# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend said of footage: its rate and number of frames, so that the panel can show the time map beforehand.

Knows nothing of Blender's data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from semanticface.pump import Answer, Event, RequestFailed

MOST = 32


def media_key(media: Mapping[str, Any]) -> str:
    """The same text for the same footage."""
    return json.dumps(dict(media), sort_keys=True, default=str)


class Probes:
    """The last answers by footage."""

    def __init__(self) -> None:
        self._infos: dict[str, Mapping[str, Any]] = {}

    def of(self, media: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is known of this footage; empty while nothing is."""
        return self._infos.get(media_key(media), {}) if self._infos else {}

    def keep(self, media: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        if not info or self.of(media) is info:
            return
        self._infos[media_key(media)] = info
        while len(self._infos) > MOST:
            del self._infos[next(iter(self._infos))]


class ProbeTask:
    """A task of the session: ask the backend about footage as soon as it is connected, and remember the answer."""

    def __init__(self, media: Mapping[str, Any]) -> None:
        self._media = dict(media)
        self._asked: int | None = None

    def tick(self, now: Any, events: Sequence[Event], deadline: float) -> bool:
        pump = now.link.pump
        if now.link.state.value == "off":
            return False
        if self._asked is None:
            if now.link.state.value == "connected" and pump is not None:
                self._asked = pump.request("probe", media=self._media)
            return True
        for event in events:
            if isinstance(event, Answer) and event.re == self._asked:
                now.probes.keep(self._media, event.message["info"])
                now.redraw()
                return False
            if isinstance(event, RequestFailed) and event.re == self._asked:
                raise event.error
        return True
