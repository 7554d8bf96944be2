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

from .. import names
from ..compat import is_editable
from ..keying.actions import animation_of
from ..keying.takes import origins_in, signature_of


def present(blocks: Sequence[bpy.types.ID]) -> str:
    """The name of the Action of ours that animates the first of these; "" where none does."""
    found = (animation_of(block) for block in blocks)
    return next((action.name for action in found if signature_of(action)), "")


def show(name: str, blocks: Sequence[bpy.types.ID]) -> None:
    """Animate these data-blocks by the Action, and by those that belong to it. Nothing is lost: all stay in the file.

    Raises InputError when there is no such Action, when it animates none of them, when one of them is not editable, or
    while a recipe is tried on them.
    """
    if any(_tried(animation_of(block)) for block in blocks):
        raise InputError("a recipe is being tried on the targets", "apply or discard it first")
    action = bpy.data.actions.get(name)
    if action is None or not signature_of(action):
        raise InputError(f'"{name}" is not an Action that was keyed from a take', "choose another one")
    pairs = _slotted(action, blocks) if hasattr(action, "slots") else _by_plan(action, blocks)
    if not pairs:
        raise InputError(f'"{name}" animates none of the chosen targets', "choose the targets that it was keyed onto")
    locked = [block.name for block, _, _ in pairs if not is_editable(block)]
    if locked:
        raise InputError(f'"{locked[0]}" is linked from another file', "open that file to animate it")
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
    owners = _owners(signature)
    family = sorted((one for one in bpy.data.actions if signature_of(one) == signature and not _tried(one)), key=_order)
    if not owners or len(family) % len(
        owners
    ):  # one of them was deleted, or a target is gone: no telling which is whose
        return []
    first = family.index(action) // len(owners) * len(owners)  # a take may have been keyed more than once
    pairs = list(zip(owners, family[first : first + len(owners)], strict=True))
    if any(one.id_root != ("KEY" if isinstance(owner, bpy.types.Key) else "OBJECT") for owner, one in pairs):
        return []
    return [(owner, one, None) for owner, one in pairs if owner in blocks]


def _owners(signature: str) -> list[bpy.types.ID]:
    """The data-blocks that the take was keyed onto, in the order of its plan."""
    origins = origins_in(signature)
    plan = origins[-1].plan if origins else None
    meshes = [bpy.data.objects.get(name) for name in (plan.meshes if plan else ())]
    controls = [bpy.data.objects.get(target.object) for target in (plan.rotations if plan else ())]
    keys = [mesh.data.shape_keys for mesh in meshes if mesh is not None and mesh.data is not None]
    return list(dict.fromkeys(block for block in (*keys, *controls) if block is not None))


def _tried(action: bpy.types.Action | None) -> bool:
    """Whether this is the preview of a recipe, which stands in for an Action."""
    return action is not None and action.get(names.PREVIEW_PROPERTY) is not None


def _order(action: bpy.types.Action) -> tuple[int, str]:
    """By the number that Blender adds to a name that is taken already."""
    number = re.search(r"\.(\d{3,})$", action.name)
    return (int(number.group(1)) if number else 0, action.name)
