"""SMPTE timecode against the known labels, and Live Link Face's form both ways."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import InputError
from semanticface.media.timecode import (
    Timecode,
    frame_from_timecode,
    livelink_from_seconds,
    parse_timecode,
    seconds_from_livelink,
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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00:00.000"),
        (Fraction(1, 30), "00:00:00:02.000"),
        (0.99999999, "00:00:01:00.000"),
        (Fraction(599999, 10000), "00:00:59:59.994"),
        (59.9999999, "00:01:00:00.000"),
        (3599.9999999, "01:00:00:00.000"),
        (Fraction(1001, 30000), "00:00:00:02.002"),
        (90000, "25:00:00:00.000"),
    ],
)
def test_livelink_labels_count_60ths_and_carry(seconds, text):
    assert livelink_from_seconds(seconds) == text


@given(st.integers(0, 10**10))
def test_livelink_round_trip_is_exact(ticks):
    assert seconds_from_livelink(livelink_from_seconds(Fraction(ticks, 60000))) == Fraction(ticks, 60000)


@pytest.mark.parametrize("text", ["", "00:00:00:60.000", "00:61:00:00.000", "0.5", "00:00:00:00.000x"])
def test_what_is_no_livelink_label(text):
    with pytest.raises(InputError):
        seconds_from_livelink(text)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_times_without_a_label(seconds):
    with pytest.raises(InputError):
        livelink_from_seconds(seconds)


def test_labels_of_a_real_recording_come_back_as_they_were():
    path = Path(__file__).parents[2].parent / "shared" / "data" / "livelink" / "alex_rom_3.csv"
    if not path.exists():
        pytest.skip("shared data is not here")
    labels = [line.split(",", 1)[0] for line in path.read_text().splitlines()[1:]]
    assert len(labels) > 4000
    assert [livelink_from_seconds(seconds_from_livelink(label)) for label in labels] == labels
