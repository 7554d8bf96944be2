"""What `auto` means, kept fresh beside the loop: asked at the start, and again when a job wants to know after a while.

While a heavy engine's worker lives, what was chosen without it stands: the memory that it holds is its own. This module
knows nothing of jobs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from semanticface.engines.choose import LANDMARKS, Choice, choose_engine

log = logging.getLogger(__name__)

FRESH = 30.0
"""Seconds for which an answer holds: the memory of a card is others' too."""

Aside = Callable[[Callable[[], Any], Callable[[Future[Any]], None]], None]
"""Runs its first argument beside the loop, and its second with the future, in the loop."""


class Auto:
    """The last choice, and who waits for the next."""

    def __init__(self, aside: Aside, stands: Callable[[], bool], choose: Callable[[], Choice] = choose_engine) -> None:
        """`stands` says whether the last choice holds however old it is."""
        self.choice: Choice | None = None
        self._aside = aside
        self._stands = stands
        self._choose = choose
        self._since = 0.0
        self._asking = False
        self._waiting: list[Callable[[Choice], None]] = []

    def ask(self, now: float, then: Callable[[Choice], None]) -> None:
        """`then` gets the choice: at once when it is fresh, else when it has been made anew."""
        if self.choice is not None and (now - self._since < FRESH or self._stands()):
            then(self.choice)
            return
        self._waiting.append(then)
        if not self._asking:
            self._asking = True
            self._aside(self._choose, lambda future: self._answered(now, future))

    def _answered(self, asked: float, future: Future[Choice]) -> None:
        error = future.exception()
        if error is not None:
            log.error("choosing an engine failed: %r", error)
        fallback = Choice(LANDMARKS, f"the others can't be looked at: {error}"[:400])
        choice = fallback if error is not None else future.result()
        if choice != self.choice:
            log.info("auto is %s: %s", choice.engine, choice.reason)
        self.choice, self._since, self._asking = choice, asked, False
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then(choice)
