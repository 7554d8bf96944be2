# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions in both of their layouts: curves right on the Action, or in channelbags for slots.

Actions have slots since Blender 4.4, and `Action.fcurves` is gone in 5.0; the layouts are told apart by what they
offer, never by version. This module knows nothing of keys.
"""

from __future__ import annotations

from typing import Any

import bpy


def has_slots() -> bool:
    return "slots" in bpy.types.Action.bl_rna.properties


def animation_of(owner: bpy.types.ID) -> bpy.types.Action | None:
    """The Action that animates the data-block now, if any."""
    return None if owner.animation_data is None else owner.animation_data.action


def curves_of(owner: bpy.types.ID) -> list[bpy.types.FCurve]:
    """The F-curves that animate the data-block now, in either layout."""
    return [curve for container in containers_of(owner) for curve in container.fcurves]


def containers_of(owner: bpy.types.ID) -> list[Any]:
    """What holds `.fcurves` and `.groups` for the data-block now; empty when no Action or slot animates it."""
    action = animation_of(owner)
    if action is None:
        return []
    if not has_slots():
        return [action]
    slot = owner.animation_data.action_slot
    bags = [strip.channelbag(slot) for layer in action.layers for strip in layer.strips] if slot else []
    return [bag for bag in bags if bag is not None]


def new_action(name: str) -> bpy.types.Action:
    """An empty Action that stays in the file without users."""
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    return action


def open_for(owner: bpy.types.ID, action: bpy.types.Action, slot: Any = None) -> tuple[Any, Any]:
    """(slot or None, what holds `.fcurves` and `.groups`) in an Action for a data-block; makes what is missing.

    Without `slot` a new one is made, so that nothing which the Action has for others is taken over.
    """
    if not has_slots():
        return None, action
    slot = slot or action.slots.new(owner.id_type, owner.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return slot, strip.channelbag(slot, ensure=True)


def assign(owner: bpy.types.ID, action: bpy.types.Action, slot: Any) -> None:
    """Let the Action animate the data-block. The one that did before stays in the file."""
    data = owner.animation_data or owner.animation_data_create()
    if data.action is not None and data.action.library is None:
        data.action.use_fake_user = True
    data.action = action
    if slot is not None:
        data.action_slot = slot


def push_down(owner: bpy.types.ID) -> None:
    """Put the present Action onto a new muted NLA track, as a strip of its name where it stands in time.

    The track is on top of the others. The Action goes on animating the data-block until another one is assigned.
    """
    action = animation_of(owner)
    if action is None:
        return
    data = owner.animation_data
    first, last = action.frame_range
    track = data.nla_tracks.new()
    track.name, track.mute = action.name, True
    strip = track.strips.new(action.name, int(first), action)
    if has_slots() and data.action_slot is not None:
        strip.action_slot = data.action_slot
    strip.action_frame_start, strip.action_frame_end = first, last
    strip.frame_start, strip.frame_end = first, max(last, first + 1.0)  # an Action of one key still needs some room
