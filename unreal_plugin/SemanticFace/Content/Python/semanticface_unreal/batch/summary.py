"""What a run came to: a JSON file for pipelines, and lines for a log that both people and grep read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from semanticface.errors import InputError, to_wire
from semanticface.take import write_atomic
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.progress import JobProgress, Progress

FORMAT = "semanticface-batch-summary"
VERSION = 1
JOB_WORD = "SEMANTICFACE"
BATCH_WORD = "SEMANTICFACE-BATCH"
"""How lines about a job begin, and those about the whole run."""


def summary(progress: Progress, manifest: Path, began: datetime) -> dict[str, Any]:
    """The run as JSON has it."""
    now = datetime.now(UTC)
    return {
        "format": FORMAT,
        "version": VERSION,
        "manifest": str(manifest),
        "result": progress.outcome.value,
        "began": began.isoformat(timespec="seconds"),
        "ended": now.isoformat(timespec="seconds"),
        "seconds": round((now - began).total_seconds(), 3),
        "backend": progress.backend,
        "engine": progress.engine,
        "counts": counts(progress),
        "error": None if progress.error is None else to_wire(progress.error),
        "jobs": [_row(job) for job in progress.jobs],
    }


def counts(progress: Progress) -> dict[str, int]:
    """`skipped` are the jobs whose asset was there already and made from the same; they are not among `done`."""
    kept = progress.kept
    return {
        "done": progress.count(Stage.DONE) - kept,
        "skipped": kept,
        "failed": progress.count(Stage.FAILED),
        "cancelled": progress.count(Stage.CANCELLED),
    }


def write_summary(file: Path, data: dict[str, Any]) -> None:
    """Write it so that a reader sees the whole of it or nothing. Raises InputError where it can't be written."""
    try:
        write_atomic(file, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(f"{file} can't be written: {error.strerror or error}", "is the disk full?") from error


def changed(before: Progress | None, now: Progress) -> Iterator[JobProgress]:
    """The jobs whose stage is another one than before."""
    old = {} if before is None else {job.id: job.stage for job in before.jobs}
    return (job for job in now.jobs if job.stage is not old.get(job.id, Stage.WAITING))


def job_line(job: JobProgress) -> str:
    """`SEMANTICFACE job="a" stage=done frames=120 ... asset="/Game/A"`."""
    facts: dict[str, Any] = {"job": job.id, "stage": job.stage, "frames": job.total, "computed": job.computed}
    if job.stage is Stage.DONE:
        facts |= {"skipped": job.kept, "asset": job.asset, "curves": job.curves, "keys": job.keys}
        facts |= {"unsolved": job.unsolved} if job.unsolved else {}
    if job.error is not None:
        facts |= {"kind": job.error.kind, "error": job.error.message, "hint": job.error.hint}
    return f"{JOB_WORD} {_pairs(facts)}"


def result_line(progress: Progress) -> str:
    """`SEMANTICFACE-BATCH RESULT=OK done=50 failed=0 skipped=0 cancelled=0`; the last line of a run."""
    number = counts(progress)
    facts: dict[str, Any] = {name: number[name] for name in ("done", "failed", "skipped", "cancelled")}
    if progress.error is not None:
        facts["error"] = progress.error.message
    return f"{BATCH_WORD} RESULT={progress.outcome} {_pairs(facts)}"


def progress_line(progress: Progress) -> str:
    """`SEMANTICFACE-BATCH RUNNING done=12 failed=0 skipped=3 cancelled=0 jobs=50 percent=31`; now and then."""
    facts = {**counts(progress), "jobs": len(progress.jobs), "percent": int(100 * progress.fraction)}
    return f"{BATCH_WORD} RUNNING {_pairs(facts)}"


def _pairs(facts: dict[str, Any]) -> str:
    """Texts in JSON's quotes, on one line; numbers, flags and stages bare."""
    return " ".join(f"{name}={_value(value)}" for name, value in facts.items())


def _value(value: Any) -> str:
    if isinstance(value, (Stage, int)):
        return str(value).lower()
    return json.dumps(str(value), ensure_ascii=False)


def _row(job: JobProgress) -> dict[str, Any]:
    return {
        "id": job.id,
        "stage": job.stage.value,
        "skipped": job.kept,
        "asset": job.asset,
        "others": list(job.others),
        "take": job.take,
        "frames": job.total,
        "computed": job.computed,
        "failed_frames": job.failed,
        "unsolved": job.unsolved,
        "curves": job.curves,
        "keys": job.keys,
        "remarks": list(job.remarks),
        "error": None if job.error is None else to_wire(job.error),
    }
