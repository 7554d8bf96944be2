"""The answers that a model is taught, and where in them each value stands.

A0 is a list of numbers, A1 an object of names and numbers, A2 a description with the numbers behind it (the paper's
section 4.3 compares them). `analysis.parse` is the reading side. This module knows nothing of pictures or tokens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from semanticface.actions import BY_NAME, CSV_ORDER, PI, Kind
from semanticface.analysis.parse_values import SHAPE_RANGE
from semanticface.engines.mllm.profile import Layout
from semanticface.errors import InputError, OptionsError
from semanticface.results import Analysis
from semanticface_training.small_model.answers import markdown

MOST_DECIMALS = 3
LEAST_ACTIONS = 3
"""A question shows the first two and the last."""


class Target(StrEnum):
    """What an answer holds."""

    A0 = "a0"
    """`[0.123, -0.045]`: values in the order of the form's actions."""
    A1 = "a1"
    """`{"JawOpen": 0.123, "HeadYaw": -0.045}` on one line."""
    A2 = "a2"
    """A description, then the values by name."""


@dataclass(frozen=True, slots=True)
class Form:
    """How answers are written. `layout` is that of A2: `bare` as the released checkpoint writes, or the paper's.

    `actions`: those that are written, in this order. Raises OptionsError for what can't be written or read back.
    """

    target: Target = Target.A2
    layout: Layout = Layout.PAPER
    decimals: int = 3
    actions: tuple[str, ...] = CSV_ORDER

    def __post_init__(self) -> None:
        if not 1 <= self.decimals <= MOST_DECIMALS:
            raise OptionsError(f"{self.decimals} decimals", f"1 to {MOST_DECIMALS}")
        unknown = [name for name in self.actions if name not in BY_NAME]
        if unknown:
            raise OptionsError(f"{unknown[0]!r} is no action", "the 61 are named as in Live Link Face")
        if len(self.actions) < LEAST_ACTIONS or len(set(self.actions)) < len(self.actions):
            raise OptionsError(f"a form needs {LEAST_ACTIONS} actions or more, each of them once")

    @property
    def layout_name(self) -> str:
        """The layout's name in a checkpoint's profile."""
        return {Target.A0: "vector", Target.A1: "values"}.get(self.target, self.layout.value)

    @property
    def signed(self) -> tuple[str, ...]:
        """Those of the actions that may be negative: the rotations."""
        return tuple(name for name in self.actions if BY_NAME[name].kind is not Kind.SHAPE)


@dataclass(frozen=True, slots=True)
class Number:
    """One value in an answer: `text[start:end]` is its number, sign included. `exact` is what was rounded for it."""

    name: str
    exact: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `words` (start, end) is where its description stands, an empty range where there is none."""

    text: str
    numbers: tuple[Number, ...]
    words: tuple[int, int]

    def values(self) -> dict[str, float]:
        """What the text says, by action."""
        return {number.name: float(self.text[number.start : number.end]) for number in self.numbers}


def within_range(name: str, value: float) -> float:
    """The value as an answer may say it: a shape from 0 to 1.2 (recordings reach 1.05), an angle within ± 3.141.

    Negative shapes are a recorder's noise about rest, and no layout has a sign for them.
    """
    if not math.isfinite(value):
        raise InputError(f"{name} is {value}, not a finite number")
    if BY_NAME[name].kind is Kind.SHAPE:
        return min(max(value, 0.0), SHAPE_RANGE[1])
    most: float = math.floor(PI * 10**MOST_DECIMALS) / 10**MOST_DECIMALS  # 3.142 would be more than half a turn
    return min(max(value, -most), most)


def spelled(value: float, decimals: int) -> str:
    """The number with so many decimals; what rounds to zero has no sign."""
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def write(coefficients: Mapping[str, float], analysis: Analysis | None, form: Form) -> Answer:
    """The answer for a face with these coefficients, described by `analysis`, which only A2 needs.

    Raises InputError for a missing coefficient, and for A2 without a description.
    """
    missing = [name for name in form.actions if name not in coefficients]
    if missing:
        raise InputError(f"no value of {', '.join(missing[:5])}", "a row has all 61 coefficients")
    exact = {name: within_range(name, coefficients[name]) for name in form.actions}
    if form.target is Target.A0:
        return _answer("[", ((name, "") for name in form.actions), "]", exact, form.decimals)
    if form.target is Target.A1:
        return _answer("{", _keys(form.actions), "}", exact, form.decimals)
    if analysis is None:
        raise InputError("a row without a description can't teach A2", "describe the dataset first, or take A0 or A1")
    return _described(analysis, exact, form)


def _described(analysis: Analysis, exact: Mapping[str, float], form: Form) -> Answer:
    keys = _keys(form.actions)
    if form.layout is Layout.BARE:
        words = markdown(analysis)
        return _answer(f"{words}\n\n{{", keys, "}", exact, form.decimals, (0, len(words)))
    if form.layout is Layout.PAPER:
        begin, words = '{"analysis": ', json.dumps(analysis.to_dict(), ensure_ascii=False)
        span = (len(begin), len(begin) + len(words))
        return _answer(f'{begin}{words}, "arkit": {{', keys, "}}", exact, form.decimals, span)
    if form.layout is Layout.PAPER_INDENTED:
        begin = '{\n  "analysis": '
        words = json.dumps(analysis.to_dict(), ensure_ascii=False, indent=2).replace("\n", "\n  ")
        span = (len(begin), len(begin) + len(words))
        head = f'{begin}{words},\n  "arkit": {{\n    '
        return _answer(head, keys, "\n  }\n}", exact, form.decimals, span, ",\n    ")
    raise OptionsError(f"A2 isn't written in the layout {form.layout.value}", "bare, paper or paper_indented")


def _keys(actions: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((name, f'"{name}": ') for name in actions)


def _answer(
    head: str,
    keys: Iterable[tuple[str, str]],
    tail: str,
    exact: Mapping[str, float],
    decimals: int,
    words: tuple[int, int] = (0, 0),
    between: str = ", ",
) -> Answer:
    """The text put together, every number's place noted."""
    pieces, numbers, length = [head], [], len(head)
    for index, (name, key) in enumerate(keys):
        before, number = (between if index else "") + key, spelled(exact[name], decimals)
        start = length + len(before)
        length = start + len(number)
        numbers.append(Number(name, exact[name], start, length))
        pieces += [before, number]
    return Answer("".join([*pieces, tail]), tuple(numbers), words)
