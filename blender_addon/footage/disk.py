# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on disk where footage is said to be: the file, or a sequence's numbers and holes.

A panel must not wait for a folder on a slow drive, so it asks for what is known by now, and a thread looks again when
that is old. The thread touches nothing of Blender's; the session's ticks notice that it is done. Operators wait.
"""

from __future__ import annotations

import re
import threading
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
    """Remembers what was seen of each path. A task of the session while a thread of its own looks."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bool], tuple[float, Seen]] = {}
        self._threads: dict[tuple[str, bool], threading.Thread] = {}

    def now(self, path: str, sequence: bool) -> Seen:
        """Look and wait for it."""
        seen = look(path, sequence)
        self._keep((path, sequence), seen)
        return seen

    def lately(self, path: str, sequence: bool) -> Seen | None:
        """What is known by now; None where nothing is. Starts to look when that is old."""
        key = (path, sequence)
        at, seen = self._seen.get(key, (float("-inf"), None))
        if time.monotonic() - at > BELIEVED_FOR and key not in self._threads:
            thread = threading.Thread(target=lambda: self._keep(key, look(path, sequence)), daemon=True)
            self._threads[key] = thread
            thread.start()
        return seen

    @property
    def looking(self) -> bool:
        return bool(self._threads)

    def tick(self, now: Any, events: Sequence[Any], deadline: float) -> bool:
        """Let the panel be drawn again when a look has ended; whether one is still under way."""
        ended = [key for key, thread in self._threads.items() if not thread.is_alive()]
        for key in ended:
            del self._threads[key]
        if ended:
            now.redraw()
        return self.looking

    def _keep(self, key: tuple[str, bool], seen: Seen) -> None:
        self._seen[key] = (time.monotonic(), seen)
        while len(self._seen) > MOST_PATHS:
            self._seen.pop(next(iter(self._seen)), None)
