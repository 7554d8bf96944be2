"""Faces to describe: the real recording and the released model's answers, where they are at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface.results import Analysis

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
Face = dict[str, float]


@pytest.fixture(scope="session")
def real_faces() -> list[Face]:
    """4,030 frames of a range-of-motion recording of a real face."""
    path = SHARED / "livelink" / "alex_rom_3.csv"
    if not path.is_file():
        pytest.skip(f"the real recording is not at {path}")
    return [dict(row.coefficients) for row in read_livelink_csv(path).rows if row.coefficients]


@pytest.fixture(scope="session")
def released_answers() -> list[tuple[Analysis, Face]]:
    """The text and the coefficients of three answers of the released checkpoint."""
    path = SHARED / "semanticface" / "released_outputs.jsonl"
    if not path.is_file():
        pytest.skip(f"the released answers are not at {path}")
    answers = []
    for line in path.read_text().splitlines():
        text, numbers = json.loads(line)["response"].rsplit("\n\n", 1)
        category, movements, emotion, symmetry = re.split(r"^\d\. \*\*[^*]+\*\*:", text, flags=re.M)[1:]
        answers.append((Analysis(category, {"face": movements}, emotion, symmetry), json.loads(numbers)))
    return answers
