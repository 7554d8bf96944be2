"""Mean squared error over frames and channels, and how it is spread over frames (the paper's Tables 1 and 3).

Knows nothing of methods or of frames that are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.actions import BY_NAME, Kind
from semanticface_training.evaluation.metrics.arrays import Floats, Pair, checked, optional, varies


@dataclass(frozen=True, slots=True)
class MseSummary:
    """MSE in squared units of the channels (coefficients and radians together, as the paper has it).

    `mean` is over n x channels; `median`, `std` (n - 1 in the denominator, None for one frame) and `p90` (linear
    between ranks) are of the frames' own MSE. Three means over fewer channels, None where there are none:
    `mean_varying` over the `varying` ones whose truth moves; `mean_distinct` over these, where channels whose truth is
    the very same count together once, of which there are `distinct`; `mean_shapes` over the `shapes` blendshapes.
    """

    n: int
    channels: int
    mean: float
    median: float
    std: float | None
    p90: float
    mean_varying: float | None
    varying: int
    mean_distinct: float | None
    distinct: int
    mean_shapes: float | None
    shapes: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def mse_summary(truth: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> MseSummary:
    """The paper's A.1: mean of (predicted - true)^2 over all frames and channels; its distribution as in Table 3."""
    pair = checked(truth, predicted, names)
    squared = pair.errors**2
    per_frame, per_channel = squared.mean(axis=1), squared.mean(axis=0)
    moves = varies(pair.truth)
    distinct = [float(np.mean(per_channel[group])) for group in _same_columns(pair, np.flatnonzero(moves))]
    shapes = np.asarray([BY_NAME[name].kind is Kind.SHAPE for name in pair.names])
    return MseSummary(
        n=pair.n,
        channels=len(pair.names),
        mean=float(squared.mean()),
        median=float(np.median(per_frame)),
        std=optional(per_frame.std(ddof=1)) if pair.n > 1 else None,
        p90=float(np.percentile(per_frame, 90)),
        mean_varying=float(per_channel[moves].mean()) if moves.any() else None,
        varying=int(moves.sum()),
        mean_distinct=float(np.mean(distinct)) if distinct else None,
        distinct=len(distinct),
        mean_shapes=float(per_channel[shapes].mean()) if shapes.any() else None,
        shapes=int(shapes.sum()),
    )


def _same_columns(pair: Pair, places: NDArray[np.int64]) -> list[list[int]]:
    """The places in groups of equal columns of the truth: recordings give some actions one number for both sides."""
    found: dict[bytes, list[int]] = {}
    for place in places:
        found.setdefault(pair.truth[:, place].tobytes(), []).append(int(place))
    return list(found.values())


def per_frame_mse(truth: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> Floats:
    """Each frame's own MSE over its channels, (N,): what the paired tests compare."""
    return frame_mse(checked(truth, predicted, names))


def frame_mse(pair: Pair) -> Floats:
    return np.asarray((pair.errors**2).mean(axis=1))
