"""The remote engine's options: their names, defaults and limits. Plain JSON types in and out; light to import."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from semanticface.engines.landmarks.options import complete as complete_landmarks
from semanticface.engines.mllm.profile import Profile, ValueChoice
from semanticface.errors import OptionsError

MODES = ("full", "coefficients")
DRAFTS = ("none", "previous")
PROFILE = "profile"
"""Says of an option that the profile decides."""

DEFAULTS: Mapping[str, Any] = {
    "mode": "full",
    "value": PROFILE,
    "dead_zone": PROFILE,
    "estimates": True,
    "draft": "none",
    "face_crop": PROFILE,
    "require_face": False,
    "face": "largest",
    "image_tokens": None,
}
"""`mode`: "coefficients" leaves the analysis out. `value`: which reading of the digits becomes the coefficient: argmax,
expectation, median, or the profile's. `dead_zone`: such a coefficient is 0 when the probability of zero is above this.
`estimates`: ask for the digits' probabilities. `draft`: "previous" proposes the
last answer to servers that know predicted outputs. `face_crop`: null for the whole picture, the margin around the face
as a part of its size, or the profile's. `require_face`: look for a face first, and don't ask about a picture without
one. `face`: which face, as the landmark engine's option says. `image_tokens`: most tokens of a picture, null for the
profile's."""


def complete(values: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """`values` checked and completed, with everything that the profile decides written out. Raises OptionsError."""
    unknown = sorted(set(values) - set(DEFAULTS))
    if unknown:
        raise OptionsError(f"the remote engine has no option {unknown[0]!r}", f"it has: {', '.join(DEFAULTS)}")
    out = {name: _CHECKS[name](name, values.get(name, default)) for name, default in DEFAULTS.items()}
    if out["value"] == PROFILE:
        out["value"] = profile.value.value
    if out["dead_zone"] == PROFILE:
        out["dead_zone"] = profile.dead_zone
    if out["face_crop"] == PROFILE:
        out["face_crop"] = profile.face_crop
    least, most = profile.image_tokens
    if out["image_tokens"] is None:
        out["image_tokens"] = most
    if out["image_tokens"] < least:
        raise OptionsError(f"option 'image_tokens' is {out['image_tokens']}", f"the profile needs at least {least}")
    return out


def _one_of(*choices: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise OptionsError(f"option {name!r} is {value!r}", f"give one of {', '.join(choices)}")
        return str(value)

    return check


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise OptionsError(f"option {name!r} is {value!r}", "give true or false")
    return value


def _number(high: int, also: str) -> Callable[[str, Any], Any]:
    """A number from 0, "profile", or None where `also` names null."""

    def check(name: str, value: Any) -> Any:
        if value == PROFILE or (value is None and "null" in also):
            return value
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not 0 <= value <= high:
            raise OptionsError(f"option {name!r} is {value!r}", f"give a number from 0 to {high}, or {also}")
        return float(value)

    return check


def _face(name: str, value: Any) -> Any:
    return complete_landmarks({name: value})[name]


def _tokens(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 16_384:
        raise OptionsError(f"option {name!r} is {value!r}", "give a whole number from 1 to 16384, or null")
    return value


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "mode": _one_of(*MODES),
    "value": _one_of(PROFILE, *ValueChoice),
    "dead_zone": _number(1, PROFILE),
    "estimates": _flag,
    "draft": _one_of(*DRAFTS),
    "face_crop": _number(4, f"null, or {PROFILE}"),
    "require_face": _flag,
    "face": _face,
    "image_tokens": _tokens,
}
