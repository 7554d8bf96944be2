"""A job: what a client asked for, how far it is, and its results on their way to the client and the take.

    QUEUED -> RUNNING -> DONE | FAILED | CANCELLED      (QUEUED may also end at once as FAILED or CANCELLED)

Each frame is delivered once. Results of footage leave in ascending frame order, whatever order they came in; pictures
sent by the client are answered as they finish. This module knows nothing of sockets, workers or engines: it gets a
function that sends, and its feed says what is still to be computed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.errors import SemanticFaceError, TakeError, to_wire
from semanticface.protocol import JobState, Priority, WorkerState
from semanticface.results import FrameResult, Status
from semanticface.take import TakeWriter

if TYPE_CHECKING:
    from semanticface.server.feeds import Feed
    from semanticface.server.intake import Intake

log = logging.getLogger(__name__)

FLUSH = 32
"""Results sent in one go, so that a long resumed take doesn't hold the loop."""
PROGRESS_EVERY = 0.2

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A `submit` message, checked. `frames` None means every frame of the media; without `media` pictures follow."""

    engine: str
    options: Mapping[str, Any]
    priority: Priority
    media: Mapping[str, Any] | None
    frames: tuple[int, ...] | None
    video: bool
    take: Path | None
    partials: bool = False


def _let_fall(kind: str, **fields: Any) -> None:
    """Nobody is there for what may be lost."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """The way to the job's client: `send(kind, **fields)`, and whether there is `room` or it reads too slowly.

    `offer` is `send` for what is worth nothing late: it never waits and may fall.
    """

    send: Callable[..., None]
    room: Callable[[], bool]
    offer: Callable[..., None] = _let_fall


@dataclass(slots=True)
class Delivery:
    """What has been answered so far; `kept` are results of an earlier run, found in the take."""

    counts: dict[str, int] = field(default_factory=dict)
    kept: dict[int, FrameResult] = field(default_factory=dict)
    waiting: dict[int, tuple[FrameResult, bool]] = field(default_factory=dict)
    answered: int = 0
    sent: int = 0


class Job:
    """One job. `served` orders jobs of one priority fairly: the one that was served longest ago goes first.

    `reason` says why it got its engine, where it left the choice to the backend.
    """

    def __init__(
        self, number: str, client: bytes, spec: JobSpec, outlet: Outlet, closed: Callable[[Job], None]
    ) -> None:
        self.id = number
        self.client = client
        self.spec = spec
        self.state = JobState.QUEUED
        self.feed: Feed | None = None
        self.intake: Intake | None = None
        self.engine: Mapping[str, Any] = {}
        self.reason = ""
        self.error: SemanticFaceError | None = None
        self.served = 0
        self.take: TakeWriter | None = None
        self.out = Delivery()
        self._outlet = outlet
        self._closed = closed
        self._told = (-1, WorkerState.NONE, "")
        self._told_at = 0.0

    @property
    def total(self) -> int | None:
        if self.feed is not None:
            return self.feed.total
        return None if self.spec.frames is None else len(self.spec.frames)

    @property
    def runnable(self) -> bool:
        """Whether it may be given to a worker now; a client that doesn't read pauses its own jobs."""
        return self.state is JobState.RUNNING and self.feed is not None and self._outlet.room()

    def begin(
        self, feed: Feed, take: TakeWriter | None, engine: Mapping[str, Any], kept: dict[int, FrameResult]
    ) -> None:
        """Everything is known: start to run. `kept` results of the take are sent without being computed again."""
        self.feed, self.take, self.engine = feed, take, engine
        self.out.kept = kept
        self.out.answered = len(kept)
        self._go(JobState.RUNNING)

    def deliver(self, index: int, result: FrameResult, stored: bool) -> None:
        """The frame at `index` of the job has its final result: to the take at once, to the client in its turn."""
        if self.state.ended or self.feed is None:
            return
        if self.take is not None:
            try:
                file(result, self.take)
            except TakeError as error:
                self.fail(error)
                return
        self.out.answered += 1
        self.feed.answered(index, result.status is Status.FAILED)
        if self.feed.ordered:
            self.out.waiting[index] = (result, stored)
        else:
            self._emit(result, stored)
        self.flush()

    def flush(self) -> bool:
        """Send what may leave now, and finish when all has left. Returns whether more could leave at once."""
        feed, out = self.feed, self.out
        if feed is None or self.state is not JobState.RUNNING:
            return False
        if not feed.ordered:
            self._finish_if_complete()
            return False
        for _ in range(FLUSH):
            if not self._outlet.room():
                return False
            ready = out.waiting.pop(out.sent, None)
            if ready is None and out.sent < (feed.total or 0):
                kept = out.kept.pop(feed.frame(out.sent), None)
                ready = None if kept is None else (kept, True)
            if ready is None:
                self._finish_if_complete()
                return False
            self._emit(*ready)
            if self.state.ended:  # the client turned out to be gone
                return False
        return True

    def partial(self, frame: int, text: str) -> None:
        """What is written of a frame so far; after a worker's death it starts anew."""
        if self.spec.partials and self.state is JobState.RUNNING:
            self._outlet.offer("partial", job=self.id, frame=frame, text=text)

    def cancel(self) -> None:
        if not self.state.ended:
            self._end(JobState.CANCELLED)

    def fail(self, error: SemanticFaceError) -> None:
        if not self.state.ended:
            self.error = error
            self._end(JobState.FAILED)

    def tell(self, worker: WorkerState, now: float, message: str = "") -> None:
        """A `progress` message when something has changed: states and sentences at once, counts five times a second."""
        told = (self.out.answered, worker, message or self._told[2])
        if self.state.ended or told == self._told:
            return
        if told[1:] == self._told[1:] and now - self._told_at < PROGRESS_EVERY:
            return
        self._told, self._told_at = told, now
        fields: dict[str, Any] = {"job": self.id, "state": self.state, "worker": worker, "done": self.out.answered}
        self._outlet.send("progress", **fields, total=self.total, message=message or None)

    def to_dict(self) -> dict[str, Any]:
        """For `status`."""
        return {
            "job": self.id,
            "state": self.state.value,
            "done": self.out.answered,
            "total": self.total,
            "priority": self.spec.priority.value,
            "engine": self.spec.engine,
            "client": self.client.hex(),
        }

    def _emit(self, result: FrameResult, stored: bool) -> None:
        self.out.sent += 1
        self.out.counts[result.status.value] = self.out.counts.get(result.status.value, 0) + 1
        self._outlet.send("result", job=self.id, result=result.to_dict(), stored=stored)

    def _finish_if_complete(self) -> None:
        if self.state.ended:  # sending showed that the client is gone, which cancels its jobs
            return
        if self.feed is not None and self.feed.total is not None and self.out.sent >= self.feed.total:
            self._end(JobState.DONE)

    def _end(self, state: JobState) -> None:
        self._go(state)
        if self.take is not None:
            self.take.close()
        self._outlet.send(
            "finished",
            job=self.id,
            state=state,
            counts=self.out.counts,
            error=None if self.error is None else to_wire(self.error),
            take=None if self.spec.take is None else str(self.spec.take),
            engine={**self.engine, **({"reason": self.reason} if self.reason else {})} or None,
        )
        self._closed(self)

    def _go(self, state: JobState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"job {self.id} can't go from {self.state} to {state}")
        log.info("job %s: %s -> %s", self.id, self.state, state)
        self.state = state
        self._told = (-1, *self._told[1:])
        self._told_at = 0.0


def file(result: FrameResult, take: TakeWriter) -> None:
    """Put a result into the take, unless it is there already; one that failed in an earlier run is replaced.

    Raises TakeError when the take holds another result for this frame. Footage is known by its content before a job
    begins; sent pictures show only here that they aren't those that the take was made from.
    """
    old = take.stored.get(result.frame)
    if old is None or old.status is Status.FAILED:
        take.append(result)
    elif old != result:
        raise TakeError(
            f"{take.path} holds another result for frame {result.frame}: it was made from other pictures",
            "choose another folder",
        )
