"""Faces to learn from, the real tokenizer, and a tiny Qwen3-VL of random weights."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.actions import BY_NAME, CSV_ORDER, Kind
from semanticface.analysis.describe import describe
from semanticface_training.stage2.sample import Sample


@pytest.fixture(scope="session")
def qwen(qwen_tokenizer):
    from semanticface_training.small_model.verify import load_tokenizer

    return load_tokenizer(qwen_tokenizer)


@pytest.fixture(scope="session")
def faces():
    """`faces(seed)`: a sample of random coefficients, half of them at rest, a little outside of 0 to 1 at times."""

    def make(seed, size=(64, 96)):
        draw = np.random.default_rng(seed)
        values = {}
        for name in CSV_ORDER:
            low, high = (-0.03, 1.06) if BY_NAME[name].kind is Kind.SHAPE else (-0.6, 0.6)
            values[name] = float(draw.uniform(low, high)) if draw.random() < 0.5 else float(draw.normal(0, 4e-4))
        image = draw.integers(0, 256, (*size, 3), dtype=np.uint8)
        return Sample(f"take/{seed}", image, values, describe(values))

    return make


@pytest.fixture(scope="module")
def tiny():
    from semanticface_training.small_model.architecture import random_model

    return random_model(5)
