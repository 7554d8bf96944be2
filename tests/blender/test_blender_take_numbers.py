"""Comparison of takes and marks of review, without Blender: numbers against a plain computation, files that are odd."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest

from blender_addon.take.compare import NAMES, Side, compare, peaks_mask
from blender_addon.take.review import NAME, load_reviewed, save_reviewed
from semanticface.errors import TakeError
from semanticface.results import FrameResult, Status


def side(source: random.Random, frames: list[float], lost: set[int]) -> Side:
    results = [
        FrameResult(n, None, Status.NO_FACE)
        if n in lost
        else FrameResult(n, None, Status.OK, {name: source.uniform(-1, 1) for name in NAMES})
        for n in range(len(frames))
    ]
    return Side(np.array(frames), results)


def test_the_numbers_are_those_of_a_plain_computation() -> None:
    source = random.Random(4)
    a = side(source, [1.0 + n for n in range(30)], {3, 11})
    b = side(source, [0.8 + n for n in range(5, 40)], {7})
    found = compare(a, b)
    pairs = [(n, n - 5) for n in range(5, 30) if n not in {3, 11} and n - 5 != 7]
    pairs = [(n, n - 5) for n, _ in pairs]
    # B's first frame (5.8) is nearest to A's at 6.0, which is A's number 5.
    assert [(int(x), int(y)) for x, y in zip(found.a, found.b, strict=True)] == pairs
    for column, name in enumerate(NAMES):
        apart = [b.results[y].coefficients[name] - a.results[x].coefficients[name] for x, y in pairs]
        assert found.difference[:, column].tolist() == pytest.approx(apart)
        assert found.by_action[column] == pytest.approx(math.sqrt(sum(one * one for one in apart) / len(apart)))
    for row, (x, y) in enumerate(pairs):
        apart = [b.results[y].coefficients[name] - a.results[x].coefficients[name] for name in NAMES]
        assert found.by_frame[row] == pytest.approx(math.sqrt(sum(one * one for one in apart) / 61))
    largest = found.largest_at(0, 3)
    assert [abs(value) for _, value in largest] == sorted((abs(v) for v in found.difference[0]), reverse=True)[:3]


def test_a_frame_is_compared_with_the_nearest_one_and_with_one_only() -> None:
    source = random.Random(5)
    a = side(source, [1.0, 2.0, 3.0, 8.2], set())
    b = side(source, [1.3, 2.6, 9.0], set())
    found = compare(a, b)
    assert [(int(x), int(y)) for x, y in zip(found.a, found.b, strict=True)] == [(0, 0), (2, 1)]
    assert found.row(1.2) == 0 and found.row(2.9) == 1 and found.row(0.2) is None


def test_takes_without_a_common_moment_compare_as_nothing() -> None:
    source = random.Random(6)
    found = compare(side(source, [1.0, 2.0], set()), side(source, [50.0], set()))
    assert len(found.frames) == 0 and found.difference.shape == (0, 61)
    assert found.worst_actions() == [] and found.row(1.0) is None and not peaks_mask(found).any()


def test_the_largest_differences_stand_apart() -> None:
    source = random.Random(7)
    frames = [float(n) for n in range(200)]
    found = compare(side(source, frames, set()), side(source, frames, set()))
    rows = found.peaks(10)
    assert len(rows) == 10 and min(np.diff(found.frames[rows])) >= 4
    assert int(np.argmax(found.by_frame)) in rows


def test_marks_come_back_and_are_replaced_in_one_step(tmp_path: Path) -> None:
    assert load_reviewed(tmp_path) == frozenset()
    save_reviewed(tmp_path, {9, 3, 4, 5})
    save_reviewed(tmp_path, {3, 4, 5, 6})
    assert load_reviewed(tmp_path) == {3, 4, 5, 6}
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        json.dumps({"format": "other", "version": 1, "frames": []}),
        json.dumps({"format": "semanticface-reviewed", "version": 2, "frames": []}),
        json.dumps({"format": "semanticface-reviewed", "version": 1, "frames": [[0, 10**9, 1]]}),
        json.dumps({"format": "semanticface-reviewed", "version": 1, "frames": [[5, 1, 1]]}),
        json.dumps({"format": "semanticface-reviewed", "version": 1, "frames": [[1, 5, 0]]}),
        json.dumps({"format": "semanticface-reviewed", "version": 1, "frames": [[0, 99_999_999, 1]] * 3}),
    ],
)
def test_damaged_marks_are_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(TakeError, match=NAME):
        load_reviewed(tmp_path)


def test_a_take_that_is_gone_takes_no_marks(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="can't be written"):
        save_reviewed(tmp_path / "gone", {1})
