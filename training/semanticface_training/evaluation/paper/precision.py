"""What three rows of the paper's tables say about its test set: truth with one decimal, and hardly 4,700 frames.

JawRight, CheekPuff and MouthLeft print a Pearson and a Spearman correlation that are equal, as they are when both sides
have two values only. If these are 0 and 0.1, then three whole numbers make a row: frames where both are raised, only
the prediction, only the truth. This module looks for such numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface_training.evaluation.metrics.arrays import Floats
from semanticface_training.evaluation.metrics.coefficients import CoefficientRow
from semanticface_training.evaluation.paper.tables import DECIMALS, per_coefficient_rows

STEP = 0.1
"""The value of a raised action, when texts have one decimal."""
MOST = 60
"""Frames of either kind of error that are tried; MouthLeft, which needs most, has 24 and 10."""
TWO_VALUED = ("JawRight", "CheekPuff", "MouthLeft")


@dataclass(frozen=True, slots=True)
class Counts:
    """Of n frames: both raised, only the prediction, only the truth."""

    both: int
    predicted: int
    true: int


def two_valued_rows() -> tuple[CoefficientRow, ...]:
    """The rows whose printed correlations are equal in all digits, in the order of `TWO_VALUED`."""
    rows = [row for row in per_coefficient_rows() if row.pearson is not None and row.pearson == row.spearman]
    return tuple(sorted(rows, key=lambda row: TWO_VALUED.index(row.name)))


def counts_that_fit(row: CoefficientRow, n: int, deviation_is_mae: bool = False) -> list[Counts]:
    """All counts for which n frames of 0 and 0.1 print the row's MSE, correlation and Deviation.

    None is raised on both sides: one frame where both are would make the correlation positive.
    """
    p, t = (axis.ravel() for axis in np.meshgrid(np.arange(1, MOST + 1), np.arange(1, MOST + 1), indexing="ij"))
    r = -p * t / np.sqrt(p * (n - p) * t * (n - t))
    mse, bias = STEP**2 * (p + t) / n, STEP * (p - t) / n
    deviation = STEP * (p + t) / n if deviation_is_mae else np.sqrt(mse - bias**2)
    fits = _prints(mse, row.mse) & _prints(r, row.pearson) & _prints(deviation, row.err_std)
    return [Counts(0, int(p[k]), int(t[k])) for k in np.flatnonzero(fits)]


def sizes_that_fit(sizes: Iterable[int]) -> list[int]:
    """Those numbers of frames for which all three rows can be made."""
    rows = two_valued_rows()
    return [n for n in sizes if all(counts_that_fit(row, n) for row in rows)]


def _prints(values: Floats, printed: float | None) -> NDArray[np.bool_]:
    """Which values print as that; none prints as "-"."""
    if printed is None:
        return np.zeros(values.shape, dtype=np.bool_)
    return np.asarray(np.abs(values - printed) <= 0.5 * 10.0**-DECIMALS + 1e-12)
