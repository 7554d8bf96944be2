"""A row a channel, and the averages of such rows (the paper's Tables 6 and 7).

The averages take rows from wherever they come: from arrays, or typed in from a printed table. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semanticface_training.evaluation.metrics.arrays import Pair, checked, mean_of, optional, varies
from semanticface_training.evaluation.metrics.correlation import pearson, spearman


@dataclass(frozen=True, slots=True)
class CoefficientRow:
    """One channel over n frames.

    Error means predicted less true; `mse` is its mean square, `mae` its mean absolute value, `bias` its mean and
    `err_std` its standard deviation (n in the denominator, so that mse = bias^2 + err_std^2). The paper's "Deviation"
    is `mae` in its words and `err_std` in its numbers. `truth_std` is that of the truth. The correlations are None
    where truth or prediction does not move. A row out of a printed table has None for what the table does not hold.
    """

    name: str
    n: int
    mse: float
    pearson: float | None
    spearman: float | None
    mae: float | None
    bias: float | None
    err_std: float | None
    truth_std: float | None
    truth_varies: bool
    predicted_varies: bool

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Averages:
    """Means over channels: of `mse` over all `channels`, of `mse_varying`, `mae` and `err_std` over the `varying` ones
    whose truth moves, of the correlations over the `correlated` ones for which they are defined."""

    n: int
    channels: int
    varying: int
    correlated: int
    mse: float | None
    mse_varying: float | None
    pearson: float | None
    spearman: float | None
    mae: float | None
    err_std: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def per_coefficient(truth: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> list[CoefficientRow]:
    """One row a channel in the order of `names`; the correlations are over all frames of the channel at once."""
    return rows_of(checked(truth, predicted, names))


def rows_of(pair: Pair) -> list[CoefficientRow]:
    """`per_coefficient` of what was checked before."""
    errors = pair.errors
    r, rho = pearson(pair.truth, pair.predicted), spearman(pair.truth, pair.predicted)
    mse, mae, bias = (errors**2).mean(axis=0), np.abs(errors).mean(axis=0), errors.mean(axis=0)
    err_std, truth_std = errors.std(axis=0), pair.truth.std(axis=0)
    truth_varies, predicted_varies = varies(pair.truth), varies(pair.predicted)
    return [
        CoefficientRow(
            name=name,
            n=pair.n,
            mse=float(mse[k]),
            pearson=optional(r[k]),
            spearman=optional(rho[k]),
            mae=float(mae[k]),
            bias=float(bias[k]),
            err_std=float(err_std[k]),
            truth_std=float(truth_std[k]),
            truth_varies=bool(truth_varies[k]),
            predicted_varies=bool(predicted_varies[k]),
        )
        for k, name in enumerate(pair.names)
    ]


def average(rows: Sequence[CoefficientRow]) -> Averages:
    """The line under the table. The paper's "Average" divides by the 57 channels that move, its Table 1 by all 61."""
    moving = [row for row in rows if row.truth_varies]
    correlated = [row for row in rows if row.pearson is not None]
    return Averages(
        n=min((row.n for row in rows), default=0),
        channels=len(rows),
        varying=len(moving),
        correlated=len(correlated),
        mse=mean_of([row.mse for row in rows]),
        mse_varying=mean_of([row.mse for row in moving]),
        pearson=mean_of([row.pearson for row in correlated]),
        spearman=mean_of([row.spearman for row in correlated]),
        mae=mean_of([row.mae for row in moving]),
        err_std=mean_of([row.err_std for row in moving]),
    )
