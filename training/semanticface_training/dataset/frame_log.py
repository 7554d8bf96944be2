"""`frame_log.csv` of a Live Link Face take: when each frame of the video was captured, and which ones were dropped.

    V,0,123456,1000000,10:15:30:12.000,0

Kind (V video, D depth, A audio), frame, time as numerator and denominator in seconds, timecode, and in newer
recordings whether the frame was dropped, that is: is not in the video. There is no header. This module reads text
and knows nothing of videos.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from semanticface.errors import ExchangeError
from semanticface.exchange.files import bounded_lines

_TIMECODE = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)[:;](\d{1,2}(?:\.\d{1,9})?)", re.ASCII)
_LONGEST_LINE = 1024
_MOST_LINES = 20_000_000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One video frame. `time` in s on the camera's clock; the timecode as `seconds` of the day and `frames`."""

    line: int
    index: int
    time: Fraction
    seconds: int
    frames: Fraction
    dropped: bool


def read_frame_log(path: Path) -> tuple[LogEntry, ...]:
    """The video's lines in file order. Raises ExchangeError that names file and line."""
    out = []
    for number, line in bounded_lines(path, _LONGEST_LINE, _MOST_LINES):
        cells = [cell.strip() for cell in line.split(",")]
        if cells[0].upper() != "V":
            continue
        try:
            out.append(_entry(number, cells))
        except (ValueError, ZeroDivisionError, IndexError) as error:
            raise ExchangeError(
                f"{path.name}, line {number}: {line[:80]!r} is not V,frame,numerator,denominator,timecode"
            ) from error
    return tuple(out)


def _entry(number: int, cells: Sequence[str]) -> LogEntry:
    match = _TIMECODE.fullmatch(cells[4])
    if match is None:
        raise ValueError(cells[4])
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    clock = hours % 24 * 3600 + minutes * 60 + seconds
    dropped = len(cells) > 5 and cells[5].lower() in {"1", "true"}
    return LogEntry(
        number, int(cells[1]), Fraction(int(cells[2]), int(cells[3])), clock, Fraction(match.group(4)), dropped
    )


def timecode_base(entries: Sequence[LogEntry], nominal: int) -> int:
    """How many frames the timecodes count to a second: 30, 60 or the video's `nominal` rate, whichever fits the times.

    The labels say how far apart two frames are, and so do the camera's own times: the right base makes them agree. A
    log of one line has nothing to compare; it is taken to count as the video does.
    """
    highest = max(entry.frames for entry in entries)
    bases = [base for base in dict.fromkeys((nominal, 60, 30)) if highest < base] or [60]
    first = entries[0]

    def disagreement(base: int) -> Fraction:
        return sum(
            (
                abs((e.seconds - first.seconds) + (e.frames - first.frames) / base - (e.time - first.time))
                for e in entries[: 4 * base]
            ),
            Fraction(0),
        )

    return min(bases, key=disagreement)
