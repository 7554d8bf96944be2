"""Runs the jobs of a manifest, a step at a time: check, analyze ahead, write; and goes on after whatever happens.

    WAITING -> PROBED -> ANALYZED -> DONE
       `---------`----------`-----> FAILED | CANCELLED

Driven from a tick, from a slow task's loop or from a blocking loop, all on one thread: `step` does a part and comes
back. Some jobs are in the backend at a time, so that it always has frames to batch, while the assets of those before
are written one by one. One job's error ends that job alone. What is done is in the journal, and is not done twice.
Knows the editor as a port; the backend is `feeding`'s.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from semanticface.errors import SemanticFaceError, TakeError
from semanticface.link import BackendLink, LinkState
from semanticface.pump import Event
from semanticface.steps import Steps, Work
from semanticface_unreal.batch.feeding import WAITS, Feeder
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.journal import Journal
from semanticface_unreal.batch.ledger import Item, JournalFailed, Ledger
from semanticface_unreal.batch.manifest import Manifest
from semanticface_unreal.batch.progress import Progress
from semanticface_unreal.batch.stages import Baking, Checked, Finished, Incomplete, checking, finishing, own_baking
from semanticface_unreal.ports import Editor

log = logging.getLogger(__name__)

MESSAGES = 0.004
"""Seconds of a step that go to the backend's messages at most."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`command` is the backend's, None to find one; `start`: one that doesn't run is started. `ahead`: so many jobs are
    in the backend, or analyzed and not written yet. `retry_failed`: only the jobs that failed in an earlier run, and
    those of which frames failed."""

    command: str | None = None
    start: bool = True
    ahead: int = 8
    retry_failed: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    """What is being done here: a check, or the writing of an asset; `then` gets its result."""

    item: Item
    steps: Steps[Any]
    then: Callable[[Item, Any], None]


class Runner:
    """One run, from the first `step` to the one that says that there is no more. `progress` is a snapshot."""

    def __init__(
        self,
        manifest: Manifest,
        editor: Editor,
        link: BackendLink,
        journal: Journal,
        options: RunOptions | None = None,
        *,
        baking: Baking = own_baking,
        on_event: Callable[[Event], object] | None = None,
        held: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The runner polls `link` while it runs; `on_event` gets the events that are none of its jobs'. While `held`
        says so, the backend goes on and `editor` isn't called: Unreal refuses assets while its level is played."""
        self._options = options or RunOptions()
        self._editor, self._link, self._baking, self._held = editor, link, baking, held
        self._ledger = Ledger(manifest, journal, self._options.retry_failed)
        self._feeder = Feeder(link, self._ledger, self._options.command, self._options.start, on_event, clock)
        self._task: _Task | None = None
        self._cancelled = False
        self._error: SemanticFaceError | None = None

    @property
    def ended(self) -> bool:
        return self._ledger.ended

    @property
    def has_work(self) -> bool:
        """Whether a check or an asset waits to be done here, rather than an answer of the backend."""
        return not self.ended and (self._task is not None or self._next() is not None)

    @property
    def progress(self) -> Progress:
        rows = tuple(item.row for item in self._ledger.items)
        return Progress(rows, self._link.describe(), self._feeder.engine, self.ended, self._cancelled, self._error)

    def step(self, deadline: float) -> bool:
        """Do a part of the work, until `deadline` (`time.perf_counter`); whether there is more to do.

        Takes longer only where a single step does: listing a folder, writing an asset. Raises nothing of the jobs'.
        """
        if self.ended:
            return False
        try:
            self._feeder.step(min(MESSAGES, max(0.0, deadline - time.perf_counter()) / 2))
            if not self._held():
                self._local(deadline)
        except JournalFailed as failed:
            self._abort(failed.error)
        return not self.ended

    def wait(self, seconds: float) -> None:
        """Block for so long, or until the backend has something to say. For hosts without an event loop."""
        pump = self._link.pump
        if self.ended or self._next() is not None:
            return
        if pump is not None and self._link.state is LinkState.CONNECTED:
            pump.wait(seconds)
        else:
            time.sleep(min(seconds, 0.02))

    def cancel(self) -> None:
        """End the run; `step` on until it has ended. What is done stays, and so do the results in the takes."""
        if self._cancelled or self.ended:
            return
        self._cancelled = True
        self._drop_task()
        self._feeder.cancel()
        try:
            for item in self._ledger.waiting:
                if item.analysis is None:
                    self._ledger.cancel(item)
        except JournalFailed as failed:
            self._abort(failed.error)

    def _local(self, deadline: float) -> None:
        """Check and write until the deadline, at least one step."""
        while self._task is not None or not self._cancelled:
            self._task = self._task or self._begin()
            if self._task is None:
                return
            self._go_on(self._task, deadline)
            if time.perf_counter() >= deadline:
                return

    def _begin(self) -> _Task | None:
        item = self._next()
        if item is None:
            return None
        if item.ready:
            return _Task(item, Steps(self._finish(item)), self._finished)
        return _Task(item, Steps(self._check(item)), self._checked)

    def _next(self) -> Item | None:
        """To be done next here: a check while the backend has room, else the asset whose take is whole."""
        if self._task is not None:
            return self._task.item
        waiting = self._ledger.waiting
        unchecked = next((item for item in waiting if item.checked is None), None)
        if unchecked is not None and sum(item.checked is not None for item in waiting) < self._options.ahead:
            return unchecked
        return next((item for item in waiting if item.ready), None)

    def _go_on(self, task: _Task, deadline: float) -> None:
        try:
            if task.steps.go_on(deadline):
                self._task = None
                task.then(task.item, task.steps.result())
        except JournalFailed:
            raise
        except Incomplete as error:
            self._task = None
            self._analyze_again(task.item, error)
        except SemanticFaceError as error:
            self._task = None
            self._ledger.fail(task.item, error)
        except Exception as error:  # the boundary to the editor: a fault costs one job, not the queue
            self._task = None
            log.exception("SemanticFace: job %s", task.item.job.id)
            fault = SemanticFaceError(f"internal fault: {type(error).__name__}: {error}", "please report it")
            self._ledger.fail(task.item, fault)

    def _check(self, item: Item) -> Work[Checked]:
        self._ledger.show(item, doing="checking")
        record, again = self._ledger.record(item), self._options.retry_failed
        return checking(item.job, item.take, record, self._editor, again)

    def _checked(self, item: Item, checked: Checked) -> None:
        item.checked, item.ready = checked, checked.whole
        record = self._ledger.record(item)
        if checked.whole:
            frames, failed = record.frames, record.failed
            self._ledger.show(item, stage=Stage.ANALYZED, doing="", done=frames, total=frames, failed=failed)
        else:
            self._ledger.show(item, doing=WAITS)

    def _finish(self, item: Item) -> Work[Finished]:
        self._ledger.show(item, doing="writing")

        def begun(stamp: str) -> None:
            self._ledger.note(item, Stage.ANALYZED, writing=stamp)

        return finishing(item.job, item.take, self._ledger.record(item), self._editor, self._baking, begun)

    def _finished(self, item: Item, made: Finished) -> None:
        record, written = self._ledger.record(item), made.written
        if (record.stage, record.stamp, record.asset) != (Stage.DONE, made.stamp, written.asset):
            self._ledger.note(item, Stage.DONE, stamp=made.stamp, asset=written.asset)
        self._ledger.show(
            item,
            stage=Stage.DONE,
            doing="",
            kept=made.kept,
            asset=written.asset,
            curves=written.curves,
            keys=written.keys,
            others=written.others,
            unsolved=made.unsolved,
            remarks=(*item.row.remarks, *made.remarks),
        )

    def _analyze_again(self, item: Item, error: Incomplete) -> None:
        """The journal took the take for whole. Where the backend did, too, nothing more can be done."""
        if item.checked is None or not item.checked.whole:
            self._ledger.fail(item, TakeError(error.message, "remove the take, and run the batch again"))
            return
        item.ready, item.checked = False, replace(item.checked, whole=False)
        self._ledger.show(item, stage=Stage.PROBED, doing=WAITS)

    def _abort(self, error: SemanticFaceError) -> None:
        """The journal can't be written: what would be done now would be done again. Nothing more is begun."""
        self._error = self._error or error
        self._cancelled = True
        self._drop_task()
        self._feeder.cancel()
        for item in self._ledger.waiting:
            self._ledger.cancel(item, noting=False)

    def _drop_task(self) -> None:
        """Closing its steps leaves no bracket open in the editor."""
        task, self._task = self._task, None
        if task is not None:
            task.steps.close()
