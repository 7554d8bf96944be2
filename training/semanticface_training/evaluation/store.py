"""Predictions on disk: what one method said about each row of a dataset, appended line by line, resumed after a kill.

    PREDICTIONS/<method>/
      method.json     who answered: name, label, engine, facts, and the key, a digest of all that an answer depends on
      frames.jsonl    one JSON object a row, in the order in which answers came

A line has `id`, `status`, `values` (61 by name, or null), `expectation` (the means of a language model's digits by
name, or null), `confidence`, `message`, `analysis` (or null) and `seconds`. A writer that is killed leaves at most one
torn last line, which readers pass over and the next writer cuts off. A row stands once: twice means that somebody put
files together. This module knows nothing of engines and computes no metric.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER, SCHEMA_ID
from semanticface.errors import InputError, ProtocolError
from semanticface.processes import try_lock
from semanticface.results import Analysis, FrameResult, Status
from semanticface.take import write_atomic
from semanticface_training.dataset.table import Dataset

FORMAT = "semanticface-predictions"
VERSION = 1
METHOD_NAME = "method.json"
FRAMES_NAME = "frames.jsonl"
ABSENT = "absent"
"""The status of a row that a method was not asked about, or has no line of."""
BESIDE_THE_KEY = ("code", "device", "split")
"""Facts that are told but don't decide an answer."""
_MAX_LINE = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}")


@dataclass(frozen=True, slots=True)
class Method:
    """Who answers. `name` is a folder's name, `label` what a table shows, `engine` the kind of thing that it is.

    `facts`: plain values of JSON (options, model identity, dataset digest, code ...); `key` digests those that decide.
    """

    name: str
    label: str
    engine: str
    facts: Mapping[str, Any]
    key: str

    @classmethod
    def of(
        cls, name: str, label: str, engine: str, facts: Mapping[str, Any], beside: Sequence[str] = BESIDE_THE_KEY
    ) -> Method:
        """With its key: SHA-256 over `engine`, the table of actions and all of `facts` but those named by `beside`.

        Raises InputError for a name that can't be a folder's.
        """
        if not _NAME.fullmatch(name) or name.endswith("."):
            raise InputError(f"a method can't be called {name[:80]!r}", "letters, digits and _.+-, at most 80")
        deciding = {fact: value for fact, value in facts.items() if fact not in beside}
        text = json.dumps([engine, SCHEMA_ID, deciding], sort_keys=True, ensure_ascii=False)
        return cls(name, label, engine, dict(facts), hashlib.sha256(text.encode()).hexdigest())

    def to_dict(self) -> dict[str, Any]:
        told = {"name": self.name, "label": self.label, "engine": self.engine, "key": self.key}
        return {"format": FORMAT, "version": VERSION, **told, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One method's answers to N rows, in the rows' order.

    `status`: a value of `results.Status`, or `ABSENT`. `values`: (N, 61) float64 in `CSV_ORDER`, NaN where the status
    is not "ok". `expectation`: the same shape, the means over a language model's digits, NaN where there are none.
    `confidence` and `seconds`: (N,) float64, NaN where unknown.
    """

    method: Method
    ids: tuple[str, ...]
    status: tuple[str, ...]
    values: NDArray[np.float64] = field(repr=False)
    analyses: tuple[Analysis | None, ...] = field(repr=False)
    messages: tuple[str, ...] = field(repr=False)
    confidence: NDArray[np.float64] = field(repr=False)
    seconds: NDArray[np.float64] = field(repr=False)
    expectation: NDArray[np.float64] = field(repr=False)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(N,) bool: where there are values."""
        return np.array([status == Status.OK for status in self.status], bool)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by status, most first."""
        return dict(Counter(self.status).most_common())


def read_method(folder: Path) -> Method:
    """What `method.json` says. Raises InputError that names the file."""
    file = folder / METHOD_NAME
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["format"] != FORMAT or data["version"] != VERSION:
            raise ValueError(f"format {data['format']!r}, version {data['version']!r}")
        texts = [data[name] for name in ("name", "label", "engine", "key")]
        if not all(isinstance(text, str) for text in texts) or not isinstance(data["facts"], dict):
            raise ValueError("name, label, engine and key are texts, facts is an object")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file} can't be read: {error}", "it is written beside predictions") from error
    return Method(texts[0], texts[1], texts[2], data["facts"], texts[3])


def read_predictions(folder: Path, dataset: Dataset, indices: Sequence[int]) -> Predictions:
    """The answers to these rows of the dataset; a row without a line is `ABSENT`.

    Raises InputError for lines that are damaged, ids that are not the dataset's, and one that comes twice.
    """
    method = read_method(folder)
    known = {row.id for row in dataset.rows}
    lines: dict[str, Mapping[str, Any]] = {}
    file = folder / FRAMES_NAME
    for number, data, _ in _lines(file):
        if data["id"] not in known:
            raise InputError(
                f"{file}, line {number}: {data['id'][:80]!r} is no row of {dataset.path.name}",
                "these predictions belong to another dataset",
            )
        if data["id"] in lines:
            raise InputError(f"{file}, line {number}: row {data['id']} comes twice", "remove the folder, predict anew")
        lines[data["id"]] = data
    ids = tuple(dataset.rows[index].id for index in indices)
    return _assembled(method, ids, [lines.get(name) for name in ids])


def _assembled(method: Method, ids: tuple[str, ...], found: Sequence[Mapping[str, Any] | None]) -> Predictions:
    empty: Mapping[str, Any] = {"status": ABSENT}
    lines = [empty if line is None else line for line in found]
    return Predictions(
        method=method,
        ids=ids,
        status=tuple(str(line["status"]) for line in lines),
        values=_table([line.get("values") for line in lines]),
        analyses=tuple(Analysis.from_dict(line["analysis"]) if line.get("analysis") else None for line in lines),
        messages=tuple(str(line.get("message") or "") for line in lines),
        confidence=np.array([_or_nan(line.get("confidence")) for line in lines], np.float64),
        seconds=np.array([_or_nan(line.get("seconds")) for line in lines], np.float64),
        expectation=_table([line.get("expectation") for line in lines]),
    )


def _table(maps: Sequence[Mapping[str, float] | None]) -> NDArray[np.float64]:
    out = np.full((len(maps), len(CSV_ORDER)), np.nan)
    for number, values in enumerate(maps):
        if values is not None:
            out[number] = [values[name] for name in CSV_ORDER]
    return out


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


class PredictionWriter:
    """A method's folder, open to append; one process at a time: the system's lock is held until `close`."""

    def __init__(self, folder: Path, method: Method, file: BinaryIO, done: set[str]) -> None:
        """Use `open`."""
        self.folder, self.method, self.done = folder, method, done
        self._file = file

    @classmethod
    def open(cls, folder: Path, method: Method) -> PredictionWriter:
        """Begin, or go on where a killed run stopped; `done` then holds the ids that have an answer.

        Raises InputError for a folder with predictions under another key, one in use, and one that is damaged.
        """
        _claim(folder, method)
        try:
            file = (folder / FRAMES_NAME).open("a+b", buffering=0)
        except OSError as error:
            raise InputError(f"{folder} can't be written: {error.strerror or error}") from error
        try:
            if not try_lock(file):
                raise InputError(f"{folder} is being written by another process", "wait for it, or stop it")
            kept = [(data["id"], end) for _, data, end in _lines(folder / FRAMES_NAME)]
            file.truncate(kept[-1][1] if kept else 0)
        except BaseException:
            file.close()
            raise
        return cls(folder, method, file, {identity for identity, _ in kept})

    def add(self, identity: str, result: FrameResult, seconds: float) -> None:
        """Append a row's answer. One that claims to be whole and isn't finite is written as failed, with the reason.

        Raises InputError for a row that has an answer already, and when the disk is full.
        """
        if identity in self.done:
            raise InputError(f"{self.folder}: row {identity} has an answer already", "each row is predicted once")
        line = json.dumps(_line(identity, result, seconds), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        try:
            self._file.write(line)
        except OSError as error:
            raise InputError(
                f"{self.folder} can't be written: {error.strerror or error}", "what was predicted until now is kept"
            ) from error
        self.done.add(identity)

    def close(self) -> None:
        """Let go of the folder, with all lines on the disk. May be called again."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _claim(folder: Path, method: Method) -> None:
    file = folder / METHOD_NAME
    if file.is_file():
        if read_method(folder).key != method.key:
            raise InputError(
                f"{folder} holds predictions of another model, other options or other data",
                "give the method another name, remove that folder, or choose another --out",
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} exists and holds no predictions", "choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(file, json.dumps(method.to_dict(), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror or error}") from error


def _line(identity: str, result: FrameResult, seconds: float) -> dict[str, Any]:
    status, message = result.status.value, result.message
    values = None if result.coefficients is None else {name: float(result.coefficients[name]) for name in CSV_ORDER}
    expectation = None
    if values is not None and result.estimates is not None:
        expectation = {name: float(result.estimates[name].expectation) for name in CSV_ORDER}
    for named in filter(None, (values, expectation)):
        odd = [name for name, value in named.items() if not np.isfinite(value)]
        if odd:
            status, values, expectation = Status.FAILED.value, None, None
            message = f"{odd[0]} is {named[odd[0]]}, not a finite number"
            break
    return {
        "id": identity,
        "status": status,
        "values": values,
        "expectation": expectation,
        "confidence": result.confidence if np.isfinite(_or_nan(result.confidence)) else None,
        "message": message,
        "analysis": None if result.analysis is None else result.analysis.to_dict(),
        "seconds": round(float(seconds), 6),
    }


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any], int]]:
    """(line number, checked content, bytes up to its end) of each whole line. A torn last line is passed over."""
    length = 0
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(iter(lambda: stream.readline(_MAX_LINE + 1), b""), 1):
                if not line.endswith(b"\n") and len(line) <= _MAX_LINE:
                    return
                length += len(line)
                yield number, _parsed(line, f"{file}, line {number}"), length
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror or error}") from error


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(line)
        if not isinstance(data["id"], str):
            raise ValueError("id is no text")
        whole = Status(data["status"]) is Status.OK
        if whole != (data["values"] is not None):
            raise ValueError(f"status {data['status']} and values contradict each other")
        for values in (data["values"], data.get("expectation")):
            if values is not None and (values.keys() != set(CSV_ORDER) or not np.isfinite(list(values.values())).all()):
                raise ValueError("not the 61 finite values by name")
        if data.get("analysis") is not None:
            Analysis.from_dict(data["analysis"])
        _or_nan(data.get("confidence")), _or_nan(data.get("seconds"))
    except (ValueError, KeyError, TypeError, AttributeError, ProtocolError, RecursionError) as error:
        raise InputError(f"{where} is damaged: {error}", "remove the folder, predict anew") from error
    return data
