"""What an open file holds of animation, as plain data to compare: before and after, undone and redone."""

from __future__ import annotations

import json
from typing import Any

import bpy

from blender_addon import names
from blender_addon.keying.keyframes import read


def file_state() -> dict[str, Any]:
    """Everything that keying could touch: Actions with all of their keys, drivers, NLA, values, poses, properties."""
    state: dict[str, Any] = {}
    for action in bpy.data.actions:
        state[f"action {action.name}"] = [action.use_fake_user, action.get(names.ACTION_PROPERTY, "")]
        for slot, curves in _bags(action).items():
            for curve in curves:
                state[f"curve {action.name} {slot} {curve.data_path}[{curve.array_index}]"] = _curve(curve)
    for keys in bpy.data.shape_keys:
        owner = keys.user.name
        state[f"shapes of {owner}"] = _animation(keys.animation_data)
        for key in keys.key_blocks:
            state[f"shape {owner} {key.name}"] = [key.mute, key.slider_max, getattr(key, "lock_shape", False)]
            state[f"value {owner} {key.name}"] = round(key.value, 5)
    for thing in bpy.data.objects:
        state[f"animation {thing.name}"] = _animation(thing.animation_data)
        state[f"object {thing.name}"] = [
            list(thing.location),
            list(thing.scale),
            thing.get("note"),
            thing.get("number"),
        ]
        state[f"turn {thing.name}"] = [round(part, 5) for part in thing.rotation_euler]
        state[f"blink {thing.name}"] = thing.get("blink")
        for bone in thing.pose.bones if thing.pose is not None else ():
            state[f"bone {thing.name} {bone.name}"] = [round(bone.get("turn", 0.0), 5), list(bone.rotation_euler)]
    return json.loads(json.dumps(state))


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of what differs."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _bags(action: Any) -> dict[str, Any]:
    """What an Action holds, by slot where it has slots."""
    if not hasattr(action, "layers"):
        return {"": action.fcurves}
    return {
        slot.identifier: bag.fcurves
        for slot in action.slots
        for layer in action.layers
        for strip in layer.strips
        if (bag := strip.channelbag(slot)) is not None
    }


def _curve(curve: Any) -> list[Any]:
    rows = {name: values.tolist() for name, values in read(curve).items()}
    return [rows, curve.mute, curve.lock, curve.extrapolation, len(curve.modifiers), curve.group and curve.group.name]


def _animation(data: Any) -> Any:
    if data is None:
        return None
    tracks = [
        [track.name, track.mute, [[strip.name, strip.frame_start, strip.influence] for strip in track.strips]]
        for track in data.nla_tracks
    ]
    drivers = [[curve.data_path, curve.driver.expression] for curve in data.drivers]
    slot = getattr(data, "action_slot", None)
    return [data.action and data.action.name, slot and slot.identifier, tracks, drivers, data.action_influence]
