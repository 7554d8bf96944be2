"""Keeps the backend up and supplied: brings it up when a job needs it, hands jobs over, takes in what comes back.

A backend that is lost is started again after a while, and its jobs are handed to the next one, which goes on from their
takes; one that can't be had, or dies again and again, is given up, and with it the jobs that need it. Knows nothing of
assets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from semanticface.errors import BackendLost, JobCancelled, SemanticFaceError
from semanticface.link import BackendLink, LinkState
from semanticface.pump import Event, JobResult, Lost, Pump
from semanticface_unreal.batch.analysis import Analysis, Request
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.ledger import Item, Ledger

log = logging.getLogger(__name__)

MOST_LOSSES = 5
"""Times that the backend may be lost without a new frame in between, before the run gives it up."""
BACKOFF = 0.5
"""Seconds before it is started again after the first loss; they double with each."""
ENDING = 5.0
"""Seconds that a cancelled run waits for the backend to say that its jobs have ended."""
WAITS = "waiting for the backend"


class Feeder:
    """`engine` says which engine is taken, once that is known."""

    def __init__(
        self,
        link: BackendLink,
        ledger: Ledger,
        command: str | None,
        start: bool,
        on_event: Callable[[Event], object] | None,
        clock: Callable[[], float],
    ) -> None:
        self.engine = ""
        self._link, self._ledger = link, ledger
        self._command, self._start = command, start
        self._on_event, self._clock = on_event, clock
        self._pump: Pump | None = None
        self._losses = 0
        self._open_at = 0.0
        self._given_up: SemanticFaceError | None = None
        self._cancelled_at: float | None = None

    def step(self, budget: float) -> None:
        """Take in what came, for `budget` seconds; then bring up or supply the backend as far as a job needs it."""
        for event in self._link.poll(budget):
            if isinstance(event, Lost):
                self._lost(event.error)
            else:
                self._hear(event)
        if self._pump is not None and self._link.pump is not self._pump:
            self._lost(self._link.error or BackendLost("the backend was disconnected"))
        for item in self._ledger.waiting:
            if item.analysis is not None:
                item.analysis.tick()
                self._follow(item)
        if self._cancelled_at is not None:
            self._see_off(self._cancelled_at)
        elif any(item.needs_backend for item in self._ledger.waiting):
            self._open()
            self._submit()

    def cancel(self) -> None:
        """Ask the backend for the end of what it has of ours; `step` on until all have ended."""
        self._cancelled_at = self._clock()
        for item in self._ledger.waiting:
            if item.analysis is not None:
                self._ledger.show(item, doing="cancelling")
                item.analysis.cancel()

    def _hear(self, event: Event) -> None:
        if isinstance(event, JobResult) and not event.stored:
            self._losses = 0
        for item in self._ledger.waiting:
            if item.analysis is not None and item.analysis.handle(event):
                self._follow(item)
                return
        if self._on_event is not None:
            self._on_event(event)

    def _open(self) -> None:
        if self._given_up is None and self._link.state is LinkState.OFF and self._clock() >= self._open_at:
            try:
                self._link.open(self._command, self._start)
            except SemanticFaceError as error:
                self._given_up = error
        for item in self._ledger.waiting:
            if self._given_up is not None and item.needs_backend:
                self._ledger.fail(item, self._given_up)

    def _submit(self) -> None:
        pump = self._link.pump
        if pump is None or self._link.state is not LinkState.CONNECTED:
            return
        self._pump = pump
        self.engine = self.engine or self._link.engine()
        takes = {str(item.take) for item in self._ledger.waiting if item.analysis is not None}
        for item in self._ledger.waiting:
            if not item.needs_backend or item.analysis is not None or item.checked is None or str(item.take) in takes:
                continue
            takes.add(str(item.take))  # one writer a take: whoever comes after it finds it whole
            job = item.job
            request = Request(item.checked.media, job.frames, job.engine, job.options, item.take, item.own)
            item.analysis = Analysis(request, pump, self._clock)
            self._follow(item)

    def _follow(self, item: Item) -> None:
        """Show how the item's analysis stands, and go on where it has ended."""
        analysis, show = item.analysis, self._ledger.show
        if analysis is None:
            return
        self.engine = analysis.engine or self.engine
        stage = Stage.PROBED if analysis.probed and item.row.stage is Stage.WAITING else item.row.stage
        doing = analysis.message or analysis.phase.value
        show(item, stage=stage, doing=doing, done=analysis.done, total=analysis.total, failed=analysis.failed)
        if not analysis.ended:
            return
        item.analysis = None
        remarks = (*item.row.remarks, *analysis.remarks)
        show(item, doing="", computed=item.row.computed + analysis.computed, remarks=remarks)
        if analysis.error is None:
            digest = "" if item.checked is None else item.checked.digest
            facts = {"analysis": digest, "frames": analysis.total, "failed": analysis.failed}
            self._ledger.note(item, Stage.ANALYZED, take=str(item.take), **facts)
            show(item, stage=Stage.ANALYZED)
            item.ready = True
        elif isinstance(analysis.error, JobCancelled) and self._cancelled_at is not None:
            self._ledger.cancel(item)
        else:
            self._ledger.fail(item, analysis.error)

    def _lost(self, error: SemanticFaceError) -> None:
        self._pump = None
        self._losses += 1
        for item in self._ledger.waiting:
            if item.analysis is not None:
                computed = item.row.computed + item.analysis.computed
                item.analysis = None
                self._ledger.show(item, doing=WAITS, computed=computed)
        if not isinstance(error, BackendLost) or self._losses > MOST_LOSSES:
            self._given_up = error
        else:
            log.warning("SemanticFace: %s; it is started again", error.message)
            self._open_at = self._clock() + BACKOFF * 2 ** (self._losses - 1)

    def _see_off(self, since: float) -> None:
        """Of a run that was cancelled: end what the backend no longer has, or doesn't answer for."""
        overdue = self._clock() - since > ENDING
        for item in self._ledger.waiting:
            if item.analysis is None or overdue:
                self._ledger.cancel(item)
