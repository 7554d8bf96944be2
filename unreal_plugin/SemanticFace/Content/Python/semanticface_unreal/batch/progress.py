"""Where a batch stands, as plain data for a window, a log and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from semanticface.errors import SemanticFaceError
from semanticface_unreal.batch.job import Stage

ENDS = frozenset({Stage.DONE, Stage.FAILED, Stage.CANCELLED})


class Outcome(StrEnum):
    """What a run came to."""

    OK = "OK"
    FAILED = "FAILED"
    """A job failed, or the run couldn't go on."""
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class JobProgress:
    """One job. `done` of `total` frames have a result (0 of 0 while that isn't known); `computed` of them were analyzed
    in this run, the others were there. `doing` says what goes on, "" where nothing does.

    `kept`: the asset was there already, made from the same. `asset`, `curves` and `keys` are what was written, `others`
    the paths beside it. `unsolved` says which frames have no result and what stands there, `failed` counts those of
    them that may do better another time.
    """

    id: str
    stage: Stage = Stage.WAITING
    doing: str = ""
    done: int = 0
    total: int = 0
    computed: int = 0
    kept: bool = False
    take: str = ""
    asset: str = ""
    curves: int = 0
    keys: int = 0
    others: tuple[str, ...] = ()
    unsolved: str = ""
    failed: int = 0
    remarks: tuple[str, ...] = ()
    error: SemanticFaceError | None = None

    @property
    def ended(self) -> bool:
        return self.stage in ENDS

    @property
    def fraction(self) -> float:
        """0 to 1, for a bar: nearly all of it is the analysis."""
        if self.ended:
            return 1.0
        if self.stage is Stage.ANALYZED:
            return 0.95
        return 0.9 * self.done / self.total if self.total else 0.0

    def describe(self) -> str:
        """One line for people."""
        if self.error is not None:
            return f"{self.stage}: {self.error}"
        if self.stage is Stage.DONE:
            return f"{'is there already' if self.kept else 'written'}: {self.asset}"
        frames = f" {self.done} of {self.total} frames" if self.total and self.stage is Stage.PROBED else ""
        return f"{self.doing or self.stage}{frames}"


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole run. `backend` says how the backend is; `error` why the run couldn't go on, None while it can."""

    jobs: tuple[JobProgress, ...]
    backend: str = ""
    engine: str = ""
    ended: bool = False
    cancelled: bool = False
    error: SemanticFaceError | None = None

    def count(self, *stages: Stage) -> int:
        return sum(job.stage in stages for job in self.jobs)

    @property
    def kept(self) -> int:
        """How many of the assets were there already."""
        return sum(job.kept for job in self.jobs)

    @property
    def fraction(self) -> float:
        return sum(job.fraction for job in self.jobs) / len(self.jobs) if self.jobs else 1.0

    @property
    def outcome(self) -> Outcome:
        """Of a run that has ended."""
        if self.error is not None or self.count(Stage.FAILED):
            return Outcome.FAILED
        return Outcome.CANCELLED if self.cancelled or self.count(Stage.CANCELLED) else Outcome.OK

    def describe(self) -> str:
        """One line for people: how many are done, what failed, what goes on."""
        text = f"{self.count(Stage.DONE)} of {counted(self.jobs)} done"
        failed = self.count(Stage.FAILED)
        text += f", {failed} failed" if failed else ""
        if self.ended:
            return f"{text}, cancelled" if self.outcome is Outcome.CANCELLED else text
        going = next((job for job in self.jobs if job.doing and not job.ended), None)
        return f"{text}; {going.id}: {going.describe()}" if going is not None else text


def counted(jobs: Sequence[JobProgress]) -> str:
    """`1 job`, `50 jobs`."""
    return f"{len(jobs)} job{'' if len(jobs) == 1 else 's'}"
