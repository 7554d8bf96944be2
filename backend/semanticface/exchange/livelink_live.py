"""A take that is still growing, frame after frame as the analysis writes it, for a preview while it runs.

Frames are played in their own order, each as soon as its turn has come and it is there; a frame that arrives early
waits for those before it. Only what a recipe can do to one frame alone is done here: smoothing and bridging gaps need
frames that aren't there yet. This module knows nothing of packets' bytes or sockets.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from semanticface.curves.recipe import GapPolicy, Recipe
from semanticface.errors import ExchangeError, OptionsError, ProtocolError
from semanticface.exchange.livelink_clock import Clock
from semanticface.exchange.livelink_csv import WithoutFace
from semanticface.exchange.livelink_player import Cue, StandIn
from semanticface.protocol import expand_runs
from semanticface.results import FrameResult
from semanticface.take import FRAMES_NAME, MAX_LINE, TakeHeader


class Tail:
    """What is appended to a take's frames, from call to call. `damaged` counts lines that can't be read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FRAMES_NAME
        self._stream: BinaryIO | None = None
        self.damaged = 0

    def read(self, most: int = 50) -> list[FrameResult]:
        """At most `most` results that were not read before; a last line without its end is left for later. 3 ms."""
        if self._stream is None:
            try:
                self._stream = self._path.open("rb")
            except FileNotFoundError:
                return []
        results = []
        for line in self._lines(self._stream, most):
            try:
                results.append(FrameResult.from_dict(json.loads(line)))
            except (ValueError, ProtocolError, RecursionError):
                self.damaged += 1
        return results

    def _lines(self, stream: BinaryIO, most: int) -> Iterator[bytes]:
        for _ in range(most):
            place = stream.tell()
            line = stream.readline()
            if not line.endswith(b"\n"):
                stream.seek(place)
                return
            yield line if len(line) <= MAX_LINE else b""

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


class Growing:
    """A feed of a take that grows. It is over when all frames that were asked for have been played.

    Where the take doesn't say which were asked for (pictures that a program sent), frames go in the order of their
    numbers as they come, and it never ends by itself.
    """

    def __init__(
        self,
        folder: Path,
        header: TakeHeader,
        clock: Clock,
        missing: WithoutFace = WithoutFace.SKIP,
        recipe: Recipe | None = None,
    ) -> None:
        """Raises OptionsError for a recipe that needs more than one frame."""
        if recipe is not None:
            check_alone(recipe)
        self.tail = Tail(folder)
        self._clock, self._recipe, self._stand_in = clock, recipe, StandIn(missing)
        self._order = None if header.frames is None else expand_runs(header.frames)
        self._place = 0
        self._early: dict[int, FrameResult] = {}
        self._last_frame, self._last_at = -1, -math.inf

    @property
    def over(self) -> bool:
        return self._order is not None and self._place == len(self._order)

    @property
    def waits_for(self) -> int | None:
        """The source frame whose turn it is; None where that isn't known."""
        return None if self._order is None or self.over else self._order[self._place]

    def next_cue(self) -> Cue | None:
        """See `Feed`. Raises ExchangeError for a frame that is not later than the one before it."""
        result = self._result()
        if result is None:
            return None
        at = self._clock.seconds(result.frame, result.time)
        if at <= self._last_at:
            raise ExchangeError(f"frame {result.frame} is not later than the frame before it")
        self._last_frame, self._last_at = result.frame, at
        stamp = self._clock.stamp(result.frame, result.time)
        return Cue(at, result.frame, stamp, self._stand_in.values(result))

    def _result(self) -> FrameResult | None:
        """The next frame in its order, if it is there."""
        number = self.waits_for
        if number is None or number not in self._early:
            for result in self.tail.read():
                if result.frame > self._last_frame:
                    self._early[result.frame] = result
        if self._order is None:
            number = min(self._early, default=None)
        if number is None or number not in self._early:
            return None
        self._place += 1
        result = self._early.pop(number)
        return result if self._recipe is None else alone(self._recipe, result, self._clock)


def check_alone(recipe: Recipe) -> None:
    """Raises OptionsError when a recipe needs frames before or after the one that it is applied to."""
    needs = []
    if recipe.smoothing:
        needs.append("smoothing")
    if recipe.gaps is not GapPolicy.LEAVE:
        needs.append("gaps")
    if needs:
        raise OptionsError(
            f"the recipe's {' and '.join(needs)} can't be done while the take is growing: they need later frames",
            "set smoothing to 0 and gaps to leave, or play the take when it is finished",
        )


def alone(recipe: Recipe, result: FrameResult, clock: Clock) -> FrameResult:
    """One frame after a recipe that passed `check_alone`."""
    from semanticface.curves.replay import apply
    from semanticface.curves.samples import results_of, samples_of

    if result.coefficients is None:
        return result
    (changed,) = results_of(apply(recipe, samples_of([result], clock.rate)), [result])
    return changed
