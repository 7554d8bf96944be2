"""Timecode: SMPTE (non-drop and drop-frame) for editors, and the Live Link Face form in a 60-frame base.

SMPTE 12M drop-frame skips *names*, never frames: at 29.97 the first two numbers of each minute that isn't a
multiple of ten (four at 59.94), so that the label keeps to the clock. Rates are exact fractions. Standard
library only. Knows nothing of files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from semanticface.errors import InputError

LIVELINK_BASE = 60
"""Live Link Face writes fractions of a second as frames of 60, whatever rate it records at (measured on recordings)."""

_SMPTE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})", re.ASCII)
_LIVELINK = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2})[:;](\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)


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


def livelink_from_seconds(seconds: Fraction | float) -> str:
    """`HH:MM:SS:FF.mmm` with FF.mmm in 60ths of a second, as Live Link Face CSV has it.

    Rounds once, to 1/60000 s, so a fraction that rounds to 60.000 carries into the seconds. Hours go on past 24.
    Raises InputError for negative or infinite time.
    """
    try:
        ticks = round(Fraction(seconds) * LIVELINK_BASE * 1000)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{seconds} seconds is not a time") from error
    if ticks < 0:
        raise InputError(f"{float(seconds):g} seconds is before the start")
    whole, part = divmod(ticks, LIVELINK_BASE * 1000)
    frames, thousandths = divmod(part, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frames:02d}.{thousandths:03d}"


def seconds_from_livelink(text: str) -> Fraction:
    """Exact seconds from `HH:MM:SS:FF.mmm`: h*3600 + m*60 + s + FF.mmm/60 (Epic's own importer computes the same).

    The decimals may be absent. Raises InputError.
    """
    match = _LIVELINK.fullmatch(text.strip())
    if match is None:
        raise InputError(f"'{text[:40]}' is not a Live Link Face timecode", "it reads HH:MM:SS:FF.mmm")
    hours, minutes, seconds, frames = (int(match[group]) for group in range(1, 5))
    if minutes > 59 or seconds > 59 or frames >= LIVELINK_BASE:
        raise InputError(f"timecode '{text.strip()}' is out of range", "minutes, seconds and frames end at 59")
    decimals = match[5] or ""
    part = Fraction(int(decimals or 0), 10 ** len(decimals))
    return hours * 3600 + minutes * 60 + seconds + (frames + part) / LIVELINK_BASE
