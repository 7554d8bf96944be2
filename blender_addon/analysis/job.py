# SPDX-License-Identifier: GPL-3.0-or-later
"""One analysis from the click to the finished take: wait for the backend, look at the footage, run, end.

    WAITING -> PROBING ----------------------------> RUNNING -> DONE | FAILED | CANCELLED
                  `---> SCANNING -> CHOOSING ---------^ `--------^

SCANNING looks through all frames with the landmark engine, CHOOSING finds those that matter among them; where the
landmark engine was asked for anyway, its results are there already and the job is DONE. Each phase may end in FAILED or
CANCELLED. It holds plain data only, so undo and file loading can't pull anything from under it; `session` drives it
with the events of the connection and keys the take when it is DONE. This module knows nothing of Blender's data.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
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
from semanticface.results import FrameResult, Status

from ..footage.selection import choose_frames
from .matter import Chooser
from .order import LANDMARKS, Order
from .progress import Pace

__all__ = ["AnalysisJob", "Order", "Phase"]


class Phase(StrEnum):
    WAITING = "waiting for the backend"
    PROBING = "looking at the footage"
    SCANNING = "looking through all frames"
    CHOOSING = "choosing the frames that matter"
    RUNNING = "analyzing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in {Phase.DONE, Phase.FAILED, Phase.CANCELLED}

    @property
    def counts(self) -> bool:
        """Whether frames are coming in."""
        return self in {Phase.SCANNING, Phase.RUNNING}


CANCELLING = "cancelling"
ENGINE_LINE = "engine: "
"""How the backend's sentence begins that says which engine was taken and why."""


class AnalysisJob:
    """The state machine above. `writing`: the last text of the frame in work, of an engine that writes its analysis.

    `engine` says which engine was taken and why, once that is known, `engine_info` what the backend says of it. `info`
    is its probe of the footage. `frames` are those asked for in the pass that is under way, `results` of the last
    pass, `scanned` of the first one. `remarks`: what the user should hear of the choice of frames.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.plan = order.plan
        self.phase = Phase.WAITING
        self.error: SemanticFaceError | None = None
        self.info: Mapping[str, Any] = {}
        self.frames: tuple[int, ...] = ()
        self.status = ""
        self.engine = ""
        self.engine_info: Mapping[str, Any] = {}
        self.writing: Partial | None = None
        self.results: list[FrameResult] = []
        self.scanned: list[FrameResult] = []
        self.remarks: tuple[str, ...] = ()
        self.pace = Pace()
        self._chooser: Chooser | None = None
        self._auto = ""
        self._probe: int | None = None
        self._job: str | None = None

    @property
    def done(self) -> int:
        return len(self.scanned if self.phase is Phase.SCANNING else self.results)

    @property
    def total(self) -> int:
        return len(self.frames)

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 0.0

    def connected(self, pump: Pump) -> None:
        """Call while WAITING as soon as the connection stands."""
        self._auto = _auto_engine(pump)
        self._probe = pump.request("probe", media=dict(self.order.footage.media))
        self.phase = Phase.PROBING

    def advance(self, pump: Pump | None) -> None:
        """Go on where that doesn't wait for an event: call at each tick."""
        chooser = self._chooser
        if self.phase is not Phase.CHOOSING or chooser is None or pump is None:
            return
        try:
            if not chooser.go_on():
                return
            self._chooser = None
            self._chosen(chooser.frames, pump)
        except SemanticFaceError as error:
            self._chooser = None
            self._end(error)

    def cancel(self, pump: Pump | None) -> None:
        """Ask for the end; while the backend has no job of ours it comes at once. Nothing happens after the end."""
        if self.phase.ended:
            return
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
        self.info = info
        try:
            choice = choose_frames(self.order.footage, info, self.order.selection)
        except SemanticFaceError as error:
            self._end(error)
            return
        self.plan = replace(self.plan, time=choice.time)
        self.remarks = choice.remarks
        scans = self.order.selection.matters
        self._submit(tuple(choice.frames), Phase.SCANNING if scans else Phase.RUNNING, pump)

    def _submit(self, frames: tuple[int, ...], phase: Phase, pump: Pump) -> None:
        """Ask for these frames: in the first pass the landmark engine, else the one that was chosen."""
        scans = phase is Phase.SCANNING
        face = {name: value for name, value in self.order.engine_options.items() if name == "face"}
        try:
            self._job = pump.submit(
                JobRequest(
                    media=self.order.footage.media,
                    frames=frames,
                    engine=LANDMARKS if scans else self.order.engine,
                    options=face if scans else self.order.engine_options,
                    priority=Priority.INTERACTIVE if len(frames) == 1 else Priority.BATCH,
                    take=str(self.order.first_pass if scans else self.order.take),
                    partials=not scans,
                )
            )
        except SemanticFaceError as error:
            self._end(error)
            return
        self.frames, self.phase, self.status = frames, phase, ""
        self.pace = Pace()

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
            (self.scanned if self.phase is Phase.SCANNING else self.results).append(event.result)
            self.pace.note(self.done, time.monotonic())
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
        self._job = None
        self.engine_info = event.engine
        if event.state is JobState.CANCELLED:
            self._end(JobCancelled("the analysis was cancelled"))
        elif event.state is not JobState.DONE:
            self._end(event.error or JobFailed("the analysis failed"))
        elif self.phase is Phase.SCANNING and self.status != CANCELLING:
            self.phase, self.status = Phase.CHOOSING, ""
            wanted = self.order.selection
            self._chooser = Chooser(self.scanned, self.plan.time.source_rate, wanted.sensitivity, wanted.most)
        elif self.phase is Phase.SCANNING:  # it was through before it heard that it should stop
            self._end(JobCancelled("the analysis was cancelled"))
        else:
            self.phase = Phase.DONE

    def _chosen(self, frames: tuple[int, ...], pump: Pump) -> None:
        """The first pass has told which frames matter."""
        faceless = sum(result.status is Status.NO_FACE for result in self.scanned)
        self.remarks += (f"{len(frames)} of {len(self.scanned)} frames matter",)
        if faceless:
            self.remarks += (f"No face in {faceless} of {len(self.scanned)} frames",)
        if not self.order.answered_by_landmarks(self._auto):
            self._submit(frames, Phase.RUNNING, pump)
            return
        wanted = set(frames)
        self.frames = frames
        self.results = [result for result in self.scanned if result.frame in wanted]
        self.phase = Phase.DONE

    def _end(self, error: SemanticFaceError) -> None:
        self.error = error
        self.phase = Phase.CANCELLED if isinstance(error, JobCancelled) else Phase.FAILED

    def describe(self) -> str:
        """One line for the panel."""
        text = self.phase.value.capitalize()
        if self.phase.counts:
            text += f" {self.done} of {self.total}"
            left = self.pace.left(self.done, self.total)
            text += f", {left}" if left and not self.status else ""
        return f"{text}: {self.status}" if self.status and not self.phase.ended else text

    def summary(self) -> list[str]:
        """Lines about an end without keys: the reason, and what is left on disk."""
        lines = [str(self.error or self.phase.value)]
        if self.results and isinstance(self.error, (BackendLost, JobCancelled, JobFailed)):
            lines.append(f"Nothing was keyed. {len(self.results)} finished frames are in {self.order.take}")
        return [*lines, *self.remarks]


def _auto_engine(pump: Pump) -> str:
    """The engine that the backend takes by itself, as far as it said so when it was joined."""
    rows = (pump.welcome or {}).get("engines")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and row.get("auto"):
            return str(row.get("name", ""))
    return ""
