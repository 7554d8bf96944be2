"""The paper's tables out of each other: Table 1 out of Tables 6 and 7, the averages, the head, and the claims in its
text.

Printed numbers are rounded. A figure of ours therefore has an interval, from what the numbers that went in may have
been; so has the printed figure. The two agree when the intervals overlap, and agree to the digit when ours rounds to
what is printed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from semanticface_training.evaluation.metrics.coefficients import CoefficientRow, average
from semanticface_training.evaluation.metrics.cross import Means, aggregate
from semanticface_training.evaluation.metrics.head_pose import head_rows
from semanticface_training.evaluation.metrics.subsets import SBCA13, TABLE1_14
from semanticface_training.evaluation.paper.tables import (
    DECIMALS,
    R_PRECISION,
    TABLE1_MSE,
    TABLE1_OURS,
    TABLE3_A2_MEAN,
    TABLE5,
    TABLE7_AVERAGE,
    Printed,
    per_coefficient_rows,
)

_EPSILON = 1e-9
"""What adding decimal fractions in binary leaves."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One printed figure and ours. `low`, `high`: what ours may be, given that the numbers it is made of are
    rounded."""

    table: str
    figure: str
    printed: float
    decimals: int
    ours: float
    low: float
    high: float

    @property
    def to_the_digit(self) -> bool:
        return bool(abs(round(self.ours, self.decimals) - self.printed) < _EPSILON)

    @property
    def to_the_digit_when_cut(self) -> bool:
        """Whether the printed figure is ours with the further digits cut off."""
        return bool(0 <= self.ours - self.printed < 10.0**-self.decimals)

    @property
    def agrees(self) -> bool:
        half = 0.5 * 10.0**-self.decimals
        return self.low <= self.printed + half + _EPSILON and self.high >= self.printed - half - _EPSILON

    @property
    def verdict(self) -> str:
        if self.to_the_digit:
            return "to the digit"
        if self.agrees and self.to_the_digit_when_cut:
            return "to the digit when cut off"
        return "within the rounding" if self.agrees else "contradicts"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """`confirmed`: what follows from the tables under our reading. `contradicted`: the same under the paper's own
    words. `fitting_sets`: of the `tried` sets of channels that differ from the 13 by one or two, those that give Table
    1."""

    confirmed: tuple[Finding, ...]
    contradicted: tuple[Finding, ...]
    fitting_sets: tuple[str, ...]
    tried: int


def reproduce() -> Reproduction:
    """Put Tables 6 and 7 through `cross.aggregate`, `coefficients.average` and `head_pose.head_rows`."""
    rows = per_coefficient_rows()
    sets = list(_neighbours([row.name for row in rows]))
    fitting = tuple(label for label, names in sets if _fits(rows, names))
    return Reproduction(tuple(_confirmed(rows)), tuple(_contradicted(rows)), fitting, len(sets))


def to_markdown(findings: Sequence[Finding]) -> str:
    """A table, one line a figure."""
    lines = ["| Table | Figure | Printed | Ours | May be | |", "|---|---|---|---|---|---|"]
    for one in findings:
        more = one.decimals + 2
        lines.append(
            f"| {one.table} | {one.figure} | {one.printed:.{one.decimals}f} | {one.ours:.{more}f} "
            f"| {one.low:.{more}f} to {one.high:.{more}f} | {one.verdict} |"
        )
    return "\n".join(lines)


def _confirmed(rows: Sequence[CoefficientRow]) -> Iterator[Finding]:
    yield from _cross("1", "14 channels", TABLE1_OURS, aggregate(_named(rows, TABLE1_14)))
    whole = average(rows)
    yield _of_rows("1", "MSE, mean of 61", TABLE1_MSE["SemanticFace"], whole.mse)
    yield _of_rows("3", "mean MSE of A2, mean of 61", TABLE3_A2_MEAN, whole.mse, decimals=5)
    yield _of_rows("7", "average MSE, mean of 57", TABLE7_AVERAGE.msd, whole.mse_varying)
    yield _of_rows("7", "average P Corr, mean of 57", TABLE7_AVERAGE.p_corr, whole.pearson)
    yield _of_rows("7", "average S Corr, mean of 57", TABLE7_AVERAGE.s_corr, whole.spearman)
    yield _of_rows("7", "average Deviation, mean of 57", TABLE7_AVERAGE.deviation, whole.err_std)
    for printed, row in zip(TABLE5, head_rows(rows), strict=True):
        yield _of_rows("5", f"{printed.name}, P-Cor", printed.p_corr, row.p_corr)
        yield _of_rows("5", f"{printed.name}, S-Cor", printed.s_corr, row.s_corr)
        yield _of_rows("5", f"{printed.name}, MSD", printed.msd, row.msd)
        yield _of_rows("5", f"{printed.name}, Deviation", printed.deviation, row.deviation_std)


def _contradicted(rows: Sequence[CoefficientRow]) -> Iterator[Finding]:
    yield from _cross("1", "the 13 channels of appendix A.5", TABLE1_OURS, aggregate(_named(rows, SBCA13)))
    whole = average(rows)
    yield _of_rows("7", "average MSE, mean of 61", TABLE7_AVERAGE.msd, whole.mse)
    everything = aggregate(rows)
    yield _of_rows("7", "average Deviation, mean of 61", TABLE7_AVERAGE.deviation, everything.deviation_std)
    yield from _claims_of_the_text()


def _claims_of_the_text() -> Iterator[Finding]:
    """Section 4.4's percentages, each out of Table 1."""
    ours, dead = R_PRECISION["SemanticFace"], R_PRECISION["DeadFace"]
    yield _less("MSE below SBCA", 0.812, 3, TABLE1_MSE["SBCA"], TABLE1_MSE["SemanticFace"], 5e-5)
    yield _less("MSE below SBCA, with Table 7's 0.0036", 0.812, 3, TABLE1_MSE["SBCA"], TABLE7_AVERAGE.msd, 5e-5)
    yield _less("MSE below DeadFace", 0.893, 3, TABLE1_MSE["DeadFace"], TABLE1_MSE["SemanticFace"], 5e-5)
    yield _less("MMD below DeadFace", 0.835, 3, dead[3], ours[3], 5e-3)
    truth = R_PRECISION["GT-test"][3]
    yield _less("MMD below DeadFace, above the truth's", 0.835, 3, dead[3] - truth, ours[3] - truth, 1e-2)
    for k in range(3):
        low, high = ((ours[k] + sign * 5e-5) / (dead[k] - sign * 5e-5) - 1 for sign in (-1, 1))
        yield Finding("text", f"R-Precision top-{k + 1} above DeadFace", 0.5, 1, ours[k] / dead[k] - 1, low, high)


def _less(figure: str, printed: float, decimals: int, before: float, after: float, half: float) -> Finding:
    """1 - after / before, each known to +- `half`."""
    low, high = (1 - (after - sign * half) / (before + sign * half) for sign in (-1, 1))
    return Finding("text", figure, printed, decimals, 1 - after / before, low, high)


def _cross(table: str, over: str, printed: Printed, found: Means) -> Iterator[Finding]:
    yield _of_rows(table, f"P-Cor, {over}", printed.p_corr, found.p_corr)
    yield _of_rows(table, f"S-Cor, {over}", printed.s_corr, found.s_corr)
    yield _of_rows(table, f"MSD, {over}", printed.msd, found.msd)
    yield _of_rows(table, f"Deviation, {over}", printed.deviation, found.deviation_std)


def _of_rows(table: str, figure: str, printed: float | None, ours: float | None, decimals: int = DECIMALS) -> Finding:
    """A mean of rows: off by at most half of the rows' last decimal."""
    if printed is None or ours is None:
        raise ValueError(f"table {table} has no {figure}")
    half = 0.5 * 10.0**-DECIMALS
    return Finding(table, figure, printed, decimals, ours, ours - half, ours + half)


def _named(rows: Sequence[CoefficientRow], names: Collection[str]) -> list[CoefficientRow]:
    return [row for row in rows if row.name in names]


def _fits(rows: Sequence[CoefficientRow], names: Collection[str]) -> bool:
    return all(one.agrees for one in _cross("1", "", TABLE1_OURS, aggregate(_named(rows, names))))


def _neighbours(every: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The 13, and all sets that come from them by adding or leaving out one or two, or by exchanging one."""
    listed = frozenset(SBCA13)
    others = [name for name in every if name not in listed]
    yield "the 13", listed
    for count in (1, 2):
        for more in combinations(others, count):
            yield "the 13 and " + ", ".join(more), listed | set(more)
        for fewer in combinations(SBCA13, count):
            yield "the 13 without " + ", ".join(fewer), listed - set(fewer)
    for gone in SBCA13:
        for new in others:
            yield f"the 13 with {new} for {gone}", (listed - {gone}) | {new}
