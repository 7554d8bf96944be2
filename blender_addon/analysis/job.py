# SPDX-License-Identifier: GPL-3.0-or-later
"""One analysis from the click to the finished take: wait for the backend, look at the footage, run, end.

    WAITING -> PROBING -> RUNNING -> DONE | FAILED | CANCELLED

It holds plain data only, so undo and file loading can't pull anything from under it; `session` drives it with the
events of the connection and keys the take when it is DONE. This module knows nothing of Blender's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.errors import BackendLost, JobCancelled, JobFailed, ProtocolError, SemanticFaceError
from semanticface.jobs import JobRequest
from semanticface.protocol import JobState, Priority, WorkerState
from semanticface.pump import (
    Answer,
    Event,
    JobAccepted,
    JobFinished,
    JobProgress,
    JobResult,
    Lost,
    Partial,
    Pump,
    RequestFailed,
)
from semanticface.results import FrameResult

from ..footage.selection import Footage, Selection, choose_frames
from ..keying.plan import Plan


class Phase(StrEnum):
    WAITING = "waiting for the backend"
    PROBING = "looking at the footage"
    RUNNING = "analyzing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}


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


AUTO = "auto"
CANCELLING = "cancelling"
ENGINE_LINE = "engine: "
"""How the backend's sentence begins that says which engine was taken and why."""


class AnalysisJob:
    """The state machine above. `writing`: the last text of the frame in work, of an engine that writes its analysis.

    `engine` says which engine was taken and why, once that is known.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.plan = order.plan
        self.phase = Phase.WAITING
        self.error: SemanticFaceError | None = None
        self.frames: tuple[int, ...] = ()
        self.status = ""
        self.engine = ""
        self.writing: Partial | None = None
        self.results: list[FrameResult] = []
        self._probe: int | None = None
        self._job: str | None = None

    @property
    def done(self) -> int:
        return len(self.results)

    @property
    def total(self) -> int:
        return len(self.frames)

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 0.0

    def connected(self, pump: Pump) -> None:
        """Call while WAITING as soon as the connection stands."""
        self._probe = pump.request("probe", media=dict(self.order.footage.media))
        self.phase = Phase.PROBING

    def cancel(self, pump: Pump | None) -> None:
        """Ask for the end; before the backend has the job it comes at once."""
        if self._job is not None and pump is not None:
            self.status = CANCELLING
            pump.cancel(self._job)
        else:
            self._end(JobCancelled("the analysis was cancelled"))

    def abandon(self, error: SemanticFaceError) -> None:
        """End it because the connection or its targets are gone."""
        if not self.phase.ended:
            self._end(error)

    def handle(self, event: Event, pump: Pump) -> bool:
        """Take an event in if it is this job's; whether it was."""
        if isinstance(event, Answer) and event.re == self._probe:
            self._start(event.message["info"], pump)
        elif isinstance(event, RequestFailed) and self._concerns(event):
            self._refused(event, pump)
        elif isinstance(event, (JobAccepted, JobProgress, Partial, JobResult, JobFinished)) and event.job == self._job:
            self._advance(event)
        elif isinstance(event, Lost):
            self.abandon(event.error)
        else:
            return False
        return True

    def _concerns(self, event: RequestFailed) -> bool:
        return (event.re is not None and event.re == self._probe) or (event.job is not None and event.job == self._job)

    def _start(self, info: Mapping[str, Any], pump: Pump) -> None:
        self._probe = None
        if self.phase.ended:
            return
        try:
            choice = choose_frames(self.order.footage, info, self.order.selection)
            self.plan = replace(self.plan, time=choice.time)
            self.frames = tuple(choice.frames)
            self._job = pump.submit(
                JobRequest(
                    media=self.order.footage.media,
                    frames=self.frames,
                    engine=self.order.engine,
                    options=self.order.engine_options,
                    priority=Priority.INTERACTIVE if len(self.frames) == 1 else Priority.BATCH,
                    take=str(self.order.take),
                    partials=True,
                )
            )
        except SemanticFaceError as error:
            self._end(error)
            return
        self.phase = Phase.RUNNING

    def _refused(self, event: RequestFailed, pump: Pump) -> None:
        """The backend can't do it, or answered against the protocol: nothing of the rest can be trusted."""
        if self._job is not None and isinstance(event.error, ProtocolError):
            pump.cancel(self._job)
        if not self.phase.ended:
            self._end(event.error)

    def _advance(self, event: JobAccepted | JobProgress | Partial | JobResult | JobFinished) -> None:
        if self.phase.ended:
            return
        if isinstance(event, JobResult):
            self.results.append(event.result)
            if self.writing is not None and event.result.frame >= self.writing.frame:
                self.writing = None
        elif isinstance(event, Partial):
            # Of frames that are written side by side the first is shown until it is done.
            if self.writing is None or event.frame <= self.writing.frame:
                self.writing = event
        elif isinstance(event, JobProgress):
            self._progress(event)
        elif isinstance(event, JobFinished):
            self._finish(event)

    def _progress(self, event: JobProgress) -> None:
        if event.message.startswith(ENGINE_LINE):
            self.engine = event.message
        elif self.status != CANCELLING:
            self.status = event.message or ("loading the engine" if event.worker is WorkerState.LOADING else "")

    def _finish(self, event: JobFinished) -> None:
        if event.state is JobState.DONE:
            self.phase = Phase.DONE
        elif event.state is JobState.CANCELLED:
            self._end(JobCancelled("the analysis was cancelled"))
        else:
            self._end(event.error or JobFailed("the analysis failed"))

    def _end(self, error: SemanticFaceError) -> None:
        self.error = error
        self.phase = Phase.CANCELLED if isinstance(error, JobCancelled) else Phase.FAILED

    def describe(self) -> str:
        """One line for the panel."""
        text = self.phase.value.capitalize()
        if self.phase is Phase.RUNNING:
            text += f" {self.done} of {self.total}"
        return f"{text}: {self.status}" if self.status and not self.phase.ended else text

    def summary(self) -> list[str]:
        """Lines about an end without keys: the reason, and what is left on disk."""
        lines = [str(self.error or self.phase.value)]
        if self.done and isinstance(self.error, (BackendLost, JobCancelled, JobFailed)):
            lines.append(f"Nothing was keyed. {self.done} finished frames are in {self.order.take}")
        return lines
