"""The mock backend's jobs: frames answered one by one at the script's pace, with the faults that it orders.

This module knows nothing of sockets: it gets functions that send.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from semanticface import __version__
from semanticface.errors import ProtocolError
from semanticface.mock_script import Fault, Script, make_result
from semanticface.protocol import JobState, Priority, WorkerState

PROGRESS_INTERVAL = 0.2
REASON = "it is the only one that a mock has"
ENGINE = {"name": "mock", "version": __version__}

Send = Callable[..., None]


class Death(Exception):
    """The script says that the process ends now."""


@dataclass(slots=True)
class MockJob:
    """One job. `total` None: its pictures are sent. `reason`: why it got this engine.
    `written`: words of the frame in work that its client was shown."""

    name: str
    peer: bytes
    priority: Priority
    total: int | None
    reason: str = ""
    partials: bool = False
    due: float = 0.0
    ended: bool = False
    streams: bool = False
    state: JobState = JobState.QUEUED
    waiting: deque[tuple[int, float | None]] = field(default_factory=deque)
    numbers: set[int] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    told: float = 0.0
    written: int = 0

    @property
    def done(self) -> int:
        return sum(self.counts.values())


class Jobs:
    """All of them. `send(peer, kind, **fields)`; `rubbish(peer)` sends what is no message."""

    def __init__(self, script: Script, send: Send, rubbish: Callable[[bytes], None]) -> None:
        self.running: dict[str, MockJob] = {}
        self.stalled = self.frozen = False
        self._script = script
        self._send = send
        self._rubbish = rubbish
        self._ended: set[tuple[bytes, str]] = set()

    @property
    def busy(self) -> bool:
        """Whether a frame is due."""
        return not self.stalled and any(job.waiting and job.due <= time.monotonic() for job in self.running.values())

    def all(self) -> list[MockJob]:
        return list(self.running.values())

    def begin(self, job: MockJob, numbers: list[int]) -> None:
        """Take a job in; `numbers` are the frames of its footage."""
        job.streams = job.total is None
        job.ended = not job.streams
        job.due = time.monotonic() + self._script.delay
        job.waiting.extend((number, number / self._script.frames_per_second) for number in numbers)
        self.running[job.name] = job

    def find(self, peer: bytes, name: str) -> MockJob | None:
        """The client's own job; None for one that has ended, whose messages were on their way."""
        job = self.running.get(name)
        if job is not None and job.peer == peer:
            return job
        if (peer, name) in self._ended:
            return None
        raise ProtocolError(f"this client has no job {name}")

    def work(self) -> None:
        """Finish one frame of the first job that is due; interactive jobs come first."""
        if self.stalled:
            return
        now = time.monotonic()
        for job in sorted(self.all(), key=lambda job: job.priority is not Priority.INTERACTIVE):
            if not job.waiting and job.ended:
                self.finish(job, JobState.DONE)
                return
            if job.waiting and job.due <= now:
                job.due, job.written = now + self._script.delay, 0
                self._answer(job, *job.waiting.popleft())
                return
            if job.waiting and job.partials:
                self._write(job, now)

    def finish(self, job: MockJob, state: JobState) -> None:
        """End a job and say so."""
        del self.running[job.name]
        self._ended.add((job.peer, job.name))
        error = {"kind": "job_failed", "message": "the script says fail_job", "hint": "ask its author"}
        self._send(
            job.peer,
            "finished",
            job=job.name,
            state=state,
            counts=job.counts,
            error=error if state is JobState.FAILED else None,
            engine=ENGINE | ({"reason": job.reason} if job.reason else {}),
        )

    def _write(self, job: MockJob, now: float) -> None:
        """Show as many words of the next frame's analysis as its share of the delay that has passed."""
        frame, at = job.waiting[0]
        analysis = make_result(self._script, frame, at).analysis
        words = [] if analysis is None else analysis.to_text().split(" ")
        count = int(len(words) * (1 - (job.due - now) / self._script.delay))
        if count > job.written:
            job.written = count
            self._send(job.peer, "partial", job=job.name, frame=frame, text=" ".join(words[:count]))

    def _answer(self, job: MockJob, frame: int, at: float | None) -> None:
        fault = self._script.faults.get(frame)
        if fault is Fault.DIE:
            raise Death
        if fault in {Fault.STALL, Fault.FREEZE}:
            self.stalled, self.frozen = True, fault is Fault.FREEZE
            return
        result = make_result(self._script, frame, at)
        data = result.to_dict()
        job.counts[result.status] = job.counts.get(result.status, 0) + 1
        if fault is Fault.FAIL_JOB:
            self.finish(job, JobState.FAILED)
        elif fault is Fault.MALFORMED:
            self._rubbish(job.peer)
        elif fault is Fault.BAD_RESULT:
            del data["coefficients"]["TongueOut"]
            self._result(job, data)
        elif fault is not Fault.LOSE:
            if fault is Fault.STRANGE:
                self._result(job, data | {"frame": 99_999_999})
            for _ in range(2 if fault is Fault.TWICE else 1):
                self._result(job, data)
        self._tell_progress(job)

    def _result(self, job: MockJob, data: dict[str, Any]) -> None:
        self._send(job.peer, "result", job=job.name, result=data, stored=False)

    def _tell_progress(self, job: MockJob) -> None:
        now = time.monotonic()
        if job.name not in self.running or (job.state is JobState.RUNNING and now - job.told < PROGRESS_INTERVAL):
            return
        message = f"engine: mock — {job.reason}" if job.reason and job.state is JobState.QUEUED else None
        job.state, job.told = JobState.RUNNING, now
        fields = {"state": job.state, "worker": WorkerState.READY, "done": job.done, "total": job.total}
        self._send(job.peer, "progress", job=job.name, **fields, message=message)
