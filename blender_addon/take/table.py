# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a reading as columns: what the list shows, which frames want a look, and the way from one to the next.

Columns are numpy arrays over the rows, which are in the order of the reading, by scene frame. Knows nothing of Blender.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.results import FrameResult, Status
from semanticface.steps import Work

from .reading import ROWS_AT_ONCE, Reading

UNKNOWN = -1
"""In the column of disagreements: not looked into yet."""

Mask = NDArray[np.bool_]


class Show(StrEnum):
    """Which rows the list shows."""

    ALL = "ALL"
    REVIEW = "REVIEW"
    FAILED = "FAILED"
    DISAGREE = "DISAGREE"


class Sort(StrEnum):
    """In which order."""

    FRAME = "FRAME"
    CONFIDENCE = "CONFIDENCE"


class Want(StrEnum):
    """What "next" and "previous" look for."""

    REVIEW = "REVIEW"
    LOW = "LOW"
    DISAGREE = "DISAGREE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class View:
    """How the list is looked at. `threshold`: a confidence below it is low."""

    show: Show = Show.ALL
    sort: Sort = Sort.FRAME
    threshold: float = 0.5
    search: str = ""


def tabling(reading: Reading, reviewed: Mapping[Path, Set[int]]) -> Work[Table]:
    """The table of a reading, in steps. `reviewed`: the frames of each take that are marked."""
    table = Table(reading)
    for start in range(0, len(table), ROWS_AT_ONCE):
        table.fill(start, start + ROWS_AT_ONCE, reviewed)
        yield
    return table


class Table:
    """The columns of one reading. `disagreements` and `reviewed` fill up while it is looked at."""

    def __init__(self, reading: Reading) -> None:
        count = len(reading.results)
        self.reading = reading
        self.failed: Mask = np.zeros(count, bool)
        self.confidence = np.full(count, np.nan)
        self.sources = np.zeros(count, np.int64)
        self.categories = [""] * count
        self.disagreements = np.zeros(count, np.int16)
        self.reviewed: Mask = np.zeros(count, bool)
        self.changes = 0

    def fill(self, start: int, stop: int, reviewed: Mapping[Path, Set[int]]) -> None:
        """Put in what the results of these rows say."""
        for row, result in enumerate(self.reading.results[start:stop], start):
            self.failed[row] = result.status is not Status.OK
            if result.confidence is not None:
                self.confidence[row] = result.confidence
            self.sources[row] = result.frame
            self.categories[row] = category_of(result)
            if result.analysis is not None and result.coefficients is not None:
                self.disagreements[row] = UNKNOWN
            self.reviewed[row] = result.frame in reviewed.get(self.reading.origin(row).take, ())

    def __len__(self) -> int:
        return len(self.categories)

    def note(self, row: int, disagreements: int) -> None:
        """What the check of a row has found."""
        self.disagreements[row] = disagreements
        self.changes += disagreements > 0

    def mark(self, row: int, reviewed: bool) -> None:
        self.reviewed[row] = reviewed
        self.changes += 1

    def unchecked(self, near: int, most: int = 64) -> list[int]:
        """Rows whose text was not compared with their numbers yet, the nearest to `near` first."""
        rows = np.flatnonzero(self.disagreements == UNKNOWN)
        start = np.searchsorted(rows, near)
        some = rows[max(0, start - most) : start + most]
        return [int(row) for row in some[np.argsort(np.abs(some - near), kind="stable")][:most]]

    def low(self, threshold: float) -> Mask:
        """Rows with a confidence below the threshold."""
        with np.errstate(invalid="ignore"):
            return self.confidence < threshold

    def flagged(self, threshold: float) -> Mask:
        """Rows that want a look, whether they had one or not: failed, of low confidence, or at odds with their text."""
        return self.failed | self.low(threshold) | (self.disagreements > 0)

    def progress(self, threshold: float) -> tuple[int, int]:
        """How many of the flagged rows are reviewed, and how many there are."""
        flagged = self.flagged(threshold)
        return int(np.count_nonzero(flagged & self.reviewed)), int(np.count_nonzero(flagged))

    def shown(self, view: View) -> Mask:
        """Rows that the view lets through."""
        if view.show is Show.REVIEW:
            mask = self.flagged(view.threshold) & ~self.reviewed
        elif view.show is Show.FAILED:
            mask = self.failed
        elif view.show is Show.DISAGREE:
            mask = self.disagreements > 0
        else:
            mask = np.ones(len(self), bool)
        words = view.search.strip().lower()
        if not words:
            return mask
        matching = {category for category in set(self.categories) if words in category.lower()}
        found = np.array([category in matching for category in self.categories], bool)
        return mask & (found | (self.sources == int(words)) if words.isdecimal() and len(words) < 10 else found)

    def order(self, view: View) -> NDArray[np.int64]:
        """(N,) The rows as they stand from top to bottom; those without a confidence come first."""
        if view.sort is Sort.FRAME:
            return np.arange(len(self))
        return np.argsort(np.where(np.isnan(self.confidence), -1.0, self.confidence), kind="stable")

    def wanted(self, want: Want, threshold: float) -> Mask:
        """Rows where "next" stops; reviewed ones are passed over."""
        kinds = {
            Want.REVIEW: self.flagged(threshold),
            Want.LOW: self.low(threshold),
            Want.DISAGREE: self.disagreements > 0,
            Want.FAILED: self.failed,
        }
        return kinds[want] & ~self.reviewed


def category_of(result: FrameResult) -> str:
    """The expression category, or why there is none."""
    if result.status is not Status.OK:
        return result.status.value.replace("_", " ")
    return result.analysis.expression_category if result.analysis is not None else ""


def step(mask: Mask, frames: NDArray[np.float64], playhead: float, back: bool) -> int | None:
    """The nearest row after (or before) the playhead that the mask has; `frames` (N,) are scene frames, ascending."""
    rows = np.flatnonzero(mask)
    if back:
        place = int(np.searchsorted(frames[rows], playhead - 1e-3)) - 1
        return int(rows[place]) if place >= 0 else None
    place = int(np.searchsorted(frames[rows], playhead + 1e-3))
    return int(rows[place]) if place < len(rows) else None
