"""Tokens laid against the text: exact probabilities for each digit, or none at all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chat_answers import bare_answer, paper_answer, values_of

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.mllm.skeleton.choices import Choice
from semanticface.engines.mllm.values import readings
from semanticface.engines.remote.choices import align
from semanticface.engines.remote.wire import Token

PROFILE = Profile("p", "s", "u")
TEXT = bare_answer(values_of(0.4))


def choices(text: str, pieces: list[Token], profile: Profile) -> Mapping[str, Choice] | None:
    aligned = align(text, pieces, profile)
    return None if aligned is None else aligned.choices


def tokens(text: str, pattern: str = r" -(?=\d)| (?=\d)|\d|\.|[A-Za-z]+|[^A-Za-z0-9]") -> list[Token]:
    out = []
    for piece in re.findall(pattern, text):
        others = [str(digit) for digit in range(10)] if piece.isdigit() else [" ", " -"] if piece in (" ", " -") else []
        alternatives = {other.encode(): -5.0 for other in others if other != piece} | {piece.encode(): -0.05}
        out.append(Token(piece.encode(), tuple(alternatives.items())))
    return out


def test_each_digit_has_its_alternatives() -> None:
    found = choices(TEXT, tokens(TEXT), PROFILE)
    assert found is not None and set(found) == set(CSV_ORDER)
    jaw = found["JawOpen"]
    assert jaw.text == "0.4" and jaw.sign is None and jaw.integer.shape == (2,) and len(jaw.digits) == 1
    assert int(jaw.digits[0].argmax()) == 4 and jaw.digits[0][3] == pytest.approx(-5.0)
    yaw = found["HeadYaw"]
    assert yaw.text == "-0.3" and yaw.integer.shape == (4,) and yaw.sign is not None
    assert yaw.sign[1] == pytest.approx(-0.05) and yaw.sign[0] == pytest.approx(-5.0)
    assert found["HeadRoll"].text == "-0.0"


def test_probabilities_before_and_after_the_grammar_read_the_same() -> None:
    """A server may report before it masks: then digits share the probability with words."""
    pieces = tokens(TEXT)
    word = (b"word", -0.69)
    shares = [replace(one, alternatives=(*((d, v - 0.7) for d, v in one.alternatives), word)) for one in pieces]
    before, after = (readings(choices(TEXT, each, PROFILE) or {}, 1) for each in (shares, pieces))
    assert before["JawOpen"].expectation == pytest.approx(after["JawOpen"].expectation)
    assert before["HeadYaw"].certainty == pytest.approx(after["HeadYaw"].certainty)


def test_a_digit_that_was_not_listed_is_impossible() -> None:
    pieces = [replace(one, alternatives=((one.data, -0.01),)) if one.data.isdigit() else one for one in tokens(TEXT)]
    jaw = readings(choices(TEXT, pieces, PROFILE) or {}, 1)["JawOpen"]
    assert jaw.expectation == pytest.approx(0.4) and jaw.deviation == pytest.approx(0.0, abs=1e-6)


def test_the_end_token_may_follow_and_the_text_may_be_stripped() -> None:
    end = Token(b"<|im_end|>", ((b"<|im_end|>", 0.0),))
    assert choices(TEXT.strip(), [*tokens(" " + TEXT + "\n"), end], PROFILE) is not None


def test_tokens_that_cut_letters_in_two_are_joined_as_bytes() -> None:
    text = TEXT.replace("Symmetry", "Symmétrie")
    pieces = [
        part
        for one in tokens(text, r" -(?=\d)| (?=\d)|\d|\.|[A-Za-z]+|[^A-Za-z0-9]")
        for part in ([Token(one.data[:1], ()), Token(one.data[1:], ())] if one.data == "é".encode() else [one])
    ]
    assert choices(text, pieces, PROFILE) is not None


def nothing() -> list[tuple[str, str, list[Token], Profile]]:
    half = tokens(TEXT)
    unlisted = half[:-10] + [replace(one, alternatives=()) for one in half[-10:]]
    infinite = [replace(one, alternatives=tuple((d, math.nan) for d, _ in one.alternatives)) for one in half]
    twice = TEXT[:-1] + ', "JawOpen": 0.4}'
    return [
        ("no tokens", TEXT, [], PROFILE),
        ("other text", TEXT, tokens(TEXT.replace("0.4", "0.5")), PROFILE),
        ("merged digits", TEXT, tokens(TEXT, r" -?\d\.\d|[A-Za-z]+|[^A-Za-z0-9]|\d"), PROFILE),
        ("a sign of its own", TEXT, tokens(TEXT, r"-(?=\d)|\d|\.|[A-Za-z]+|[^A-Za-z0-9]"), PROFILE),
        (
            "a value without alternatives",
            TEXT,
            unlisted[:-10] + [replace(one, alternatives=()) for one in half[-10:]],
            PROFILE,
        ),
        ("no numbers", TEXT, infinite, PROFILE),
        ("given twice", twice, tokens(twice), PROFILE),
        ("cut off", TEXT[:-300], tokens(TEXT[:-300]), PROFILE),
        ("other decimals", TEXT, tokens(TEXT), replace(PROFILE, decimals=3)),
    ]


@pytest.mark.parametrize(("why", "text", "pieces", "profile"), nothing(), ids=[case[0] for case in nothing()])
def test_what_cant_be_told_exactly_is_not_told(why: str, text: str, pieces: list[Token], profile: Profile) -> None:
    assert choices(text, pieces, profile) is None, why


def test_a_choice_normalises_to_the_distribution_that_was_sent() -> None:
    jaw = (choices(TEXT, tokens(TEXT), PROFILE) or {})["JawOpen"]
    weights = np.exp(jaw.digits[0].astype(float))
    assert weights.sum() == pytest.approx(math.exp(-0.05) + 9 * math.exp(-5))


def test_agreement_is_the_share_of_choices_that_were_the_models_own() -> None:
    pieces = tokens(TEXT)
    own = align(TEXT, pieces, PROFILE)
    assert own is not None and own.agreement == 1.0
    word = (b"Sorry", -0.01)
    forced = align(TEXT, [replace(one, alternatives=(*one.alternatives, word)) for one in pieces], PROFILE)
    assert forced is not None and forced.agreement == 0.0


@pytest.mark.parametrize(("answer", "decimals"), [(bare_answer, 1), (paper_answer, 3)])
def test_the_models_own_tokenizer_cuts_values_as_is_expected_here(
    qwen_tokenizer: Path, answer: Callable[[Mapping[str, float], int], str], decimals: int
) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(qwen_tokenizer))
    text = answer(values_of(0.437), decimals)
    encoded = tokenizer.encode(text, add_special_tokens=False)
    data = [text[start:end].encode() for start, end in encoded.offsets]
    assert b"".join(data) == text.encode()
    pieces = [Token(one, ((one, -0.1), (b"0", -3.0), (b" -" if one == b" " else b" ", -4.0))) for one in data]
    found = choices(text, pieces, replace(PROFILE, decimals=decimals))
    assert found is not None and found["HeadYaw"].value == -0.3 and found["HeadYaw"].sign is not None
    assert found["JawOpen"].value == round(0.437, decimals)
