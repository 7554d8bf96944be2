"""Frame expressions: `1-120:2, 200, 300-` as people type them, and back to text.

Numbers are source frames from 0, both ends of a range belong to it, the result is ascending and without
duplicates. Standard library only. Knows nothing of media.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from semanticface.errors import OptionsError

MAX_FRAMES = 1_000_000
"""Frames that one expression may name: 4.6 hours at 60 frames a second."""

_ITEM = re.compile(r"(?P<first>\d{1,9})(?:\s*(?P<dash>-)\s*(?P<last>\d{1,9})?)?(?:\s*:\s*(?P<step>\d{1,9}))?", re.ASCII)
_FORMS = "write 12, 1-120, 1-120:2 (every second) or 10- (to the end), several with commas; frames count from 0"


def parse_frames(text: str, count: int | None = None) -> list[int]:
    """The frame numbers that `text` names, ascending, each once. `all` or nothing means every frame.

    `count` is the number of frames in the source: it ends open ranges (`10-`), and a number past the end is an
    error. With None, numbers are taken as they are and open ranges are refused. Raises OptionsError that quotes
    the wrong part.
    """
    stripped = text.strip()
    items = ["0-"] if stripped.lower() in {"", "all"} else stripped.split(",")
    chosen: set[int] = set()
    for item in items:
        numbers = _parse_item(item.strip(), count)
        if len(chosen) + len(numbers) > MAX_FRAMES:
            raise OptionsError(f"frames '{text[:80]}': more than {MAX_FRAMES:,} frames", "take fewer or a larger step")
        chosen.update(numbers)
    return sorted(chosen)


def _parse_item(item: str, count: int | None) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise OptionsError(f"frames: '{item[:80]}' is not a frame or a range", _FORMS)
    first, step = int(match["first"]), int(match["step"] or 1)
    if step == 0:
        raise OptionsError(f"frames: '{item}' has a step of 0", _FORMS)
    if match["step"] and not match["dash"]:
        raise OptionsError(f"frames: '{item}' has a step but no range", _FORMS)
    last = first
    if match["last"] is not None:
        last = int(match["last"])
    elif match["dash"]:
        if count is None:
            raise OptionsError(f"frames: '{item}' is open, but the number of frames isn't known", "give the last frame")
        last = count - 1
        if first > last:
            raise _past_end(item, first, count)
    if last < first:
        raise OptionsError(f"frames: '{item}' runs backwards", f"write {last}-{first}")
    if count is not None and last >= count:
        raise _past_end(item, last, count)
    return range(first, last + 1, step)


def _past_end(item: str, frame: int, count: int) -> OptionsError:
    where = f"the source has frames 0 to {count - 1}" if count else "the source has no frames"
    return OptionsError(f"frames: '{item}' reaches frame {frame}, {where}", "frames count from 0")


def format_frames(numbers: Iterable[int], limit: int | None = None) -> str:
    """Ascending numbers as the shortest list of ranges: `1-3, 7`; after `limit` ranges, `and N more`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = runs if limit is None else runs[:limit]
    text = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in shown)
    rest = sum(b - a + 1 for a, b in runs[len(shown) :])
    return f"{text} and {rest} more" if rest else text
