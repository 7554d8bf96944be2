"""Is one method better than another on the same frames (the paper's Table 4)?

Frames of one sequence resemble each other, so that tests which take frames for independent (paired t, Wilcoxon) are too
sure of themselves: the bootstrap and the second t-test take sequences for the unit. Knows nothing of what was measured.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import InputError
from semanticface_training.evaluation.metrics.arrays import Floats, checked_rows, optional

REPLICATES = 10_000
FEWEST_SEQUENCES = 6
"""With fewer, more than 5 % of all choices of signs for the sequences' differences give them all the same one: no 95 %
interval can be told from so few, and the bootstrap's would be of the few values that so few draws can take."""
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Method a less method b, over n frames of n_sequences sequences; for an error, below 0 means that a is better.

    `relative`: difference / mean_b. `t`, `p_t`: paired t-test over frames. `wilcoxon`, `p_wilcoxon`: signed-rank test
    over frames. `t_sequences`, `p_sequences`: paired t-test over the sequences' means. `low`, `high`: 95 % percentile
    interval of the difference when sequences are drawn anew with replacement, `p_bootstrap` the two-sided p of that,
    never below the 2 ** (1 - n_sequences) at which all sequences agree by chance. None where a test is undefined: no
    difference that varies, a single frame or sequence, for the bootstrap fewer than `FEWEST_SEQUENCES`.
    """

    n: int
    n_sequences: int
    mean_a: float
    mean_b: float
    difference: float
    relative: float | None
    t: float | None
    p_t: float | None
    wilcoxon: float | None
    p_wilcoxon: float | None
    t_sequences: float | None
    p_sequences: float | None
    low: float | None
    high: float | None
    p_bootstrap: float | None
    replicates: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    per_frame_a: ArrayLike,
    per_frame_b: ArrayLike,
    sequences: Sequence[Hashable],
    replicates: int = REPLICATES,
    seed: int = 42,
) -> Comparison:
    """Paired tests between two columns (N,) of the same frames, in the same order. `sequences`: one label a frame.

    Raises InputError when lengths differ, when there is no frame, and for values that are no numbers.
    """
    a, b = _column(per_frame_a, "a"), _column(per_frame_b, "b")
    if len(a) != len(b):
        raise InputError(f"method a has {len(a):,} frames and b {len(b):,}", "compare the frames that both answered")
    labels = _labels(checked_rows(sequences, len(a), "sequences"))
    gap = a - b
    counts = np.bincount(labels).astype(np.float64)
    sums = np.bincount(labels, weights=gap).astype(np.float64)
    t, p_t = _paired_t(gap)
    statistic, p_wilcoxon = _signed_rank(gap)
    t_sequences, p_sequences = _paired_t(sums / counts)
    low, high, p_bootstrap = _bootstrap(sums, counts, replicates, seed)
    return Comparison(
        n=len(a),
        n_sequences=len(counts),
        mean_a=float(a.mean()),
        mean_b=float(b.mean()),
        difference=float(gap.mean()),
        relative=optional(gap.mean() / b.mean()) if b.mean() else None,
        t=t,
        p_t=p_t,
        wilcoxon=statistic,
        p_wilcoxon=p_wilcoxon,
        t_sequences=t_sequences,
        p_sequences=p_sequences,
        low=low,
        high=high,
        p_bootstrap=p_bootstrap,
        replicates=replicates,
    )


def _column(values: ArrayLike, which: str) -> Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or not len(column):
        raise InputError(f"method {which} has values of the shape {column.shape}", "one value a frame, at least one")
    bad = np.flatnonzero(~np.isfinite(column))
    if len(bad):
        raise InputError(f"method {which}: row {int(bad[0])} is {column[bad[0]]}", "compare answered frames only")
    return column


def _labels(sequences: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(label, len(numbers)) for label in sequences], dtype=np.int64)


def _paired_t(gap: Floats) -> tuple[float | None, float | None]:
    from scipy.stats import ttest_1samp

    if len(gap) < 2 or not _spreads(gap):
        return None, None
    found = ttest_1samp(gap, 0.0)
    return optional(found.statistic), optional(found.pvalue)


def _signed_rank(gap: Floats) -> tuple[float | None, float | None]:
    """Wilcoxon's smaller rank sum and its two-sided p; differences of 0 are left out, as Wilcoxon has it."""
    from scipy.stats import wilcoxon

    if not gap.any():
        return None, None
    found = wilcoxon(gap, zero_method="wilcox", alternative="two-sided")
    return optional(found.statistic), optional(found.pvalue)


def _spreads(gap: Floats) -> bool:
    """Whether the differences differ by more than rounding leaves."""
    return bool(np.ptp(gap) > 1e-12 * max(float(np.abs(gap).max()), 1e-300))


def _bootstrap(
    sums: Floats, counts: Floats, replicates: int, seed: int
) -> tuple[float | None, float | None, float | None]:
    """Draws sequences with replacement; each replicate's difference is that of the frames it drew (Efron & Tibshirani,
    1993, chapter 13; the unit is the sequence as in Davison & Hinkley, 1997, section 3.8)."""
    if len(sums) < FEWEST_SEQUENCES:
        return None, None, None
    random = np.random.default_rng(seed)
    found = np.empty(replicates)
    even = np.full(len(sums), 1 / len(sums))
    for start in range(0, replicates, _AT_ONCE):
        drawn = random.multinomial(len(sums), even, size=min(_AT_ONCE, replicates - start))
        found[start : start + len(drawn)] = (drawn @ sums) / (drawn @ counts)
    low, high = np.percentile(found, (2.5, 97.5))
    # The observed sample counts as one replicate, so that p is never 0.
    below, above = int((found <= 0).sum()), int((found >= 0).sum())
    p = 2 * (min(below, above) + 1) / (replicates + 1)
    return float(low), float(high), min(1.0, max(p, 2.0 ** (1 - len(sums))))
