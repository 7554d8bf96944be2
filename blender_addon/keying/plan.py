# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take will be keyed onto and how, fixed when a job starts: later changes in the panel don't reach it.

Plain frozen data that goes through JSON, because it waits for the end of a job without holding on to anything of
Blender's: targets are named, never pointed to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from semanticface.curves.recipe import Recipe
from semanticface.errors import InputError
from semanticface.retarget.profile import Link, Profile, TargetKind

from ..demo_head import EYE_AXES, HEAD_AXES
from ..footage.timing import TimeMap

AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")
TURNS = ("Yaw", "Pitch", "Roll")


def _axis(index: int, sign: int) -> str:
    return ("" if sign > 0 else "-") + "XYZ"[index]


DEFAULT_HEAD_AXES = tuple(_axis(*HEAD_AXES[f"Head{turn}"]) for turn in TURNS)
DEFAULT_EYE_AXES = tuple(_axis(*EYE_AXES[f"LeftEye{turn}"][1:]) for turn in TURNS)
"""Axes of yaw, pitch and roll for a control that stands upright and looks along -Y, as the demo head's do."""


class KeyMode(StrEnum):
    """Where keys go."""

    NEW = "NEW"
    """A new Action that holds the new keys alone; the old one stays in the file."""
    INSERT = "INSERT"
    """Into the present Action, at exactly the chosen frames; every other key stays."""
    REPLACE = "REPLACE"
    """Into the present Action, in place of the keys of mapped channels between the first and the last chosen frame."""


@dataclass(frozen=True, slots=True)
class RotationTarget:
    """A control that turns: an object, or a bone of an armature. `actions` is "Head", "LeftEye" or "RightEye".

    `axes` names, for yaw, pitch and roll, the local axis about which a positive angle turns it.
    """

    actions: str
    object: str
    bone: str
    axes: tuple[str, str, str]

    def action_names(self) -> tuple[str, str, str]:
        yaw, pitch, roll = (f"{self.actions}{turn}" for turn in TURNS)
        return yaw, pitch, roll


@dataclass(frozen=True, slots=True)
class Plan:
    """`meshes` are the objects with shape keys, () when shapes are off; `profile` says which action moves what.

    Rotations of controls are in `rotations` alone, whatever controls the profile has. `recipe` makes curves of the raw
    values. With `push`, for a NEW Action only, the old one goes onto a muted NLA track.
    """

    meshes: tuple[str, ...]
    rotations: tuple[RotationTarget, ...]
    time: TimeMap
    profile: Profile
    recipe: Recipe
    mode: KeyMode = KeyMode.NEW
    push: bool = False

    def objects(self) -> tuple[str, ...]:
        """Names of all objects that the plan keys, each once."""
        owners = [link.owner for link in self.profile.links if link.kind is TargetKind.PROPERTY and link.owner]
        return tuple(dict.fromkeys([*self.meshes, *(target.object for target in self.rotations), *owners]))

    def renamed(self, present: Mapping[str, str]) -> Plan:
        """The plan with other names for its objects, from `present`; what isn't in there keeps its name."""
        links = tuple(replace(link, owner=present.get(link.owner, link.owner)) for link in self.profile.links)
        turned = tuple(replace(one, object=present.get(one.object, one.object)) for one in self.rotations)
        meshes = tuple(present.get(mesh, mesh) for mesh in self.meshes)
        return replace(self, meshes=meshes, rotations=turned, profile=replace(self.profile, links=links))

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads."""
        return {
            "meshes": list(self.meshes),
            "rotations": [asdict(target) | {"axes": list(target.axes)} for target in self.rotations],
            "time": self.time.to_dict(),
            "profile": lean_profile(self.profile),
            "recipe": self.recipe.to_dict(),
            "mode": self.mode.value,
            "push": self.push,
        }

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """Raises InputError when the data isn't what `to_dict` gave."""
        try:
            return cls(
                meshes=tuple(str(mesh) for mesh in data["meshes"]),
                rotations=tuple(_rotation(target) for target in data["rotations"]),
                time=TimeMap.from_dict(data["time"]),
                profile=Profile.from_dict(data["profile"]),
                recipe=Recipe.from_dict(data["recipe"]),
                mode=KeyMode(data["mode"]),
                push=bool(data["push"]),
            )
        except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
            raise InputError(f"the keying plan is damaged: {type(error).__name__}: {error}") from error

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Raises InputError when the text isn't one that `to_json` wrote."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"the keying plan is not valid JSON: {error}") from error
        return cls.from_dict(data)


_PLAIN_LINK = asdict(Link("", ""))


def lean_profile(profile: Profile) -> dict[str, Any]:
    """What `Profile.from_dict` reads, without what is at its default in a link: files keep it by the hundred."""
    return profile.to_dict() | {"links": [_lean(link) for link in profile.links]}


def _lean(link: Link) -> dict[str, Any]:
    return {name: value for name, value in asdict(link).items() if value != _PLAIN_LINK[name]}


def _rotation(data: Mapping[str, Any]) -> RotationTarget:
    yaw, pitch, roll = (str(axis) for axis in data["axes"])
    if not {yaw, pitch, roll} <= set(AXES) or data["actions"] not in {"Head", "LeftEye", "RightEye"}:
        raise ValueError("a rotation target with an unknown axis or action")
    return RotationTarget(str(data["actions"]), str(data["object"]), str(data["bone"]), (yaw, pitch, roll))
