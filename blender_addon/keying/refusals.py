# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a plan's channels can't be keyed: linked Actions, tweak mode, locks. And what would hide the keys once made.

Everything is looked at before any work begins. What can be said of the objects themselves, such as that they are
linked, is for `target.targets`. This module changes nothing in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from semanticface.errors import InputError
from semanticface.retarget.profile import TargetKind

from .. import names
from ..compat import is_editable
from .actions import animation_of, curves_of
from .addresses import euler_path, find_object, property_path, shape_path
from .plan import KeyMode, Plan

Place = tuple[bpy.types.ID, str, str, int, str]
"""Data-block, what the user calls it, data path, index, what the user calls the channel."""


def check_channels(plan: Plan) -> None:
    """Raises InputError that names object and channel when one of the plan's can't be keyed, and says what to do.

    The plan's objects must be there and be of the kind that the plan takes them for.
    """
    for target in plan.rotations:
        block = find_object(target.object)
        control = block.pose.bones[target.bone] if target.bone else block
        _check_rotation_lock(control, target.object, target.bone)
    for link in plan.profile.links:
        if link.kind is TargetKind.PROPERTY:
            if not link.owner:
                raise InputError(f'the mapping names no object for the property "{link.target}"', "choose its object")
            _check_property(find_object(link.owner), link.bone, link.target)
    seen: dict[int, dict[tuple[str, int], bpy.types.FCurve]] = {}
    for block, called, path, index, channel in _places(plan):
        key = block.as_pointer()
        if key not in seen:
            _check_animation(block, called, plan.mode)
            seen[key] = {(curve.data_path, curve.array_index): curve for curve in curves_of(block)}
        if plan.mode is not KeyMode.NEW:
            _check_curve(seen[key].get((path, index)), called, channel)


def notes_on(plan: Plan) -> tuple[str, ...]:
    """What hides or changes the plan's keys though they can be made, as lines for the user."""
    blocks = {block.as_pointer(): (block, called) for block, called, *_ in _places(plan)}
    lines: list[str] = []
    for block, called in blocks.values():
        if block.animation_data is not None:
            lines += _notes(block.animation_data, called)
    return tuple(dict.fromkeys(lines))


def _places(plan: Plan) -> Iterator[Place]:
    for name in plan.meshes:
        keys = getattr(find_object(name).data, "shape_keys", None)
        for link in plan.profile.links if keys is not None else ():
            if link.kind is TargetKind.SHAPE and link.owner in ("", name) and link.target in keys.key_blocks:
                yield keys, name, shape_path(link.target), 0, f'the shape key "{link.target}"'
    for target in plan.rotations:
        for index in range(3):
            yield find_object(target.object), target.object, euler_path(target.bone), index, _rotation(target.bone)
    for link in plan.profile.links:
        if link.kind is TargetKind.PROPERTY:
            path = property_path(link.target, link.bone)
            yield find_object(link.owner), link.owner, path, 0, f'the property "{link.target}"'


def _rotation(bone: str) -> str:
    return f'the rotation of the bone "{bone}"' if bone else "the rotation"


def _check_rotation_lock(control: Any, called: str, bone: str) -> None:
    if any(control.lock_rotation):
        axes = ", ".join(axis for axis, locked in zip("XYZ", control.lock_rotation, strict=True) if locked)
        raise InputError(
            f'{_rotation(bone)} of "{called}" is locked on {axes}',
            "open the locks beside Rotation in the Item tab, or choose another control",
        )


def _check_property(block: bpy.types.Object, bone: str, name: str) -> None:
    if block.library is not None or block.override_library is not None or not is_editable(block):
        raise InputError(f'"{block.name}" is linked or a library override', "make it local to key its properties")
    where = f'"{block.name}"' + (f', bone "{bone}"' if bone else "")
    bones = block.pose.bones if block.pose is not None else {}
    if bone and bone not in bones:
        raise InputError(f'"{block.name}" has no bone "{bone}"', "choose another one in the mapping")
    value = (bones[bone] if bone else block).get(name)
    if value is None:
        raise InputError(f'{where} has no custom property "{name}"', "choose another one in the mapping")
    if not isinstance(value, (int, float)):
        raise InputError(f'the property "{name}" of {where} is not a number', "choose another one in the mapping")


def _check_animation(block: bpy.types.ID, called: str, mode: KeyMode) -> None:
    data = block.animation_data
    if data is None:
        return
    if data.use_tweak_mode:
        raise InputError(f'an NLA strip of "{called}" is being tweaked', "leave tweak mode (Tab in the NLA editor)")
    action = animation_of(block)
    if mode is KeyMode.NEW or action is None:
        return
    if action.get(names.PREVIEW_PROPERTY) is not None:
        raise InputError(
            f'"{called}" shows the preview of a recipe, not its own Action', "apply or discard the preview first"
        )
    if action.library is not None:
        raise InputError(
            f'the Action "{action.name}" of "{called}" is linked from {action.library.filepath}',
            "make it local, or key onto a new Action",
        )
    if action.override_library is not None or not is_editable(action):
        raise InputError(
            f'the Action "{action.name}" of "{called}" can\'t be edited here', "make it local, or key onto a new Action"
        )


def _check_curve(curve: bpy.types.FCurve | None, called: str, channel: str) -> None:
    if curve is None:
        return
    if len(curve.sampled_points):
        raise InputError(
            f'the curve of {channel} on "{called}" is baked to samples',
            "turn it into keys (Key > Samples to Keys in the Graph Editor), or key onto a new Action",
        )
    if curve.lock:
        raise InputError(
            f'the curve of {channel} on "{called}" is locked',
            "open its lock in the list of channels, or key onto a new Action",
        )
    if curve.group is not None and curve.group.lock:
        raise InputError(
            f'the group "{curve.group.name}", in which {channel} on "{called}" is, is locked',
            "open its lock in the list of channels, or key onto a new Action",
        )


def _notes(data: bpy.types.AnimData, called: str) -> list[str]:
    tracks = [track for track in data.nla_tracks if track.strips and not track.mute]
    lines = []
    if any(track.is_solo for track in data.nla_tracks):
        lines.append(f'A solo NLA track of "{called}" hides its Action: turn Solo off to see the keys')
    elif tracks and data.action is None:
        named = ", ".join(f'"{track.name}"' for track in tracks)
        lines.append(f'"{called}" was animated by NLA tracks alone ({named}): the keys go over them')
    if data.action_influence < 1.0 or data.action_blend_type != "REPLACE":
        kind = data.action_blend_type.replace("_", " ").lower()
        lines.append(f'The NLA takes the Action of "{called}" at {data.action_influence:.0%} ({kind}), not as it is')
    return lines
