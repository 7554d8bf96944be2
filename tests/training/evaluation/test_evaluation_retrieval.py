"""Retrieval as part of an evaluation: the truth scores as ground truth does, and pictures are embedded once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from retrieval_kit import make_dataset

pytest.importorskip("torch")

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.evaluation.results import EvaluationResults, Protocol
from semanticface_training.evaluation.retrieval.evaluator import RetrievalEvaluator
from semanticface_training.evaluation.retrieval.options import Options
from semanticface_training.evaluation.run import Request, evaluate

COUNTS = {Split.TRAIN: 32, Split.VAL: 16, Split.TEST: 32}
OPTIONS = Options(batch=8, width=8, hidden=16, size=32, epochs=2)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("evaluated") / "set", COUNTS, per_sequence=16)


@pytest.fixture(scope="module")
def evaluator(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judge") / "evaluator"
    RetrievalEvaluator.fit(dataset, OPTIONS).save(folder)
    return folder


def run(path: Path, out: Path, *engines: str, **more: object) -> EvaluationResults:
    return evaluate(Request(out, path, engines, report=False, **more))


def answers(path: Path, dataset: Dataset, shift: int = 0, first: int = 0) -> Path:
    """The truth as somebody's predictions, from the picture `first` on; with a shift, that of another picture."""
    test = dataset.indices("test")
    rows = list(zip(test, test[shift:] + test[:shift], strict=True))[first:]
    lines = [{"id": dataset.rows[one].id, "values": dict(dataset.rows[other].coefficients)} for one, other in rows]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def test_the_truth_scores_exactly_as_ground_truth(tmp_path: Path, dataset: Dataset, evaluator: Path) -> None:
    true = f"true=predictions:{answers(tmp_path / 'a.jsonl', dataset)}"
    other = f"other=predictions:{answers(tmp_path / 'b.jsonl', dataset, 5, first=3)}"
    results = run(dataset.path, tmp_path / "r", true, other, evaluator=evaluator)
    ground = results.shared["retrieval"]["shuffle"]["ground_truth"]
    mine = results.method("true").tables["retrieval"]
    assert [mine[key] for key in ("n", "r1", "r2", "r3", "mm_dist")] == [
        ground[key] for key in ("n", "r1", "r2", "r3", "mm_dist")
    ]
    assert mine["n"] == results.dataset.common == 29 and mine["relative_distance"] == 1.0
    assert mine["same_sequence"]["forming"] == "same_sequence" and mine["same_sequence"]["n_used"] == 24
    assert results.method("other").tables["retrieval"]["mm_dist"] > mine["mm_dist"]
    assert "methods" not in results.shared["retrieval"]["shuffle"]


def test_pictures_are_embedded_once(tmp_path: Path, dataset: Dataset, evaluator: Path) -> None:
    copy = Path(shutil.copytree(dataset.path, tmp_path / "set"))
    true = f"true=predictions:{answers(tmp_path / 'a.jsonl', dataset)}"
    first = run(copy, tmp_path / "r", true, evaluator=evaluator)
    shutil.rmtree(copy / "images")
    again = evaluate(Request(tmp_path / "r", metrics_only=True, report=False))
    assert again.methods == first.methods and again.shared == first.shared


def test_pictures_without_truth_are_judged_by_the_evaluator_alone(
    tmp_path: Path, dataset: Dataset, evaluator: Path
) -> None:
    wild = tmp_path / "wild"
    shutil.copytree(dataset.path / "images", wild)
    results = run(wild, tmp_path / "r", "echo,no_face_on=[0]", evaluator=evaluator)
    assert results.protocol is Protocol.WILD and results.shared["retrieval"]["shuffle"]["ground_truth"] is None
    row = results.methods[0]
    assert row.tables["retrieval"]["n"] == 79 and (row.coverage.asked, row.coverage.answered) == (80, 79)
    assert row.tables["retrieval"]["same_sequence"]["undefined"].startswith("no sequence has 8 rows")
    assert "mse" not in row.tables


def test_an_evaluator_of_other_data_is_refused_before_anything_is_predicted(
    tmp_path: Path, dataset: Dataset, evaluator: Path
) -> None:
    other = make_dataset(tmp_path / "other", COUNTS, per_sequence=16, seed=1)
    with pytest.raises(InputError, match=f"digest {dataset.digest[:16]}"):
        run(other.path, tmp_path / "r", "echo", evaluator=evaluator)
    assert not (tmp_path / "r" / "predictions").exists()


def test_too_few_pictures_for_a_batch_are_a_reason_and_not_a_number(
    tmp_path: Path, dataset: Dataset, evaluator: Path
) -> None:
    nobody = json.dumps([dataset.indices("test")[place] for place in range(26)])
    results = run(dataset.path, tmp_path / "r", f"echo,no_face_on={nobody}", evaluator=evaluator)
    row = results.methods[0]
    assert row.undefined["retrieval"] == "6 rows were answered by all methods, a batch has 8"
    assert row.tables["mse"]["n"] == 6 and row.tables["mse"]["channels"] == len(CSV_ORDER)
