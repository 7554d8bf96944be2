"""An answer's layout in tokens: what is forced, where a digit or a sign is chosen, and which tokens begin the values.

A template is cut out of the tokens of one whole example answer, never put together from pieces: a tokenizer joins
characters over the seams. Two more examples with other digits show that the cut holds for every number. This module
knows the layouts and nothing of models; a tokenizer comes in as a function.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.errors import EngineError

Encode = Callable[[str], tuple[Sequence[int], Sequence[tuple[int, int]]]]
"""A text's token ids, without any that it doesn't spell, and each token's start and end in it, in characters."""

SIGN, INTEGER, POINT, DIGIT = 0, 1, 2, 3
"""The parts of a value, one token each: a space or a space with minus, a digit, the point, and digits from here on."""

SHAPE_INTEGERS, SIGNED_INTEGERS = 2, 4
"""Digits allowed before the point: 0 and 1 for a blendshape (recordings reach 1.05), 0 to 3 for radians up to pi."""

CHECKED_VALUES = (0, 1, 2, 3, len(CSV_ORDER) - 1)
"""The values whose choices are compared with what the model would write if it were free."""

_ANALYSIS = {"expression_category": "Neutral.", "muscle_movements": "None.", "symmetry": "Mostly symmetric."}
_MARKDOWN = "1. **Facial Expression Category**: Neutral.\n\n"


@dataclass(frozen=True, slots=True)
class Place:
    """One token of the answer. It is forced, or one of `allowed` is chosen, or any token at all (`FREE`).

    `token`: what is forced, else the neutral one. `allowed` is in the order of its meaning: plus and minus, or digits
    from 0. `value` and `part` say which value's which part; `last`: it is the value's last digit; `checked`: see
    `CHECKED_VALUES`.
    """

    token: int
    allowed: tuple[int, ...] = ()
    value: int = -1
    part: int = -1
    last: bool = False
    checked: bool = False

    @property
    def free(self) -> bool:
        return self.token < 0

    @property
    def forced(self) -> bool:
        return self.token >= 0 and not self.allowed


FREE = Place(-1)


@dataclass(frozen=True, slots=True)
class Template:
    """One layout's tokens.

    `trigger`: the tokens that end the free text: the object's beginning, up to and with the colon behind the first
    key, so that nothing but these values can follow. `opening`: the same for an answer without an analysis. `places`:
    everything behind either. `firsts`: where in `places` each value's sign stands, in `CSV_ORDER`. `space`, `minus`
    and `digits` are the tokens that values are made of; `minus` is -1 where no value is signed.
    """

    layout: Layout
    trigger: tuple[int, ...]
    opening: tuple[int, ...]
    places: tuple[Place, ...]
    firsts: tuple[int, ...]
    space: int
    minus: int
    digits: tuple[int, ...]
    decimals: int

    @property
    def tokens(self) -> int:
        """Tokens of the whole object, first key included."""
        return len(self.opening) + len(self.places)

    def spell(self, index: int, value: float) -> tuple[int, ...]:
        """The tokens of a value, by part. What its place doesn't allow becomes the nearest that it does."""
        sign, integer, point = self.places[self.firsts[index] :][:DIGIT]
        negative = math.copysign(1.0, value) < 0
        if not math.isfinite(value) or (negative and not sign.allowed):
            negative, value = False, 0.0
        number = f"{min(abs(value), len(integer.allowed) - 10**-self.decimals):.{self.decimals}f}"
        first = self.minus if negative else self.space
        return (first, *(point.token if letter == "." else self.digits[int(letter)] for letter in number))


def build_templates(encode: Encode, profile: Profile) -> tuple[Template, ...]:
    """The templates of the profile's layouts, in its order.

    Raises EngineError when the tokenizer doesn't write every number as one token for the sign and one for each
    character behind it.
    """
    return tuple(_template(encode, layout, profile) for layout in profile.layouts)


@dataclass(frozen=True, slots=True)
class _Cut:
    """One example's tokens: forced runs before each value (the last behind them all) and each value's tokens."""

    runs: tuple[tuple[int, ...], ...]
    values: tuple[tuple[int, ...], ...]
    trigger: tuple[int, ...]


def _template(encode: Encode, layout: Layout, profile: Profile) -> Template:
    signed = [name in profile.signed for name in CSV_ORDER]
    zeros = [f"{0:.{profile.decimals}f}"] * len(CSV_ORDER)
    varied = [_varied(index, minus, profile.decimals) for index, minus in enumerate(signed)]
    whole = _cut(encode, layout, zeros)
    other = _cut(encode, layout, varied)
    alone = _cut(encode, layout, zeros, analysis=False)
    digits, space, minus = _alphabet(layout, varied, other, whole.values[0][SIGN])
    expected = (space, digits[0], whole.values[0][POINT], *digits[:1] * profile.decimals)
    if other.runs != whole.runs or alone.runs[1:] != whole.runs[1:] or set(whole.values) != {expected}:
        raise _unusable(layout, "its tokens change with the numbers")
    places: list[Place] = []
    firsts = []
    for index, minus_allowed in enumerate(signed):
        places += [Place(token) for token in whole.runs[index]] if index else []
        firsts.append(len(places))
        signs = (space, minus) if minus_allowed else ()
        places += _value_places(index, expected, signs, digits)
    places += [Place(token) for token in whole.runs[-1]]
    return Template(
        layout=layout,
        trigger=whole.trigger,
        opening=alone.runs[0],
        places=tuple(places),
        firsts=tuple(firsts),
        space=space,
        minus=minus,
        digits=digits,
        decimals=profile.decimals,
    )


def _value_places(index: int, tokens: Sequence[int], signs: tuple[int, ...], digits: tuple[int, ...]) -> list[Place]:
    integers = digits[: SIGNED_INTEGERS if signs else SHAPE_INTEGERS]
    checked = index in CHECKED_VALUES
    out = []
    for part, token in enumerate(tokens):
        allowed = {SIGN: signs, INTEGER: integers, POINT: ()}.get(part, digits)
        out.append(Place(token, allowed, index, part, last=part == len(tokens) - 1, checked=checked))
    return out


def _varied(index: int, signed: bool, decimals: int) -> str:
    """A number whose digits differ from those of its neighbours; the signed ones are negative."""
    integer = index % (SIGNED_INTEGERS if signed else SHAPE_INTEGERS)
    return f"{'-' if signed else ''}{integer}." + "".join(str((index + k) % 10) for k in range(decimals))


def _alphabet(layout: Layout, texts: Sequence[str], cut: _Cut, space: int) -> tuple[tuple[int, ...], int, int]:
    """The tokens of the digits, of plus and of minus, as they stand in the varied example."""
    seen: dict[str, set[int]] = {}
    for text, tokens in zip(texts, cut.values, strict=True):
        letters = ["-" if text[0] == "-" else " ", *text.removeprefix("-")]
        for letter, token in zip(letters, tokens, strict=True):
            seen.setdefault(letter, set()).add(token)
    if any(len(tokens) > 1 for tokens in seen.values()) or seen.get(" ", {space}) != {space}:
        raise _unusable(layout, "one character has several tokens")
    minus = seen.get("-", {-1})
    return tuple(min(seen[str(digit)]) for digit in range(10)), space, min(minus)


def _cut(encode: Encode, layout: Layout, numbers: Sequence[str], analysis: bool = True) -> _Cut:
    head, start, between, tail = _frame(layout, analysis)
    texts = [piece for name, number in zip(CSV_ORDER, numbers, strict=True) for piece in (f'"{name}":', f" {number}")]
    texts = [(head if index == 0 else between if index % 2 == 0 else "") + text for index, text in enumerate(texts)]
    edges = [0, *accumulate(map(len, texts))]
    ids, offsets = encode("".join(texts) + tail)
    starts = {offset[0]: index for index, offset in enumerate(offsets)}
    bounds = []
    for index, number in enumerate(numbers):
        begin, end = edges[2 * index + 1], edges[2 * index + 2]
        sign = 2 if number[0] == "-" else 1
        letters = [begin, *range(begin + sign, end)]
        found = [starts.get(letter, -1) for letter in letters]
        first = found[0]
        if first < 0 or found != list(range(first, first + len(letters))) or offsets[found[-1]][1] != end:
            raise _unusable(layout, f"{number!r} isn't one token for the sign and one for each character")
        bounds.append((first, found[-1] + 1))
    cuts = [0, *(edge for bound in bounds for edge in bound), len(ids)]
    runs = tuple(tuple(ids[a:b]) for a, b in zip(cuts[::2], cuts[1::2], strict=True))
    trigger = tuple(ids[next(i for i, offset in enumerate(offsets) if offset[0] >= start) : bounds[0][0]])
    return _Cut(runs, tuple(tuple(ids[a:b]) for a, b in bounds), trigger)


def _frame(layout: Layout, analysis: bool) -> tuple[str, int, str, str]:
    """The text before the first key, where in it the trigger begins, what separates values, and what closes."""
    if layout is Layout.BARE:
        text = _MARKDOWN if analysis else ""
        return text + "{", len(text), ", ", "}"
    if layout is Layout.PAPER:
        text = f'{{"analysis": {json.dumps(_ANALYSIS)}, "' if analysis else '{"'
        return text + 'arkit": {', len(text), ", ", "}}"
    text = json.dumps({"analysis": _ANALYSIS}, indent=2).removesuffix("\n}") + ',\n  "' if analysis else '{\n  "'
    return text + 'arkit": {\n    ', len(text), ",\n    ", "\n  }\n}"


def _unusable(layout: Layout, why: str) -> EngineError:
    return EngineError(
        f"this tokenizer can't be used for the layout {layout.value!r}: {why}",
        "use the tokenizer that belongs to the checkpoint's base model",
    )
