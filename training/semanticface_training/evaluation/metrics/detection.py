"""Is an action there or not: truth and prediction cut at a threshold (Cross-Comparison's "Accuracy" and what it hides).

The paper names no threshold. At 0.5 nearly all frames of most channels are negative, so that a high accuracy says
little: `never` is what answering "not there" throughout would score, F1 and balanced accuracy don't profit from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semanticface.actions import BY_NAME, Kind
from semanticface.errors import OptionsError
from semanticface_training.evaluation.metrics.arrays import Floats, Pair, checked, optional
from semanticface_training.evaluation.metrics.subsets import SBCA13

THRESHOLDS: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Detection:
    """Means over channels at one threshold.

    `accuracy`: share of frames on which both sides say the same. `f1`: 2 TP / (2 TP + FP + FN) over the `f1_channels`
    in which either side ever reaches the threshold. `balanced_accuracy`: mean of the shares of positives and of
    negatives that are told right, over the `balanced_channels` whose truth has both. `positive`: share of true
    positives among all cells; `never`: the accuracy of a method that never sees anything.
    """

    n: int
    channels: int
    threshold: float
    accuracy: float
    f1: float | None
    f1_channels: int
    balanced_accuracy: float | None
    balanced_channels: int
    positive: float
    never: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def detection(
    truth: ArrayLike, predicted: ArrayLike, names: Sequence[str], subset: Sequence[str] = SBCA13, threshold: float = 0.5
) -> Detection:
    """`value >= threshold` on either side, channel by channel, then the means. Blendshapes only: an angle isn't there
    or not."""
    return detect(checked(truth, predicted, names).columns(subset), threshold)


def threshold_sweep(
    truth: ArrayLike,
    predicted: ArrayLike,
    names: Sequence[str],
    subset: Sequence[str] = SBCA13,
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[Detection, ...]:
    """`detection` at each threshold, in the order given."""
    pair = checked(truth, predicted, names).columns(subset)
    return tuple(detect(pair, threshold) for threshold in thresholds)


def detect(pair: Pair, threshold: float) -> Detection:
    """`detection` of what was checked before. Raises OptionsError for angles."""
    angles = [name for name in pair.names if BY_NAME[name].kind is not Kind.SHAPE]
    if angles:
        raise OptionsError(f"no threshold for angles: {', '.join(angles)}", "choose blendshapes only")
    is_true, said = pair.truth >= threshold, pair.predicted >= threshold
    both = (is_true & said).sum(axis=0)
    only_said, only_true = (said & ~is_true).sum(axis=0), (is_true & ~said).sum(axis=0)
    neither = pair.n - both - only_said - only_true
    f1 = _ratio(2 * both, 2 * both + only_said + only_true)
    balanced = (_ratio(both, both + only_true) + _ratio(neither, neither + only_said)) / 2
    positive = float(is_true.mean())
    return Detection(
        n=pair.n,
        channels=len(pair.names),
        threshold=threshold,
        accuracy=float((is_true == said).mean()),
        f1=_mean(f1),
        f1_channels=int(np.isfinite(f1).sum()),
        balanced_accuracy=_mean(balanced),
        balanced_channels=int(np.isfinite(balanced).sum()),
        positive=positive,
        never=1.0 - positive,
    )


def _ratio(part: Any, whole: Any) -> Floats:
    """(K,), NaN where there is nothing to divide by."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _mean(values: Floats) -> float | None:
    defined = values[np.isfinite(values)]
    return optional(defined.mean()) if len(defined) else None
