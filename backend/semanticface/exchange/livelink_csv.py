"""Live Link Face CSV: what the Live Link Face app records and what facial animation tools import.

63 columns: a timecode, the count of values, and the 61 values in `actions.CSV_ORDER`. The timecode is
`HH:MM:SS:FF.mmm`, where FF.mmm counts sixtieths of a second even when rows arrive at 30 Hz, so that one row's time is
exact to 1/60000 s (a *tick* here). Later versions of the app count thirtieths when they record at 30 Hz, by what
Unreal's importer says of them: such files are known by their rows. Values are read and written by column name, never
by position: the same app sends JawLeft/JawRight and MouthLeft/MouthRight in another order over UDP. This module knows
nothing of takes, engines or frame rates other than the one that it is told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from semanticface.actions import CSV_ORDER, canonical_name
from semanticface.errors import ExchangeError, OptionsError
from semanticface.exchange.files import bounded_lines, written_whole
from semanticface.results import FrameResult

TICKS_PER_SECOND = 60_000
TICKS_PER_DAY = 24 * 3600 * TICKS_PER_SECOND
LONGEST_LINE = 8_192
MOST_ROWS = 6_000_000
"""A day and more at 60 Hz."""

_TIME_COLUMN = "timecode"
_COUNT_COLUMN = "blendshapecount"
_TIMECODE = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)[:;]([0-5]?\d)(?:\.(\d{1,9}))?")


class WithoutFace(StrEnum):
    """What to write for a frame that has no coefficients."""

    SKIP = "skip"
    """No row: the gap shows in the timecode, as in the app's own files."""
    HOLD = "hold"
    """The last frame's values again; before the first face there is nothing to hold, so such frames are skipped."""
    NEUTRAL = "neutral"
    """61 zeros."""


@dataclass(frozen=True, slots=True)
class LiveLinkRow:
    """One row. `ticks` is its timecode in 1/60000 s; `coefficients` is None when the app had no face."""

    line: int
    timecode: str
    ticks: int
    coefficients: Mapping[str, float] | None

    @property
    def seconds(self) -> float:
        """The timecode in seconds, as exact as it is printed."""
        return self.ticks / TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class LiveLinkRecording:
    """A file's rows in file order, and the columns in it that mean nothing to us.

    `base`: what the last field of its timecodes counts, 60 or 30 to a second; the rows' ticks take it into account.
    """

    rows: tuple[LiveLinkRow, ...]
    ignored_columns: tuple[str, ...]
    base: int = 60

    def elapsed(self) -> list[float]:
        """Seconds since the first row, per row; a time of day that passes midnight goes on counting."""
        out: list[float] = []
        days, last = 0, self.rows[0].ticks if self.rows else 0
        for row in self.rows:
            days += row.ticks < last - TICKS_PER_DAY // 2
            last = row.ticks
            out.append((row.ticks + days * TICKS_PER_DAY - self.rows[0].ticks) / TICKS_PER_SECOND)
        return out


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What became of the frames: `rows` written, and the source frame numbers that had no coefficients."""

    rows: int
    skipped: tuple[int, ...]
    held: tuple[int, ...]
    neutral: tuple[int, ...]

    @property
    def without_coefficients(self) -> tuple[int, ...]:
        """All source frames that had none, ascending."""
        return tuple(sorted((*self.skipped, *self.held, *self.neutral)))


def parse_timecode(text: str) -> int:
    """Ticks (1/60000 s) of `HH:MM:SS:FF.mmm`, FF in sixtieths. Raises ValueError when it isn't one."""
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a timecode HH:MM:SS:FF.mmm with FF below 60")
    hours, minutes, seconds, frames = (int(part) for part in match.groups()[:4])
    fraction = match.group(5) or "0"
    thousandths = round(Fraction(int(fraction) * 1000, 10 ** len(fraction)))
    return ((hours * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND + frames * 1000 + thousandths


def format_timecode(ticks: int) -> str:
    """`HH:MM:SS:FF.mmm` of ticks from 0; wraps at 24 hours as a clock does."""
    seconds, rest = divmod(ticks % TICKS_PER_DAY, TICKS_PER_SECOND)
    frames, thousandths = divmod(rest, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:02}.{thousandths:03}"


def read_livelink_csv(path: Path | str) -> LiveLinkRecording:
    """Read a recording, by column name in any order and letter case, with or without byte order mark or CR LF.

    A row with count 0, or with weight cells missing, is a frame without a face: its coefficients are None. Raises
    ExchangeError that names file, line and column for everything else that isn't a recording: a header without
    all 61 names, a name twice, a cell that isn't a finite number, a timecode that isn't one, a file out of bounds.
    """
    path = Path(path)
    lines = bounded_lines(path, LONGEST_LINE, MOST_ROWS)
    header = next(lines, None)
    if header is None:
        raise ExchangeError(f"{path.name} is empty", "a Live Link Face CSV starts with a header line")
    columns, ignored, width = _columns(path, header[1])
    rows = tuple(_row(path, number, line, columns, width) for number, line in lines if line.strip())
    if not _counts_thirtieths(rows):
        return LiveLinkRecording(rows, ignored)
    doubled = (replace(row, ticks=row.ticks + row.ticks % TICKS_PER_SECOND) for row in rows)
    return LiveLinkRecording(tuple(doubled), ignored, base=30)


def write_livelink_csv(
    path: Path | str,
    results: Iterable[FrameResult],
    *,
    without_face: WithoutFace = WithoutFace.SKIP,
    start: str = "00:00:00:00.000",
    rate: Fraction | None = None,
) -> WriteReport:
    """Write results as the app does: header with `BlendshapeCount`, ten decimals, LF, final newline.

    A row's timecode is `start` plus the frame's `time`; a frame whose `time` is None is placed at frame / `rate`.
    The file appears whole or not at all. Raises ExchangeError for a frame without a time where `rate` is absent, for
    frames that don't go forward in time, and for values that are absent or not finite; OptionsError for `start`.
    """
    path = Path(path)
    try:
        offset = parse_timecode(start)
    except ValueError as error:
        raise OptionsError(f"start timecode: {error}") from error
    if rate is not None and rate <= 0:
        raise OptionsError(f"rate: {rate} is not a positive number of frames a second")
    dropped: dict[WithoutFace, list[int]] = {policy: [] for policy in WithoutFace}
    held: Mapping[str, float] | None = None
    rows, last = 0, -1
    with written_whole(path) as out:
        out.write(f"Timecode,BlendshapeCount,{','.join(CSV_ORDER)}\n")
        for result in results:
            if result.coefficients is None:
                weights, policy = _stand_in(without_face, held)
                dropped[policy].append(result.frame)
                if weights is None:
                    continue
            else:
                weights = held = result.coefficients
            ticks = _ticks(result, rate)
            if ticks <= last:
                raise ExchangeError(
                    f"frame {result.frame} is not later than the frame before it", "hand the frames over in time order"
                )
            out.write(f"{format_timecode(offset + ticks)},{len(CSV_ORDER)},{_weights(result.frame, weights)}\n")
            rows, last = rows + 1, ticks
    skipped, kept, neutral = (tuple(dropped[policy]) for policy in WithoutFace)
    return WriteReport(rows, skipped, kept, neutral)


def _counts_thirtieths(rows: Sequence[LiveLinkRow]) -> bool:
    """Whether no row lies in the second half of its second although ten and more a second would have to."""
    seconds = {row.ticks // TICKS_PER_SECOND for row in rows}
    if len(seconds) < 3 or len(rows) < 10 * len(seconds):
        return False
    return all(row.ticks % TICKS_PER_SECOND <= TICKS_PER_SECOND // 2 for row in rows)


def _columns(path: Path, header: str) -> tuple[list[tuple[int, str]], tuple[str, ...], int]:
    """Where each of the timecode, the count and the 61 names stands; other columns; the number of columns."""
    places: dict[str, int] = {}
    ignored = []
    cells = _cells(header)
    for place, cell in enumerate(cells):
        lower = cell.lower()
        name = lower if lower in {_TIME_COLUMN, _COUNT_COLUMN} else canonical_name(cell)
        if name is None:
            ignored.append(cell)
        elif name in places:
            raise ExchangeError(f"{path.name}, line 1: column {cell} is there twice")
        else:
            places[name] = place
    missing = [name for name in (_TIME_COLUMN, *CSV_ORDER) if name not in places]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ExchangeError(
            f"{path.name}, line 1: no column {', '.join(missing[:5])}{more}",
            "a Live Link Face CSV names Timecode, BlendshapeCount and 61 values, separated by commas",
        )
    order = [_TIME_COLUMN, *([_COUNT_COLUMN] if _COUNT_COLUMN in places else []), *CSV_ORDER]
    return [(places[name], name) for name in order], tuple(ignored), len(cells)


def _row(path: Path, number: int, line: str, columns: Sequence[tuple[int, str]], width: int) -> LiveLinkRow:
    cells = _cells(line)
    if any(cells[width:]):
        raise ExchangeError(f"{path.name}, line {number}: {len(cells)} cells under {width} columns")
    found = {name: cells[place] if place < len(cells) else "" for place, name in columns}
    timecode, count = found.pop(_TIME_COLUMN), found.pop(_COUNT_COLUMN, "61")
    try:
        ticks = parse_timecode(timecode)
        values = {name: _number(name, cell) for name, cell in found.items() if cell}
        faceless = (int(count) == 0) if count else True
    except ValueError as error:
        raise ExchangeError(f"{path.name}, line {number}: {error}") from error
    whole = len(values) == len(CSV_ORDER) and not faceless
    return LiveLinkRow(number, timecode, ticks, values if whole else None)


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(",")]


def _number(name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {cell[:40]!r}, not a finite number")
    return value


def _stand_in(policy: WithoutFace, held: Mapping[str, float] | None) -> tuple[Mapping[str, float] | None, WithoutFace]:
    """The values for a frame without a face, None for no row, and the policy that was really followed."""
    if policy is WithoutFace.NEUTRAL:
        return dict.fromkeys(CSV_ORDER, 0.0), policy
    if policy is WithoutFace.HOLD and held is not None:
        return held, policy
    return None, WithoutFace.SKIP


def _ticks(result: FrameResult, rate: Fraction | None) -> int:
    if result.time is not None:
        return round(result.time * TICKS_PER_SECOND)
    if rate is None:
        raise ExchangeError(f"frame {result.frame} has no time", "give the frame rate of the sequence")
    return round(result.frame * TICKS_PER_SECOND / rate)


def _weights(frame: int, weights: Mapping[str, float]) -> str:
    values = [weights.get(name, math.nan) for name in CSV_ORDER]
    if not all(map(math.isfinite, values)):
        bad = next(name for name, value in zip(CSV_ORDER, values, strict=True) if not math.isfinite(value))
        raise ExchangeError(f"frame {frame}: {bad} is absent or not a finite number")
    return ",".join(f"{value:.10f}" for value in values)
