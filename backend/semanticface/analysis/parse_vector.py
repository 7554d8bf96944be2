"""An answer that is a bare list of numbers: the values of the asked actions, in the order in which they were asked.

A list has no names to check a value by, so nothing is repaired here: one list, with as many numbers as actions, or an
error. This module knows the actions and nothing of prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from semanticface.analysis.parse_json import MAX_NUMBER, NUMBER, place
from semanticface.analysis.parse_values import HINT, checked_value
from semanticface.errors import UnparseableAnswer

_BLANK = r"[ \t\r\n]*+"
_LIST = re.compile(rf"\[{_BLANK}(?=[-0-9])([^\[\]{{}}\"']*+)\]")
_OPENED = re.compile(rf"\[{_BLANK}-?[0-9]")


@dataclass(frozen=True, slots=True)
class Vector:
    """The list at `text[start:end]`; its numbers by action, sign of zero kept."""

    coefficients: dict[str, float]
    start: int
    end: int


def read_vector(text: str, actions: Sequence[str]) -> Vector | None:
    """The list of numbers in the text, None when nothing there begins like one.

    Raises UnparseableAnswer for a list that is cut off, has another length than `actions`, holds something that is no
    number or no plausible value, and for a second list.
    """
    opened = list(_OPENED.finditer(text))
    if not opened:
        return None
    if len(opened) > 1:
        raise UnparseableAnswer(f"a second list of numbers, at {place(text, opened[1].start())}", HINT)
    start = opened[0].start()
    found = _LIST.match(text, start)
    if found is None:
        raise UnparseableAnswer(f"a list of numbers without its closing bracket, at {place(text, start)}", HINT)
    cells = [cell.strip(" \t\r\n") for cell in found[1].split(",")]
    if len(cells) != len(actions):
        raise UnparseableAnswer(f"{len(cells)} values in the list instead of {len(actions)}", HINT)
    return Vector({name: _number(name, cell) for name, cell in zip(actions, cells, strict=True)}, start, found.end())


def _number(name: str, cell: str) -> float:
    if len(cell) > MAX_NUMBER or not NUMBER.fullmatch(cell):
        raise UnparseableAnswer(f"{name} is {cell[:24]!r}, not a number", HINT)
    return checked_value(name, float(cell))
