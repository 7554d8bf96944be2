"""SMPTE timecode, non-drop and drop-frame. Live Link Face has a form of its own: `exchange.livelink_csv`.

SMPTE 12M drop-frame skips *names*, never frames: at 29.97 the first two numbers of each minute that isn't a
multiple of ten (four at 59.94), so that the label keeps to the clock. Rates are exact fractions. Standard
library only. Knows nothing of files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from semanticface.errors import InputError

_SMPTE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Timecode:
    """One SMPTE label. `drop` is written as `;` before the frames."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool = False

    def __str__(self) -> str:
        mark = ";" if self.drop else ":"
        return f"{self.hours:02d}:{self.minutes:02d}:{self.seconds:02d}{mark}{self.frames:02d}"


def nominal_rate(rate: Fraction) -> int:
    """The whole number of frames that timecode counts in a second: 24 for 24000/1001. Raises InputError below 1."""
    nominal = round(rate)
    if nominal < 1:
        raise InputError(f"timecode needs a rate of at least one frame a second, not {rate}")
    return nominal


def _dropped_per_minute(rate: Fraction) -> int:
    nominal = nominal_rate(rate)
    if rate != Fraction(nominal * 1000, 1001) or nominal % 30:
        raise InputError(f"drop-frame timecode exists for 30000/1001 and 60000/1001, not for {rate}")
    return nominal // 15


def timecode_from_frame(frame: int, rate: Fraction, *, drop: bool = False) -> Timecode:
    """The label of frame `frame`, counted from 00:00:00:00; after 24 hours labels begin again.

    Raises InputError for a negative frame, and for drop-frame at a rate that has none.
    """
    if frame < 0:
        raise InputError(f"frame {frame} has no timecode: frames count from 0")
    nominal = nominal_rate(rate)
    if drop:
        skipped = _dropped_per_minute(rate)
        per_minute = nominal * 60 - skipped
        per_ten = per_minute * 10 + skipped  # the tenth minute skips nothing
        tens, rest = divmod(frame, per_ten)
        minutes = 0 if rest < nominal * 60 else 1 + (rest - nominal * 60) // per_minute
        frame += skipped * (9 * tens + minutes)
    seconds, frames = divmod(frame, nominal)
    return Timecode(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frames, drop)


def frame_from_timecode(timecode: Timecode, rate: Fraction) -> int:
    """The frame that carries the label, counted from 00:00:00:00. Raises InputError for a label that names no frame."""
    nominal = nominal_rate(rate)
    if timecode.minutes > 59 or timecode.seconds > 59 or timecode.frames >= nominal or timecode.hours > 23:
        raise InputError(f"timecode {timecode} is out of range at {rate} frames a second")
    total_minutes = timecode.hours * 60 + timecode.minutes
    frame = (total_minutes * 60 + timecode.seconds) * nominal + timecode.frames
    if not timecode.drop:
        return frame
    skipped = _dropped_per_minute(rate)
    if timecode.minutes % 10 and timecode.seconds == 0 and timecode.frames < skipped:
        raise InputError(f"timecode {timecode} is one of the labels that drop-frame skips")
    return frame - skipped * (total_minutes - total_minutes // 10)


def parse_timecode(text: str) -> Timecode:
    """Read `HH:MM:SS:FF`, or `HH:MM:SS;FF` (also with `.` or `,`) for drop-frame. Raises InputError."""
    match = _SMPTE.fullmatch(text.strip())
    if match is None:
        raise InputError(f"'{text[:40]}' is not a timecode", "write 01:02:03:04, or 01:02:03;04 for drop-frame")
    hours, minutes, seconds, frames = int(match[1]), int(match[2]), int(match[3]), int(match[5])
    if minutes > 59 or seconds > 59:
        raise InputError(f"timecode '{text.strip()}' has more than 59 minutes or seconds")
    return Timecode(hours, minutes, seconds, frames, drop=match[4] != ":")


def timecode_at(start: str, frame: int, rate: Fraction) -> Timecode:
    """The label of source frame `frame` of footage whose frame 0 carries `start`. Raises InputError."""
    first = parse_timecode(start)
    return timecode_from_frame(frame_from_timecode(first, rate) + frame, rate, drop=first.drop)
