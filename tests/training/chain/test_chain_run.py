"""Claims about a run's notes and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface.results import Estimate, FrameResult, Status
from semanticface_training.chain.ledger import NAME, Ledger
from semanticface_training.chain.plan import ACTIONS
from semanticface_training.chain.results import measure
from semanticface_training.dataset.table import Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.evaluation.store import Method, PredictionWriter, read_predictions


def test_notes_outlive_the_run_and_belong_to_its_options(tmp_path: Path):
    folder = tmp_path / "run"
    first = Ledger(folder, "key")
    first.note("draw", {"pictures": 3})
    again = Ledger(folder, "key")
    assert again.facts("draw") == {"pictures": 3} and again.facts("see") is None
    with pytest.raises(InputError, match="other options"):
        Ledger(folder, "another key")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="no demo run"):
        Ledger(tmp_path, "key")
    (tmp_path / "thesis.txt").unlink()
    (tmp_path / NAME).write_text("{")
    with pytest.raises(InputError, match="can't be read"):
        Ledger(tmp_path, "key")


def _png() -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes())


@pytest.fixture
def dataset(tmp_path: Path):
    draw = np.random.default_rng(0)
    with DatasetWriter(tmp_path / "set", Meta("synthetic", [], {}, "", ())) as writer:
        for split, people in ((Split.TRAIN, 3), (Split.TEST, 4)):
            for person in range(people):
                for frame in range(5):
                    values = {name: float(np.float32(draw.uniform())) for name in CSV_ORDER}
                    subject = f"{split.value}-{person}"
                    writer.add(Row(subject, frame, subject, split, values), _png())
        return writer.finish()


def _told(dataset, folder: Path, name: str, values, fails: str = ""):
    """Predictions that say `values(row)`, by text and by expectation; UNPARSEABLE for one id, or for "all"."""
    rows = [int(row) for row in dataset.indices("test")]
    with PredictionWriter.open(folder / name, Method.of(name, name, "test", {})) as writer:
        for number in rows:
            row = dataset.rows[number]
            if fails in (row.id, "all"):
                writer.add(row.id, FrameResult(0, None, Status.UNPARSEABLE, message="words alone"), 0.1)
                continue
            said = values(row)
            estimates = {key: Estimate(value, value, 0.0) for key, value in said.items()}
            writer.add(row.id, FrameResult(0, None, Status.OK, coefficients=said, estimates=estimates), 0.1)
    return read_predictions(folder / name, dataset, rows)


def test_the_truth_is_all_below_the_mean_and_the_mean_is_nothing(dataset, tmp_path: Path):
    mean = dataset.values[dataset.indices("train")].astype(np.float64).mean(0)
    same = dict(zip(CSV_ORDER, mean.tolist(), strict=True))
    found = {
        "a0": _told(dataset, tmp_path, "a0", lambda row: dict(row.coefficients)),
        "a1": _told(dataset, tmp_path, "a1", lambda row: same),
    }
    results = measure(dataset, found)
    below = {(one.target, one.way): one.below_mean for one in results.readings}
    assert below["a0", "greedy"] == pytest.approx(1.0)
    assert below["a1", "expectation"] == pytest.approx(0.0, abs=1e-9)
    reached = results.reached()
    assert all(reached["a0"].values()) and not any(reached["a1"].values())
    one = next(c for c in results.comparisons if c["a"] == "a0 greedy" and c["b"] == "a1 greedy")
    assert one["difference"] < 0 and one["p_t"] < 0.01 and one["n"] == 20 and one["n_sequences"] == 4
    constant = next(r for r in results.readings if r.target == "a1")
    assert set(constant.pearson.values()) == {None} and constant.mean_pearson is None
    json.dumps(results.to_dict(), allow_nan=False)


def test_what_one_model_could_not_answer_is_taken_from_all_and_counted(dataset, tmp_path: Path):
    lost = dataset.rows[int(dataset.indices("test")[0])].id
    found = {
        "a0": _told(dataset, tmp_path, "a0", lambda row: dict(row.coefficients)),
        "a2": _told(dataset, tmp_path, "a2", lambda row: dict(row.coefficients), fails=lost),
    }
    results = measure(dataset, found)
    assert results.common == 19 and results.asked == 20
    assert results.answered == {"a0": 20, "a2": 19}
    assert len(ACTIONS) == 16


def test_a_model_that_answers_nothing_has_no_numbers_and_takes_none_from_others(dataset, tmp_path: Path):
    found = {
        "a0": _told(dataset, tmp_path, "a0", lambda row: dict(row.coefficients)),
        "a2": _told(dataset, tmp_path, "a2", lambda row: dict(row.coefficients), fails="all"),
    }
    results = measure(dataset, found)
    assert results.answered == {"a0": 20, "a2": 0} and results.common == 20
    assert {one.target for one in results.readings} == {"a0"} and list(results.reached()) == ["a0"]
    alone = measure(dataset, {"a2": found["a2"]})
    assert (alone.common, alone.mean_mse, alone.readings) == (0, None, ())
    json.dumps(alone.to_dict(), allow_nan=False)
