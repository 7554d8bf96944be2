# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take will be keyed onto and how, fixed when a job starts: later changes in the panel don't reach it.

Plain frozen data that goes through JSON, because it waits for the end of a job without holding on to anything of
Blender's: targets are named, never pointed to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from semanticface.errors import InputError

from ..demo_head import EYE_AXES, HEAD_AXES
from ..footage.timing import TimeMap
from .fcurves import Interpolation

AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")
TURNS = ("Yaw", "Pitch", "Roll")


def _axis(index: int, sign: int) -> str:
    return ("" if sign > 0 else "-") + "XYZ"[index]


DEFAULT_HEAD_AXES = tuple(_axis(*HEAD_AXES[f"Head{turn}"]) for turn in TURNS)
DEFAULT_EYE_AXES = tuple(_axis(*EYE_AXES[f"LeftEye{turn}"][1:]) for turn in TURNS)
"""Axes of yaw, pitch and roll for a control that stands upright and looks along -Y, as the demo head's do."""


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
    """`mesh` is the object with the shape keys, "" when shapes are off. `keep`: see `keying.write_take`."""

    mesh: str
    rotations: tuple[RotationTarget, ...]
    time: TimeMap
    interpolation: Interpolation = Interpolation.LINEAR
    keep: bool = True

    def objects(self) -> tuple[str, ...]:
        """Names of all objects that the plan keys, each once."""
        names = ([self.mesh] if self.mesh else []) + [target.object for target in self.rotations]
        return tuple(dict.fromkeys(names))

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"time": self.time.to_dict(), "interpolation": self.interpolation.name})

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Raises InputError when the text isn't one that `to_json` wrote."""
        try:
            data = json.loads(text)
            return cls(
                mesh=str(data["mesh"]),
                rotations=tuple(_rotation(target) for target in data["rotations"]),
                time=TimeMap.from_dict(data["time"]),
                interpolation=Interpolation[data["interpolation"]],
                keep=bool(data["keep"]),
            )
        except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
            raise InputError(f"the keying plan is damaged: {type(error).__name__}: {error}") from error


def _rotation(data: Mapping[str, Any]) -> RotationTarget:
    yaw, pitch, roll = (str(axis) for axis in data["axes"])
    if not {yaw, pitch, roll} <= set(AXES) or data["actions"] not in {"Head", "LeftEye", "RightEye"}:
        raise ValueError("a rotation target with an unknown axis or action")
    return RotationTarget(str(data["actions"]), str(data["object"]), str(data["bone"]), (yaw, pitch, roll))
