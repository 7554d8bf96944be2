"""Names for media: which file or sequence is meant, from what a person typed and over the wire.

A `MediaRef` is plain data and says nothing about content; `reader.open_media` looks inside. Standard library only,
because the command line and the clients make references too. Knows nothing of decoding.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.errors import MediaError, OptionsError
from semanticface.media import fingerprint as prints
from semanticface.media.image_header import sniff
from semanticface.media.numbering import (
    IMAGE_SUFFIXES,
    NumberedFiles,
    find_files,
    find_sequence,
    parse_pattern,
    pattern_of_member,
)

_VIDEOS = "mp4 mov m4v mkv webm avi mpg mpeg ts mts m2ts mxf ogv wmv flv 3gp h264 264 hevc h265 dv"
VIDEO_SUFFIXES: frozenset[str] = frozenset(f".{name}" for name in _VIDEOS.split())
_MAX_TEXT = 4096
_MAX_TERM = 1_000_000_000
_RATE = re.compile(r"\d{1,9}(\.\d{1,9}|/\d{1,9})?", re.ASCII)
_NTSC = {nominal * 1000 / 1001: Fraction(nominal * 1000, 1001) for nominal in (24, 30, 48, 60, 120)}


class MediaKind(StrEnum):
    VIDEO = "video"
    SEQUENCE = "sequence"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class MediaRef:
    """One source of frames.

    `path` is the file, or a sequence's folder. `pattern` is a sequence's file name with a placeholder; None when
    the folder holds just one. `rate` (frames a second) overrides a video's own times and gives a sequence its.
    Frame 0 of a sequence is the file with number `first`, or the lowest number present when it is None.
    """

    kind: MediaKind
    path: str
    pattern: str | None = None
    rate: Fraction | None = None
    first: int | None = None

    @classmethod
    def from_user(
        cls, text: str, *, sequence: bool = False, rate: Fraction | str | None = None, first: int | None = None
    ) -> MediaRef:
        """What a person means by a path: a video, an image, a folder with one sequence, or a pattern.

        Patterns are `name_####.png`, `name_%04d.png` and `name_*.png`. With `sequence`, an image file stands for the
        sequence that it belongs to. The path becomes absolute. Raises MediaError, OptionsError for a wrong rate.
        """
        exact = parse_rate(rate) if isinstance(rate, str) else rate
        path = _local_path(text)
        if path.is_dir():
            return cls(MediaKind.SEQUENCE, str(path), str(find_sequence(path).pattern), exact, first)
        if path.is_file() and sequence:
            pattern = pattern_of_member(path.name)
            if pattern is None:
                raise MediaError(
                    f"{path}: no number in the file's name", "a member of a sequence has one: face_0001.png"
                )
            return cls(MediaKind.SEQUENCE, str(path.parent), str(pattern), exact, first)
        if path.is_file():
            return cls(_kind_of_file(path), str(path), None, exact)
        found = parse_pattern(path.name)
        if found is not None and path.parent.is_dir():
            return cls(MediaKind.SEQUENCE, str(path.parent), str(find_files(path.parent, found).pattern), exact, first)
        raise MediaError(f"{path}: no such file or folder", "check the path; it must be readable on this computer")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the wire; fields that are None are left out, the rate is a pair of whole numbers."""
        out: dict[str, Any] = {"kind": self.kind.value, "path": self.path}
        if self.pattern is not None:
            out["pattern"] = self.pattern
        if self.rate is not None:
            out["rate"] = [self.rate.numerator, self.rate.denominator]
        if self.first is not None:
            out["first"] = self.first
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MediaRef:
        """Validate and build; unknown keys are ignored. Raises MediaError that names the wrong field."""
        if not isinstance(data, Mapping):
            raise MediaError(f"a media reference is a map, not {type(data).__name__}")
        try:
            kind = MediaKind(str(data.get("kind")))
        except ValueError as error:
            kinds = ", ".join(MediaKind)
            raise MediaError(f"media kind {str(data.get('kind'))[:40]!r} is not one of {kinds}") from error
        path = _text(data, "path")
        if not Path(path).is_absolute():
            raise MediaError(f"media path '{path}' is not absolute", "the backend has another working folder")
        pattern = _text(data, "pattern") if data.get("pattern") is not None else None
        if pattern is not None and (kind is not MediaKind.SEQUENCE or _pattern_is_wrong(pattern)):
            raise MediaError(
                f"media pattern '{pattern}' is not a file name with a placeholder", "such as face_%04d.png"
            )
        first = data.get("first")
        if first is not None and (isinstance(first, bool) or not isinstance(first, int) or not 0 <= first <= 10**18):
            raise MediaError(f"media field 'first' is {first!r}, not a whole number from 0")
        return cls(kind, path, pattern, _rate(data.get("rate")), first)

    def files(self) -> NumberedFiles:
        """A sequence's files as they lie on disk now. Raises MediaError when there are none."""
        folder = Path(self.path)
        if self.pattern is None:
            return find_sequence(folder)
        pattern = parse_pattern(self.pattern)
        if pattern is None or not folder.is_dir():
            raise MediaError(f"{folder / self.pattern}: no such sequence", "check the folder and the pattern")
        return find_files(folder, pattern)

    def fingerprint(self, memo: prints.Memo | None = None) -> str:
        """The content's fingerprint for the result cache; reads every byte once, unless `memo` knows the files.

        Raises MediaError when a file can't be read.
        """
        if self.kind is not MediaKind.SEQUENCE:
            return prints.file_fingerprint(Path(self.path), memo)
        files = self.files()
        first = min(files.names) if self.first is None else self.first
        numbered = ((number - first, files.folder / name) for number, name in files.names.items() if number >= first)
        return prints.sequence_fingerprint(numbered, memo)


def parse_rate(text: str) -> Fraction:
    """Frames a second from `25`, `30000/1001` or `23.976`; the usual decimals mean their NTSC fraction.

    Raises OptionsError.
    """
    plain = text.strip().replace(",", ".")
    try:
        if not _RATE.fullmatch(plain):
            raise ValueError("not a number")
        rate = Fraction(plain)
        if "." in plain:
            rate = next((exact for decimal, exact in _NTSC.items() if abs(decimal - float(rate)) < 0.006), rate)
        return _bounded(rate)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise OptionsError(f"'{text[:40]}' is not a frame rate", "write 25, 23.976 or 30000/1001") from error


def _bounded(rate: Fraction) -> Fraction:
    if not Fraction(1, 3600) <= rate <= 10_000 or rate.denominator > _MAX_TERM:
        raise ValueError(f"a rate of {rate} frames a second is out of range")
    return rate


def _rate(value: Any) -> Fraction | None:
    if value is None:
        return None
    pair = value if isinstance(value, (list, tuple)) and len(value) == 2 else (None, None)
    if any(isinstance(term, bool) or not isinstance(term, int) or not 0 < term <= _MAX_TERM for term in pair):
        raise MediaError(f"media field 'rate' is {str(value)[:40]}, not two whole numbers", "such as [30000, 1001]")
    try:
        return _bounded(Fraction(*pair))
    except ValueError as error:
        raise MediaError(f"media field 'rate': {error}") from error


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or "\0" in value:
        raise MediaError(f"media field '{name}' must be a text of 1 to {_MAX_TEXT} characters")
    return value


def _pattern_is_wrong(pattern: str) -> bool:
    return "/" in pattern or "\\" in pattern or parse_pattern(pattern) is None


def _local_path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise MediaError("no path was given", "name a video, an image, a folder or a pattern")
    if "://" in text and not Path(text).exists():
        raise MediaError(f"{text[:200]}: only local files are read", "download it first")
    return Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - resolve() would follow links of farms


def _kind_of_file(path: Path) -> MediaKind:
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return MediaKind.IMAGE
    if suffix in VIDEO_SUFFIXES:
        return MediaKind.VIDEO
    try:
        with path.open("rb") as file:
            return MediaKind.IMAGE if sniff(file.read(64)) else MediaKind.VIDEO
    except OSError as error:
        raise MediaError(f"{path}: can't be read: {error.strerror or error}") from error
