# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the Actions that were keyed from takes animates the targets, and putting another one in its place.

Where Actions have slots, one Action animates all targets. Before, each data-block has an Action of its own: those of
one take carry the same signature and were made in the order of the plan's targets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import bpy

from semanticface.errors import InputError

from ..keying.fcurves import animation_of
from ..keying.takes import origins_in, signature_of


def present(blocks: Sequence[bpy.types.ID]) -> str:
    """The name of the Action of ours that animates the first of these; "" where none does."""
    found = (animation_of(block) for block in blocks)
    return next((action.name for action in found if signature_of(action)), "")


def show(name: str, blocks: Sequence[bpy.types.ID]) -> None:
    """Animate these data-blocks by the Action, and by those that belong to it. Nothing is lost: all stay in the file.

    Raises InputError when there is no such Action, when it animates none of them, or when one of them is not editable.
    """
    action = bpy.data.actions.get(name)
    if action is None or not signature_of(action):
        raise InputError(f'"{name}" is not an Action that was keyed from a take', "choose another one")
    pairs = _slotted(action, blocks) if hasattr(action, "slots") else _by_plan(action, blocks)
    if not pairs:
        raise InputError(f'"{name}" animates none of the chosen targets', "choose the targets that it was keyed onto")
    locked = [block.name for block, _, _ in pairs if block.library is not None]
    if locked:
        raise InputError(f'"{locked[0]}" is linked from another file', "make a library override, or open that file")
    for block, chosen, slot in pairs:
        data = block.animation_data or block.animation_data_create()
        if data.action is not None:
            data.action.use_fake_user = True
        data.action = chosen
        if slot is not None:
            data.action_slot = slot


def _slotted(action: bpy.types.Action, blocks: Sequence[bpy.types.ID]) -> list[tuple[Any, bpy.types.Action, Any]]:
    """The slot for each data-block: that of its name, or the only one for its kind."""
    pairs = []
    for block in blocks:
        slots = [slot for slot in action.slots if slot.target_id_type in {block.id_type, "UNSPECIFIED"}]
        named = [slot for slot in slots if slot.name_display == block.name]
        chosen = named or (slots if len(slots) == 1 else [])
        if chosen:
            pairs.append((block, action, chosen[0]))
    return pairs


def _by_plan(action: bpy.types.Action, blocks: Sequence[bpy.types.ID]) -> list[tuple[Any, bpy.types.Action, Any]]:
    """The take's Actions in the order in which they were made, each for the data-block that it was made for."""
    signature = signature_of(action)
    family = sorted((one for one in bpy.data.actions if signature_of(one) == signature), key=_order)
    owners = _owners(signature)
    pairs = []
    for kind in ("KEY", "OBJECT"):
        wanted = [owner for owner in owners if owner.id_type == kind]
        made = [one for one in family if one.id_root == kind]
        if len(wanted) == len(made):
            pairs += [(owner, one, None) for owner, one in zip(wanted, made, strict=True) if owner in blocks]
    return pairs


def _owners(signature: str) -> list[bpy.types.ID]:
    """The data-blocks that the take was keyed onto, in the order of its plan."""
    origins = origins_in(signature)
    plan = origins[-1].plan if origins else None
    meshes = [bpy.data.objects.get(name) for name in (plan.meshes if plan else ())]
    controls = [bpy.data.objects.get(target.object) for target in (plan.rotations if plan else ())]
    keys = [mesh.data.shape_keys for mesh in meshes if mesh is not None and mesh.data is not None]
    return list(dict.fromkeys(block for block in (*keys, *controls) if block is not None))


def _order(action: bpy.types.Action) -> tuple[int, str]:
    """By the number that Blender adds to a name that is taken already."""
    number = re.search(r"\.(\d{3,})$", action.name)
    return (int(number.group(1)) if number else 0, action.name)
