"""The SemanticFace engine's options: their names, defaults and limits. Plain JSON types in and out; light to import."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from semanticface.engines.landmarks.options import complete as complete_landmarks
from semanticface.engines.mllm.profile import Profile, ValueChoice
from semanticface.errors import OptionsError

MODES = ("full", "coefficients")
DRAFTS = ("auto", "previous", "landmarks", "none")
PROFILE = "profile"
"""Says of an option that the profile decides."""
MOST_AT_ONCE, MOST_IMAGE_TOKENS = 64, 16_384

ASKED: Mapping[str, Any] = {
    "mode": "full",
    "value": PROFILE,
    "dead_zone": PROFILE,
    "face_crop": PROFILE,
    "require_face": False,
    "face": "largest",
    "image_tokens": None,
}
"""The defaults of what can be asked of any engine with a profile, here or on a server.

`mode`: "coefficients" leaves the analysis out. `value`: which reading of the digits becomes the coefficient: argmax,
expectation, median, or the profile's. `dead_zone`: a coefficient is 0 when the probability of zero is above this.
`face_crop`: null for the whole picture, the margin around the face as a part of its size, or the profile's.
`require_face`: look for a face first, and don't ask about a picture without one. `face`: which face, as the landmark
engine's option says. `image_tokens`: most tokens of a picture, null for the profile's."""

DEFAULTS: Mapping[str, Any] = {**ASKED, "draft": "auto", "batch": 0}
"""`ASKED`, and `draft`: what an answer is guessed from before it is verified; speed alone depends on it. `batch`: most
pictures at once, 0 for all that fit."""

_WITHOUT_EFFECT = ("draft", "batch")
"""Options that never change an answer."""

Check = Callable[[str, Any], Any]
"""Gets an option's name and value; returns the value as it is kept, or raises OptionsError."""


def complete(values: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """`values` checked and completed, with everything that the profile decides written out. Raises OptionsError."""
    checks = {**ASKED_CHECKS, "draft": one_of(*DRAFTS), "batch": _whole(1, MOST_AT_ONCE, 0)}
    return complete_with("the SemanticFace engine", values, DEFAULTS, checks, profile)


def complete_with(
    engine: str, values: Mapping[str, Any], defaults: Mapping[str, Any], checks: Mapping[str, Check], profile: Profile
) -> dict[str, Any]:
    """`complete` for an engine whose options are `ASKED` and some of its own."""
    unknown = sorted(set(values) - set(defaults))
    if unknown:
        raise OptionsError(f"{engine} has no option {unknown[0]!r}", f"it has: {', '.join(defaults)}")
    out = {name: checks[name](name, values.get(name, default)) for name, default in defaults.items()}
    least, most = profile.image_tokens
    decided = {"value": profile.value.value, "dead_zone": profile.dead_zone, "face_crop": profile.face_crop}
    out |= {name: value for name, value in decided.items() if out[name] == PROFILE}
    out["image_tokens"] = out["image_tokens"] or most
    if out["image_tokens"] < least:
        raise OptionsError(f"option 'image_tokens' is {out['image_tokens']}", f"the profile needs at least {least}")
    return out


def decisive(options: Mapping[str, Any], levelled: bool = False) -> dict[str, Any]:
    """Of completed options those on which results depend; `levelled`: the profile lets the face be found anyway."""
    looks = levelled or options["require_face"] or options["face_crop"] is not None
    ignored = {*_WITHOUT_EFFECT, *(() if looks else ("face",))}
    ignored |= {"dead_zone"} if options["value"] == ValueChoice.ARGMAX else set()
    return {name: value for name, value in options.items() if name not in ignored}


def one_of(*choices: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise OptionsError(f"option {name!r} is {value!r}", f"give one of {', '.join(choices)}")
        return str(value)

    return check


def _number(low: float, high: float, also: str) -> Callable[[str, Any], Any]:
    """A number within limits, "profile", or None where `also` names null."""

    def check(name: str, value: Any) -> Any:
        if value == PROFILE or (value is None and "null" in also):
            return value
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not low <= value <= high:
            raise OptionsError(f"option {name!r} is {value!r}", f"give a number from {low} to {high}, or {also}")
        return float(value)

    return check


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise OptionsError(f"option {name!r} is {value!r}", "give true or false")
    return value


def _face(name: str, value: Any) -> Any:
    return complete_landmarks({name: value})[name]


def _whole(low: int, high: int, absent: int | None) -> Callable[[str, Any], int | None]:
    """A whole number within limits, or `absent`, which leaves it to the engine."""
    word = "null" if absent is None else str(absent)

    def check(name: str, value: Any) -> int | None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not whole:
            raise OptionsError(f"option {name!r} is {value!r}", f"give a whole number from {low} to {high}, or {word}")
        if value == absent:
            return absent
        if value is None or not low <= value <= high:
            raise OptionsError(f"option {name!r} is {value!r}", f"give a whole number from {low} to {high}, or {word}")
        return int(value)

    return check


ASKED_CHECKS: Mapping[str, Check] = {
    "mode": one_of(*MODES),
    "value": one_of(PROFILE, *ValueChoice),
    "dead_zone": _number(0, 1, PROFILE),
    "face_crop": _number(0, 4, f"null, or {PROFILE}"),
    "require_face": flag,
    "face": _face,
    "image_tokens": _whole(1, MOST_IMAGE_TOKENS, None),
}
