"""Which row of coefficients belongs to which frame of the video: by time, in exact fractions, never by position.

Rows carry a time of day in sixtieths (or thirtieths) of a second, the video's frames have presentation times and one
timecode. Both become seconds since the video's first frame. A row is paired with the frame nearest to it if that is
no further than half a frame; what has no partner is left out with the reason. This module decodes nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from semanticface.errors import ExchangeError, InputError
from semanticface.exchange.livelink_csv import TICKS_PER_DAY, TICKS_PER_SECOND, LiveLinkRecording

DAY = 24 * 3600
MOST_OVERHANG = Fraction(1)
"""Seconds that a CSV may go on before the video starts or after it ends; more is a wrong or a broken file."""
_TICK = Fraction(1, TICKS_PER_SECOND)
"""What a printed timecode may be off."""

NO_FACE = "the app had no face"
NO_ROW = "no row of coefficients at this time"
TOO_EARLY = "the video starts after this row"
TOO_LATE = "the video ends before this row"
CAMERA_DROPPED = "the camera dropped this frame"
NO_FRAME = "no video frame within half a frame of the row"


@dataclass(frozen=True, slots=True)
class VideoClock:
    """`start`: time of day of frame 0 in seconds; `times` of all frames in seconds after it, ascending; `rate`.

    `dropped`: times after frame 0 of frames that the camera lost. `origin`: what told the start.
    """

    start: Fraction
    times: Sequence[Fraction]
    rate: Fraction
    origin: str
    dropped: Sequence[Fraction] = ()

    @property
    def end(self) -> Fraction:
        """When the last frame has been shown."""
        return self.times[-1] + 1 / self.rate


@dataclass(frozen=True, slots=True)
class Match:
    """`row` is a place in the recording's rows, `frame` a number of the video."""

    row: int
    frame: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """`matches` by ascending frame; `left_out`: (where in the recording, reason); rows' `times` in s."""

    matches: tuple[Match, ...]
    left_out: tuple[tuple[str, str], ...]
    times: tuple[Fraction, ...]


def day_ticks(recording: LiveLinkRecording, path: Path) -> list[int]:
    """Ticks of each row, counted on through midnight, strictly ascending.

    Raises ExchangeError that names file and line where a row is not later than the one before it.
    """
    out: list[int] = []
    days = 0
    for row, before in zip(recording.rows, (None, *recording.rows), strict=False):
        if before is not None and row.ticks < before.ticks - TICKS_PER_DAY // 2:
            days += 1
        ticks = row.ticks + days * TICKS_PER_DAY
        if before is not None and ticks <= out[-1]:
            raise ExchangeError(
                f"{path.name}, line {row.line}: timecode {row.timecode} is not later than {before.timecode} in line "
                f"{before.line}: time codes overlap",
                "two recordings in one file? cut it where they meet",
            )
        out.append(ticks)
    return out


def row_times(ticks: Sequence[int], clock: VideoClock) -> tuple[Fraction, ...]:
    """Seconds since the video's frame 0. Across midnight the nearer day is meant."""
    offset = (Fraction(ticks[0], TICKS_PER_SECOND) - clock.start) % DAY
    if offset > DAY // 2:
        offset -= DAY
    return tuple(offset + Fraction(tick - ticks[0], TICKS_PER_SECOND) for tick in ticks)


def align(
    recording: LiveLinkRecording, path: Path, clock: VideoClock, rate: Fraction | None, *, short_video: bool = False
) -> Alignment:
    """Pair rows with frames, `rate` times a second from the first row on, or every row where it is None.

    Raises ExchangeError for rows that go backwards, InputError for a recording without rows, and for one that reaches
    more than MOST_OVERHANG beyond the video, unless `short_video` allows that.
    """
    if not recording.rows:
        raise InputError(f"{path.name} has no rows", "nothing was recorded")
    times = row_times(day_ticks(recording, path), clock)
    _check_overhang(recording, path, clock, times, short_video)
    chosen, gaps = _sampled(times, rate)
    left_out = [(f"{float(gap):.3f} s", NO_ROW) for gap in gaps]
    best: dict[int, tuple[Fraction, int]] = {}
    for place in chosen:
        frame = nearest(clock.times, times[place])
        distance = abs(clock.times[frame] - times[place])
        if recording.rows[place].coefficients is None:
            left_out.append((_label(recording, place), NO_FACE))
        elif distance > 1 / (2 * clock.rate) + _TICK:
            left_out.append((_label(recording, place), _why_not(times[place], clock)))
        elif frame not in best or distance < best[frame][0]:
            best[frame] = distance, place
    matches = tuple(Match(place, frame) for frame, (_, place) in sorted(best.items()))
    return Alignment(matches, tuple(left_out), times)


def _label(recording: LiveLinkRecording, place: int) -> str:
    row = recording.rows[place]
    return f"line {row.line} ({row.timecode})"


def nearest(ascending: Sequence[Fraction], time: Fraction) -> int:
    """Place of the value nearest to `time`; of two equally near the earlier."""
    at = bisect_left(ascending, time)
    if at == 0:
        return 0
    if at == len(ascending):
        return at - 1
    return at - 1 if time - ascending[at - 1] <= ascending[at] - time else at


def _sampled(times: Sequence[Fraction], rate: Fraction | None) -> tuple[list[int], list[Fraction]]:
    """Places of the rows nearest to each beat of `rate`, and the beats that fall into a gap."""
    if rate is None or len(times) == 1:
        return list(range(len(times))), []
    step = sorted(b - a for a, b in pairwise(times))[(len(times) - 1) // 2]
    chosen: dict[int, None] = {}
    gaps = []
    for beat in range(int((times[-1] - times[0]) * rate) + 1):
        time = times[0] + beat / rate
        place = nearest(times, time)
        if abs(times[place] - time) <= step / 2 + _TICK:
            chosen[place] = None
        else:
            gaps.append(time)
    return list(chosen), gaps


def _why_not(time: Fraction, clock: VideoClock) -> str:
    if time < 0:
        return TOO_EARLY
    if time >= clock.times[-1]:
        return TOO_LATE
    half = 1 / (2 * clock.rate) + _TICK
    return CAMERA_DROPPED if any(abs(time - lost) <= half for lost in clock.dropped) else NO_FRAME


def _check_overhang(
    recording: LiveLinkRecording, path: Path, clock: VideoClock, times: Sequence[Fraction], allowed: bool
) -> None:
    half = 1 / (2 * clock.rate)
    if times[-1] < -half or times[0] > clock.end:
        raise InputError(
            f"{path.name}, line {recording.rows[0].line}: timecode {recording.rows[0].timecode} is "
            f"{float(times[0]):+.1f} s from the video's start ({clock.origin}): the two don't overlap",
            "are they of the same take, and of the same clock?",
        )
    if allowed:
        return
    if times[-1] - clock.end > MOST_OVERHANG:
        first = next(place for place, time in enumerate(times) if time > clock.end)
        raise InputError(
            f"{path.name}, line {recording.rows[first].line}: the video is shorter than the CSV by "
            f"{float(times[-1] - clock.end):.1f} s; this row and {len(times) - first - 1} more have no frame",
            "is the video whole? --short-video drops such rows",
        )
    if -times[0] > MOST_OVERHANG:
        raise InputError(
            f"{path.name}, line {recording.rows[0].line}: the CSV begins {float(-times[0]):.1f} s before the video",
            "is the video whole? --short-video drops such rows",
        )
