"""The benchmark's parts: which picture counts where, and numbers that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface_training.dataset.table import Dataset, Row, Split, values_of
from semanticface_training.evaluation.benchmark.parts import PARTS, SHOWN, in_part, markdown, part_rows
from semanticface_training.evaluation.store import Method, Predictions

KINDS = ((), ("pose",), ("occluded", "toon"), ("sweep:JawOpen",), ("pose", "mirror:b/1"), ("recorded",))


def dataset() -> Dataset:
    """Six test rows, one of each kind; JawOpen 0, 0.2 ... 1, TongueOut always 1."""
    zero = dict.fromkeys(CSV_ORDER, 0.0)
    rows = tuple(
        Row("a", frame, "a", Split.TEST, zero | {"JawOpen": 0.2 * frame, "TongueOut": 1.0}, tags=tags)
        for frame, tags in enumerate(KINDS)
    )
    return Dataset(Path("set"), {"digest": "d"}, rows, values_of(rows))


def predictions(name: str, values: np.ndarray, missing: tuple[int, ...] = ()) -> Predictions:
    table = np.array(values, float)
    table[list(missing)] = np.nan
    count = len(table)
    status = tuple("no_face" if row in missing else "ok" for row in range(count))
    blank = np.full(count, np.nan)
    method = Method(name, name, "test", {}, "key")
    ids = tuple(f"a/{row}" for row in range(count))
    nobody, silent = (None,) * count, ("",) * count
    return Predictions(method, ids, status, table, nobody, silent, blank, blank, np.full((count, 61), np.nan))


def found() -> dict:
    data = dataset()
    truth = data.values.astype(float)
    jaw = CSV_ORDER.index("JawOpen")
    off = truth.copy()
    off[:, jaw] += 0.1
    given = [
        predictions("mean", np.tile(truth.mean(axis=0), (6, 1))),
        predictions("mediapipe", off, missing=(1,)),
        predictions("perfect", truth),
        predictions("silent", truth, missing=tuple(range(6))),
    ]
    return {(row.part, row.method): row for row in part_rows(data, given)}


def test_every_picture_counts_where_it_belongs_and_probes_nowhere_else():
    rows = dataset().rows
    where = {part: [row.frame for row in rows if in_part(row, part)] for part in PARTS}
    assert where == {
        "all": [0, 1, 2, 5],
        "plain": [0, 5],
        "pose": [1],
        "occluded": [2],
        "toon": [2],
        "sweep": [3],
        "mirror": [4],
    }


def test_errors_are_over_the_shapes_that_can_be_shown_on_pictures_that_all_answered():
    table = found()
    raw = table["all", "mediapipe"]
    assert (raw.asked, raw.answered, raw.n) == (4, 3, 3)
    assert raw.mse == pytest.approx(0.01 / len(SHOWN))
    assert "TongueOut" not in SHOWN and len(SHOWN) == 51
    perfect = table["all", "perfect"]
    assert (perfect.asked, perfect.answered, perfect.n, perfect.mse) == (4, 4, 3, 0.0)
    assert perfect.against_mean == perfect.against_raw == 1.0
    assert perfect.pearson == pytest.approx(1.0) and perfect.defined == 1
    mean = table["all", "mean"]
    errors = np.array([0.0, 0.4, 1.0]) - 0.5
    assert mean.mse == pytest.approx((errors**2).mean() / 51, rel=1e-6)
    assert mean.against_mean == 0.0 and mean.pearson is None
    assert raw.against_mean == pytest.approx(1 - 0.01 / (errors**2).mean(), rel=1e-6)


def test_a_method_without_an_answer_and_a_part_without_common_pictures_have_rows_without_numbers():
    table = found()
    silent = table["all", "silent"]
    assert (silent.answered, silent.n, silent.mse, silent.pearson) == (0, 3, None, None)
    pose = table["pose", "perfect"]
    assert (pose.asked, pose.answered, pose.n, pose.mse) == (1, 1, 1, 0.0)  # who answered nothing here doesn't count
    text = markdown("Title", list(table.values()))
    assert "| silent | 0/4 | 3 | - | - | - | - | 0 |" in text
    assert all(f"## {part}" in text for part in PARTS)
