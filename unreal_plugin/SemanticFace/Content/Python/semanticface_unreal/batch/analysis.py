"""One job's analysis on its way through the backend: look at the footage, submit, count what comes, end.

    PROBING -> RUNNING -> DONE | FAILED | CANCELLED
        ^------'   the take is still another job's, or was made from other footage and was moved aside

Driven by the events of a pump, and thrown away when that is lost: the take on disk is what remains, and the next
Analysis of the job resumes it. This module knows nothing of assets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.connection import ConnectionState
from semanticface.errors import BackendError, InputError, JobCancelled, JobFailed, SemanticFaceError, TakeError
from semanticface.jobs import JobRequest
from semanticface.media.frames import parse_frames
from semanticface.media.source import MediaRef
from semanticface.protocol import JobState, Priority, WorkerState
from semanticface.pump import Answer, Event, JobAccepted, JobFinished, JobProgress, JobResult, Pump, RequestFailed
from semanticface.results import Status
from semanticface.take import OTHER_TAKE, is_take

AGAIN = 0.5
PATIENCE = 75.0
"""Seconds between two tries to get at a take that another job still writes to, and how long that is tried: the job of
a process that was killed ends with its lease, a minute at most."""
ENGINE_LINE = "engine: "
"""How the backend's sentence begins that says which engine was taken and why."""


class Phase(StrEnum):
    PROBING = "looking at the footage"
    RUNNING = "analyzing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Request:
    """What is analyzed, and where the results go. `own`: the take's folder is the batch's, so that a take of other
    footage or settings in it may be moved aside; the user's own is never touched."""

    media: MediaRef
    frames: str
    engine: str
    options: Mapping[str, Any]
    take: Path
    own: bool


class Analysis:
    """`done` of `total` results have come, `computed` of them new, `failed` without an answer of the engine.

    `probed` as soon as the footage is known to be readable.
    """

    def __init__(self, request: Request, pump: Pump, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises BackendError while the connection doesn't stand."""
        self.request = request
        self.phase = Phase.PROBING
        self.error: SemanticFaceError | None = None
        self.message = ""
        self.engine = ""
        self.done = self.total = self.computed = self.failed = 0
        self.remarks: tuple[str, ...] = ()
        self.probed = False
        self._pump = pump
        self._clock = clock
        self._patience = clock() + PATIENCE
        self._again_at: float | None = None
        self._frames: list[int] | None = None
        self._job: str | None = None
        self._probe: int | None = pump.request("probe", media=request.media.to_dict())

    @property
    def ended(self) -> bool:
        return self.phase in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}

    def cancel(self) -> None:
        """Ask for the end; it comes at once while the backend has no job of ours."""
        if self._job is not None:
            self._pump.cancel(self._job)
        elif not self.ended:
            self._end(JobCancelled("the batch was cancelled"))

    def tick(self) -> None:
        """Try again what has to be: call now and then."""
        if self._again_at is not None and self._clock() >= self._again_at and not self.ended:
            self._again_at = None
            self._submit()

    def handle(self, event: Event) -> bool:
        """Take an event in if it is this job's; whether it was."""
        if isinstance(event, Answer) and event.re == self._probe:
            self._probe = None
            self._found(event.message["info"])
        elif isinstance(event, RequestFailed) and event.re is not None and event.re == self._probe:
            self._end(event.error)
        elif isinstance(event, RequestFailed) and event.job is not None and event.job == self._job:
            self._refused(event)
        elif isinstance(event, (JobAccepted, JobProgress, JobResult, JobFinished)) and event.job == self._job:
            self._advance(event)
        else:
            return False
        return True

    def _found(self, info: Mapping[str, Any]) -> None:
        if self.ended:
            return
        count = info.get("frame_count")
        try:
            if info.get("rate") is None and self.request.media.rate is None:
                raise InputError("the footage has no frame rate, and a sequence needs one", "give the job a `rate`")
            chosen = self.request.frames.strip().lower() not in {"", "all"}
            self._frames = parse_frames(self.request.frames, count if isinstance(count, int) else None)
            if not self._frames:
                raise InputError("the footage has no frames", "check the source")
            self.total = len(self._frames)
            self._frames = self._frames if chosen else None
        except SemanticFaceError as error:
            self._end(error)
            return
        if info.get("note"):
            self.remarks += (str(info["note"]),)
        self.probed = True
        self._submit()

    def _submit(self) -> None:
        """Ask for all frames; those that the take holds come back without being computed."""
        if self._pump.state is not ConnectionState.CONNECTED:
            return  # its loss is the next event, and no fault of the job
        wanted = self.request
        self.done = self.computed = self.failed = 0
        try:
            self._job = self._pump.submit(
                JobRequest(
                    media=wanted.media.to_dict(),
                    frames=self._frames,
                    engine=wanted.engine,
                    options=wanted.options,
                    priority=Priority.BATCH,
                    take=str(wanted.take),
                )
            )
        except SemanticFaceError as error:
            self._end(error)
            return
        self.phase = Phase.RUNNING

    def _refused(self, event: RequestFailed) -> None:
        """Of `submit`: no job has come about. Later: a message that breaks the protocol, so no more is trusted."""
        if event.re is None and self._job is not None:
            self._pump.cancel(self._job)
        self._job = None
        busy = event.re is not None and type(event.error) is BackendError
        if busy and self._clock() + AGAIN < self._patience:
            self._again_at = self._clock() + AGAIN
            self.message = event.error.message
        else:
            self._end(event.error)

    def _advance(self, event: JobAccepted | JobProgress | JobResult | JobFinished) -> None:
        if isinstance(event, JobResult):
            self.done += 1
            self.computed += not event.stored
            self.failed += event.result.status is Status.FAILED
            self.message = ""
        elif isinstance(event, JobProgress):
            self.total = event.total or self.total
            if event.message.startswith(ENGINE_LINE):
                self.engine = event.message
            else:
                loading = "loading the engine" if event.worker is WorkerState.LOADING else ""
                self.message = event.message or loading
        elif isinstance(event, JobFinished):
            self._job = None
            self._finish(event)

    def _finish(self, event: JobFinished) -> None:
        if event.state is JobState.DONE:
            self.phase, self.message = Phase.DONE, ""
        elif event.state is JobState.CANCELLED:
            self._end(JobCancelled("the analysis was cancelled"))
        elif isinstance(event.error, TakeError) and OTHER_TAKE in event.error.message and self._move_aside():
            self._submit()
        else:
            self._end(event.error or JobFailed("the analysis failed without a reason"))

    def _move_aside(self) -> bool:
        """Make room for another take where the folder is the batch's own; nothing that was computed is deleted."""
        take = self.request.take
        if not self.request.own or not is_take(take):
            return False
        number = 1
        while (aside := take.with_name(f"{take.name}.{number}")).exists():
            number += 1
        try:
            take.rename(aside)
        except OSError as error:
            self.remarks += (f"{take} can't be moved: {error.strerror or error}",)
            return False
        self.remarks += (f"the take of other footage or settings is in {aside}",)
        return True

    def _end(self, error: SemanticFaceError) -> None:
        self.error = error
        self.phase = Phase.CANCELLED if isinstance(error, JobCancelled) else Phase.FAILED
