# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation curves written in bulk: many keys on many channels of one or several data-blocks.

Onto new Actions (`write_take`), into those that animate the data-blocks now (`write_into`), or over the values of
curves that exist (`refill`). This module knows nothing of faces, takes or the backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from semanticface.curves.keys import KeyCurve
from semanticface.curves.recipe import KeyKind
from semanticface.errors import InputError

from .actions import animation_of, assign, containers_of, curves_of, has_slots, new_action, open_for, push_down
from .keyframes import Drawn, drawn, fill, move, points_of, recalculate
from .merging import insert, replace_span

__all__ = [
    "Channel",
    "Track",
    "animation_of",
    "curves_of",
    "dense",
    "refill",
    "write_into",
    "write_take",
]


@dataclass(frozen=True, slots=True)
class Channel:
    """One animated number: its data path and array index on the data-block, its group, and its keys (one or more)."""

    path: str
    index: int
    group: str
    keys: KeyCurve


@dataclass(frozen=True, slots=True)
class Track:
    """What is keyed on one data-block."""

    owner: bpy.types.ID
    channels: tuple[Channel, ...]


def dense(frames: NDArray[np.float64], values: NDArray[np.float64]) -> KeyCurve:
    """A straight-line key on each frame (K,). Curves that share the array `frames` are written faster."""
    none = np.broadcast_to(0.0, len(frames))
    return KeyCurve(KeyKind.LINEAR, frames, values, none, none)


def write_take(name: str, tracks: Sequence[Track], push: bool = False) -> list[bpy.types.Action]:
    """Write all tracks to new Actions and assign these; returns them: one where Actions have slots, else one a track.

    The old Actions stay in the file; with `push` each also becomes a strip on a muted NLA track. Everything is built
    before anything is assigned: when this raises, no data-block has changed.
    """
    made: list[bpy.types.Action] = []
    copies = _Copies()
    bound: list[tuple[Track, bpy.types.Action, Any]] = []
    try:
        for track in tracks:
            if not made or not has_slots():
                made.append(new_action(name))
            slot, container = open_for(track.owner, made[-1])
            bound.append((track, made[-1], slot))
            copies.fill(container, track.channels)
    except BaseException:
        for action in made:
            bpy.data.actions.remove(action)
        raise
    for track, action, slot in bound:
        if push:
            push_down(track.owner)
        assign(track.owner, action, slot)
    return made


def write_into(name: str, tracks: Sequence[Track], span: tuple[float, float] | None = None) -> list[bpy.types.Action]:
    """Write all tracks into the Actions that animate their data-blocks now; returns these, each once.

    Without `span` every key goes in at its frame and all others stay as they are; see `merging.insert`. With it the
    keys of the given channels from its first to its last frame are replaced. Curves that are missing are made, and a
    new Action of that name where a data-block has none.
    """
    used: list[bpy.types.Action] = []
    fresh: bpy.types.Action | None = None
    for track in tracks:
        action = animation_of(track.owner)
        if action is None:
            if fresh is None or not has_slots():
                fresh = new_action(name)
            slot, container = open_for(track.owner, fresh)
            assign(track.owner, fresh, slot)
            action = fresh
        else:
            container = _present(track.owner, action)
        for channel in track.channels:
            _write_channel(container, channel, span)
        action.update_tag(refresh={"TIME"})
        if action not in used:
            used.append(action)
    return used


def refill(owner: bpy.types.ID, channels: Sequence[Channel]) -> None:
    """Give curves that animate the data-block other values, at the same number of keys; no others are touched.

    For dense curves that change many times a second: handles stay behind, which straight lines don't mind. Raises
    InputError where a curve is missing or has another number of keys.
    """
    present = {(curve.data_path, curve.array_index): curve for curve in curves_of(owner)}
    for channel in channels:
        curve = present.get((channel.path, channel.index))
        if curve is None or len(curve.keyframe_points) != len(channel.keys):
            raise InputError(
                f'"{owner.name}" has no curve of {len(channel.keys)} keys on {channel.path}',
                "somebody edited the Action; make the curves anew",
            )
        move(curve, points_of(channel.keys))
    action = animation_of(owner)
    if action is not None:
        action.update_tag(refresh={"TIME"})


def _present(owner: bpy.types.ID, action: bpy.types.Action) -> Any:
    """What holds the curves for the data-block in its own Action; a slot is made where none is chosen."""
    containers = containers_of(owner)
    if containers:
        return containers[0]
    slot, container = open_for(owner, action, owner.animation_data.action_slot if has_slots() else None)
    if slot is not None:
        owner.animation_data.action_slot = slot
    return container


class _Copies:
    """Makes new curves, each from one made before where that saves work.

    Curves that several data-blocks share are copied whole. Of curves with straight lines on the same frames the copy
    brings the interpolation along, which key by key takes a quarter of the whole time.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], bpy.types.FCurve] = {}
        self._drawn: dict[int, Drawn] = {}

    def fill(self, container: Any, channels: Sequence[Channel]) -> None:
        """New curves for all channels, in a container that has none of them."""
        copying = hasattr(container.fcurves, "new_from_fcurve")
        for channel in channels:
            keys = channel.keys
            same = self._made.get((id(keys), channel.index)) if copying else None
            if same is not None:
                _copy(container, same, channel)
                continue
            lines = (id(keys.frames), channel.index)
            alike = self._made.get(lines) if copying and keys.kind is KeyKind.LINEAR else None
            if alike is not None:
                curve = _copy(container, alike, channel)
                move(curve, points_of(keys))
                recalculate(curve)
            else:
                curve = _new_curve(container, channel)
                fill(curve, self._arrays(keys))
            self._made[id(keys), channel.index] = curve
            if keys.kind is KeyKind.LINEAR:
                self._made[lines] = curve

    def _arrays(self, keys: KeyCurve) -> Drawn:
        if id(keys) not in self._drawn:
            self._drawn[id(keys)] = drawn(keys)
        return self._drawn[id(keys)]


def _copy(container: Any, model: bpy.types.FCurve, channel: Channel) -> bpy.types.FCurve:
    curve = container.fcurves.new_from_fcurve(model, data_path=channel.path)
    curve.group = _group(container, channel.group)
    return curve


def _new_curve(container: Any, channel: Channel) -> bpy.types.FCurve:
    curve = container.fcurves.new(channel.path, index=channel.index)
    curve.group = _group(container, channel.group)
    return curve


def _group(container: Any, name: str) -> Any:
    return container.groups.get(name) or container.groups.new(name)


def _write_channel(container: Any, channel: Channel, span: tuple[float, float] | None) -> None:
    curve = container.fcurves.find(channel.path, index=channel.index)
    if curve is None:
        curve = _new_curve(container, channel)
        if span is not None:
            fill(curve, drawn(channel.keys))
            return
    if span is None:
        insert(curve, channel.keys)
    else:
        replace_span(curve, channel.keys, span)
