# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview Action that stands in for the user's while a recipe is tried, and the way back.

What it stands in for is kept on the preview Action itself, as a custom property that points to the former Action: so
renaming, saving, loading and undo don't lose it. The former Action is never changed. This module knows nothing of
recipes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import names
from ..keying.actions import animation_of, curves_of, has_slots

SUFFIX = " (preview)"
LONGEST_NAME = 63
"""Bytes of a data-block's name that every version keeps."""

Points = NDArray[np.float32]
Shown = dict[tuple[str, int], Points]
"""(data path, index) -> the curve's keys (2K,), of one data-block."""


@dataclass(frozen=True, slots=True)
class Former:
    """What animated a data-block before: nothing when `action` is None. `slot` is its handle; 0 for none."""

    owner: bpy.types.ID
    action: bpy.types.Action | None
    slot: int
    fake: bool


def preview_name(take: str) -> str:
    """The name of the Action that previews this take."""
    return take.encode()[: LONGEST_NAME - len(SUFFIX)].decode(errors="ignore") + SUFFIX


def is_preview(action: bpy.types.Action | None) -> bool:
    return action is not None and action.get(names.PREVIEW_PROPERTY) is not None


def owners() -> list[bpy.types.ID]:
    """The data-blocks of this file that a preview Action animates now."""
    blocks: Iterable[bpy.types.ID] = (*bpy.data.shape_keys, *bpy.data.objects)
    return [block for block in blocks if is_preview(animation_of(block))]


def stray() -> list[bpy.types.Action]:
    """Preview Actions that animate nothing any more, because another take was keyed over them."""
    return [action for action in bpy.data.actions if is_preview(action) and action.users <= action.use_fake_user]


def put_in(
    animated: Sequence[bpy.types.ID],
    write: Callable[[], Sequence[bpy.types.Action]],
    keep: Sequence[bpy.types.Action] = (),
) -> None:
    """Let `write` make and assign Actions for these data-blocks, and mark them as standing in for the present ones.

    A preview Action that is there already hands on what it stands in for, and is removed; those in `keep` stay in the
    file as plain Actions.
    """
    formers = [former_of(owner) for owner in animated]
    others = [owner for owner in owners() if owner not in animated]
    old = actions_on((*animated, *others))
    made = write()
    take_out(others)
    marks: dict[str, dict[str, Any]] = {action.name: {} for action in made}
    for former in formers:
        action = animation_of(former.owner)
        mark: dict[str, Any] = {"slot": former.slot, "fake": former.fake}
        if former.action is not None:
            mark["action"] = former.action
        marks[action.name][_seat(former.owner)] = mark
    for action in made:
        action[names.PREVIEW_PROPERTY] = marks[action.name]
    dismiss([action for action in old if action in keep], touched=True)
    dismiss([action for action in old if action not in keep], touched=False)


def former_of(owner: bpy.types.ID) -> Former:
    """What animates the data-block but for a preview."""
    action = animation_of(owner)
    if action is not None and is_preview(action):
        mark = action[names.PREVIEW_PROPERTY].get(_seat(owner))
        if mark is None:
            return Former(owner, None, 0, False)
        return Former(owner, mark.get("action"), int(mark["slot"]), bool(mark["fake"]))
    slot = owner.animation_data.action_slot.handle if action is not None and has_slots() and _slotted(owner) else 0
    return Former(owner, action, slot, action is not None and action.use_fake_user)


def take_out(animated: Sequence[bpy.types.ID]) -> None:
    """Let these data-blocks be animated by what animated them before the preview; the preview Actions stay."""
    for former in [former_of(owner) for owner in animated]:
        data = former.owner.animation_data
        data.action = former.action
        if former.action is None:
            continue
        former.action.use_fake_user = former.fake
        slot = next((slot for slot in former.action.slots if slot.handle == former.slot), None) if former.slot else None
        if slot is not None:
            data.action_slot = slot


def dismiss(actions: Iterable[bpy.types.Action], touched: bool) -> list[str]:
    """Remove preview Actions. With `touched` they stay in the file under names that are returned, as plain Actions."""
    kept = []
    for action in actions:
        if touched:
            del action[names.PREVIEW_PROPERTY]
            action.use_fake_user = True
            kept.append(action.name)
        else:
            bpy.data.actions.remove(action)
    return kept


def actions_on(animated: Sequence[bpy.types.ID]) -> list[bpy.types.Action]:
    """The preview Actions of these data-blocks, each once, in order."""
    return list(dict.fromkeys(action for action in map(animation_of, animated) if is_preview(action)))


def read_back(owner: bpy.types.ID) -> Shown:
    """The keys of all curves that animate the data-block now."""
    shown = {}
    for curve in curves_of(owner):
        points = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", points)
        shown[curve.data_path, curve.array_index] = points
    return shown


def print_of(animated: Iterable[bpy.types.ID]) -> int:
    """A number that changes with every key on these data-blocks."""
    number = 0
    for owner in animated:
        for (path, index), points in sorted(read_back(owner).items()):
            number = zlib.crc32(points.tobytes(), zlib.crc32(f"{path}[{index}]".encode(), number))
    return number & 0x7FFFFFFF  # what a custom property holds


def _slotted(owner: bpy.types.ID) -> bool:
    return owner.animation_data.action_slot is not None


def _seat(owner: bpy.types.ID) -> str:
    """What a data-block is called in the mark of its preview Action."""
    if has_slots() and _slotted(owner):
        return str(owner.animation_data.action_slot.handle)
    return "all"
