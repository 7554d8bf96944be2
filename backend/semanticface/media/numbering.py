"""Numbered file names: the pattern of an image sequence, and the files that follow it in one folder.

A frame's number is written in its file name; nothing is ever inferred from the order of a listing. Standard
library only. Knows nothing of pictures.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from semanticface.errors import MediaError
from semanticface.media.frames import format_frames

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".exr", ".hdr", ".webp", ".bmp"}
)
MAX_SPAN = 1_000_000
"""Numbers that one sequence may span: 4.6 hours at 60 frames a second. Bounds the list of holes."""

_PRINTF = re.compile(r"%(?:0(\d{1,2}))?d")
_HASHES = re.compile(r"#+")
_STAR = re.compile(r"\*")
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """`prefix`, a number of at least `digits` digits (0: any), `suffix`."""

    prefix: str
    suffix: str
    digits: int

    def number_of(self, name: str) -> int | None:
        """The number in a file name that follows the pattern, else None."""
        end = len(name) - len(self.suffix)
        number = name[len(self.prefix) : end]
        follows = name.startswith(self.prefix) and name.endswith(self.suffix) and end >= len(self.prefix)
        if not follows or not (number.isascii() and number.isdigit()) or len(number) > 18:
            return None
        if self.digits and (len(number) < self.digits or (len(number) > self.digits and number[0] == "0")):
            return None
        return int(number)

    def name_of(self, number: int) -> str:
        """The file name that frame `number` would have."""
        return f"{self.prefix}{number:0{max(self.digits, 1)}d}{self.suffix}"

    def __str__(self) -> str:
        return f"{self.prefix}%{f'0{self.digits}' if self.digits else ''}d{self.suffix}"


@dataclass(frozen=True, slots=True)
class NumberedFiles:
    """The files of one sequence: `names` maps a number to a file name in `folder`, ascending."""

    folder: Path
    pattern: NamePattern
    names: Mapping[int, str]


def parse_pattern(name: str) -> NamePattern | None:
    """The pattern in `frame_%04d.png`, `frame_####.png`, `frame_*.png` or `frame_%d.png`; None without one.

    The last placeholder counts, and `%d` goes before `#`, which goes before `*`, so that a `#` in a shot's name
    does no harm. `%d` and `*` take numbers of any width, `%04d` and `####` at least four digits.
    """
    for expression in (_PRINTF, _HASHES, _STAR):
        found = list(expression.finditer(name))
        if found:
            last = found[-1]
            digits = int(last[1] or 0) if expression is _PRINTF else len(last[0]) if expression is _HASHES else 0
            return NamePattern(name[: last.start()], name[last.end() :], digits)
    return None


def pattern_of_member(name: str) -> NamePattern | None:
    """The pattern that a member such as `shot_0042.png` belongs to: its last number is the frame's; None without one.

    The width is taken as any, because one name can't tell whether numbers are padded.
    """
    suffix = Path(name).suffix
    match = _LAST_NUMBER.match(name.removesuffix(suffix))
    return NamePattern(match[1], match[3] + suffix, 0) if match else None


def _listing(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError as error:
        raise MediaError(f"{folder}: can't be listed: {error.strerror or error}") from error


def _collect(folder: Path, names: list[str], pattern: NamePattern) -> NumberedFiles:
    found: dict[int, str] = {}
    for name in names:
        number = pattern.number_of(name)
        if number is None:
            continue
        if number in found:
            both = f"{found[number]} and {name}"
            raise MediaError(f"{folder}: {both} are both frame {number}", "give a pattern of fixed width, such as %04d")
        found[number] = name
    if found and max(found) - min(found) >= MAX_SPAN:
        hint = f"a sequence may span {MAX_SPAN:,} numbers; are these dates or ids?"
        raise MediaError(f"{folder}: numbers of {pattern} run from {min(found)} to {max(found)}", hint)
    return NumberedFiles(folder, pattern, {number: found[number] for number in sorted(found)})


def find_files(folder: Path, pattern: NamePattern) -> NumberedFiles:
    """The files in `folder` that follow the pattern. Raises MediaError when there are none, or two for one number."""
    files = _collect(folder, _listing(folder), pattern)
    if not files.names:
        raise MediaError(f"{folder}: no file is named like {pattern}", "check the pattern and its number of digits")
    return files


def find_sequence(folder: Path) -> NumberedFiles:
    """The one image sequence in `folder`; a single numbered image beside it is no sequence.

    Raises MediaError, naming them, when there are several.
    """
    names = [name for name in _listing(folder) if Path(name).suffix.lower() in IMAGE_SUFFIXES]
    groups: dict[NamePattern, list[str]] = {}
    for name in names:
        pattern = pattern_of_member(name)
        if pattern is not None:
            groups.setdefault(pattern, []).append(name)
    several = {pattern: members for pattern, members in groups.items() if len(members) > 1} or groups
    if not several:
        raise MediaError(f"{folder}: no numbered image in this folder", f"images end in {_suffix_list()}")
    if len(several) > 1:
        listed = ", ".join(f"{_width(p, m)} ({len(m)} files)" for p, m in list(several.items())[:8])
        more = ", ..." if len(several) > 8 else ""
        raise MediaError(f"{folder}: {len(several)} sequences in this folder: {listed}{more}", "give one's pattern")
    ((pattern, members),) = several.items()
    return _collect(folder, members, _width(pattern, members))


def _width(pattern: NamePattern, members: list[str]) -> NamePattern:
    """The pattern with its number of digits, when all members agree on one."""
    numbers = [name[len(pattern.prefix) : len(name) - len(pattern.suffix)] for name in members]
    padded = NamePattern(pattern.prefix, pattern.suffix, min(map(len, numbers)))
    return padded if all(padded.number_of(name) is not None for name in members) else pattern


def describe_holes(numbers: tuple[int, ...]) -> str:
    """Holes as text for a message: `3, 7-9`."""
    return format_frames(numbers, limit=12)


def _suffix_list() -> str:
    return " ".join(sorted(IMAGE_SUFFIXES))
