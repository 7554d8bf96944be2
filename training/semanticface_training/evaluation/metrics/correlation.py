"""Pearson and Spearman correlation of many columns at once.

Undefined where a column of either side does not move, or where there is a single row: NaN here, None in results, never
0. Knows nothing of which columns a table wants.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semanticface_training.evaluation.metrics.arrays import Floats, varies


def pearson(one: Floats, other: Floats) -> Floats:
    """Pearson's r per column of two (N, K) arrays: (K,), NaN where undefined.

    r = sum(dx dy) / sqrt(sum(dx^2) sum(dy^2)) with dx, dy the differences from the columns' means (Pearson, 1901).
    """
    return _by_column(one, other, lambda column: column)


def spearman(one: Floats, other: Floats) -> Floats:
    """Spearman's rho per column: Pearson's r of the ranks, ties at their mean rank (Spearman, 1904).

    (K,), NaN where undefined.
    """
    from scipy.stats import rankdata

    return _by_column(one, other, rankdata)


def _by_column(one: Floats, other: Floats, prepare: Callable[[Floats], Floats]) -> Floats:
    """Column by column, since a column fits the processor's cache where the whole does not."""
    moves = varies(one) & varies(other)
    first, second = np.ascontiguousarray(one.T), np.ascontiguousarray(other.T)
    found = [
        float(_unit(prepare(first[k])) @ _unit(prepare(second[k]))) if moves[k] else np.nan for k in range(len(moves))
    ]
    return np.clip(found, -1.0, 1.0)


def _unit(column: Floats) -> Floats:
    """With mean 0 and length 1. Scaled first, so that squares don't underflow."""
    centred = column - column.mean()
    centred /= np.abs(centred).max()
    return np.asarray(centred / np.sqrt(centred @ centred))
