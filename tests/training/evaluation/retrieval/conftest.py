"""A drawn dataset and an evaluator of it, made once for all tests here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from retrieval_kit import make_dataset, part_of

from semanticface_training.evaluation.retrieval.evaluator import RetrievalEvaluator
from semanticface_training.evaluation.retrieval.options import Options


@pytest.fixture(scope="session")
def quick():
    """Options that learn the drawn faces in seconds."""
    return Options(size=32, width=64, hidden=128, rate=2e-3, decay=0.0, epochs=16, patience=3)


@pytest.fixture(scope="session")
def drawn_faces(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("drawn") / "faces")


@pytest.fixture(scope="session")
def judge(drawn_faces, quick):
    return RetrievalEvaluator.fit(drawn_faces, quick)


@pytest.fixture(scope="session")
def few(drawn_faces):
    """Two batches to train on and one to validate."""
    return part_of(drawn_faces, drawn_faces.indices("train")[:64] + drawn_faces.indices("val")[:32])
