"""What the fields of a message may hold: one check for each kind of field, with its limits.

A check returns the value as the code wants it, or raises ValueError with what is wrong, worded to follow the field's
name. This module knows no message; `protocol` says which field has which check.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

MAX_PAYLOAD = 64 << 20
MAX_FRAME_NUMBER = 100_000_000
MAX_RUNS = 65_536
MAX_THUMBNAILS = 64
MAX_THUMBNAIL_BYTES = 64 << 10
THUMBNAIL_SIDES = 16, 512
"""Pictures of one `thumbnails`, bytes of each, and the least and the greatest length of their longer side in pixels."""

Check = Callable[[Any], Any]


def text(limit: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise ValueError(f"needs a text of at most {limit} characters")
        return value

    return check


def whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"needs a whole number from {low} to {high}")
        return value

    return check


def finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("needs a finite number")
    return float(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("needs true or false")
    return value


def one_of(kind: type[StrEnum]) -> Check:
    def check(value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise ValueError("needs one of " + ", ".join(kind)) from None

    return check


def version(value: Any) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("needs [major, minor]")
    part = whole(0, 10_000)
    return part(value[0]), part(value[1])


_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def job_id(value: Any) -> str:
    if not isinstance(value, str) or not _JOB_ID.fullmatch(value):
        raise ValueError("needs 1 to 64 letters, digits, - or _")
    return value


def runs(value: Any) -> list[tuple[int, int, int]]:
    """Source frames as [first, last, step] runs, last included."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_RUNS:
        raise ValueError(f"needs a list of at most {MAX_RUNS} [first, last, step]")
    frame = whole(0, MAX_FRAME_NUMBER)
    found = []
    for run in value:
        if not isinstance(run, (list, tuple)) or len(run) != 3:
            raise ValueError("needs [first, last, step] in each place")
        first, last, step = frame(run[0]), frame(run[1]), whole(1, MAX_FRAME_NUMBER)(run[2])
        if last < first:
            raise ValueError(f"a run ends at {last} before it starts at {first}")
        found.append((first, last, step))
    return found


def plain(value: Any, depth: int = 0) -> Any:
    """JSON-like data with text keys, at most eight levels deep."""
    if depth > 8:
        raise ValueError("is nested more than 8 levels deep")
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(item, depth + 1) for key, item in value.items()}
    raise ValueError("holds something that is not plain data")


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("needs a map")
    out: dict[str, Any] = plain(value)
    return out


def result(value: Any) -> Mapping[str, Any]:
    """A map; what is in it `FrameResult.from_dict` checks in full, and once is enough for the commonest message."""
    if not isinstance(value, Mapping):
        raise ValueError("needs a map")
    return value


def texts(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError("needs a list of texts")
    return list(value)


def few_frames(value: Any) -> list[int]:
    """Source frames, each once."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MAX_THUMBNAILS:
        raise ValueError(f"needs a list of 1 to {MAX_THUMBNAILS} frame numbers")
    frames = [whole(0, MAX_FRAME_NUMBER)(frame) for frame in value]
    if len(set(frames)) < len(frames):
        raise ValueError("names a frame twice")
    return frames


def boxes(value: Any) -> list[tuple[int, float, float, float, float]]:
    """[frame, x, y, width, height] for some frames, in pixels."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_THUMBNAILS:
        raise ValueError(f"needs a list of at most {MAX_THUMBNAILS} [frame, x, y, width, height]")
    found = []
    for row in value:
        if not isinstance(row, (list, tuple)) or len(row) != 5:
            raise ValueError("needs [frame, x, y, width, height] in each place")
        x, y, width, height = (finite(part) for part in row[1:])
        if not (0 < width <= 1e6 and 0 < height <= 1e6 and max(abs(x), abs(y)) <= 1e6):
            raise ValueError("holds a box that is no part of a picture")
        found.append((whole(0, MAX_FRAME_NUMBER)(row[0]), x, y, width, height))
    return found


def pictures(value: Any) -> list[tuple[int, int]]:
    """[frame, bytes] for each picture in the payload, in its order."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_THUMBNAILS:
        raise ValueError(f"needs a list of at most {MAX_THUMBNAILS} [frame, bytes]")
    if not all(isinstance(row, (list, tuple)) and len(row) == 2 for row in value):
        raise ValueError("needs [frame, bytes] in each place")
    return [(whole(0, MAX_FRAME_NUMBER)(frame), whole(1, MAX_THUMBNAIL_BYTES)(size)) for frame, size in value]


def problems(value: Any) -> list[tuple[int, str, str]]:
    """[frame, status, message] for each picture that there is not."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_THUMBNAILS:
        raise ValueError(f"needs a list of at most {MAX_THUMBNAILS} [frame, status, message]")
    if not all(isinstance(row, (list, tuple)) and len(row) == 3 for row in value):
        raise ValueError("needs [frame, status, message] in each place")
    return [(whole(0, MAX_FRAME_NUMBER)(row[0]), text(40)(row[1]), text(2000)(row[2])) for row in value]
