"""Predictions that something else wrote: CSV and JSON lines that name each picture, read into a method's answers.

A CSV has a column `id` or `image` and a column for each of the 61 actions. A JSON line has `id` or `image` and the
values under `values` or `coefficients`, or a language model's whole answer under `response`; `values` may be null, with
a `status` (no_face, failed ...) and a `message`. A folder of `semanticface-train evaluate` is read as it is. `image` is
the path in the dataset, or the file's name where that is unique. What is wrong is refused, never repaired: a value that
is no number, an action that is missing (unless `fill` says what it is), a picture that is named twice or unknown.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from semanticface.actions import CSV_ORDER, canonical_name
from semanticface.analysis.parse import parse_answer
from semanticface.errors import InputError, OptionsError, ProtocolError, UnparseableAnswer
from semanticface.exchange.files import bounded_lines
from semanticface.results import Analysis, FrameResult, Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.store import FRAMES_NAME, METHOD_NAME, Method, read_method

SUFFIXES = (".csv", ".jsonl")
_LONGEST_LINE = 1 << 20
_MOST_LINES = 6_000_000


class ForeignPredictor:
    """Implements `predict.Predictor`: answers are what the files say; rows that they don't name are left out."""

    def __init__(self, method: Method, answers: Mapping[str, FrameResult]) -> None:
        """`answers` by row id."""
        self.method = method
        self._answers = answers

    @classmethod
    def read(cls, name: str, path: Path, dataset: Dataset, options: Mapping[str, Any]) -> ForeignPredictor:
        """Of a file, or all CSV and JSON lines of a folder. Raises InputError that names file, line and column."""
        fill = _fill(options)
        files = _files(path)
        reader = _Reader(dataset, fill)
        for file in files:
            reader.read(file)
        if not reader.answers:
            raise InputError(f"{path} holds no predictions", "CSV or JSON lines with a line for each picture")
        digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        facts = {"files": digests, "dataset": dataset.digest, "options": dict(options)}
        return cls(Method.of(name, name, "predictions", facts), reader.answers)

    def predict(self, dataset: Dataset, indices: Sequence[int]) -> Iterator[tuple[int, FrameResult]]:
        for index in indices:
            answer = self._answers.get(dataset.rows[index].id)
            if answer is not None:
                yield index, answer


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path} does not exist", "predictions:PATH names a CSV, JSON lines, or a folder of them")
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"{path} holds no CSV or JSON lines", "predictions:PATH names them or their folder")
    return found


def _fill(options: Mapping[str, Any]) -> float | None:
    unknown = set(options) - {"fill"}
    if unknown:
        raise OptionsError(f"predictions have no option {min(unknown)!r}", "fill=VALUE: for actions that are not there")
    value = options.get("fill")
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise OptionsError(f"fill={value!r} is not a number", "such as fill=0")
    return None if value is None else float(value)


class _Reader:
    """Collects answers by row id, and refuses what can't be one."""

    def __init__(self, dataset: Dataset, fill: float | None) -> None:
        self.answers: dict[str, FrameResult] = {}
        self._dataset, self._fill = dataset, fill
        self._number = {row.id: number for number, row in enumerate(dataset.rows)}
        self._by_image = {row.image: row.id for row in dataset.rows}
        names = Counter(PurePosixPath(row.image).name for row in dataset.rows)
        self._by_name = {
            PurePosixPath(row.image).name: row.id for row in dataset.rows if names[PurePosixPath(row.image).name] == 1
        }

    def read(self, file: Path) -> None:
        if file.suffix.lower() == ".csv":
            self._csv(file)
            return
        if file.name == FRAMES_NAME and (file.parent / METHOD_NAME).is_file():
            self._check_same_data(file.parent)
        for number, line in bounded_lines(file, _LONGEST_LINE, _MOST_LINES):
            if line.strip():
                self._line(line, f"{file.name}, line {number}")

    def _check_same_data(self, folder: Path) -> None:
        theirs = read_method(folder).facts.get("dataset")
        if theirs not in (None, self._dataset.digest):
            raise InputError(f"{folder} holds predictions of another dataset", "evaluate on the one that they are of")

    def _csv(self, file: Path) -> None:
        lines = bounded_lines(file, _LONGEST_LINE, _MOST_LINES)
        first = next(lines, None)
        if first is None:
            raise InputError(f"{file.name} is empty", "the first line names the columns")
        header = [cell.strip() for cell in next(csv.reader([first[1]]))]
        keys = [canonical_name(cell) or cell.lower() for cell in header]
        where = f"{file.name}, line 1"
        twice = [name for name, count in Counter(keys).items() if count > 1]
        if twice:
            raise InputError(f"{where}: the column {twice[0]} is there twice")
        if not {"id", "image"} & set(keys):
            raise InputError(f"{where}: no column `id` or `image`", "it says which picture a line is about")
        self._check_names([key for key in keys if key in CSV_ORDER], where)
        for number, line in lines:
            if not line.strip():
                continue
            where = f"{file.name}, line {number}"
            cells = next(csv.reader([line]))
            if len(cells) != len(keys):
                raise InputError(f"{where}: {len(cells)} cells, the header has {len(keys)}")
            given = dict(zip(keys, cells, strict=True))
            values = {name: _number(given[name], name, where) for name in keys if name in CSV_ORDER}
            self._add(given, self._filled(values), where)

    def _line(self, line: str, where: str) -> None:
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: {error}") from error
        if not isinstance(data, dict):
            raise InputError(f"{where}: not a JSON object")
        if isinstance(data.get("images"), list) and len(data["images"]) == 1 and "image" not in data:
            picture = data["images"][0]
            data["image"] = picture.get("path") if isinstance(picture, dict) else picture
        if isinstance(data.get("response"), str) and "values" not in data and "coefficients" not in data:
            self._answer(data, where)
            return
        given = data.get("values", data.get("coefficients"))
        if given is None:
            self._add(data, None, where)
            return
        if not isinstance(given, dict):
            raise InputError(f"{where}: the values are no object of names and numbers")
        values = {}
        for key, value in given.items():
            name = canonical_name(key)
            if name is None or name in values:
                raise InputError(f"{where}: {key[:60]!r} is no action, or one that is there twice")
            values[name] = _number(value, name, where)
        self._check_names(list(values), where)
        self._add(data, self._filled(values), where)

    def _answer(self, data: Mapping[str, Any], where: str) -> None:
        """A language model's answer as text, read as the backend reads it."""
        try:
            found = parse_answer(data["response"])
        except UnparseableAnswer as error:
            self._add({**data, "status": Status.UNPARSEABLE, "message": error.message}, None, where)
            return
        analysis = None if found.analysis is None else found.analysis.to_dict()
        self._add({**data, "analysis": analysis}, dict(found.coefficients), where)

    def _check_names(self, names: Sequence[str], where: str) -> None:
        missing = [name for name in CSV_ORDER if name not in names]
        if missing and self._fill is None:
            raise InputError(
                f"{where}: no value of {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''} "
                f"({len(missing)} of 61 actions)",
                "add ,fill=0 behind the path to count missing actions as 0",
            )
        if len(missing) == len(CSV_ORDER):
            raise InputError(f"{where}: none of the 61 actions", "names are ARKit's, such as JawOpen or jawOpen")

    def _filled(self, values: Mapping[str, float]) -> dict[str, float]:
        fill = 0.0 if self._fill is None else self._fill
        return {name: values.get(name, fill) for name in CSV_ORDER}

    def _add(self, data: Mapping[str, Any], values: Mapping[str, float] | None, where: str) -> None:
        row = self._row(data, where)
        if row in self.answers:
            raise InputError(f"{where}: the picture {row} is there twice", "one answer a picture")
        told = data.get("status") or (Status.FAILED if values is None else Status.OK)
        try:
            status = Status(told)
            confidence = data.get("confidence")
            analysis = Analysis.from_dict(data["analysis"]) if data.get("analysis") else None
            message = str(data.get("message") or ("" if values is not None else "no values"))
            self.answers[row] = FrameResult(
                self._number[row], None, status, values, analysis,
                None if confidence in (None, "") else _number(confidence, "confidence", where), message=message,
            )  # fmt: skip
        except (ValueError, ProtocolError) as error:
            raise InputError(f"{where}: {error}") from error

    def _row(self, data: Mapping[str, Any], where: str) -> str:
        """The row's id. Raises InputError when there is no such row, or it can't be told which."""
        if data.get("id"):
            identity = str(data["id"])
            if identity not in self._number:
                raise InputError(f"{where}: {identity[:80]!r} is no row of {self._dataset.path.name}")
            return identity
        image = str(data.get("image") or "").replace("\\", "/")
        if not image:
            raise InputError(f"{where}: neither `id` nor `image`", "one of them says which picture it is about")
        parts = PurePosixPath(image).parts
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            for tried in (tail, f"images/{tail}"):
                if tried in self._by_image:
                    return self._by_image[tried]
        found = self._by_name.get(parts[-1])
        if found is None:
            raise InputError(
                f"{where}: {image[-80:]!r} is no picture of {self._dataset.path.name}, or the name of several",
                "give the path inside the dataset, or the row's id",
            )
        return found


def _number(value: Any, name: str, where: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"{where}: {name} is {str(value)[:40]!r}, not a finite number",
            "a picture without an answer has no values and a status, or no line at all",
        )
    return number
