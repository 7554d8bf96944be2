# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation curves written in bulk: many keys on many channels of one or several data-blocks, as one new Action.

Curves are filled through their arrays instead of key by key, some 150 times faster. Actions have slots and
channelbags since Blender 4.4, and `Action.fcurves` is gone in 5.0; both layouts are told apart by what they offer,
never by version. An Action that a data-block has is never edited: it stays in the file with a fake user. This module
knows nothing of faces, takes or the backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

SAME_FRAME = 1e-3
"""Keys closer than this, in frames, are one key; Blender itself takes 0.01 for interactive insertion."""


class Interpolation(IntEnum):
    """How a key goes over to the next; the numbers are those of `Keyframe.interpolation`."""

    CONSTANT = 0
    LINEAR = 1
    BEZIER = 2


@dataclass(frozen=True, slots=True)
class Channel:
    """One animated number: its data path and array index on the data-block, its group, a value for each key (K,)."""

    path: str
    index: int
    group: str
    values: Values


@dataclass(frozen=True, slots=True)
class Track:
    """What is keyed on one data-block: ascending scene frames (K,) float32, and the channels on them."""

    owner: bpy.types.ID
    frames: Values
    channels: tuple[Channel, ...]


def write_take(
    name: str, tracks: Sequence[Track], interpolation: Interpolation = Interpolation.LINEAR, keep: bool = False
) -> list[bpy.types.Action]:
    """Write all tracks and assign the result; returns the new Actions (one where Actions have slots, else one a track).

    With `keep` a track starts from a copy of what its data-block is animated by, and only keys of the given channels
    within the span of the given frames are replaced. Without, it holds the given channels alone. Everything is
    built before anything is assigned: when this raises, no data-block has changed.
    """
    made: list[bpy.types.Action] = []
    bound: list[tuple[Track, bpy.types.Action, Any]] = []
    try:
        for track in tracks:
            action, slot, container = _open_action(name, track.owner, made, keep)
            bound.append((track, action, slot))
            _write_channels(container, track, interpolation)
    except BaseException:
        for action in made:
            bpy.data.actions.remove(action)
        raise
    for track, action, slot in bound:
        _assign(track.owner, action, slot)
    return made


def animation_of(owner: bpy.types.ID) -> bpy.types.Action | None:
    """The Action that animates the data-block now, if any."""
    return None if owner.animation_data is None else owner.animation_data.action


def curves_of(owner: bpy.types.ID) -> list[bpy.types.FCurve]:
    """The F-curves that animate the data-block now, in either layout."""
    action = animation_of(owner)
    if action is None:
        return []
    if not _has_slots():
        return list(action.fcurves)
    slot = owner.animation_data.action_slot
    bags = [strip.channelbag(slot) for layer in action.layers for strip in layer.strips] if slot else []
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def _has_slots() -> bool:
    return "slots" in bpy.types.Action.bl_rna.properties


def _open_action(
    name: str, owner: bpy.types.ID, made: list[bpy.types.Action], keep: bool
) -> tuple[bpy.types.Action, Any, Any]:
    """(action, slot or None, the object with `.fcurves` and `.groups`) for this data-block; grows `made`."""
    if not _has_slots():
        old = animation_of(owner) if keep else None
        action = old.copy() if old else bpy.data.actions.new(name)
        action.name = name
        action.use_fake_user = True
        made.append(action)
        return action, None, action
    if not made:
        made.append(bpy.data.actions.new(name))
        made[0].use_fake_user = True
        made[0].layers.new("Layer").strips.new(type="KEYFRAME")
    action = made[0]
    slot = action.slots.new(owner.id_type, owner.name)
    bag = action.layers[0].strips[0].channelbag(slot, ensure=True)
    for curve in curves_of(owner) if keep else ():
        _copy_curve(bag, curve)
    return action, slot, bag


def _copy_curve(container: Any, source: bpy.types.FCurve) -> None:
    if hasattr(container.fcurves, "new_from_fcurve"):
        copy = container.fcurves.new_from_fcurve(source)
    else:  # 4.4: without the curve's modifiers, which have no copy there
        copy = container.fcurves.new(source.data_path, index=source.array_index)
        copy.extrapolation = source.extrapolation
        count = len(source.keyframe_points)
        copy.keyframe_points.add(count)
        for field, width, kind in _KEY_FIELDS:
            buffer = np.empty(count * width, kind)
            source.keyframe_points.foreach_get(field, buffer)
            copy.keyframe_points.foreach_set(field, buffer)
    if source.group is not None:
        copy.group = _group(container, source.group.name)


_KEY_FIELDS = (
    ("co", 2, np.float32),
    ("handle_left_type", 1, np.int32),
    ("handle_right_type", 1, np.int32),
    ("handle_left", 2, np.float32),
    ("handle_right", 2, np.float32),
    ("interpolation", 1, np.int32),
    ("easing", 1, np.int32),
)


def _write_channels(container: Any, track: Track, interpolation: Interpolation) -> None:
    count = len(track.frames)
    points = np.empty(2 * count, np.float32)  # frame, value, frame, value ...
    points[0::2] = track.frames
    kinds = np.full(count, interpolation, np.int32)
    model: bpy.types.FCurve | None = None
    for channel in track.channels:
        points[1::2] = channel.values
        curve = container.fcurves.find(channel.path, index=channel.index)
        if curve is not None:
            _replace_span(curve, points, kinds)
            continue
        curve = _new_curve(container, channel, kinds, model)
        curve.keyframe_points.foreach_set("co", points)
        if hasattr(curve.keyframe_points, "handles_recalc"):
            # All that `curve.update()` would do for keys in order; it sorts and tags each curve as well.
            curve.keyframe_points.handles_recalc()
        else:
            curve.update()
        model = curve if channel.index == 0 else None


def _new_curve(container: Any, channel: Channel, kinds: NDArray[np.int32], model: bpy.types.FCurve | None) -> Any:
    """A curve with as many keys as `kinds`, of these interpolations; copied from `model` where that can be done.

    A copy brings the interpolation along, which key by key takes a quarter of the whole time.
    """
    if model is not None and channel.index == 0 and hasattr(container.fcurves, "new_from_fcurve"):
        curve = container.fcurves.new_from_fcurve(model, data_path=channel.path)
    else:
        curve = container.fcurves.new(channel.path, index=channel.index)
        curve.keyframe_points.add(len(kinds))
        curve.keyframe_points.foreach_set("interpolation", kinds)
    curve.group = _group(container, channel.group)
    return curve


def _group(container: Any, name: str) -> Any:
    return container.groups.get(name) or container.groups.new(name)


def _replace_span(curve: bpy.types.FCurve, points: Values, kinds: NDArray[np.int32]) -> None:
    """Put the points (2K,) into a curve in place of the keys that it has between the first and the last of them."""
    keys = curve.keyframe_points
    old = np.empty(2 * len(keys), np.float32)
    keys.foreach_get("co", old)
    inside = (old[0::2] >= points[0] - SAME_FRAME) & (old[0::2] <= points[-2] + SAME_FRAME)
    for index in np.flatnonzero(inside)[::-1]:
        keys.remove(keys[int(index)], fast=True)
    kept = len(keys)
    keys.add(len(kinds))
    everything = np.empty(2 * len(keys), np.float32)
    keys.foreach_get("co", everything)
    everything[2 * kept :] = points
    keys.foreach_set("co", everything)
    shapes = np.empty(len(keys), np.int32)
    keys.foreach_get("interpolation", shapes)
    shapes[kept:] = kinds
    keys.foreach_set("interpolation", shapes)
    curve.update()


def _assign(owner: bpy.types.ID, action: bpy.types.Action, slot: Any) -> None:
    data = owner.animation_data or owner.animation_data_create()
    if data.action is not None:
        data.action.use_fake_user = True
    data.action = action
    if slot is not None:
        data.action_slot = slot
