"""Truth and predictions that belong together: checked once, then trusted by every metric.

Rows are frames, columns are actions, in the order of `names`. Nothing is filled in and nothing is left out here: a
frame without an answer has to be taken out by the caller, who knows how many there were. Knows nothing of files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.actions import BY_NAME
from semanticface.errors import InputError

CONSTANT = 1e-6
"""A column whose values lie no further apart says nothing: 1/500 of the paper's third decimal, well above what float32
leaves of a number that is computed in two ways. Relative to the largest value where that exceeds 1."""

Floats = NDArray[np.float64]
Rows = TypeVar("Rows", bound=Sized)


@dataclass(frozen=True, slots=True)
class Pair:
    """`truth` and `predicted`: (N, K) float64, finite, N at least 1; columns by `names`, each a known action."""

    truth: Floats
    predicted: Floats
    names: tuple[str, ...]

    @property
    def n(self) -> int:
        return int(self.truth.shape[0])

    @property
    def errors(self) -> Floats:
        """Predicted less true, (N, K)."""
        return self.predicted - self.truth

    def columns(self, names: Sequence[str]) -> Pair:
        """The same rows with these columns, in this order. Raises InputError for a name that is not there."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise InputError(f"no column {', '.join(missing)} among the {len(self.names)} given",
                             "a checkpoint that reads fewer actions can only be held to those")  # fmt: skip
        places = [self.names.index(name) for name in names]
        return Pair(self.truth[:, places], self.predicted[:, places], tuple(names))


def checked(truth: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> Pair:
    """The pair, as float64. Raises InputError that names row and column for NaN or infinity, and for shapes that
    differ, names that are unknown, doubled or of another number, and for no rows at all."""
    known = checked_names(names)
    true, said = checked_values(truth, known, "truth"), checked_values(predicted, known, "predicted")
    if true.shape != said.shape:
        raise InputError(
            f"truth has {true.shape[0]:,} rows and predicted {said.shape[0]:,}",
            "compare the same frames: leave out those that a method did not answer, and say how many",
        )
    return Pair(true, said, known)


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple. Raises InputError for an unknown or doubled one, and for none."""
    if not names:
        raise InputError("no actions are named", "name the columns as actions.CSV_ORDER does")
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise InputError(f"not a facial action: {', '.join(map(repr, unknown[:5]))}", "names are those of actions.py")
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise InputError(f"named more than once: {', '.join(doubled)}", "each column has its own name")
    return tuple(names)


def checked_values(values: ArrayLike, names: Sequence[str], what: str) -> Floats:
    """(N, K) float64, contiguous. Raises InputError that names row and column of the first value that is no number."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise InputError(f"{what} has the shape {array.shape}, not (rows, {len(names)})", "one column a named action")
    if not len(array):
        raise InputError(f"{what} has no rows", "there is nothing to measure: choose a split that has frames")
    bad = ~np.isfinite(array)
    if bad.any():
        row, column = map(int, np.argwhere(bad)[0])
        rows = int(bad.any(axis=1).sum())
        raise InputError(
            f"{what}: row {row}, {names[column]} is {array[row, column]} ({rows:,} of {len(array):,} rows have such)",
            "leave out frames without an answer before measuring, and say how many there were",
        )
    return array


def checked_rows(values: Rows, n: int, what: str) -> Rows:
    """One entry a row. Raises InputError otherwise."""
    if len(values) != n:
        raise InputError(f"{len(values):,} {what} for {n:,} rows", "each row needs its own")
    return values


def varies(values: Floats) -> NDArray[np.bool_]:
    """Which columns of (N, K) move by more than `CONSTANT`."""
    high, low = values.max(axis=0), values.min(axis=0)
    limit = CONSTANT * np.maximum(1.0, np.maximum(np.abs(high), np.abs(low)))
    return np.asarray(high - low > limit)


def as_written(values: ArrayLike, decimals: int) -> Floats:
    """The values as a text with so many decimals has them, for comparing with a truth that was rounded. -0 becomes
    0."""
    return np.round(np.asarray(values, dtype=np.float64), decimals) + 0.0


def optional(value: float) -> float | None:
    """None for NaN and infinity: what is undefined stays undefined in every table."""
    return float(value) if np.isfinite(value) else None


def mean_of(values: Sequence[float | None]) -> float | None:
    """Mean of what is defined; None when nothing is."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
