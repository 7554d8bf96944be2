"""A table as it is shown: columns with their direction, rows with their values, the best of each column marked.

One view serves HTML, Markdown, CSV and LaTeX, so that they can't say different things. What is undefined is a dash
with its reason below the table, never 0. This module knows nothing of metrics or formats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

DASH = "–"


class Better(StrEnum):
    """Which end of a column is the good one."""

    LOW = "low"
    HIGH = "high"
    ZERO = "zero"
    """Nearest to 0."""
    NONE = ""


@dataclass(frozen=True, slots=True)
class Column:
    """`key`: where a row's value is. `digits` after the point; None for whole numbers and texts."""

    key: str
    label: str
    better: Better = Better.NONE
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` as it was computed (None: undefined), `text` as it is shown, `half` the half-width of its interval."""

    text: str
    value: Any
    best: bool = False
    half: float | None = None


@dataclass(frozen=True, slots=True)
class ViewRow:
    """`mark` is the class of the method's colour, "" for rows that are nobody's (chance, ground truth)."""

    label: str
    cells: tuple[Cell, ...]
    mark: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing of it is defined."""
        return all(cell.value is None for cell in self.cells)


@dataclass(frozen=True, slots=True)
class View:
    """A table. `name` is its file name, `notes` stand below it."""

    name: str
    title: str
    caption: str
    head: str
    columns: tuple[Column, ...]
    rows: tuple[ViewRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What a row is made of. `values` by column key; `halves` the half-widths of intervals; `competes` for the best."""

    label: str
    values: Mapping[str, Any]
    mark: str = ""
    competes: bool = True
    halves: Mapping[str, float | None] = field(default_factory=dict)
    group: str = ""
    """Rows compete within their group (an angle, a coefficient)."""


def view(
    name: str,
    title: str,
    caption: str,
    columns: Sequence[Column],
    sources: Sequence[Source],
    notes: Sequence[str] = (),
    head: str = "Method",
) -> View:
    """Format the values and mark the best of each column; what looks the same is marked the same."""
    best = {(column.key, group): _best(column, [s for s in sources if s.group == group])
            for column in columns for group in {source.group for source in sources}}  # fmt: skip
    rows = []
    for source in sources:
        cells = []
        for column in columns:
            value = source.values.get(column.key)
            text = shown(value, column.digits)
            wins = source.competes and value is not None and text == best[column.key, source.group]
            cells.append(Cell(text, value, wins, source.halves.get(column.key)))
        rows.append(ViewRow(source.label, tuple(cells), source.mark))
    return View(name, title, caption, head, tuple(columns), tuple(rows), tuple(notes))


def _best(column: Column, sources: Sequence[Source]) -> str | None:
    """The best value's text; None where all look the same, or the column has no direction."""
    values = [source.values.get(column.key) for source in sources if source.competes]
    numbers = [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if column.better is Better.NONE or len({shown(number, column.digits) for number in numbers}) < 2:
        return None
    chosen = {Better.LOW: min, Better.HIGH: max}.get(column.better, lambda given: min(given, key=abs))
    return shown(chosen(numbers), column.digits)


def shown(value: Any, digits: int | None = None) -> str:
    """A value as a table has it: a dash for None, powers of ten for what the digits would round to 0."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and digits is not None:
        if value and abs(value) < 0.5 * 10.0**-digits:
            return f"{value:.1e}"
        return f"{value + 0.0:.{digits}f}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
