"""Bare lists of values, and answers of checkpoints that write some of the 61 actions only."""

from __future__ import annotations

import math

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.analysis.parse import Dialect, parse_answer
from semanticface.errors import UnparseableAnswer

SOME = ("JawOpen", "HeadYaw", "EyeBlinkLeft")


def test_a_list_gives_the_asked_actions_in_the_asked_order() -> None:
    parsed = parse_answer("[0.250, -0.100, 1.000]", SOME)
    assert dict(parsed.coefficients) == {"JawOpen": 0.25, "HeadYaw": -0.1, "EyeBlinkLeft": 1.0}
    assert tuple(parsed.coefficients) == SOME
    assert (parsed.dialect, parsed.analysis, parsed.repairs) == (Dialect.VECTOR, None, ())


def test_a_whole_list_has_all_61_and_keeps_the_sign_of_zero() -> None:
    parsed = parse_answer(f"[{', '.join(['-0.0'] * len(CSV_ORDER))}]")
    assert tuple(parsed.coefficients) == CSV_ORDER
    assert all(math.copysign(1, value) < 0 for value in parsed.coefficients.values())


def test_words_around_a_list_are_told() -> None:
    assert parse_answer("Here: [0.1, 0.2, 0.3].", SOME).repairs == ("ignored text around the list",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[0.1, 0.2]", "2 values in the list instead of 3"),
        ("[0.1, 0.2, 0.3, 0.4]", "4 values in the list instead of 3"),
        ("[0.1, 0.2, 0.3", "without its closing bracket"),
        ("[0.1, 0.2, ]", "EyeBlinkLeft is '', not a number"),
        ("[0.1, 0x2, 0.3]", "HeadYaw is '0x2', not a number"),
        ("[0.1, 0.2, 1.5]", "EyeBlinkLeft is 1.5, outside"),
        ("[0.1, 0.2, 0.3] [0.1, 0.2, 0.3]", "a second list of numbers, at line 1, column 17"),
        ("nothing", "no JSON object"),
    ],
)
def test_a_list_that_leaves_doubt_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnparseableAnswer, match=reason):
        parse_answer(text, SOME)


def test_an_object_with_the_asked_actions_is_whole() -> None:
    parsed = parse_answer('{"JawOpen": 0.3, "HeadYaw": -0.2, "EyeBlinkLeft": 0.0}', SOME)
    assert dict(parsed.coefficients) == {"JawOpen": 0.3, "HeadYaw": -0.2, "EyeBlinkLeft": 0.0}
    assert parsed.repairs == ()


def test_an_object_that_lacks_an_asked_action_is_refused() -> None:
    with pytest.raises(UnparseableAnswer, match="2 of 3 values; missing are EyeBlinkLeft"):
        parse_answer('{"JawOpen": 0.3, "HeadYaw": -0.2, "TongueOut": 0.5}', SOME)
