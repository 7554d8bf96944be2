"""Frame expressions as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import OptionsError
from semanticface.media.frames import format_frames, parse_frames


@pytest.mark.parametrize(
    ("text", "count", "frames"),
    [
        ("5", None, [5]),
        ("1-4", None, [1, 2, 3, 4]),
        ("1-10:4", 11, [1, 5, 9]),
        ("8-", 10, [8, 9]),
        ("0-:5", 11, [0, 5, 10]),
        ("3, 1-2 ,2", None, [1, 2, 3]),
        ("", 3, [0, 1, 2]),
        ("all", 2, [0, 1]),
        ("7-7", None, [7]),
    ],
)
def test_expressions(text, count, frames):
    assert parse_frames(text, count) == frames


@pytest.mark.parametrize(
    ("text", "count", "says"),
    [
        ("x", 10, "'x' is not a frame"),
        ("-5", 10, "'-5' is not a frame"),
        ("1,,2", 10, "'' is not a frame"),
        ("5-1", 10, "backwards"),
        ("1-5:0", 10, "step of 0"),
        ("5:2", 10, "no range"),
        ("10", 10, "frames 0 to 9"),
        ("0-10", 10, "reaches frame 10"),
        ("12-", 10, "frames 0 to 9"),
        ("3-", None, "open"),
        ("all", None, "open"),
        ("0", 0, "no frames"),
        ("0-999999999", None, "1,000,000"),
        ("1.5", 10, "not a frame"),
        ("\u0663", 10, "not a frame"),
    ],
)
def test_wrong_expressions_say_what_is_wrong(text, count, says):
    with pytest.raises(OptionsError, match=says):
        parse_frames(text, count)


@given(st.sets(st.integers(0, 500), min_size=1))
def test_formatting_reads_back(numbers):
    assert parse_frames(format_frames(sorted(numbers))) == sorted(numbers)


def test_long_lists_are_cut_with_a_count():
    assert format_frames([1, 2, 3, 7, 9, 10], limit=2) == "1-3, 7 and 2 more"
