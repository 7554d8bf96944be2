"""A retarget profile: which action moves which target of a rig, and how much. Versioned JSON.

An action may have many targets and a target many actions, whose shares add up. Targets are named: a shape key, morph
target or curve (SHAPE), or a custom property (PROPERTY). Rotations of head and eyes may also turn a control about its
axes (`Control`). This module knows nothing of arrays and nothing of what a rig really has.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from semanticface.actions import BY_NAME
from semanticface.errors import InputError

FORMAT = "semanticface-profile"
VERSION = 1
MAX_TEXT = 4 << 20
MAX_LINKS = 4096
MAX_NAME = 512
AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")
CONTROLLED = ("Head", "LeftEye", "RightEye")


class TargetKind(StrEnum):
    SHAPE = "shape"
    PROPERTY = "property"


@dataclass(frozen=True, slots=True)
class Link:
    """`gain * action + offset`, cut to [minimum, maximum] where given, goes to `target`.

    `owner` names the object that has the target; "" means every chosen mesh that has such a shape. `bone` is the
    pose bone of `owner` whose custom property `target` is ("" for one of the object itself).
    """

    action: str
    target: str
    kind: TargetKind = TargetKind.SHAPE
    owner: str = ""
    bone: str = ""
    gain: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """An object, or a bone of an armature, that turns. `actions` is "Head", "LeftEye" or "RightEye".

    `axes` names, for yaw, pitch and roll, the local axis about which a positive angle turns it.
    """

    actions: str
    owner: str
    bone: str
    axes: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """`name` is shown to the user; `links` in the order in which they are edited."""

    name: str
    links: tuple[Link, ...] = ()
    controls: tuple[Control, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        links = [asdict(link) | {"kind": link.kind.value} for link in self.links]
        controls = [asdict(control) | {"axes": list(control.axes)} for control in self.controls]
        return {"format": FORMAT, "version": VERSION, "name": self.name, "links": links, "controls": controls}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1)

    @classmethod
    def from_dict(cls, data: Any) -> Profile:
        """Raises InputError that names what is wrong."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise InputError("this is not a SemanticFace retarget profile", f'it must say "format": "{FORMAT}"')
        if data.get("version") != VERSION:
            raise InputError(
                f"the profile has version {data.get('version')!r}, this program reads {VERSION}", "update it"
            )
        try:
            links, controls = data.get("links", []), data.get("controls", [])
            if not isinstance(links, list) or not isinstance(controls, list):
                raise ValueError("links and controls must be lists")
            if len(links) > MAX_LINKS or len(controls) > len(CONTROLLED) * 8:
                raise ValueError(f"more than {MAX_LINKS} links")
            return cls(
                name=_text(data.get("name", "")),
                links=tuple(_link(index, link) for index, link in enumerate(links)),
                controls=tuple(_control(control) for control in controls),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the profile is damaged: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """Raises InputError that names what is wrong."""
        if len(text) > MAX_TEXT:
            raise InputError(f"a profile of {len(text)} characters is too large", f"at most {MAX_TEXT}")
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise InputError(f"the profile is not valid JSON: {error}") from error


def _link(index: int, data: Mapping[str, Any]) -> Link:
    action = data["action"]
    if action not in BY_NAME:
        raise ValueError(f"link {index}: {str(action)[:80]!r} is no facial action")
    target = _text(data["target"])
    if not target:
        raise ValueError(f"link {index} of {action} has no target")
    low, high = (_limit(data.get(name)) for name in ("minimum", "maximum"))
    if low is not None and high is not None and low > high:
        raise ValueError(f"link {index} of {action}: its minimum is above its maximum")
    return Link(
        action=str(action),
        target=target,
        kind=TargetKind(data.get("kind", "shape")),
        owner=_text(data.get("owner", "")),
        bone=_text(data.get("bone", "")),
        gain=_number(data.get("gain", 1.0)),
        offset=_number(data.get("offset", 0.0)),
        minimum=low,
        maximum=high,
    )


def _control(data: Mapping[str, Any]) -> Control:
    yaw, pitch, roll = (str(axis) for axis in data["axes"])
    if data["actions"] not in CONTROLLED:
        raise ValueError(f"{str(data['actions'])[:80]!r} is none of {', '.join(CONTROLLED)}")
    if not {yaw, pitch, roll} <= set(AXES) or len({axis[-1] for axis in (yaw, pitch, roll)}) != 3:
        raise ValueError(f"the control of {data['actions']} needs three different axes out of {', '.join(AXES)}")
    return Control(str(data["actions"]), _text(data.get("owner", "")), _text(data.get("bone", "")), (yaw, pitch, roll))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise ValueError(f"{str(value)[:80]!r} is not a name of at most {MAX_NAME} characters")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _limit(value: Any) -> float | None:
    return None if value is None else _number(value)
