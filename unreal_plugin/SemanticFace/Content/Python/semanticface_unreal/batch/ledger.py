"""The jobs of a run and how each stands: on the screen, and in the journal. Knows neither backend nor editor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semanticface.errors import InputError, SemanticFaceError, to_wire
from semanticface_unreal.batch.analysis import Analysis
from semanticface_unreal.batch.job import Job, Stage
from semanticface_unreal.batch.journal import Journal, Record
from semanticface_unreal.batch.manifest import Manifest
from semanticface_unreal.batch.progress import JobProgress
from semanticface_unreal.batch.stages import Checked


@dataclass(slots=True, eq=False)
class Item:
    """A job on its way. `own`: its take's folder is the batch's. `checked` once footage and target were looked at,
    `analysis` while it is in the backend, `ready` when its take is whole."""

    job: Job
    take: Path
    own: bool
    row: JobProgress
    checked: Checked | None = None
    analysis: Analysis | None = None
    ready: bool = False

    @property
    def needs_backend(self) -> bool:
        return self.checked is not None and not self.ready and not self.row.ended


class JournalFailed(Exception):
    """Nothing can be noted any more. Not of the product's tree, so that no job is blamed for it."""

    def __init__(self, error: SemanticFaceError) -> None:
        super().__init__(error.message)
        self.error = error


class Ledger:
    """What is written down of a run's jobs. All that writes into the journal may raise JournalFailed."""

    def __init__(self, manifest: Manifest, journal: Journal, retry_failed: bool) -> None:
        """`retry_failed`: only the jobs that failed in an earlier run, and those of which frames failed."""
        self._journal = journal
        self.items: Sequence[Item] = [
            Item(job, manifest.take(job), not job.take, JobProgress(job.id, take=str(manifest.take(job))))
            for job in manifest.jobs
            if not retry_failed or self._failed(journal.of(job.id))
        ]

        self._waiting = list(self.items)

    @property
    def ended(self) -> bool:
        return not self._waiting

    @property
    def waiting(self) -> Sequence[Item]:
        """The jobs that have not ended, in their order. What is got stays as it is while jobs end."""
        return self._waiting

    def record(self, item: Item) -> Record:
        return self._journal.of(item.job.id)

    def show(self, item: Item, **changes: Any) -> None:
        open_before = not item.row.ended
        item.row = replace(item.row, **changes)
        if open_before and item.row.ended:
            self._waiting = [one for one in self._waiting if one is not item]

    def note(self, item: Item, stage: Stage, **facts: Any) -> None:
        try:
            self._journal.note(item.job.id, stage, **facts)
        except InputError as error:
            raise JournalFailed(error) from error

    def fail(self, item: Item, error: SemanticFaceError) -> None:
        item.analysis = None
        self.note(item, Stage.FAILED, error=to_wire(error))
        self.show(item, stage=Stage.FAILED, doing="", error=error)

    def cancel(self, item: Item, noting: bool = True) -> None:
        item.analysis = None
        self.show(item, stage=Stage.CANCELLED, doing="")
        if noting:
            self.note(item, Stage.CANCELLED)

    @staticmethod
    def _failed(record: Record) -> bool:
        return record.stage is Stage.FAILED or record.failed > 0
