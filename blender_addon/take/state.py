# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the take that is worked with, between two clicks: its table, its checks, its pictures.

Plain data and icons, nothing that points to Blender's data. One of it lives from registration to unregistration; who
replaces the reading replaces what was known of the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semanticface.analysis.check import Disagreement, check

from .compare import Comparison
from .pictures import Pictures, key_of, media_of
from .reading import Reading
from .table import Table, View


@dataclass(frozen=True, slots=True)
class Compared:
    """Take B beside the present one: what it is called, its reading, and the numbers. `signature` is that of A."""

    name: str
    signature: str
    other: Reading
    numbers: Comparison


class Work:
    """`rows` are those that the list has so far, `active` is the chosen one of them.

    `problem` says why there is no analysis to show, `moving` that we set the active row ourselves.
    """

    def __init__(self) -> None:
        self.reading: Reading | None = None
        self.table: Table | None = None
        self.rows = self.active = 0
        self.problem = ""
        self.moving = False
        self.compared: Compared | None = None
        self.pictures = Pictures()
        self._found: dict[int, tuple[Disagreement, ...]] = {}
        self._keys: dict[int, str] = {}
        self._laid_out: tuple[tuple[View, int], list[int], list[int]] | None = None

    def begin(self, reading: Reading | None) -> None:
        """Another reading holds from now on; nothing is known of its rows yet."""
        self.reading, self.table, self.rows = reading, None, 0
        self.problem = ""
        self._found, self._keys, self._laid_out = {}, {}, None
        if self.compared is not None and (reading is None or self.compared.signature != reading.signature):
            self.compared = None

    def disagreements(self, row: int) -> Sequence[Disagreement]:
        """What text and numbers of a row disagree on; computed once, in about 2 ms."""
        if row not in self._found:
            result = self.reading.results[row] if self.reading is not None else None
            judged = result is not None and result.analysis is not None and result.coefficients is not None
            self._found[row] = check(result.analysis, result.coefficients).disagreements if judged else ()
        return self._found[row]

    def key(self, row: int) -> str:
        """The name of a row's picture, "" when it has no footage to be looked for in."""
        if row not in self._keys:
            source = {} if self.reading is None else self.reading.header(row).source
            named = self.reading is not None and media_of(source) is not None
            self._keys[row] = key_of(source, self.reading.results[row]) if named else ""
        return self._keys[row]

    def layout(self, view: View, bit: int) -> tuple[list[int], list[int]]:
        """What a list needs to show its rows by this view: a flag for each row (`bit`: shown), and each row's place.

        Both are empty, which shows all, while the rows are still being filled in. Computed when something changes.
        """
        if self.table is None or self.rows != len(self.table):
            return [], []
        state = (view, self.table.changes)
        if self._laid_out is None or self._laid_out[0] != state:
            flags = np.where(self.table.shown(view), bit, 0)
            places = np.argsort(self.table.order(view), kind="stable")
            self._laid_out = (state, flags.tolist(), places.tolist())
        return self._laid_out[1], self._laid_out[2]


class _State:
    work: Work | None = None


def current() -> Work:
    """What is known now; made at the first call after registration."""
    if _State.work is None:
        _State.work = Work()
    return _State.work


def register() -> None:
    _State.work = None


def unregister() -> None:
    work, _State.work = _State.work, None
    if work is not None:
        work.pictures.free()
