# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a plan can't be keyed: objects that are gone, linked, of the wrong kind, or that nothing in the mapping moves.

Everything is checked before an analysis starts, so that an hour of work never ends at a linked mesh. What hinders
single channels (locks, tweak mode) is for `keying.refusals`, which is asked last. This module changes nothing in the
file.
"""

from __future__ import annotations

import bpy

from semanticface.errors import InputError
from semanticface.retarget.apply import targets_of
from semanticface.retarget.profile import TargetKind

from ..compat import is_editable
from ..keying.addresses import euler_path, find_object, property_path
from ..keying.plan import Plan, RotationTarget
from ..keying.refusals import check_channels
from .rotations import EULER_ORDERS
from .shapes import available, driven_faces


def check_plan(plan: Plan) -> None:
    """Raises InputError with the reason when any target of the plan can't be keyed.

    A mesh that nothing in the mapping moves is passed over, unless there is no other.
    """
    if not plan.objects():
        raise InputError(
            "there is nothing to key", "choose a mesh with ARKit shape keys, a head or eye control, or map properties"
        )
    moved = {owner for owner, _, _ in targets_of(plan.profile, available(plan.meshes))}
    for name in plan.meshes:
        mesh = find_object(name)
        if name in moved or moved.isdisjoint(plan.meshes):
            check_mesh(mesh)
        if moved.isdisjoint(plan.meshes):
            raise _nothing_moves(mesh)
    for target in plan.rotations:
        check_rotation(target)
    _check_properties(plan)
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


def _nothing_moves(mesh: bpy.types.Object) -> InputError:
    if driven_faces((mesh,)):
        return InputError(
            f'drivers hold every ARKit shape key of "{mesh.name}"', "key what drives them, or remove them"
        )
    return InputError(
        f'no shape key of "{mesh.name}" is matched to a facial action',
        "names such as jawOpen or Eye_Blink_L are known; link others by hand under Mapping",
    )


def _check_properties(plan: Plan) -> None:
    for link in plan.profile.links:
        if link.kind is not TargetKind.PROPERTY:
            continue
        if not link.owner:
            raise InputError(f'the link to the property "{link.target}" has no object', "choose one under Mapping")
        block = find_object(link.owner)
        drivers = block.animation_data.drivers if block.animation_data is not None else ()
        if any(driver.data_path == property_path(link.target, link.bone) for driver in drivers):
            where = f'"{link.owner}"' + (f', bone "{link.bone}"' if link.bone else "")
            raise InputError(
                f'a driver holds the property "{link.target}" of {where}', "map what drives it, or remove the driver"
            )


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
