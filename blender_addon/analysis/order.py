# SPDX-License-Identifier: GPL-3.0-or-later
"""What an analysis is asked for, fixed when it starts: later changes in the panel don't reach it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..footage.selection import Footage, Selection
from ..keying.plan import Plan

AUTO = "auto"
"""The engine that the backend chooses."""
LANDMARKS = "landmarks"
"""The engine that is quick on any computer."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for. `uids` are the session ids of the plan's objects, by name, as they were at the start.

    `options` are the engine's, and "engine" its name; without that the backend chooses.
    """

    footage: Footage
    selection: Selection
    plan: Plan
    uids: Mapping[str, int]
    options: Mapping[str, Any]
    take: Path

    @property
    def engine(self) -> str:
        return str(self.options.get("engine") or AUTO)

    @property
    def engine_options(self) -> dict[str, Any]:
        """The options without the engine's name."""
        return {name: value for name, value in self.options.items() if name != "engine"}

    @property
    def first_pass(self) -> Path:
        """Where the take of the first pass stands that looks for the frames that matter."""
        return self.take.with_name(f"{self.take.name}-all-frames")

    def answered_by_landmarks(self, auto: str) -> bool:
        """Whether the landmark engine will answer; `auto`: the engine that the backend would choose."""
        if self.engine != AUTO:
            return self.engine == LANDMARKS
        return auto == LANDMARKS or "face" in self.engine_options  # only it chooses among faces
