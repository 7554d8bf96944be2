"""Random truth and predictions with what real ones have: ties, channels at rest, rounding, outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from semanticface.actions import CSV_ORDER

NAMES = (*CSV_ORDER[:3], "JawOpen", "MouthSmileLeft", "MouthSmileRight", "HeadYaw")


@dataclass(frozen=True)
class Case:
    truth: np.ndarray
    predicted: np.ndarray
    names: tuple[str, ...]


@st.composite
def cases(draw: st.DrawFn, names: tuple[str, ...] = NAMES, least: int = 1, most: int = 40) -> Case:
    """Decimals 1 give many ties, 16 none; each side may have columns that never move."""
    n = draw(st.integers(least, most))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    decimals = draw(st.sampled_from((1, 3, 16)))
    shape = (n, len(names))
    truth = np.round(np.where(random.random(shape) < 0.5, random.random(shape), 0.0), decimals)
    predicted = np.round(truth * random.uniform(0.2, 1.2) + random.normal(0.0, 0.2, shape), decimals)
    for side in (truth, predicted):
        for column in draw(st.sets(st.integers(0, len(names) - 1), max_size=3)):
            side[:, column] = draw(st.sampled_from((0.0, 0.1, -0.3)))
    return Case(truth, predicted, names)


def close(one: float | None, other: float | None) -> bool:
    """Equal to 1e-9, where None and NaN both mean undefined."""
    gone = [value is None or not np.isfinite(value) for value in (one, other)]
    return all(gone) or (not any(gone) and abs(one - other) <= 1e-9 * max(1.0, abs(other)))  # type: ignore[operator]
