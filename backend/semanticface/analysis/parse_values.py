"""The 61 values out of the JSON objects of an answer: by name, as they stand there, or an error that names the key.

Nothing is filled in, clamped or rounded. This module knows the actions and nothing of prose.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from semanticface.actions import BY_NAME, CSV_ORDER, PI, Kind, canonical_name
from semanticface.analysis.parse_json import MAX_NUMBER, NUMBER, Members, Value, listed
from semanticface.errors import UnparseableAnswer

SHAPE_RANGE = (-0.001, 1.2)
"""Plausible for a blendshape: recordings reach 1.05, and three decimals may round a zero to -0.001."""
ROTATION_RANGE = (-PI, PI)

HINT = "no value is filled in; the raw answer shows what the model wrote"


@dataclass(frozen=True, slots=True)
class Values:
    """The coefficients of one object, all or some, in its order, and what was repaired."""

    coefficients: Mapping[str, float]
    repairs: tuple[str, ...]

    def missing(self, actions: Iterable[str]) -> tuple[str, ...]:
        """Those of `actions` that have no value."""
        return tuple(name for name in actions if name not in self.coefficients)


def read_values(members: Members, ignore: Iterable[str] = ()) -> Values:
    """The actions among the members, under their canonical names. Keys in `ignore` (lower case) aren't mentioned.

    Raises UnparseableAnswer for a value that is no number or implausible, and for one name with two values.
    """
    out: dict[str, float] = {}
    repairs: dict[str, None] = {}
    skipped = set(ignore)
    unknown: list[str] = []
    for key, value in members.pairs:
        name = canonical_name(key)
        if name is None:
            if key.lower() not in skipped:
                unknown.append(key)
            continue
        if name != key:
            repairs["corrected the letter case of keys"] = None
        if isinstance(value, str):
            repairs["read numbers given as texts"] = None
        number = _number(name, value)
        if name not in out:
            out[name] = number
        elif same(out[name], number):
            repairs[f"{name} is given twice, with the same value"] = None
        else:
            raise UnparseableAnswer(f"{name} is given twice, as {out[name]} and as {number}", HINT)
    if out and unknown:
        repairs[f"ignored keys that are no action: {listed(unknown)}"] = None
    if len(out) == len(CSV_ORDER) and tuple(out) != CSV_ORDER:
        repairs["put keys back in order"] = None
    return Values(out, tuple(repairs))


def choose(answers: list[Values], actions: Sequence[str]) -> int:
    """Which object holds a value of each action. Raises UnparseableAnswer if none does, or if two disagree on one."""
    whole = next((i for i, values in enumerate(answers) if not values.missing(actions)), None)
    if whole is None:
        best = max(answers, key=lambda values: len(values.coefficients))
        missing = best.missing(actions)
        found = len(actions) - len(missing)
        raise UnparseableAnswer(f"{found} of {len(actions)} values; missing are {listed(missing)}", HINT)
    for values in answers:
        for name, value in values.coefficients.items():
            chosen = answers[whole].coefficients[name]
            if not same(chosen, value):
                raise UnparseableAnswer(f"two JSON objects disagree: {name} is {chosen} and {value}", HINT)
    return whole


def same(one: float, other: float) -> bool:
    """Equal, sign of zero included: a model that writes -0.0 says something by it."""
    return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)


def _number(name: str, value: Value) -> float:
    if isinstance(value, str) and len(value) <= MAX_NUMBER and NUMBER.fullmatch(value):
        value = float(value)
    if not isinstance(value, float):
        raise UnparseableAnswer(f"{name} is {_shown(value)}, not a number", HINT)
    return checked_value(name, value)


def checked_value(name: str, value: float) -> float:
    """The value of an action as it is. Raises UnparseableAnswer when it is implausible."""
    low, high = SHAPE_RANGE if BY_NAME[name].kind is Kind.SHAPE else ROTATION_RANGE
    if not low <= value <= high:
        raise UnparseableAnswer(f"{name} is {value:g}, outside the plausible {low:g} to {high:g}", HINT)
    return value


def _shown(value: Value) -> str:
    if isinstance(value, Members):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {value[:24]!r}"
    return "null" if value is None else str(value).lower()
