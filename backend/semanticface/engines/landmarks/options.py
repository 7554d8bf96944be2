"""The landmark engine's options: their names, defaults and limits. Plain JSON types in and out; light to import."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semanticface.errors import OptionsError

DEFAULTS: Mapping[str, Any] = {
    "face": "largest",
    "smoothing": True,
    "small_faces": True,
    "min_detection": 0.5,
    "min_presence": 0.5,
    "max_faces": 16,
    "calibration": "off",
}
"""`face`: "largest", a number from 0 (left to right), or [x, y, width, height] in pixels of the upright picture.
`smoothing`: steady the landmarks of a video. `small_faces`: look closer where no face was found. `min_detection`,
`min_presence`: scores from which on a detection and a mesh count as a face. `max_faces`: most faces to tell apart.
`calibration`: "off", "on" for the shipped one, or the whole path of an npz file (see `calibration`)."""


def complete(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` checked and completed with defaults. Raises OptionsError that names the wrong option."""
    unknown = sorted(set(values) - set(DEFAULTS))
    if unknown:
        known = ", ".join(DEFAULTS)
        raise OptionsError(f"the landmark engine has no option {unknown[0]!r}", f"it has: {known}")
    return {name: _CHECKS[name](name, values.get(name, default)) for name, default in DEFAULTS.items()}


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise OptionsError(f"option {name!r} is {value!r}", "give true or false")
    return value


def _share(name: str, value: Any) -> float:
    if not _number(value) or not 0 < value < 1:
        raise OptionsError(f"option {name!r} is {value!r}", "give a number between 0 and 1")
    return float(value)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 64:
        raise OptionsError(f"option {name!r} is {value!r}", "give a whole number from 1 to 64")
    return value


def _face(name: str, value: Any) -> str | int | list[float]:
    if value == "largest":
        return "largest"
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 64:
        return value
    if isinstance(value, (list, tuple)) and len(value) == 4 and all(_number(v) for v in value):
        if value[2] > 0 and value[3] > 0:
            return [float(v) for v in value]
        raise OptionsError(f"option {name!r} is a box without area: {list(value)}", "give x, y, width, height")
    hint = 'give "largest", a number from 0 (left to right), or [x, y, width, height] in pixels'
    raise OptionsError(f"option {name!r} is {value!r}", hint)


def _calibration(name: str, value: Any) -> str:
    if isinstance(value, str) and (value in {"off", "on"} or (value.endswith(".npz") and Path(value).is_absolute())):
        return value
    raise OptionsError(f"option {name!r} is {value!r}", "give off, on, or the whole path of an .npz file")


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "face": _face,
    "smoothing": _flag,
    "small_faces": _flag,
    "min_detection": _share,
    "min_presence": _share,
    "max_faces": _count,
    "calibration": _calibration,
}
