"""What is done to raw results, as plain data: versioned JSON that every host reads and writes.

A recipe says what, never to which take: the same one may be applied to many. Its steps run in the order of the
fields of `Recipe`; a field at its default does nothing. This module knows nothing of arrays.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from semanticface.actions import BY_NAME, Kind
from semanticface.errors import InputError

FORMAT = "semanticface-recipe"
VERSION = 1
MAX_TEXT = 1 << 20
MAX_NAME = 200
"""Characters of a neutral's name."""


class GapPolicy(StrEnum):
    """What stands in frames without a result. Filled rows keep their mark."""

    LEAVE = "leave"
    """Nothing: no key there."""
    HOLD = "hold"
    """The last value before the gap; a gap at the start stays."""
    INTERPOLATE = "interpolate"
    """From the value before to the value after; gaps at start and end stay."""


class MouthRule(StrEnum):
    """How MouthClose, which closes the lips of an open jaw, goes with JawOpen."""

    KEEP = "keep"
    """As it is."""
    LIMIT = "limit"
    """At most JawOpen: lips that are closed more than the jaw is open pass through each other."""


class KeyKind(StrEnum):
    """Between keys: a straight line, or a cubic with its own slopes."""

    LINEAR = "linear"
    BEZIER = "bezier"


@dataclass(frozen=True, slots=True)
class Neutral:
    """A face at rest that is subtracted. `name` is shown to the user, `origin` says where it was taken from.

    `values` maps actions to their values at rest. Shapes go over as `(value - rest) / (1 - rest)`, never below 0, so
    that 1 stays 1; rotations as `value - rest`.
    """

    name: str
    values: Mapping[str, float]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Of one action: `gain * value + offset`, then at most `maximum`.

    Before that a value up to `dead_zone` is 0, and one above it begins there at 0.
    """

    gain: float = 1.0
    offset: float = 0.0
    dead_zone: float = 0.0
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Reduction:
    """Fewer keys: at no source frame is the curve further than `tolerance` (in the value's unit) from the values."""

    tolerance: float = 0.01
    kind: KeyKind = KeyKind.BEZIER


@dataclass(frozen=True, slots=True)
class Recipe:
    """`gaps` of up to `longest_gap` seconds are filled.

    `smoothing` in [0, 1]: 0 leaves values as they are, 0.5 suits footage, 1 is as calm as blinks allow. `step` is the
    grid on which an engine's values lie (0.1 for the released model), 0 for none, None to find it in the values.
    `weighted`: uncertain values give way to their neighbours. `neutral`: see there; None for none. `symmetry` in
    [0, 1]: 1 gives both sides their mean; what the jaw, the mouth and the gaze do to a side stays. `dead_zone` is for
    all shapes: what is below is 0, and what is above still begins at 0. `gain` is for all shapes, `head_gain` and
    `eye_gain` for rotations, `tunings` for single actions on top. `soft_clamp` in [0, 1]: shapes are kept from 0 to 1,
    and from this value on bend towards 1 instead of being cut; 1 cuts, None lets all pass. `prune` leaves out curves
    that are zero throughout (up to `reduction`'s tolerance, or 1e-4).
    """

    gaps: GapPolicy = GapPolicy.LEAVE
    longest_gap: float = 1.0
    smoothing: float = 0.0
    step: float | None = None
    weighted: bool = True
    neutral: Neutral | None = None
    symmetry: float = 0.0
    dead_zone: float = 0.0
    gain: float = 1.0
    head_gain: float = 1.0
    eye_gain: float = 1.0
    tunings: Mapping[str, Tuning] = field(default_factory=dict)
    mouth: MouthRule = MouthRule.KEEP
    soft_clamp: float | None = None
    reduction: Reduction | None = None
    prune: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "gaps": self.gaps.value,
            "longest_gap": self.longest_gap,
            "smoothing": self.smoothing,
            "step": self.step,
            "weighted": self.weighted,
            "neutral": None if self.neutral is None else plain_neutral(self.neutral),
            "symmetry": self.symmetry,
            "dead_zone": self.dead_zone,
            "gain": self.gain,
            "head_gain": self.head_gain,
            "eye_gain": self.eye_gain,
            "tunings": {name: _plain_tuning(tuning) for name, tuning in self.tunings.items()},
            "mouth": self.mouth.value,
            "soft_clamp": self.soft_clamp,
            "reduction": None if self.reduction is None else _plain_reduction(self.reduction),
            "prune": self.prune,
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1)

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """Raises InputError that names what is wrong. Absent fields take their defaults, unknown ones are an error."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise InputError("this is not a SemanticFace recipe", f'it must say "format": "{FORMAT}"')
        if data.get("version") != VERSION:
            raise InputError(
                f"the recipe has version {data.get('version')!r}, this program reads {VERSION}", "update it"
            )
        known = {"format", "version"} | set(cls.__dataclass_fields__)
        if unknown := sorted(set(map(str, data)) - known):
            raise InputError(f"the recipe has an unknown field {unknown[0][:80]!r}")
        try:
            return cls(**{name: _READERS[name](data[name]) for name in cls.__dataclass_fields__ if name in data})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the recipe is damaged: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Raises InputError that names what is wrong."""
        if len(text) > MAX_TEXT:
            raise InputError(f"a recipe of {len(text)} characters is too large", f"at most {MAX_TEXT}")
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise InputError(f"the recipe is not valid JSON: {error}") from error


STANDARD = Recipe(smoothing=0.5, reduction=Reduction())
"""What a new scene starts with."""


def plain_neutral(neutral: Neutral) -> dict[str, Any]:
    """As JSON has it."""
    return {"name": neutral.name, "values": dict(neutral.values), "origin": neutral.origin}


def _plain_tuning(tuning: Tuning) -> dict[str, Any]:
    return {
        "gain": tuning.gain,
        "offset": tuning.offset,
        "dead_zone": tuning.dead_zone,
        "maximum": tuning.maximum,
    }


def _plain_reduction(reduction: Reduction) -> dict[str, Any]:
    return {"tolerance": reduction.tolerance, "kind": reduction.kind.value}


def _number(name: str, low: float, high: float) -> Any:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"{name} is {value!r}, not a number")
        if not low <= value <= high:
            raise ValueError(f"{name} is {value:g}, outside {low:g} to {high:g}")
        return float(value)

    return read


def _or_none(read: Any) -> Any:
    return lambda value: None if value is None else read(value)


def _switch(name: str) -> Any:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, neither true nor false")
        return value

    return read


def _action(name: Any) -> str:
    if name not in BY_NAME:
        raise ValueError(f"{str(name)[:80]!r} is no facial action")
    return str(name)


def read_neutral(data: Any) -> Neutral:
    """Out of JSON. Raises KeyError, TypeError, ValueError or AttributeError where it is damaged."""
    number = _number("a neutral value", -math.pi, math.pi)
    values = {_action(name): number(value) for name, value in data["values"].items()}
    for name, value in values.items():
        if BY_NAME[name].kind is Kind.SHAPE and not -0.05 <= value < 1.0:
            raise ValueError(f"{name} is {value:g} at rest, which can't be subtracted")
    return Neutral(str(data["name"])[:MAX_NAME], values, str(data.get("origin", ""))[:1000])


def _read_tuning(data: Any) -> Tuning:
    return Tuning(
        gain=_number("gain", -100, 100)(data.get("gain", 1.0)),
        offset=_number("offset", -10, 10)(data.get("offset", 0.0)),
        dead_zone=_number("dead_zone", 0, 1)(data.get("dead_zone", 0.0)),
        maximum=_or_none(_number("maximum", -10, 10))(data.get("maximum")),
    )


def _read_reduction(data: Any) -> Reduction:
    return Reduction(_number("tolerance", 1e-5, 1.0)(data.get("tolerance", 0.01)), KeyKind(data.get("kind", "bezier")))


_READERS: Mapping[str, Any] = {
    "neutral": _or_none(read_neutral),
    "smoothing": _number("smoothing", 0, 1),
    "step": _or_none(_number("step", 0, 0.5)),
    "weighted": _switch("weighted"),
    "gaps": GapPolicy,
    "longest_gap": _number("longest_gap", 0, 3600),
    "symmetry": _number("symmetry", 0, 1),
    "gain": _number("gain", 0, 100),
    "head_gain": _number("head_gain", -100, 100),
    "eye_gain": _number("eye_gain", -100, 100),
    "dead_zone": _number("dead_zone", 0, 0.9),
    "tunings": lambda data: {_action(name): _read_tuning(tuning) for name, tuning in data.items()},
    "soft_clamp": _or_none(_number("soft_clamp", 0, 1)),
    "mouth": MouthRule,
    "reduction": _or_none(_read_reduction),
    "prune": _switch("prune"),
}
