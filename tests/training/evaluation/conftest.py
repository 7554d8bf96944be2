"""Datasets that the tests of this folder share, and the kits that they import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "retrieval"))

from evaluation_kit import build

from semanticface_training.dataset.table import Dataset


@pytest.fixture(scope="session")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """31 test pictures in the order of takes (pair, sweep, t0, t1): 24 faces, a sweep of 5, a mirrored pair."""
    return build(tmp_path_factory.mktemp("echoed") / "set")


@pytest.fixture(scope="session")
def singles(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three test pictures, each a sequence of its own."""
    return build(tmp_path_factory.mktemp("singles") / "set", takes=3, frames=1, probes=False)
