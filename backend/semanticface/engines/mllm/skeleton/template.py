"""An answer's layout in tokens: what is forced, where a digit or a sign is chosen, and which tokens begin the values.

A template is cut out of the tokens of one whole example answer, never put together from pieces: a tokenizer joins
characters over the seams. Two more examples with other digits show that the cut holds for every number. A list's
bracket is its first value's space: a minus may merge with it (`[-`), as it does with a space. This module knows the
layouts and nothing of models; a tokenizer comes in as a function.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from semanticface.actions import BY_NAME
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.errors import EngineError

Encode = Callable[[str], tuple[Sequence[int], Sequence[tuple[int, int]]]]
"""A text's token ids, without any that it doesn't spell, and each token's start and end in it, in characters."""

SIGN, INTEGER, POINT, DIGIT = 0, 1, 2, 3
"""The parts of a value, one token each: a space or a space with minus (for the first of a list its bracket), a digit,
the point, and digits from here on."""

DIGITS = 10
SHAPE_INTEGERS, SIGNED_INTEGERS = 2, 4
"""Digits allowed before the point: 0 and 1 for a blendshape (recordings reach 1.05), 0 to 3 for radians up to pi."""

CHECKED_VALUES = 4
"""So many values at the beginning, and the last one, have their choices compared with what the model would write if it
were free."""

_ANALYSIS = {"expression_category": "Neutral.", "muscle_movements": "None.", "symmetry": "Mostly symmetric."}
_MARKDOWN = "1. **Facial Expression Category**: Neutral.\n\n"


@dataclass(frozen=True, slots=True)
class Place:
    """One token of the answer. It is forced, or one of `allowed` is chosen, or any token at all (`FREE`).

    `token`: what is forced, else the neutral one. `allowed` is in the order of its meaning: plus and minus, or digits
    from 0. `value` and `part` say which value's which part; `last`: it is the value's last digit; `checked`: see
    `CHECKED_VALUES`; `judged`: after it is known whether the model writes this format.
    """

    token: int
    allowed: tuple[int, ...] = ()
    value: int = -1
    part: int = -1
    last: bool = False
    checked: bool = False
    judged: bool = False

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
    key, so that nothing but these values can follow. `opening`: the same for an answer without an analysis. Both are
    empty for a list, whose first place already is the first value's. `places`: everything behind either. `actions`: the
    values' names, in their order; `firsts`: where in `places` each value's sign stands; `mirrors`: which value is its
    other side's, -1 where that isn't written. `digits`: the tokens of the digits.
    """

    layout: Layout
    trigger: tuple[int, ...]
    opening: tuple[int, ...]
    places: tuple[Place, ...]
    actions: tuple[str, ...]
    firsts: tuple[int, ...]
    mirrors: tuple[int, ...]
    digits: tuple[int, ...]
    decimals: int

    @property
    def tokens(self) -> int:
        """Tokens of the whole object or list."""
        return len(self.opening) + len(self.places)

    @property
    def begin(self) -> Place:
        """What the prompt is to be followed by: in a list that opens with an angle its bracket, which may hold a minus,
        else any token."""
        return FREE if self.trigger or self.places[0].forced else self.places[0]

    def spell(self, index: int, value: float) -> tuple[int, ...]:
        """The tokens of a value, by part. What its place doesn't allow becomes the nearest that it does."""
        sign, integer, point = self.places[self.firsts[index] :][:DIGIT]
        negative = math.copysign(1.0, value) < 0
        if not math.isfinite(value) or (negative and not sign.allowed):
            negative, value = False, 0.0
        number = f"{min(abs(value), len(integer.allowed) - 10**-self.decimals):.{self.decimals}f}"
        first = sign.allowed[1] if negative else sign.token
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
    names = profile.actions
    signed = [name in profile.signed for name in names]
    zeros = [f"{0:.{profile.decimals}f}"] * len(names)
    shifts = range(1 if len(names) >= DIGITS else DIGITS)
    varied = [[_varied(i, minus, profile.decimals, shift) for i, minus in enumerate(signed)] for shift in shifts]
    whole = _cut(encode, layout, names, zeros)
    others = [_cut(encode, layout, names, numbers) for numbers in varied]
    alone = _cut(encode, layout, names, zeros, analysis=False)
    digits, spaces, minuses = _alphabet(layout, varied, whole, others)
    neutral = [(space, digits[0], whole.values[0][POINT], *digits[:1] * profile.decimals) for space in spaces]
    others_differ = any(cut.runs != whole.runs for cut in others)
    if others_differ or alone.runs[1:] != whole.runs[1:] or list(whole.values) != neutral:
        raise _unusable(layout, "its tokens change with the numbers")
    places: list[Place] = []
    firsts = []
    for index, expected in enumerate(neutral):
        places += [Place(token) for token in whole.runs[index]] if index else []
        firsts.append(len(places))
        signs = (spaces[index], minuses[index]) if signed[index] else ()
        places += _value_places(index, len(names) - 1, expected, signs, digits)
    places += [Place(token) for token in whole.runs[-1]]
    return Template(
        layout=layout,
        trigger=whole.trigger,
        opening=alone.runs[0],
        places=tuple(places),
        actions=names,
        firsts=tuple(firsts),
        mirrors=_mirrors(names),
        digits=digits,
        decimals=profile.decimals,
    )


def _mirrors(names: Sequence[str]) -> tuple[int, ...]:
    where = {name: index for index, name in enumerate(names)}
    return tuple(where.get(BY_NAME[name].mirror, -1) for name in names)


def _value_places(
    index: int, end: int, tokens: Sequence[int], signs: tuple[int, ...], digits: tuple[int, ...]
) -> list[Place]:
    """The places of one value; `end` is the last value's index."""
    integers = digits[: SIGNED_INTEGERS if signs else SHAPE_INTEGERS]
    checked = index < CHECKED_VALUES or index == end
    out = []
    for part, token in enumerate(tokens):
        allowed = {SIGN: signs, INTEGER: integers, POINT: ()}.get(part, digits)
        last = part == len(tokens) - 1
        judged = last and index in (CHECKED_VALUES - 1, end)
        out.append(Place(token, allowed, index, part, last=last, checked=checked, judged=judged))
    return out


def _varied(index: int, signed: bool, decimals: int, shift: int) -> str:
    """A number whose digits differ from those of its neighbours; the signed ones are negative."""
    integer = index % (SIGNED_INTEGERS if signed else SHAPE_INTEGERS)
    return f"{'-' if signed else ''}{integer}." + "".join(str((index + shift + k) % DIGITS) for k in range(decimals))


def _alphabet(
    layout: Layout, numbers: Sequence[Sequence[str]], plain: _Cut, varied: Sequence[_Cut]
) -> tuple[tuple[int, ...], list[int], list[int]]:
    """The tokens of the digits; of plus and, where a value is signed, of minus, value by value (else -1).

    `numbers` are those of the `varied` examples.
    """
    seen: dict[str, set[int]] = {}
    signs = [{" ": {tokens[SIGN]}} for tokens in plain.values]
    for texts, cut in zip(numbers, varied, strict=True):
        for text, tokens, sign in zip(texts, cut.values, signs, strict=True):
            sign.setdefault("-" if text[0] == "-" else " ", set()).add(tokens[SIGN])
            for letter, token in zip(text.removeprefix("-"), tokens[INTEGER:], strict=True):
                seen.setdefault(letter, set()).add(token)
    for sign in signs[layout is Layout.VECTOR :]:  # the first of a list has a bracket before it
        for letter, found in sign.items():
            seen.setdefault(letter, set()).update(found)
    if any(len(found) > 1 for one in (seen, *signs) for found in one.values()):
        raise _unusable(layout, "one character has several tokens")
    digits = tuple(min(seen[str(digit)]) for digit in range(DIGITS))
    return digits, [min(sign[" "]) for sign in signs], [min(sign.get("-", {-1})) for sign in signs]


def _cut(encode: Encode, layout: Layout, names: Sequence[str], numbers: Sequence[str], analysis: bool = True) -> _Cut:
    head, start, between, tail = _frame(layout, analysis)
    keys = [(head if index == 0 else between) + _key(layout, name) for index, name in enumerate(names)]
    spaced = [f"{_space(layout, index)}{number}" for index, number in enumerate(numbers)]
    texts = [piece for pair in zip(keys, spaced, strict=True) for piece in pair]
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
            raise _unusable(layout, f"{spaced[index]!r} isn't one token for the sign and one for each character")
        bounds.append((first, found[-1] + 1))
    cuts = [0, *(edge for bound in bounds for edge in bound), len(ids)]
    runs = tuple(tuple(ids[a:b]) for a, b in zip(cuts[::2], cuts[1::2], strict=True))
    trigger = tuple(ids[next(i for i, offset in enumerate(offsets) if offset[0] >= start) : bounds[0][0]])
    return _Cut(runs, tuple(tuple(ids[a:b]) for a, b in bounds), trigger)


def _key(layout: Layout, name: str) -> str:
    return "" if layout is Layout.VECTOR else f'"{name}":'


def _space(layout: Layout, index: int) -> str:
    """What stands before a value's number and may merge with its minus."""
    return "[" if layout is Layout.VECTOR and index == 0 else " "


def _frame(layout: Layout, analysis: bool) -> tuple[str, int, str, str]:
    """The text before the first key, where in it the trigger begins, what separates values, and what closes."""
    if layout is Layout.VECTOR:
        return "", 0, ",", "]"
    if layout in (Layout.BARE, Layout.VALUES):
        text = _MARKDOWN if analysis and layout is Layout.BARE else ""
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
