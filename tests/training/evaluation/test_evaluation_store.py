"""Predictions on disk: what was said comes back, what was not said stays absent, and nothing is mixed up."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface.results import Analysis, Estimate, FrameResult, Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.store import (
    FRAMES_NAME,
    METHOD_NAME,
    Method,
    PredictionWriter,
    read_method,
    read_predictions,
)

METHOD = Method.of("ours", "Ours", "echo", {"options": {"a": 1}, "dataset": "d", "code": "1"})


@pytest.fixture
def dataset(echoed: Dataset) -> Dataset:
    return echoed


def asked(dataset: Dataset) -> list[int]:
    """The rows t0/0 to t0/4."""
    return [number for number, row in enumerate(dataset.rows) if row.take == "t0" and row.frame < 5]


def said(level: float, **more: object) -> FrameResult:
    values = {name: level + place / 1000 for place, name in enumerate(CSV_ORDER)}
    return FrameResult(0, None, Status.OK, values, **more)


def test_answers_come_back_to_the_last_bit_and_unasked_rows_are_absent(tmp_path: Path, dataset: Dataset) -> None:
    analysis = Analysis("smile", {"mouth": "both corners up"}, "happy", "symmetric")
    estimates = {name: Estimate(0.1, 0.1 + place / 7000, 0.01) for place, name in enumerate(CSV_ORDER)}
    with PredictionWriter.open(tmp_path / "p", METHOD) as writer:
        writer.add("t0/0", said(0.1, analysis=analysis, confidence=0.75, estimates=estimates), 0.25)
        writer.add("t0/2", FrameResult(0, None, Status.NO_FACE, message="nobody there"), 0.5)
    found = read_predictions(tmp_path / "p", dataset, asked(dataset))
    assert found.ids == tuple(f"t0/{n}" for n in range(5))
    assert found.status == ("ok", "absent", "no_face", "absent", "absent")
    assert found.values[0].tolist() == [0.1 + place / 1000 for place in range(61)]
    assert found.expectation[0].tolist() == [0.1 + place / 7000 for place in range(61)]
    assert np.isnan(found.values[1:]).all() and found.answered.tolist() == [True, False, False, False, False]
    assert found.analyses[0] == analysis and found.messages[2] == "nobody there"
    assert found.confidence[0] == 0.75 and found.seconds[:1] == [0.25] and math.isnan(found.confidence[2])
    assert found.counts == {"absent": 3, "ok": 1, "no_face": 1}
    assert read_method(tmp_path / "p") == METHOD


def test_an_answer_that_is_not_finite_is_a_failure_with_its_reason(tmp_path: Path, dataset: Dataset) -> None:
    odd = FrameResult(0, None, Status.OK, dict.fromkeys(CSV_ORDER, 0.5) | {"JawOpen": math.nan}, confidence=math.nan)
    with PredictionWriter.open(tmp_path / "p", METHOD) as writer:
        writer.add("t0/1", odd, 0.0)
    found = read_predictions(tmp_path / "p", dataset, [asked(dataset)[1]])
    assert found.status == ("failed",) and found.messages == ("JawOpen is nan, not a finite number",)


def test_a_torn_last_line_is_cut_off_and_its_row_is_asked_again(tmp_path: Path, dataset: Dataset) -> None:
    with PredictionWriter.open(tmp_path / "p", METHOD) as writer:
        writer.add("t0/0", said(0.1), 0.0)
        writer.add("t0/1", said(0.2), 0.0)
    file = tmp_path / "p" / FRAMES_NAME
    file.write_bytes(file.read_bytes()[:-40])
    assert read_predictions(tmp_path / "p", dataset, asked(dataset)).counts == {"absent": 4, "ok": 1}
    with PredictionWriter.open(tmp_path / "p", METHOD) as writer:
        assert writer.done == {"t0/0"}
        writer.add("t0/1", said(0.3), 0.0)
    found = read_predictions(tmp_path / "p", dataset, asked(dataset))
    assert found.counts == {"absent": 3, "ok": 2} and found.values[1, 0] == 0.3


def test_a_row_is_never_predicted_twice(tmp_path: Path) -> None:
    with PredictionWriter.open(tmp_path / "p", METHOD) as writer:
        writer.add("t0/0", said(0.1), 0.0)
        with pytest.raises(InputError, match="t0/0 has an answer already"):
            writer.add("t0/0", said(0.2), 0.0)


def test_only_what_decides_an_answer_is_in_the_key() -> None:
    def key(**facts: object) -> str:
        return Method.of("ours", "Ours", "echo", {**METHOD.facts, **facts}).key

    assert key(code="2", device="cuda", split="val") == METHOD.key
    assert len({METHOD.key, key(options={"a": 2}), key(dataset="e"), key(model="m")}) == 4


def test_another_model_is_refused_in_the_same_folder(tmp_path: Path) -> None:
    PredictionWriter.open(tmp_path / "p", METHOD).close()
    other = Method.of("ours", "Ours", "echo", {**METHOD.facts, "options": {"a": 2}})
    with pytest.raises(InputError, match="another model, other options or other data"):
        PredictionWriter.open(tmp_path / "p", other)


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    first = PredictionWriter.open(tmp_path / "p", METHOD)
    with first, pytest.raises(InputError, match="being written by another process"):
        PredictionWriter.open(tmp_path / "p", METHOD)


@pytest.mark.parametrize(
    ("bend", "complaint"),
    [
        (lambda line: line | {"id": "elsewhere/0"}, "'elsewhere/0' is no row of set"),
        (lambda line: line | {"values": line["values"] | {"JawOpen": None}}, "line 2 is damaged"),
        (lambda line: line | {"values": {"JawOpen": 1.0}}, "not the 61 finite values"),
        (lambda line: line | {"status": "no_face"}, "contradict each other"),
        (lambda line: line | {"status": "splendid"}, "'splendid' is not a valid Status"),
        (lambda line: line | {"id": "t0/0"}, "row t0/0 comes twice"),
    ],
)
def test_damage_is_named_by_line(
    tmp_path: Path, dataset: Dataset, bend: Callable[[dict[str, object]], object], complaint: str
) -> None:
    with PredictionWriter.open(tmp_path / "p", METHOD) as writer:
        writer.add("t0/0", said(0.1), 0.0)
        writer.add("t0/1", said(0.2), 0.0)
    file = tmp_path / "p" / FRAMES_NAME
    first, second = file.read_text(encoding="utf-8").splitlines()
    file.write_text(f"{first}\n{json.dumps(bend(json.loads(second)))}\n", encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_predictions(tmp_path / "p", dataset, asked(dataset))


def test_a_method_needs_a_name_that_is_a_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be called"):
        Method.of("../up", "Up", "echo", {})
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / METHOD_NAME).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="can't be read"):
        read_method(tmp_path / "p")
