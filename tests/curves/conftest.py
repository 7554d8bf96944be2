"""Samples to work on: made from numbers here, or read from the recording beside the checkout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semanticface.curves.samples import Mark, Samples
from semanticface.exchange.livelink_csv import read_livelink_csv

Make = Callable[..., Samples]


@pytest.fixture(scope="session")
def make_samples() -> Make:
    """`make(values (F, 61), rate=30, frames=None, weights=None)`; rows with NaN are absent."""

    def make(
        values: np.ndarray, rate: float = 30.0, frames: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> Samples:
        numbers = np.arange(len(values)) if frames is None else np.asarray(frames)
        absent = np.isnan(values).any(axis=1)
        given = np.ones(values.shape) if weights is None else weights
        return Samples(
            frames=numbers.astype(np.int64),
            times=numbers / rate,
            values=np.where(absent[:, None], np.nan, values),
            weights=np.where(absent[:, None], 0.0, given),
            marks=np.where(absent, Mark.ABSENT, Mark.GIVEN).astype(np.int8),
        )

    return make


@pytest.fixture(scope="session")
def recording(shared: Path, make_samples: Make) -> Samples:
    """The Live Link recording: 4,030 rows of 61 values, at the times that it carries."""
    file = shared / "data" / "livelink" / "alex_rom_3.csv"
    if not file.is_file():
        pytest.skip("the Live Link recording is not among the development data")
    read = read_livelink_csv(file)
    values = np.array([list(row.coefficients.values()) for row in read.rows if row.coefficients is not None])
    samples = make_samples(values)
    return Samples(samples.frames, np.array(read.elapsed()), samples.values, samples.weights, samples.marks)
