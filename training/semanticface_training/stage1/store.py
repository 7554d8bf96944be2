"""Descriptions on disk: a JSON object a line, appended and never changed; a kill costs the batch under way at most.

    id        the dataset's row
    key       SHA-256 over teacher, model, prompt version, sampling and the coefficients with three decimals
    analysis  the four fields, null where none could be read
    text      what the teacher wrote, raw
    accepted  whether it may teach; faults: what is wrong with it or remarked about it, in words
    attempt   counts from 1; seconds: this text's share of the time

Of several lines about one id the last accepted one counts. A last line that a kill cut off is removed when the file
is opened to write. This module knows nothing of teachers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from semanticface.errors import InputError, ProtocolError
from semanticface.processes import try_lock
from semanticface.results import Analysis

FOLDER = "descriptions"
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One line."""

    id: str
    key: str
    analysis: Analysis | None
    text: str
    accepted: bool
    faults: tuple[str, ...]
    attempt: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        analysis = self.analysis.to_dict() if self.analysis else None
        facts = {name: getattr(self, name) for name in ("text", "accepted", "faults", "attempt", "seconds")}
        return {"id": self.id, "key": self.key, "analysis": analysis, **facts}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Raises KeyError, TypeError, ValueError or ProtocolError for what is no record."""
        analysis = None if data["analysis"] is None else Analysis.from_dict(data["analysis"])
        if not isinstance(data["accepted"], bool) or (data["accepted"] and analysis is None):
            raise ValueError("`accepted` is true or false, and what is accepted has an analysis")
        texts = {name: data[name] for name in ("id", "key", "text")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise ValueError("`id`, `key` and `text` are texts")
        faults = tuple(str(fault) for fault in data["faults"])
        return cls(**texts, analysis=analysis, accepted=data["accepted"], faults=faults,
                   attempt=int(data["attempt"]), seconds=float(data["seconds"]))  # fmt: skip


def descriptions_path(dataset: Path, name: str) -> Path:
    """Where a dataset's descriptions of this name lie. Raises InputError for a name that is no plain file name."""
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name) or name.startswith("."):
        raise InputError(f"{name[:80]!r} is no name for descriptions", "letters, digits, - and _")
    return dataset / FOLDER / f"{name}.jsonl"


def read_descriptions(path: Path) -> dict[str, Record]:
    """The last accepted record of each id. Raises InputError that names file and line."""
    try:
        with path.open("rb") as file:
            return {record.id: record for record, _ in _records(path, file) if record.accepted}
    except OSError as error:
        raise InputError(f"{path} can't be read: {error}", "semanticface-train describe writes it") from error


class Store:
    """A file of descriptions, open to append. One process at a time: the system's lock is held until `close`."""

    def __init__(self, path: Path) -> None:
        """Raises InputError when another process writes, or when a line is damaged."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._accepted: dict[str, int] = {}
        self._attempts: dict[str, int] = {}
        self._key_of: dict[str, str] = {}
        try:
            if not try_lock(self._file):
                raise InputError(f"{path} is being written by another process", "wait for it, or take another --name")
            self._file.seek(0)
            for record, start in _records(path, self._file):
                self._note(record, start)
            self._remove_torn_line()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def attempts(self, key: str) -> int:
        """How often these coefficients were tried without success."""
        return self._attempts.get(key, 0)

    def holds(self, identity: str, key: str) -> bool:
        """Whether the id's last accepted line is about this content."""
        return self._key_of.get(identity) == key

    def accepted(self, key: str) -> Record | None:
        """An accepted record of this content, whatever its id."""
        start = self._accepted.get(key)
        if start is None:
            return None
        self._file.seek(start)
        return Record.from_dict(json.loads(self._file.readline()))

    def append(self, records: Sequence[Record]) -> None:
        """Write whole lines, and return when they are on the disk. Raises InputError when they can't be written."""
        if not records:
            return
        self._file.seek(0, os.SEEK_END)
        start = self._file.tell()
        lines = [json.dumps(record.to_dict(), ensure_ascii=False).encode() + b"\n" for record in records]
        try:
            self._file.write(b"".join(lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(
                f"{self.path} can't be written: {error}", "what was described until now is kept"
            ) from error
        for record, line in zip(records, lines, strict=True):
            self._note(record, start)
            start += len(line)

    def copy(self, record: Record, identities: Sequence[str]) -> list[Record]:
        """The same description for other ids; it cost no time of its own."""
        return [replace(record, id=identity, seconds=0.0) for identity in identities]

    def _note(self, record: Record, start: int) -> None:
        if record.accepted:
            self._accepted[record.key] = start
            self._key_of[record.id] = record.key
        else:
            self._attempts[record.key] = max(record.attempt, self._attempts.get(record.key, 0))

    def _remove_torn_line(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        if size == 0:
            return
        self._file.seek(max(0, size - 2 * _LONGEST_LINE))
        tail = self._file.read()
        if not tail.endswith(b"\n"):
            self._file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)


def _records(path: Path, file: BinaryIO) -> Iterator[tuple[Record, int]]:
    """Each whole line's record and where it starts; a last line without its end is passed over."""
    number, start = 0, file.tell()
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if not line.endswith(b"\n") and len(line) <= _LONGEST_LINE:
            return
        try:
            yield Record.from_dict(json.loads(line)), start
        except (KeyError, TypeError, ValueError, AttributeError, ProtocolError, RecursionError) as error:
            raise InputError(
                f"{path}, line {number}: not a description ({error})", "repair or remove the line"
            ) from None
        start += len(line)
