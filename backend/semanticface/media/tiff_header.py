"""The first directory of a TIFF (Adobe, TIFF 6.0): size, orientation, and whether its pixels are all there.

Exif blocks in other formats are small TIFFs and are read here too. Standard library only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from semanticface.errors import MediaError

_WIDTH, _HEIGHT, _BITS, _ORIENTATION = 256, 257, 258, 274
_OFFSETS_AND_COUNTS = ((273, 279), (324, 325))  # strips, tiles
_TYPES = {1: "B", 3: "H", 4: "I"}
_MAX_ENTRIES = 4096


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """`orientation_at` is the byte where the orientation's value lies, None when the tag is absent."""

    width: int
    height: int
    orientation: int
    orientation_at: int | None


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    count: int
    at: int


def _order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"


def _directory(data: bytes) -> dict[int, _Entry]:
    order = _order(data)
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    entries = {}
    for at in range(start + 2, start + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        tag, kind, number, offset = struct.unpack_from(f"{order}HHII", data, at)
        if kind in _TYPES:
            size = struct.calcsize(_TYPES[kind]) * number
            entries[tag] = _Entry(_TYPES[kind], number, at + 8 if size <= 4 else offset)
    return entries


def _values(data: bytes, entry: _Entry) -> tuple[int, ...]:
    if entry.count * struct.calcsize(entry.kind) > len(data):
        raise struct.error("more values than the file has bytes")
    return struct.unpack_from(f"{_order(data)}{entry.count}{entry.kind}", data, entry.at)


def orientation(data: bytes) -> int:
    """The orientation 1 to 8, 1 when absent or out of range. Raises struct.error when cut off."""
    entry = _directory(data).get(_ORIENTATION) if data[:2] in {b"II", b"MM"} else None
    value = _values(data, entry)[0] if entry and entry.count else 1
    return value if 1 <= value <= 8 else 1


def read(data: bytes, where: str) -> TiffHeader:
    """The first picture's header. Raises MediaError when pixels are missing, struct.error when the directory is."""
    entries = _directory(data)
    if _WIDTH not in entries or _HEIGHT not in entries:
        raise MediaError(f"{where}: TIFF without a size", "export it again")
    (width,), (height,) = _values(data, entries[_WIDTH]), _values(data, entries[_HEIGHT])
    for offsets, counts in _OFFSETS_AND_COUNTS:
        if offsets in entries and counts in entries:
            pairs = zip(_values(data, entries[offsets]), _values(data, entries[counts]), strict=False)
            if any(offset + count > len(data) for offset, count in pairs):
                raise MediaError(f"{where}: TIFF is truncated: its pixels run past the end", "export or copy it again")
    tag = entries.get(_ORIENTATION)
    at = tag.at if tag and tag.kind == "H" and tag.count == 1 else None
    return TiffHeader(width, height, orientation(data), at)
