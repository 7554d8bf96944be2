# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be keyed: which shape keys of a mesh stand for which action, and why something can't be keyed at all.

Shape keys are matched by ARKit's names, in any letter case. Everything is checked before an analysis starts, so that
an hour of work never ends at a linked mesh. This module changes nothing in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from semanticface.actions import BY_NAME, SHAPES, canonical_name
from semanticface.errors import InputError

from ..compat import is_editable
from ..keying.addresses import euler_path, find_object, shape_path
from ..keying.plan import Plan, RotationTarget
from ..keying.refusals import check_channels
from .rotations import EULER_ORDERS


@dataclass(frozen=True, slots=True)
class ShapeMatch:
    """`keys` maps an action to the shape key that shows it; `absent` actions have none; `driven` keys obey a driver."""

    keys: dict[str, str]
    absent: tuple[str, ...]
    driven: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for the panel."""
        text = f"{len(self.keys)} of {len(SHAPES)} shapes found"
        return text + (f", {len(self.driven)} driven" if self.driven else "")


def match_names(key_names: Iterable[str], driven: Sequence[str] = ()) -> ShapeMatch:
    """Match shape keys by name. ARKit's own spelling goes before another letter case of the same name."""
    found: dict[str, str] = {}
    for key in key_names:
        action = canonical_name(key)
        if action is None or action not in SHAPES or key in driven:
            continue
        if action not in found or key == BY_NAME[action].arkit_name:
            found[action] = key
    ordered = {action: found[action] for action in SHAPES if action in found}
    absent = tuple(action for action in SHAPES if action not in found)
    return ShapeMatch(ordered, absent, tuple(key for key in driven if canonical_name(key) in SHAPES))


def match_shapes(mesh: bpy.types.Object) -> ShapeMatch:
    """The match for an object; an empty one when it has no shape keys."""
    keys = getattr(mesh.data, "shape_keys", None)
    if keys is None:
        return match_names(())
    paths = {curve.data_path for curve in keys.animation_data.drivers} if keys.animation_data else set()
    names = [key.name for key in keys.key_blocks]
    driven = [name for name in names if shape_path(name) in paths]
    return match_names(names, driven)


def has_face_shapes(candidate: Any) -> bool:
    """Whether an object is a mesh with at least one shape key that has an ARKit name."""
    return candidate is not None and candidate.type == "MESH" and bool(match_shapes(candidate).keys)


def check_plan(plan: Plan) -> None:
    """Raises InputError with the reason when any target of the plan can't be keyed."""
    if not plan.objects():
        raise InputError("there is nothing to key", "choose a mesh with ARKit shape keys, or a head or eye control")
    for mesh in plan.meshes:
        check_mesh(find_object(mesh))
    for target in plan.rotations:
        check_rotation(target)
    check_channels(plan)


def check_mesh(mesh: bpy.types.Object) -> None:
    """Raises InputError when the object's shape keys can't be keyed."""
    if mesh.type != "MESH":
        raise InputError(f'"{mesh.name}" is not a mesh', "choose the mesh that has the face's shape keys")
    keys = mesh.data.shape_keys
    if keys is None:
        raise InputError(f'"{mesh.name}" has no shape keys', "choose the mesh that has the face's ARKit shape keys")
    for block in (mesh, mesh.data, keys):
        _check_local(block, mesh.name)
    if not keys.use_relative:
        raise InputError(f'the shape keys of "{mesh.name}" are absolute', "turn Relative on in their panel")
    match = match_shapes(mesh)
    if not match.keys and match.driven:
        raise InputError(f'drivers hold every ARKit shape key of "{mesh.name}"', "key what drives them, or remove them")
    if not match.keys:
        raise InputError(f'no shape key of "{mesh.name}" has an ARKit name', "such as jawOpen or eyeBlinkLeft")


def check_rotation(target: RotationTarget) -> None:
    """Raises InputError when the control can't be keyed with Euler angles about the given axes."""
    block = find_object(target.object)
    where = f'"{target.object}"' + (f', bone "{target.bone}"' if target.bone else "")
    control = rotation_control(target)
    _check_local(block, target.object)
    if control.rotation_mode not in EULER_ORDERS:
        mode = control.rotation_mode.replace("_", " ").lower()
        raise InputError(f"the rotation mode of {where} is {mode}", "set it to an Euler order, best YXZ")
    if len({axis[-1] for axis in target.axes}) != 3:
        raise InputError(f"yaw, pitch and roll of {where} need three different axes", "see Axes in the panel")


def rotation_control(target: RotationTarget) -> bpy.types.Object | bpy.types.PoseBone:
    """The object or pose bone. Raises InputError when it is gone."""
    block = find_object(target.object)
    if not target.bone:
        return block
    bone = block.pose.bones.get(target.bone) if block.pose is not None else None
    if bone is None:
        raise InputError(f'"{target.object}" has no bone "{target.bone}"', "choose the bone again")
    return bone


def rotation_path(target: RotationTarget) -> str:
    """The data path, on the object, of the control's Euler angles."""
    return euler_path(target.bone)


def _check_local(block: bpy.types.ID, name: str) -> None:
    if block.library is not None:
        raise InputError(f'"{name}" is linked from {block.library.filepath}', "make it local to key it")
    if block.override_library is not None:
        raise InputError(f'"{name}" is a library override', "make it local to key it")
    if not is_editable(block):
        raise InputError(f'"{name}" can\'t be edited here', "make it local to key it")
