"""SMPTE timecode against the known labels, and Live Link Face's form both ways."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import InputError
from semanticface.media.timecode import (
    Timecode,
    frame_from_timecode,
    parse_timecode,
    timecode_at,
    timecode_from_frame,
)

NTSC, NTSC60, FILM = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("frame", "rate", "drop", "label"),
    [
        (1799, NTSC, True, "00:00:59;29"),
        (1800, NTSC, True, "00:01:00;02"),
        (17981, NTSC, True, "00:09:59;29"),
        (17982, NTSC, True, "00:10:00;00"),
        (107892, NTSC, True, "01:00:00;00"),
        (3599, NTSC60, True, "00:00:59;59"),
        (3600, NTSC60, True, "00:01:00;04"),
        (215784, NTSC60, True, "01:00:00;00"),
        (1800, NTSC, False, "00:01:00:00"),
        (24, FILM, False, "00:00:01:00"),
        (25 * 3600 * 24 + 7, Fraction(25), False, "00:00:00:07"),
    ],
)
def test_known_labels(frame, rate, drop, label):
    assert str(timecode_from_frame(frame, rate, drop=drop)) == label
    if frame < 24 * 3600 * 25:
        assert frame_from_timecode(parse_timecode(label), rate) == frame


@given(st.integers(0, 2589407), st.sampled_from([NTSC, NTSC60]))
def test_drop_frame_labels_name_each_frame_once(frame, rate):
    timecode = timecode_from_frame(frame, rate, drop=True)
    assert frame_from_timecode(timecode, rate) == frame
    clock = (timecode.hours * 60 + timecode.minutes) * 60 + timecode.seconds + timecode.frames / round(rate)
    assert abs(clock - frame / rate) < 0.2  # two skipped names, and 86 ms that drop-frame loses in a day


def test_labels_that_drop_frame_skips_name_no_frame():
    with pytest.raises(InputError, match="skips"):
        frame_from_timecode(Timecode(0, 1, 0, 1, drop=True), NTSC)
    assert frame_from_timecode(Timecode(0, 10, 0, 1, drop=True), NTSC) == 17983


@pytest.mark.parametrize("rate", [Fraction(25), FILM, Fraction(30)])
def test_drop_frame_exists_only_where_it_does(rate):
    with pytest.raises(InputError, match="drop-frame"):
        timecode_from_frame(0, rate, drop=True)


@pytest.mark.parametrize("text", ["", "1:2:3", "00:60:00:00", "00:00:61:00", "aa:bb:cc:dd", "00:00:00:00:00"])
def test_what_is_no_timecode(text):
    with pytest.raises(InputError):
        parse_timecode(text)


@pytest.mark.parametrize("label", ["00:00:00:30", "24:00:00:00"])
def test_labels_outside_the_rate(label):
    with pytest.raises(InputError, match="out of range"):
        frame_from_timecode(parse_timecode(label), NTSC)


def test_footage_counts_on_from_the_timecode_of_its_first_frame():
    assert str(timecode_at("01:00:00:00", 25, Fraction(25))) == "01:00:01:00"
    assert str(timecode_at("00:00:59;29", 1, Fraction(30000, 1001))) == "00:01:00;02"
