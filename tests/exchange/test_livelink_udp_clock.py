"""Which frame of the day a source frame is, at every rate and kind of timecode."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest

from semanticface.errors import InputError, OptionsError
from semanticface.exchange.livelink_clock import clock_of
from semanticface.media.timecode import timecode_at, timecode_from_frame

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("rate", "label", "frame"),
    [
        (Fraction(24), "01:00:00:00", 86_400),
        (Fraction(24000, 1001), "01:00:00:00", 86_400),
        (Fraction(25), "10:20:30:12", 930_762),
        (NTSC, "01:00:00:00", 108_000),
        (NTSC, "01:00:00;00", 107_892),
        (NTSC, "00:01:00;02", 1_800),
        (Fraction(60000, 1001), "00:10:00;00", 35_964),
        (Fraction(60), "13:13:04:31", 2_855_071),
    ],
)
def test_the_footages_timecode_is_counted_from_midnight(rate, label, frame):
    for start in ("", "source"):
        clock = clock_of(rate, label, start)
        assert clock.stamp(0, 0.0) == (frame, 0.0)
        assert clock.stamp(1000, 1000 / float(rate)) == (frame + 1000, 0.0)
    assert clock_of(rate, "", label).stamp(0, 0.0) == (frame, 0.0)


def test_along_a_day_of_drop_frame_the_number_carries_the_label_that_the_footage_shows():
    clock = clock_of(NTSC, "09:59:58;20")
    for source in range(0, 2_600_000, 997):
        number, share = clock.stamp(source, None)
        assert share == 0.0
        assert timecode_from_frame(number, NTSC, drop=True) == timecode_at("09:59:58;20", source, NTSC)


def test_a_constant_rate_gives_whole_frames_whatever_the_container_rounded_its_times_to():
    clock = clock_of(Fraction(24000, 1001), "")
    for source in range(5000):
        rounded = round(source * 1001 / 24000, 3)  # Matroska's milliseconds
        assert clock.stamp(source, rounded) == (source, 0.0)


def test_frames_of_variable_rate_lie_where_their_time_puts_them():
    clock = clock_of(Fraction(30), "00:00:10:00", variable=True)
    assert clock.stamp(0, 0.0) == (300, 0.0)
    assert clock.stamp(1, 0.05) == (301, pytest.approx(0.5))
    assert clock.stamp(2, 0.1) == (303, 0.0)
    assert clock.stamp(3, 1 / 3 + 0.01) == (310, pytest.approx(0.3))
    assert clock.stamp(4, None) == (304, 0.0)


def test_the_count_begins_again_at_midnight_as_the_label_does():
    for rate, label in ((Fraction(24), "23:59:59:23"), (NTSC, "23:59:59;29"), (NTSC, "23:59:59:29")):
        clock = clock_of(rate, label)
        assert clock.stamp(1, None) == (0, 0.0)
        assert str(timecode_from_frame(clock.stamp(1, None)[0], rate)) == "00:00:00:00"


def test_without_timecode_it_is_midnight_and_source_is_refused():
    assert clock_of(Fraction(24), "").stamp(0, 0.0) == (0, 0.0)
    with pytest.raises(OptionsError, match="carries no timecode"):
        clock_of(Fraction(24), "", "source")


def test_now_is_the_time_of_day():
    clock = clock_of(Fraction(25), "01:00:00:00", "now", now=datetime(2026, 5, 4, 10, 0, 1, 500_000))
    assert clock.stamp(0, 0.0) == (36_001 * 25 + 12, 0.0)


def test_a_rate_below_one_has_no_timecode_but_can_be_played():
    assert clock_of(Fraction(1, 3), "").stamp(5, 15.0) == (5, 0.0)
    with pytest.raises(InputError, match="at least one frame a second"):
        clock_of(Fraction(1, 3), "", "01:00:00:00")


@pytest.mark.parametrize(
    ("rate", "start", "message"),
    [
        (Fraction(24), "soon", "is not a timecode"),
        (Fraction(24), "01:00:00;00", "drop-frame timecode exists for"),
        (Fraction(24), "01:00:00:24", "out of range"),
        (NTSC, "00:01:00;00", "drop-frame skips"),
        (Fraction(24), "24:00:00:00", "out of range"),
    ],
)
def test_labels_that_do_not_exist_are_refused(rate, start, message):
    with pytest.raises(InputError, match=message):
        clock_of(rate, "", start)
