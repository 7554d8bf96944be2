"""Paired tests against formulas, all sign patterns, and what a bootstrap must come to."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_kit import close
from scipy import special, stats

from semanticface.errors import InputError
from semanticface_training.evaluation.metrics.significance import compare


def t_by_formula(gap: np.ndarray) -> tuple[float, float]:
    t = gap.mean() / (gap.std(ddof=1) / math.sqrt(len(gap)))
    return t, 2 * special.stdtr(len(gap) - 1, -abs(t))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 9), st.sampled_from((1, 16)))
def test_few_frames_have_the_p_values_of_formula_and_enumeration(seed: int, n: int, decimals: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.random(n), np.zeros(n)
    gap = np.round(random.normal(0.2, 1.0, n), decimals)
    a = b + gap
    found = compare(a, b, list(range(n)), replicates=50)
    if np.ptp(gap) > 0:
        t, p = t_by_formula(gap)
        assert close(found.t, t) and close(found.p_t, p)
        assert close(found.t_sequences, t)  # each frame is a sequence of its own
    sizes = stats.rankdata(np.abs(gap[gap != 0]))
    if len(sizes) == 0:
        assert found.wilcoxon is None
        return
    positive = sizes[gap[gap != 0] > 0].sum()
    assert close(found.wilcoxon, min(positive, sizes.sum() - positive))
    if len(sizes) == n and len(set(sizes)) == n:  # without ties and zeros the p is exact
        sums = [sum(itertools.compress(sizes, signs)) for signs in itertools.product((0, 1), repeat=n)]
        low = np.mean(np.asarray(sums) <= min(positive, sizes.sum() - positive))
        assert close(found.p_wilcoxon, min(1.0, 2 * low))


def test_many_frames_have_the_p_value_of_the_normal_approximation() -> None:
    random = np.random.default_rng(1)
    gap = np.round(random.normal(0.02, 0.3, 400), 1)
    found = compare(gap, np.zeros(400), [row // 20 for row in range(400)])
    moved = gap[gap != 0]
    sizes, n = stats.rankdata(np.abs(moved)), len(moved)
    counts = np.unique(sizes, return_counts=True)[1]
    variance = n * (n + 1) * (2 * n + 1) / 24 - (counts**3 - counts).sum() / 48
    z = (min(sizes[moved > 0].sum(), sizes[moved < 0].sum()) - n * (n + 1) / 4) / math.sqrt(variance)
    assert close(found.p_wilcoxon, 2 * special.ndtr(z))
    assert close(found.t, t_by_formula(gap)[0]) and close(found.p_t, t_by_formula(gap)[1])
    means = gap.reshape(20, 20).mean(axis=1)
    assert close(found.t_sequences, t_by_formula(means)[0]) and close(found.p_sequences, t_by_formula(means)[1])
    assert close(found.difference, gap.mean()) and (found.n, found.n_sequences) == (400, 20)


def test_the_bootstrap_draws_sequences_and_not_frames() -> None:
    """The spread of equally long sequences' means over sqrt(S); frames taken for independent would be far narrower."""
    random = np.random.default_rng(2)
    level = np.repeat(random.normal(0.1, 1.0, 200), 50)
    a = level + random.normal(0.0, 0.01, level.shape)
    found = compare(a, np.zeros(len(a)), [row // 50 for row in range(len(a))])
    expected = 1.96 * a.reshape(200, 50).mean(axis=1).std() / math.sqrt(200)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.05)
    assert found.p_t < 1e-6 < found.p_bootstrap  # the t-test over frames is sure of what twice as many takes would undo
    assert found.p_bootstrap == pytest.approx(found.p_sequences, abs=0.02)


def test_unequal_sequences_weigh_by_their_frames() -> None:
    """Six takes can be drawn in 46,656 ways: the interval is that of all of them."""
    lengths = (1, 2, 5, 12, 3, 4)
    takes = [name for name, length in zip("abcdef", lengths, strict=True) for _ in range(length)]
    a = np.random.default_rng(4).normal(0.3, 1.0, len(takes)) + np.repeat([2.0, -1.0, 0.5, 0.0, 0.3, -0.6], lengths)
    parts = [a[[take == name for take in takes]] for name in "abcdef"]
    draws = [np.concatenate(drawn).mean() for drawn in itertools.product(parts, repeat=6)]
    found = compare(a, np.zeros(len(a)), takes, replicates=40_000)
    assert (found.low, found.high) == pytest.approx(np.percentile(draws, (2.5, 97.5)), abs=0.02)
    share = min(np.mean(np.asarray(draws) <= 0), np.mean(np.asarray(draws) >= 0))
    assert found.p_bootstrap == pytest.approx(2 * share, abs=0.02)
    t, p = t_by_formula(np.asarray([part.mean() for part in parts]))
    assert close(found.t_sequences, t) and close(found.p_sequences, p)


def test_few_sequences_are_not_sure_of_anything() -> None:
    """Five that agree do so by chance once in 16 times, however far they lie from 0; six once in 32 times."""
    few, enough = [row % 5 for row in range(60)], [row % 6 for row in range(60)]
    better = np.full(60, 0.1) + np.random.default_rng(5).random(60)
    five, six = compare(better, np.zeros(60), few), compare(better, np.zeros(60), enough)
    assert (five.low, five.high, five.p_bootstrap) == (None, None, None) and five.p_sequences < 0.001
    assert six.low > 0 and six.p_bootstrap == 1 / 32


def test_the_same_seed_gives_the_same_interval() -> None:
    random = np.random.default_rng(3)
    a, b, takes = random.random(60), random.random(60), [row % 7 for row in range(60)]
    assert compare(a, b, takes) == compare(a, b, takes)
    assert compare(a, b, takes).low != compare(a, b, takes, seed=1).low


def test_what_no_test_can_tell_is_undefined() -> None:
    same = compare([0.5, 0.25, 0.5], [0.5, 0.25, 0.5], ["a", "a", "b"])
    assert (same.t, same.p_t, same.wilcoxon, same.p_wilcoxon, same.difference) == (None, None, None, None, 0.0)
    assert compare([0.5] * 6, [0.5] * 6, "abcdef").p_bootstrap == 1.0
    single = compare([0.5], [0.25], ["a"])
    assert (single.t, single.low, single.p_bootstrap, single.n_sequences) == (None, None, None, 1)
    steady = compare([0.3, 0.4, 0.5], [0.2, 0.3, 0.4], ["a", "b", "c"])
    assert steady.t is None and steady.relative == pytest.approx(1 / 3)
    for one in (same, single, steady):
        json.dumps(one.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("a", "b", "takes", "says"),
    [
        ([0.1, 0.2], [0.1], ["a", "a"], "2 frames and b 1"),
        ([0.1, 0.2], [0.1, 0.2], ["a"], "1 sequences for 2 rows"),
        ([0.1, math.nan], [0.1, 0.2], ["a", "a"], "method a: row 1 is nan"),
        ([], [], [], "method a has values of the shape"),
    ],
)
def test_columns_that_are_not_paired_are_refused(a: list, b: list, takes: list, says: str) -> None:
    with pytest.raises(InputError, match=says):
        compare(a, b, takes)
