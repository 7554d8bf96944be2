"""Readings of digit distributions against enumeration, sampling and what a text can say."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from semanticface.engines.mllm.profile import ValueChoice
from semanticface.engines.mllm.skeleton.choices import Choice
from semanticface.engines.mllm.values import Reading, coefficient, readings


def logits(*odds: float) -> np.ndarray:
    """Of probabilities; shifted, since logits are not normalised."""
    return (np.log(np.array(odds, np.float64) + 1e-300) + 3.7).clip(-90).astype(np.float32)


def digits(**odds: float) -> np.ndarray:
    """Odds of named digits, `d3=0.5`; the others have none."""
    return logits(*(odds.get(f"d{digit}", 0.0) for digit in range(10)))


def read(choice: Choice, decimals: int = 1) -> Reading:
    return readings({"JawOpen": choice}, decimals)["JawOpen"]


def random_choice(source: np.random.Generator, decimals: int, signed: bool) -> tuple[Choice, list[np.ndarray]]:
    odds = [source.dirichlet(np.full(size, 0.5)) for size in (4 if signed else 2, *[10] * decimals)]
    sign = source.dirichlet([1, 1])
    best = [int(one.argmax()) for one in odds]
    minus = "-" if signed and sign.argmax() else ""
    text = f"{minus}{best[0]}." + "".join(map(str, best[1:]))
    signs = logits(*sign) if signed else None
    return Choice(text, signs, logits(*odds[0]), tuple(logits(*one) for one in odds[1:])), [sign, *odds]


def enumerate_texts(choice: Choice, odds: list[np.ndarray], decimals: int) -> list[tuple[float, float]]:
    """Every text with its probability, as the module's docstring tells it, the slow way."""
    step, signed = 10**-decimals, choice.sign is not None
    written = [int(letter) for letter in choice.text.removeprefix("-").replace(".", "")]
    out = []
    for text in itertools.product(range(len(odds[1])), *[range(10)] * decimals):
        value = text[0] + sum(digit * 10.0**-place for place, digit in enumerate(text[1:], 1))
        odd = float(odds[1][text[0]])
        if text[0] != written[0]:
            edge = (0,) * decimals if text[0] > written[0] else (9,) * decimals
            odd *= float(text[1:] == edge)
        else:
            for place in range(1, decimals + 1):
                known = list(text[:place]) == written[:place]
                odd *= float(odds[place + 1][text[place]]) if known else 0.1
        for sign, share in ((1, odds[0][0]), (-1, odds[0][1])) if signed else ((1, 1.0),):
            shown = value if value > step / 2 or not signed else step / 4
            out.append((sign * shown, odd * float(share)))
    return sorted(out)


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("signed", [False, True])
def test_readings_are_those_of_the_enumerated_distribution(decimals: int, signed: bool):
    source = np.random.default_rng(decimals)
    for _ in range(20):
        choice, odds = random_choice(source, decimals, signed)
        texts = enumerate_texts(choice, odds, decimals)
        found = read(choice, decimals)
        assert sum(odd for _, odd in texts) == pytest.approx(1)
        mean = sum(value * odd for value, odd in texts)
        # A zero among digits that are not known is counted at 0 there, and not a quarter of a step beside it.
        assert found.expectation == pytest.approx(mean, abs=0.03 * 10**-decimals)
        spread = math.sqrt(sum((value - mean) ** 2 * odd for value, odd in texts))
        assert found.deviation == pytest.approx(spread, abs=1e-4)
        zero = sum(odd for value, odd in texts if abs(value) < 10**-decimals / 2)
        assert found.zero == pytest.approx(zero, abs=1e-6)
        below = np.cumsum([odd for _, odd in texts])
        half = texts[int(np.searchsorted(below, 0.5))][0]
        assert found.median == pytest.approx(half, abs=10**-decimals)
        assert found.argmax == float(choice.text)
        likely = [odds[0].max()] * signed + [one.max() for one in odds[1:]]
        assert found.certainty == pytest.approx(float(np.prod(likely)), abs=1e-5)


def test_one_decimal_agrees_with_sampling():
    """A value of one decimal that is never above 1: sample the digits as the model would."""
    source = np.random.default_rng(0)
    integer, fraction = [0.9, 0.1], source.dirichlet(np.ones(10))
    drawn = source.random(400_000) < integer[1]
    samples = np.where(drawn, 1.0, source.choice(10, drawn.size, p=fraction) / 10)
    best = int(fraction.argmax())
    found = read(Choice(f"0.{best}", None, logits(*integer), (logits(*fraction),)))
    assert found.expectation == pytest.approx(samples.mean(), abs=3e-3)
    assert found.deviation == pytest.approx(samples.std(), abs=3e-3)
    assert found.median == pytest.approx(float(np.median(samples)), abs=1e-6)
    assert found.zero == pytest.approx(float((samples == 0).mean()), abs=3e-3)


def test_between_two_steps_the_expectation_is_continuous():
    found = read(Choice("0.3", None, logits(1, 0), (digits(d3=0.6, d4=0.4),)))
    assert (found.argmax, found.median) == (0.3, pytest.approx(0.3))
    assert found.expectation == pytest.approx(0.34, abs=1e-6)
    assert found.certainty == pytest.approx(0.6, abs=1e-6)


def test_the_sign_of_a_written_zero_is_kept_and_counts():
    found = read(Choice("-0.0", logits(0.1, 0.9), logits(1, 0, 0, 0), (digits(d0=1),)))
    assert math.copysign(1, found.argmax) == -1
    assert found.argmax == 0
    assert found.expectation == pytest.approx(-0.02, abs=1e-6)
    assert found.median == pytest.approx(-0.025)
    assert found.zero == pytest.approx(1)


def test_a_blendshape_that_is_zero_is_exactly_zero():
    found = read(Choice("0.0", None, logits(1, 0), (digits(d0=1),)))
    assert (found.argmax, found.expectation, found.median, found.deviation) == (0,) + (pytest.approx(0, abs=1e-9),) * 3


def test_the_bound_on_unknown_digits_holds():
    """With two decimals, whatever the second digit is like under a first one that was not chosen."""
    source = np.random.default_rng(5)
    for _ in range(50):
        first = source.dirichlet(np.full(10, 0.4))
        under = [source.dirichlet(np.full(10, 0.2)) for _ in range(10)]
        best = int(first.argmax())
        true = sum(p * (d / 10 + float(under[d] @ np.arange(10)) / 100) for d, p in enumerate(first))
        text = f"0.{best}{int(under[best].argmax())}"
        found = read(Choice(text, None, logits(1, 0), (logits(*first), logits(*under[best]))), 2)
        assert abs(found.expectation - true) <= 0.05 * (1 - first[best]) + 1e-5


READING = Reading(argmax=0.1, expectation=0.07, median=0.05, deviation=0.02, zero=0.8, certainty=0.1)


@pytest.mark.parametrize(
    ("choice", "dead_zone", "number"),
    [
        (ValueChoice.ARGMAX, 0.0, 0.1),
        (ValueChoice.EXPECTATION, 0.9, 0.07),
        (ValueChoice.EXPECTATION, 0.8, 0.07),
        (ValueChoice.EXPECTATION, 0.79, 0.0),
        (ValueChoice.MEDIAN, 0.9, 0.05),
        (ValueChoice.MEDIAN, 0.5, 0.0),
        (ValueChoice.MEDIAN, 1.0, 0.05),
    ],
)
def test_a_confident_zero_is_zero_unless_the_text_itself_is_wanted(
    choice: ValueChoice, dead_zone: float, number: float
):
    assert coefficient(READING, choice, dead_zone) == number


def test_readings_keep_names_and_order():
    choice = Choice("0.1", None, logits(1, 0), (digits(d1=1),))
    assert list(readings({"JawOpen": choice, "CheekPuff": choice}, 1)) == ["JawOpen", "CheekPuff"]
