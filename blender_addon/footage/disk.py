# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on disk where footage is said to be: the file, or a sequence's numbers and holes.

A redraw doesn't list folders: a panel asks for what is known by now, and when that is old one of the session's ticks
looks again, not more often than every few seconds and never while an analysis runs. Operators look at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.errors import InputError, SemanticFaceError
from semanticface.media.source import MediaKind, MediaRef

BELIEVED_FOR = 3.0
"""Seconds for which a panel believes what was seen."""
MOST_PATHS = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """`reference` as the path was understood, or the `error` that says why not. `numbers`: a sequence's files."""

    reference: MediaRef | None
    error: SemanticFaceError | None = None
    numbers: frozenset[int] = frozenset()

    def require(self) -> MediaRef:
        """The reference. Raises the error when there is none."""
        if self.reference is None:
            raise self.error or InputError("the footage is gone", "choose it again")
        return self.reference


def look(path: str, sequence: bool) -> Seen:
    """Look now. With `sequence` an image stands for its sequence, also where that very file is gone."""
    try:
        file = Path(path)
        number = number_of(file)
        if sequence and number is not None and not file.exists() and file.parent.is_dir():
            head, _, tail = file.name.rpartition(number)
            path = str(file.parent / f"{head}%d{tail}")
        reference = MediaRef.from_user(path, sequence=sequence)
        numbers = frozenset(reference.files().names) if reference.kind is MediaKind.SEQUENCE else frozenset()
    except SemanticFaceError as error:
        return Seen(None, error)
    except OSError as error:
        return Seen(None, InputError(f"{path}: can't be looked at: {error.strerror or error}"))
    return Seen(reference, None, numbers)


def number_of(file: Path) -> str | None:
    """The digits of a sequence's member that number it: the last ones of its name."""
    found = re.findall(r"\d+", file.stem)
    return found[-1] if found else None


class Looker:
    """Remembers what was seen of each path. A task of the session while there is something to look for."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bool], tuple[float, Seen]] = {}
        self._asked: set[tuple[str, bool]] = set()

    def now(self, path: str, sequence: bool) -> Seen:
        """Look and wait for it."""
        seen = look(path, sequence)
        self._keep((path, sequence), seen)
        return seen

    def lately(self, path: str, sequence: bool) -> Seen | None:
        """What is known by now; None where nothing is. A tick will look when that is old."""
        key = (path, sequence)
        at, seen = self._seen.get(key, (float("-inf"), None))
        if time.monotonic() - at > BELIEVED_FOR:
            self._asked.add(key)
        return seen

    @property
    def looking(self) -> bool:
        return bool(self._asked)

    def tick(self, now: Any, events: Sequence[Any], deadline: float) -> bool:
        """Look for one of the paths, and let the panel be drawn again if it is another than before."""
        if now.job is not None or not self._asked:
            self._asked.clear()
            return False
        key = self._asked.pop()
        before = self._seen.get(key)
        seen = look(*key)
        self._keep(key, seen)
        if before is None or repr(before[1]) != repr(seen):
            now.redraw()
        return self.looking

    def _keep(self, key: tuple[str, bool], seen: Seen) -> None:
        self._seen[key] = (time.monotonic(), seen)
        while len(self._seen) > MOST_PATHS:
            self._seen.pop(next(iter(self._seen)), None)
