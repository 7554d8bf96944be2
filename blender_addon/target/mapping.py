# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings amount to: the chosen meshes, the controls, and the profile that says which action moves what.

The profile is the automatic match of the meshes until the user has a mapping of their own. Nothing here checks
whether it can be keyed (`targets.check_plan` does), and only `use_profile` and `forget_mapping` change anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import bpy

from semanticface.actions import BY_NAME, Kind
from semanticface.retarget.profile import Control, Link, Profile, TargetKind

from ..keying.plan import RotationTarget
from .properties import DEGREES, RADIANS
from .shapes import match_of

AUTOMATIC = "Automatic"
OWN = "Own Mapping"
_PER_RADIAN = math.degrees(1.0)
_PARTS = (("Head", "head", "head"), ("LeftEye", "left_eye", "eye"), ("RightEye", "right_eye", "eye"))
"""Actions of a control, the names of its pointer and of its axes in the settings."""


def chosen_meshes(settings: Any) -> tuple[bpy.types.Object, ...]:
    """The main mesh and the others that have shape keys, each once; () when shapes are off."""
    if not settings.use_shapes:
        return ()
    more = (item.mesh for item in settings.more_meshes)
    listed = [settings.mesh, *(mesh for mesh in more if getattr(mesh, "type", "") == "MESH" and mesh.data.shape_keys)]
    return tuple({mesh.name_full: mesh for mesh in listed if mesh is not None}.values())


def meshes_of(settings: Any) -> tuple[str, ...]:
    """Their names."""
    return tuple(mesh.name for mesh in chosen_meshes(settings))


def profile_of(settings: Any) -> Profile:
    """The profile in force: the user's own links if there are any, else the automatic match. Without controls."""
    if not settings.own_mapping:
        return match_of(chosen_meshes(settings)).profile
    switches = {Kind.SHAPE: settings.use_shapes, Kind.HEAD: settings.use_head, Kind.EYE: settings.use_eyes}
    links = (_link_of(item) for item in settings.links if item.enabled and item.target)
    return Profile(settings.profile_name or OWN, tuple(link for link in links if switches[BY_NAME[link.action].kind]))


def rotations_of(settings: Any) -> tuple[RotationTarget, ...]:
    """The controls that are chosen and switched on."""
    switches = {"head": settings.use_head, "eye": settings.use_eyes}
    return tuple(
        RotationTarget(actions, control.name, _bone_of(settings, name, control), axes_of(settings, name))
        for actions, name, part in _PARTS
        if switches[part] and (control := getattr(settings, name)) is not None
    )


def axes_of(settings: Any, name: str) -> tuple[str, str, str]:
    """Axes of yaw, pitch and roll of the control called `head`, `left_eye` or `right_eye`."""
    part = axes_name(settings, name)
    return getattr(settings, f"{part}_yaw"), getattr(settings, f"{part}_pitch"), getattr(settings, f"{part}_roll")


def axes_name(settings: Any, name: str) -> str:
    """What the axes of a control are called in the settings; both eyes share theirs unless the right one differs."""
    if name == "head":
        return "head"
    return "right_eye" if name == "right_eye" and settings.right_eye_differs else "eye"


def whole_profile(settings: Any, name: str) -> Profile:
    """The mapping with everything that belongs to it, switched on or off, under a name: what is saved."""
    links = tuple(_link_of(item) for item in settings.links if item.enabled and item.target)
    if not settings.own_mapping:
        links = match_of(chosen_meshes(settings)).profile.links
    controls = tuple(
        Control(actions, control.name, _bone_of(settings, which, control), axes_of(settings, which))
        for actions, which, _ in _PARTS
        if (control := getattr(settings, which)) is not None
    )
    return Profile(name, links, controls)


def use_profile(settings: Any, profile: Profile) -> list[str]:
    """Make a profile the user's own mapping; returns what of it this file lacks.

    Controls are taken over where the file has an object of that name; the others stay as they were.
    """
    settings.own_mapping = True
    settings.links.clear()
    settings.links_index = 0
    for link in profile.links:
        _fill(settings.links.add(), link)
    settings.profile_name = profile.name
    absent = [f'the object "{owner}"' for owner in _missing(link.owner for link in profile.links)]
    order = [actions for actions, _, _ in _PARTS]  # the left eye first: the right one differs from it or doesn't
    for control in sorted(profile.controls, key=lambda control: order.index(control.actions)):
        found = bpy.data.objects.get(control.owner)
        if found is None:
            absent.append(f'the control "{control.owner}"')
            continue
        _take_control(settings, control, found)
    return list(dict.fromkeys(absent))


def forget_mapping(settings: Any) -> None:
    """Back to the automatic match."""
    settings.own_mapping = False
    settings.links.clear()
    settings.links_index = 0
    settings.profile_name = ""


def unmet(settings: Any) -> list[str]:
    """Targets of shape links that no chosen mesh has."""
    there = {mesh.name: set(mesh.data.shape_keys.key_blocks.keys()) for mesh in chosen_meshes(settings)
             if getattr(mesh.data, "shape_keys", None) is not None}  # fmt: skip
    out = []
    for link in profile_of(settings).links:
        names = [there.get(link.owner, set())] if link.owner else list(there.values())
        if link.kind is TargetKind.SHAPE and not any(link.target in listed for listed in names):
            out.append(link.target)
    return list(dict.fromkeys(out))


def _link_of(item: Any) -> Link:
    per = _PER_RADIAN if item.kind == TargetKind.PROPERTY and item.unit == DEGREES else 1.0
    return Link(
        action=item.action,
        target=item.target,
        kind=TargetKind(item.kind),
        owner=item.owner,
        bone=item.bone if item.kind == TargetKind.PROPERTY else "",
        gain=_as_typed(item.gain) * per,
        offset=_as_typed(item.offset),
        minimum=_as_typed(item.minimum) if item.use_minimum else None,
        maximum=_as_typed(item.maximum) if item.use_maximum else None,
    )


def _as_typed(value: float) -> float:
    """A single-precision number as the user typed it: 0.1, not 0.10000000149."""
    return float(f"{value:.7g}")


def _fill(item: Any, link: Link) -> None:
    item.action, item.target, item.kind = link.action, link.target, link.kind.value
    item.owner, item.bone = link.owner, link.bone
    turns = link.kind is TargetKind.PROPERTY and BY_NAME[link.action].kind is not Kind.SHAPE
    degrees = turns and abs(link.gain) >= _PER_RADIAN / 4  # so large a factor is one from radians to degrees
    item.unit = DEGREES if degrees else RADIANS
    item.gain = link.gain / _PER_RADIAN if degrees else link.gain
    item.offset = link.offset
    item.use_minimum, item.use_maximum = link.minimum is not None, link.maximum is not None
    item.minimum = 0.0 if link.minimum is None else link.minimum
    item.maximum = 1.0 if link.maximum is None else link.maximum


def _bone_of(settings: Any, name: str, control: bpy.types.Object) -> str:
    return getattr(settings, f"{name}_bone") if control.type == "ARMATURE" else ""


def _take_control(settings: Any, control: Control, found: bpy.types.Object) -> None:
    name = next(name for actions, name, _ in _PARTS if actions == control.actions)
    setattr(settings, name, found)
    setattr(settings, f"{name}_bone", control.bone)
    set_axes(settings, name, control.axes)


def set_axes(settings: Any, name: str, axes: tuple[str, str, str]) -> None:
    """Set a control's axes; the right eye gets its own when they are not the left eye's."""
    if name == "right_eye":
        settings.right_eye_differs = axes != axes_of(settings, "left_eye")
    part = axes_name(settings, name)
    for turn, axis in zip(("yaw", "pitch", "roll"), axes, strict=True):
        setattr(settings, f"{part}_{turn}", axis)


def _missing(owners: Iterable[str]) -> list[str]:
    return [owner for owner in dict.fromkeys(owners) if owner and bpy.data.objects.get(owner) is None]
