"""A take's values as arrays, which the steps of a recipe work on.

Columns stand for names in `CSV_ORDER` within this room only; nothing positional leaves it. Rows are the frames that
were asked for, by ascending source frame; a frame without a result is a row of NaN, so that no step can mistake it
for a face at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.results import FrameResult, Status

COLUMN = {name: index for index, name in enumerate(CSV_ORDER)}
"""Column of an action."""


class Mark(IntEnum):
    """Where a row's values come from."""

    GIVEN = 0
    """From the engine's answer for this frame."""
    ABSENT = 1
    """There is none: the row is NaN."""
    HELD = 2
    """Held from the last frame before the gap."""
    INTERPOLATED = 3
    """Between the frames on both sides of the gap."""


@dataclass(frozen=True, slots=True)
class Samples:
    """`frames` (F,) int64, ascending source frames; `times` (F,) float64, seconds from the start of the source.

    `values` (F, 61) float64 in each action's own unit, NaN in rows that are ABSENT. `weights` (F, 61) float64 in
    [0, 1], how much a value is to be believed next to its neighbours. `marks` (F,) int8, see `Mark`.
    """

    frames: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    weights: NDArray[np.float64] = field(repr=False)
    marks: NDArray[np.int8] = field(repr=False)

    def column(self, action: str) -> NDArray[np.float64]:
        """(F,) values of one action. Raises KeyError for a name that is none."""
        return self.values[:, COLUMN[action]]

    @property
    def present(self) -> NDArray[np.bool_]:
        """(F,) whether a row has values."""
        return np.not_equal(self.marks, Mark.ABSENT)


SURE = 0.25
"""A deviation of this much, in the value's own unit, halves the weight of a value that a model was unsure of."""


def samples_of(results: Sequence[FrameResult], rate: Fraction) -> Samples:
    """The results as arrays; `rate` (frames a second) gives times to frames that have none.

    Weights are the frame's confidence (1 where there is none) over 1 + (deviation / SURE)^2, where the engine told how
    sure it was of each value. Results are put in order; where a frame stands twice, the later one in `results` holds.
    """
    rows = [result for _, result in sorted({result.frame: result for result in results}.items())]
    shape = (len(rows), len(CSV_ORDER))
    values, weights = np.full(shape, np.nan), np.zeros(shape)
    for index, row in enumerate(rows):
        if row.coefficients is None:
            continue
        values[index] = [row.coefficients[name] for name in CSV_ORDER]
        weights[index] = 1.0 if row.confidence is None else min(max(row.confidence, 0.0), 1.0)
        if row.estimates is not None:
            deviations = np.array([row.estimates[name].deviation for name in CSV_ORDER])
            weights[index] /= 1.0 + (deviations / SURE) ** 2
    absent = np.isnan(values[:, 0]) if rows else np.zeros(0, bool)
    return Samples(
        frames=np.array([row.frame for row in rows], np.int64),
        times=np.array([float(row.frame / rate) if row.time is None else row.time for row in rows], np.float64),
        values=values,
        weights=weights,
        marks=np.where(absent, Mark.ABSENT, Mark.GIVEN).astype(np.int8),
    )


def results_of(samples: Samples, results: Sequence[FrameResult]) -> list[FrameResult]:
    """The results with the values of the samples in place of their own, by ascending frame.

    Rows that are ABSENT stay as they were. Rows that a gap's policy filled become OK, and their message says so.
    Estimates are left out: they are of the values that the engine gave.
    """
    given = {result.frame: result for result in results}
    out = []
    for frame, mark, row in zip(samples.frames.tolist(), samples.marks.tolist(), samples.values.tolist(), strict=True):
        result = given[frame]
        if mark != Mark.ABSENT:
            message = result.message if mark == Mark.GIVEN else f"{Mark(mark).name.lower()}: {result.status.value}"
            result = replace(
                result,
                status=Status.OK,
                coefficients=dict(zip(CSV_ORDER, row, strict=True)),
                estimates=None,
                message=message,
            )
        out.append(result)
    return out
