"""Numbers off digit distributions: each value's argmax, expectation, median, spread and certainty.

A value was written digit by digit, and each digit was chosen out of a distribution. Only the distributions on the way
that was chosen are known, so the value's own is put together as follows:

- *Sign.* The probability of minus is known, the magnitude's distribution under the other sign is not: it is taken to be
  the same. Where a value is signed, "0.0" and "-0.0" are a quarter of a step above and below zero, since they stand for
  the two halves of what rounds to zero.
- *Digit before the point.* Of a digit that was not chosen nothing more is known than that: its probability lies at the
  nearest number that begins with it, 1.0 seen from "0." and 0.9 seen from "1.". Seen from "0.", with one decimal and a
  value that is never above 1, this is exact.
- *Digits behind it.* The last digit's distribution is exact. Under an earlier digit that was not chosen, those that
  follow are taken to be anything, evenly: with three decimals and a first digit d, the number d/10 + 0.0495, give or
  take. The expectation is then off by at most 0.05 (1 - P(first digit chosen)) + 0.005 (1 - P(second digit chosen)),
  and so on with more decimals, besides what the two assumptions above cost.

The mean is the best estimate for squared error, the median for absolute error (Lukasik et al., RAIL, Findings of EMNLP
2024, arXiv 2403.04182). This module knows logits of digits and nothing of models or tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semanticface.engines.mllm.profile import ValueChoice
from semanticface.engines.mllm.skeleton.choices import Choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

SIGNED_ZERO = 0.25
"""Where a signed zero lies, in steps of the last decimal."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value, read in several ways, in its own unit (1 or radians).

    `argmax`: the number in the text, sign of zero kept. `expectation`, `median`, `deviation`: of the distribution.
    `zero`: probability that the text says 0, of either sign. `certainty`: probability of the text that was written.
    """

    argmax: float
    expectation: float
    median: float
    deviation: float
    zero: float
    certainty: float


@dataclass(frozen=True, slots=True)
class _Atoms:
    """A distribution in pieces (N,): evenly over `center` ± `spread`, with `weight`, which add up to 1."""

    center: Numbers
    spread: Numbers
    weight: Numbers


def readings(choices: Mapping[str, Choice], decimals: int) -> dict[str, Reading]:
    """The readings of all values, by action, in the order of `choices`."""
    return {name: _reading(choice, decimals) for name, choice in choices.items()}


def coefficient(reading: Reading, choice: ValueChoice, dead_zone: float) -> float:
    """The number that a reading gives the animation: by `choice`, and 0 where zero is likelier than `dead_zone`.

    The argmax is what the model said and has no dead zone.
    """
    if choice is ValueChoice.ARGMAX:
        return reading.argmax
    if reading.zero > dead_zone:
        return 0.0
    return reading.expectation if choice is ValueChoice.EXPECTATION else reading.median


def _reading(choice: Choice, decimals: int) -> Reading:
    negative = choice.text.startswith("-")
    written = [int(letter) for letter in choice.text.removeprefix("-").replace(".", "")]
    path = [_probabilities(logits) for logits in (choice.integer, *choice.digits)]
    magnitude = _magnitude(written, path, decimals)
    certainty = float(np.prod([p[digit] for p, digit in zip(path, written, strict=True)]))
    zero = _zero(magnitude, decimals)
    if choice.sign is not None:
        plus, minus = _probabilities(choice.sign)
        certainty *= float(minus if negative else plus)
        magnitude = _signed(magnitude, float(plus), float(minus), decimals)
    mean = float(magnitude.weight @ magnitude.center)
    variance = float(magnitude.weight @ ((magnitude.center - mean) ** 2 + _variance(magnitude.spread, decimals)))
    return Reading(
        argmax=float(choice.text),
        expectation=mean,
        median=_median(magnitude),
        deviation=float(np.sqrt(variance)),
        zero=zero,
        certainty=certainty,
    )


def _probabilities(logits: NDArray[np.float32]) -> Numbers:
    shifted = np.exp(logits.astype(np.float64) - float(logits.max()))
    out: Numbers = shifted / shifted.sum()
    return out


def _magnitude(written: list[int], path: list[Numbers], decimals: int) -> _Atoms:
    """The distribution without its sign. `written` and `path`: the digits chosen and all digits' probabilities."""
    integer, step = written[0], 10.0**-decimals
    others = np.array([digit for digit in range(len(path[0])) if digit != integer], np.float64)
    centers = [np.where(others > integer, others, others + 1 - step)]
    spreads = [np.zeros(len(others))]
    weights = [np.delete(path[0], integer)]
    base, share = float(integer), float(path[0][integer])
    for place, (digit, odds) in enumerate(zip(written[1:], path[1:], strict=True), 1):
        unit = 10.0**-place
        half = (unit - step) / 2
        centers.append(base + np.arange(10) * unit + half)
        spreads.append(np.full(10, half))
        weights.append(share * odds)
        if place < decimals:
            weights[-1][digit] = 0.0  # what the next digits say in detail
        base, share = base + digit * unit, share * float(odds[digit])
    return _Atoms(np.concatenate(centers), np.concatenate(spreads), np.concatenate(weights))


def _zero(atoms: _Atoms, decimals: int) -> float:
    """The probability of the text 0: its own atom's, and its even share of a piece that begins with it."""
    step = 10.0**-decimals
    begins = np.abs(atoms.center - atoms.spread) < step / 2
    numbers = np.round(2 * atoms.spread / step) + 1
    return float((atoms.weight / numbers)[begins].sum())


def _signed(atoms: _Atoms, plus: float, minus: float, decimals: int) -> _Atoms:
    """The same magnitudes under either sign, zero a quarter of a step away from itself."""
    step = 10.0**-decimals
    center = np.where(atoms.center < step / 2, SIGNED_ZERO * step, atoms.center)
    return _Atoms(
        np.concatenate([center, -center]),
        np.concatenate([atoms.spread, atoms.spread]),
        np.concatenate([plus * atoms.weight, minus * atoms.weight]),
    )


def _variance(spread: Numbers, decimals: int) -> Numbers:
    """Of numbers that lie evenly, a step apart, over ± spread: ((2 spread + step)² - step²) / 12."""
    step = 10.0**-decimals
    out: Numbers = ((2 * spread + step) ** 2 - step**2) / 12
    return out


def _median(atoms: _Atoms) -> float:
    """The smallest number with half of the weight at or below it; inside an even piece it is interpolated."""
    order = np.argsort(atoms.center, kind="stable")
    sums = np.cumsum(atoms.weight[order])
    at = min(int(np.searchsorted(sums, 0.5 - 1e-12)), len(order) - 1)
    piece = order[at]
    weight = float(atoms.weight[piece])
    inside = (0.5 - (float(sums[at]) - weight)) / weight if weight > 0 else 0.5
    return float(atoms.center[piece] + atoms.spread[piece] * (2 * min(max(inside, 0.0), 1.0) - 1))
