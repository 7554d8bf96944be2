"""The three angles of the head (the paper's Table 5, appendix C).

Channels are compared by name: a method that writes yaw into the column of pitch shows as a low correlation of both, and
`likely` tells which angle of the truth its column follows best. Live Link Face's convention: radians, +yaw to the
subject's right, +pitch down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semanticface_training.evaluation.metrics.arrays import Pair, checked
from semanticface_training.evaluation.metrics.coefficients import CoefficientRow, rows_of
from semanticface_training.evaluation.metrics.correlation import pearson
from semanticface_training.evaluation.metrics.subsets import HEAD

FOLLOWS = 0.5
"""|r| from which on a column follows an angle; below, which one it is nearest to is chance."""


@dataclass(frozen=True, slots=True)
class AngleRow:
    """One angle: the columns of Table 5 (`deviation_std` is what its numbers are), and the mean absolute error in
    degrees.

    `likely`: the angle of the truth that this column follows best by |r|, None where it follows none (`FOLLOWS`).
    """

    name: str
    n: int
    p_corr: float | None
    s_corr: float | None
    msd: float
    deviation_std: float | None
    deviation_mae: float | None
    mae_degrees: float | None
    likely: str | None


@dataclass(frozen=True, slots=True)
class HeadPose:
    """A row an angle, and over how many frames. `swapped`: some angle's column follows another angle of the truth."""

    n: int
    rows: tuple[AngleRow, ...]

    @property
    def swapped(self) -> bool:
        return any(row.likely not in (None, row.name) for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        return {"n": self.n, "rows": [asdict(row) for row in self.rows], "swapped": self.swapped}


def head_pose(truth: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> HeadPose:
    """Table 5 of what is there: of the three angles, those that are among `names` (none gives no row)."""
    whole = checked(truth, predicted, names)
    present = [name for name in HEAD if name in whole.names]
    if not present:
        return HeadPose(whole.n, ())
    pair = whole.columns(present)
    rows = head_rows(rows_of(pair))
    return HeadPose(pair.n, tuple(replace(row, likely=_likely(pair, place)) for place, row in enumerate(rows)))


def head_rows(rows: Sequence[CoefficientRow]) -> list[AngleRow]:
    """Table 5 out of rows a channel, wherever these come from; `likely` is left open."""
    by_name = {row.name: row for row in rows}
    return [_row(by_name[name]) for name in HEAD if name in by_name]


def _row(row: CoefficientRow) -> AngleRow:
    return AngleRow(
        name=row.name,
        n=row.n,
        p_corr=row.pearson,
        s_corr=row.spearman,
        msd=row.mse,
        deviation_std=row.err_std,
        deviation_mae=row.mae,
        mae_degrees=None if row.mae is None else math.degrees(row.mae),
        likely=None,
    )


def _likely(pair: Pair, place: int) -> str | None:
    column = np.repeat(pair.predicted[:, place : place + 1], len(pair.names), axis=1)
    r = np.abs(pearson(pair.truth, column))
    best = int(np.argmax(np.nan_to_num(r)))
    return pair.names[best] if r[best] >= FOLLOWS else None
