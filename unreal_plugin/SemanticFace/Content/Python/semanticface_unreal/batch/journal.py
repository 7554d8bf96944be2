"""What became of the jobs of a manifest, so that a killed run goes on where it stood.

One JSON object a line, appended and handed to the system; a process that is killed leaves at most one torn last line,
which the next one drops. Only what stays true stands here: a take is whole, an asset is saved, a job failed.
Whoever opens a journal holds the system's lock on the file beside it, so that two processes never run one manifest.
Knows nothing of how jobs are done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from semanticface.errors import InputError
from semanticface.processes import try_lock
from semanticface_unreal.batch.job import Stage

FORMAT = "semanticface-journal"
VERSION = 1
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """What the journal says of a job. `stage` is the last line's; WAITING where there is none.

    `analysis` is the digest of what the whole take was made from and `frames` how many were asked for, "" and 0 while
    there is no such take; `failed` of them failed. `stamp` and `asset` are those of the asset that was saved last.
    `writing` is the stamp of one that was begun since.
    """

    stage: Stage = Stage.WAITING
    analysis: str = ""
    frames: int = 0
    failed: int = 0
    stamp: str = ""
    asset: str = ""
    writing: str = ""


class Journal:
    """Open from `open` to `close`. `records` by job id; a job without lines has the empty Record."""

    def __init__(self, path: Path, stream: IO[bytes], lock: IO[bytes], records: dict[str, Record]) -> None:
        self.path = path
        self._stream = stream
        self._lock = lock
        self._records = records

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Take the lock, read what there is, cut off a torn line. Raises InputError that says what is in the way."""
        lock = _take_lock(path)
        try:
            records, length = _read(path)
            stream = path.open("ab", buffering=0)
        except BaseException as error:
            lock.close()
            if isinstance(error, OSError):
                raise _unwritable(path, error) from error
            raise
        journal = cls(path, stream, lock, records)
        try:
            if stream.tell() > length:
                os.truncate(path, length)
            if length == 0:
                journal._put({"format": FORMAT, "version": VERSION})
        except BaseException as error:
            journal.close()
            if isinstance(error, OSError):
                raise _unwritable(path, error) from error
            raise
        return journal

    def of(self, job: str) -> Record:
        return self._records.get(job, Record())

    def note(self, job: str, stage: Stage, **facts: Any) -> None:
        """Append a line; it is with the system when this returns. Raises InputError where it can't be written."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"job": job, "stage": stage.value, "time": now, **facts}
        self._put(line)
        self._records[job] = _after(self.of(job), line)

    def close(self) -> None:
        self._stream.close()
        self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, line: Mapping[str, Any]) -> None:
        """A line that was written in part is cut off again, so that the next one doesn't hang on it."""
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        start = os.fstat(self._stream.fileno()).st_size
        try:
            written = self._stream.write(data)
            if written != len(data):
                raise OSError(f"only {written} of {len(data)} bytes went in")
        except OSError as error:
            os.truncate(self.path, start)
            raise _unwritable(self.path, error) from error


def _after(record: Record, line: Mapping[str, Any]) -> Record:
    """The record after one more line. Raises KeyError, ValueError for a line that is none."""
    stage = Stage(line["stage"])
    now = replace(record, stage=stage)
    if "analysis" in line:
        now = replace(now, analysis=str(line["analysis"]), frames=int(line["frames"]), failed=int(line["failed"]))
    if "writing" in line:
        now = replace(now, writing=str(line["writing"]))
    if stage is Stage.DONE:
        now = replace(now, stamp=str(line["stamp"]), asset=str(line["asset"]), writing="")
    return now


def _read(path: Path) -> tuple[dict[str, Record], int]:
    """The records, and the length up to the last whole line. Raises InputError for a file that is no journal."""
    records: dict[str, Record] = {}
    if not path.exists():
        return records, 0
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES} bytes", "remove it: all jobs are looked at anew")
    data = path.read_bytes()
    length = data.rfind(b"\n") + 1
    for number, line in enumerate(data[:length].splitlines(), 1):
        try:
            fields = json.loads(line)
            if number == 1:
                _check_head(path, fields)
            else:
                records[fields["job"]] = _after(records.get(fields["job"], Record()), fields)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            if number == 1:
                raise InputError(f"{path} is not a batch's journal", "move it away, or remove it") from error
            continue  # a line that was damaged on disk costs its job a second look, no more
    return records, length


def _check_head(path: Path, fields: Any) -> None:
    if fields.get("format") != FORMAT:
        raise InputError(f"{path} is not a batch's journal", "move it away, or remove it")
    if fields.get("version") != VERSION:
        raise InputError(f"{path} has version {fields.get('version')!r}, this program reads {VERSION}", "update it")


def _take_lock(path: Path) -> IO[bytes]:
    place = path.with_suffix(".lock")
    try:
        lock = place.open("ab")
    except OSError as error:
        raise _unwritable(place, error) from error
    if not try_lock(lock):
        lock.close()
        raise InputError(
            f"{path.name.removesuffix('.journal.jsonl')} is being run by another process",
            "wait for its end, or let each machine of a farm have a manifest of its own",
        )
    return lock


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} can't be written: {error.strerror or error}", "is the disk full, or the folder locked?")
