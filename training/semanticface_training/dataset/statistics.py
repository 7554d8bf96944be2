"""What the coefficients of a dataset look like: ranges, spread, histograms and channels that never move.

Pure functions over arrays. Knows nothing of files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, Action, Kind

BINS = 20
ACTIVE = 0.05
"""From here on (of a coefficient, or in radians) an action counts as active."""
CONSTANT = 1e-6
"""A channel whose largest and smallest value are no further apart says nothing about any picture."""
_BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class ActionStatistics:
    """One action over all rows. `counts` (BINS,) between `edges` (BINS + 1,); `active`: share of rows above ACTIVE."""

    action: Action
    minimum: float
    mean: float
    maximum: float
    deviation: float
    active: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def constant(self) -> bool:
        return self.maximum - self.minimum <= CONSTANT

    @property
    def bars(self) -> str:
        """The histogram as one line of BINS characters; heights follow the logarithm, for most rows are at rest."""
        heights = np.log1p(self.counts) / max(math.log1p(int(self.counts.max(initial=1))), 1e-9)
        return "".join(_BARS[math.ceil(height * (len(_BARS) - 1))] for height in heights)


def describe_values(values: NDArray[np.float32]) -> list[ActionStatistics]:
    """Statistics per action, in `CSV_ORDER`. `values`: (N, 61), N at least 1."""
    return [_describe(action, values[:, place].astype(np.float64)) for place, action in enumerate(ACTIONS)]


def _describe(action: Action, column: NDArray[np.float64]) -> ActionStatistics:
    low, high = float(column.min()), float(column.max())
    # Shapes over their own range, widened where recordings leave it; rotations about their middle.
    if action.kind is Kind.SHAPE:
        first, last = min(0.0, low), max(1.0, high)
    else:
        last = max(abs(low), abs(high), 0.1)
        first = -last
    counts, edges = np.histogram(column, bins=BINS, range=(first, last))
    active = float(np.mean(np.abs(column) >= ACTIVE))
    return ActionStatistics(action, low, float(column.mean()), high, float(column.std()), active, edges, counts)


def constant_actions(statistics: Sequence[ActionStatistics]) -> list[str]:
    """Names of the actions that never move."""
    return [entry.action.name for entry in statistics if entry.constant]
