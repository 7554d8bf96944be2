"""What Unreal's Live Link Face Importer (Experimental, 5.0 to 5.8) makes of a CSV, its oddities included.

Pure: the text in, keys and complaints out. The sequence around them is `unreal.importing`'s.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

TICKS = 24000
"""Ticks a second of a new Level Sequence."""

BASE = 60
"""The last field of a timecode counts in sixtieths of a second, whatever the recording's rate."""


class Refused(Exception):
    """The file makes no asset; the message is the editor's."""


@dataclass(frozen=True, slots=True)
class Recording:
    """`keys[name]` are `(tick, value)` in the order of the rows, `source` the first row's timecode `(h, m, s, f)`.
    `errors` is what the editor logged about rows: the asset is made all the same."""

    columns: tuple[str, ...]
    keys: dict[str, list[tuple[int, float]]]
    source: tuple[int, int, int, int] | None
    rows: int
    errors: tuple[str, ...]


def parsed(text: str) -> Recording:
    """Raises Refused where the importer gives no asset. A file of one line is not refused, it makes an empty one."""
    lines = [line for line in re.split(r"\r\n|\n|\r", text) if line]
    header: list[str] = []
    if len(lines) > 1:
        header = _cells(lines.pop(0))
        _check(header)
    columns = tuple(name for name in header if name.lower() not in ("timecode", "blendshapecount"))
    keys: dict[str, list[tuple[int, float]]] = {name: [] for name in columns}
    source, errors, rows = None, [], 0
    for number, line in enumerate(lines, start=1):
        cells = _cells(line)
        if len(cells) != len(header):
            errors.append(
                f"Line {number} did not contain the correct number of columns (found {len(cells)}, expected "
                f"{len(header)}). Aborting!"
            )
            break
        seconds = _seconds(cells[0])
        rows += 1
        if seconds is None:
            errors.append(f"Line {number} contained a malformed timecode (Should be of format hh:mm:ss:frame.zzz).")
            continue
        source = source or _timecode(seconds)
        for name, cell in zip(columns, cells[2:], strict=False):
            keys[name].append((math.floor(seconds * TICKS), _number(cell)))
    return Recording(columns, keys, source, rows, tuple(errors))


def _check(header: list[str]) -> None:
    if len(header) < 3:
        raise Refused("The input CSV file didn't include more than 2 columns.")
    for place, (name, found) in enumerate(zip(("Timecode", "BlendShapeCount"), header, strict=False)):
        if found.lower() != name.lower():
            which = "first" if place == 0 else "second"
            raise Refused(f'The input CSV file was poorly formatted : the {which} column should be "{name}".')


def _cells(line: str) -> list[str]:
    """Empty cells are dropped, so a row with one has too few."""
    return [cell for cell in line.split(",") if cell]


def _seconds(timecode: str) -> float | None:
    parts = [part for part in timecode.split(":") if part]
    if len(parts) != 4:
        return None
    hours, minutes, whole = (int(_number(part)) for part in parts[:3])
    return hours * 3600 + minutes * 60 + whole + _number(parts[3]) / BASE


def _timecode(seconds: float) -> tuple[int, int, int, int]:
    whole = math.floor(seconds)
    return whole // 3600, whole // 60 % 60, whole % 60, math.floor((seconds - whole) * BASE)


def _number(text: str) -> float:
    """As C's atof: what number stands at the beginning, 0 where there is none."""
    found = re.match(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text)
    return float(found.group()) if found else 0.0


def subject(name: str) -> str:
    """The Live Link subject that the importer takes from an asset's name, `<slate>_<take>_<subject>[_cal]`."""
    shorter = name
    for end in ("_cal", "_raw", "_neutral"):
        if shorter.lower().endswith(end):
            shorter = shorter[: -len(end)]
    words = shorter.split("_")
    if len(words) > 3:
        words = words[1:]
        while words:
            numeric = re.fullmatch(r"[-+]?\d*\.?\d+", words.pop(0)) is not None
            if numeric:
                break
        shorter = "_".join(words) or shorter
    return shorter or name
