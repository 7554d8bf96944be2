"""Cross-Comparison: correlation, detection and error on the most expressive channels (SemanticFace, appendix A.5).

Two subsets matter: the 13 channels that the paper lists, and the 14 whose means its Table 1 prints. Knows nothing of
methods.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semanticface.errors import OptionsError
from semanticface_training.evaluation.metrics.arrays import Floats, Pair, checked, checked_rows, mean_of, optional
from semanticface_training.evaluation.metrics.coefficients import CoefficientRow, rows_of
from semanticface_training.evaluation.metrics.correlation import pearson, spearman
from semanticface_training.evaluation.metrics.detection import detect
from semanticface_training.evaluation.metrics.subsets import SBCA13


class Averaging(StrEnum):
    """Over what a correlation is taken before the mean; the paper does not say, its tables fit `CHANNEL`."""

    CHANNEL = "channel"
    """Each channel over all frames."""
    SEQUENCE = "sequence"
    """Each channel within each sequence: forgives an offset that a whole sequence has."""
    POOLED = "pooled"
    """All channels and frames in one: rewards knowing which channels are large."""


@dataclass(frozen=True, slots=True)
class Means:
    """Means of rows over channels. `undefined` correlations of `correlations` are left out of `p_corr` and `s_corr`."""

    p_corr: float | None
    s_corr: float | None
    correlations: int
    undefined: int
    msd: float | None
    deviation_mae: float | None
    deviation_std: float | None


@dataclass(frozen=True, slots=True)
class CrossComparison:
    """`msd`: mean squared error over the channels of `subset`. The paper's "Deviation" in both readings:
    `deviation_mae` as its text has it, `deviation_std` (of the signed error) as its numbers have it. Detection: see
    `detection`."""

    n: int
    subset: tuple[str, ...]
    averaging: str
    p_corr: float | None
    s_corr: float | None
    correlations: int
    undefined: int
    threshold: float
    accuracy: float
    f1: float | None
    f1_undefined: int
    balanced_accuracy: float | None
    balanced_undefined: int
    never: float
    msd: float | None
    deviation_mae: float | None
    deviation_std: float | None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "subset": list(self.subset)}


def cross_comparison(
    truth: ArrayLike,
    predicted: ArrayLike,
    names: Sequence[str],
    subset: Sequence[str] = SBCA13,
    threshold: float = 0.5,
    averaging: Averaging = Averaging.CHANNEL,
    sequences: Sequence[Hashable] | None = None,
) -> CrossComparison:
    """Cross-Comparison over `subset`. `sequences` (one a row) is needed for `Averaging.SEQUENCE` only."""
    pair = checked(truth, predicted, names).columns(subset)
    means = aggregate(rows_of(pair))
    p_corr, s_corr, total, undefined = means.p_corr, means.s_corr, means.correlations, means.undefined
    if averaging is not Averaging.CHANNEL:
        p_corr, s_corr, total, undefined = _correlations(pair, averaging, sequences)
    seen = detect(pair, threshold)
    return CrossComparison(
        n=pair.n,
        subset=tuple(subset),
        averaging=averaging.value,
        p_corr=p_corr,
        s_corr=s_corr,
        correlations=total,
        undefined=undefined,
        threshold=threshold,
        accuracy=seen.accuracy,
        f1=seen.f1,
        f1_undefined=seen.channels - seen.f1_channels,
        balanced_accuracy=seen.balanced_accuracy,
        balanced_undefined=seen.channels - seen.balanced_channels,
        never=seen.never,
        msd=means.msd,
        deviation_mae=means.deviation_mae,
        deviation_std=means.deviation_std,
    )


def aggregate(rows: Sequence[CoefficientRow]) -> Means:
    """The line of Table 1 out of rows of Tables 6 and 7, wherever these come from."""
    return Means(
        p_corr=mean_of([row.pearson for row in rows]),
        s_corr=mean_of([row.spearman for row in rows]),
        correlations=len(rows),
        undefined=sum(row.pearson is None for row in rows),
        msd=mean_of([row.mse for row in rows]),
        deviation_mae=mean_of([row.mae for row in rows]),
        deviation_std=mean_of([row.err_std for row in rows]),
    )


def _correlations(
    pair: Pair, averaging: Averaging, sequences: Sequence[Hashable] | None
) -> tuple[float | None, float | None, int, int]:
    """Mean r, mean rho, how many correlations there are, how many of them are undefined."""
    if averaging is Averaging.POOLED:
        truth, predicted = pair.truth.reshape(-1, 1), pair.predicted.reshape(-1, 1)
        r, rho = pearson(truth, predicted), spearman(truth, predicted)
    else:
        if sequences is None:
            raise OptionsError("correlations within sequences need the sequence of each row", "name one a row")
        groups = group_rows(checked_rows(sequences, pair.n, "sequences"))
        r = np.stack([pearson(pair.truth[rows], pair.predicted[rows]) for rows in groups])
        rho = np.stack([spearman(pair.truth[rows], pair.predicted[rows]) for rows in groups])
    return _mean(r), _mean(rho), int(r.size), int(np.isnan(r).sum())


def group_rows(labels: Sequence[Hashable]) -> list[Any]:
    """Row numbers per label, labels in the order in which they first come, rows in theirs."""
    found: dict[Hashable, list[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(label, []).append(row)
    return [np.asarray(rows, dtype=np.int64) for rows in found.values()]


def _mean(values: Floats) -> float | None:
    defined = values[np.isfinite(values)]
    return optional(defined.mean()) if defined.size else None
