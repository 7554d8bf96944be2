# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of one F-curve through their arrays: filled into an empty curve, or put between keys that are there.

Some 150 times faster than key by key. A Bezier key of `curves.keys` has its handles at a third of the way to its
neighbours, where Blender's curve is the very cubic that is meant. This module knows nothing of Actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import bpy
import numpy as np
from numpy.typing import NDArray

from semanticface.curves.keys import KeyCurve
from semanticface.curves.recipe import KeyKind

SAME_FRAME = 1e-3
"""Keys closer than this, in frames, are one key; Blender itself takes 0.01 for interactive insertion."""
SAME_SLOPE = 1e-7
"""Slopes, per frame, that differ by less make one straight line through the key."""

Floats = NDArray[np.float32]
Rows = dict[str, NDArray[np.float32] | NDArray[np.int32] | NDArray[np.bool_]]
"""Field of a key -> its values, (K,) or (K, 2)."""


class Interpolation(IntEnum):
    """The numbers of `Keyframe.interpolation` that we write."""

    LINEAR = 1
    BEZIER = 2


class Handle(IntEnum):
    """The numbers of `Keyframe.handle_left_type` that we write."""

    FREE = 0
    ALIGNED = 3
    AUTO_CLAMPED = 4


_FIELDS: Mapping[str, tuple[int, type]] = {
    "co": (2, np.float32),
    "handle_left_type": (1, np.int32),
    "handle_right_type": (1, np.int32),
    "handle_left": (2, np.float32),
    "handle_right": (2, np.float32),
    "interpolation": (1, np.int32),
    "easing": (1, np.int32),
    "type": (1, np.int32),
    "back": (1, np.float32),
    "amplitude": (1, np.float32),
    "period": (1, np.float32),
    "select_control_point": (1, np.bool_),
    "select_left_handle": (1, np.bool_),
    "select_right_handle": (1, np.bool_),
}
"""Everything that a key is; the types of the handles go before the handles."""
_HANDLES = ("handle_left", "handle_right")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Keys as Blender's arrays: `points`, `left` and `right` (2K,) frame, value, frame ...; `sides` (K,) handle types.

    Straight lines have no handles of their own: `sides`, `left` and `right` are empty.
    """

    kind: KeyKind
    points: Floats
    sides: NDArray[np.int32]
    left: Floats
    right: Floats

    def __len__(self) -> int:
        return len(self.points) // 2


def drawn(keys: KeyCurve) -> Drawn:
    """Handles are ALIGNED where one slope goes through the key, FREE at corners.

    They stand at a third of the way to the neighbour; outer ones as far from their key as the inner ones.
    """
    if keys.kind is KeyKind.LINEAR:
        none = np.empty(0, np.float32)
        return Drawn(keys.kind, points_of(keys), np.empty(0, np.int32), none, none)
    steps = np.diff(keys.frames) / 3.0 if len(keys) > 1 else np.ones(1)
    before, after = (np.append(steps[:1], steps), np.append(steps, steps[-1:])) if len(keys) > 1 else (steps, steps)
    left, right = np.empty((2, 2 * len(keys)), np.float32)
    left[0::2], left[1::2] = keys.frames - before, keys.values - keys.left * before
    right[0::2], right[1::2] = keys.frames + after, keys.values + keys.right * after
    straight = np.abs(keys.left - keys.right) <= SAME_SLOPE
    sides = np.where(straight, Handle.ALIGNED, Handle.FREE).astype(np.int32)
    return Drawn(keys.kind, points_of(keys), sides, left, right)


def fill(curve: bpy.types.FCurve, keys: Drawn) -> None:
    """Give a curve without keys these ones."""
    points, count = curve.keyframe_points, len(keys)
    points.add(count)
    wanted = Interpolation.LINEAR if keys.kind is KeyKind.LINEAR else Interpolation.BEZIER
    if points[0].interpolation != wanted.name:  # which the user's preferences decide
        points.foreach_set("interpolation", np.full(count, wanted, np.int32))
    if wanted is Interpolation.LINEAR:
        move(curve, keys.points)
        recalculate(curve)
        return
    _set(points, "handle_left_type", keys.sides)
    _set(points, "handle_right_type", keys.sides)
    move(curve, keys.points)
    points.foreach_set("handle_left", keys.left)
    points.foreach_set("handle_right", keys.right)


def points_of(keys: KeyCurve) -> Floats:
    """(2K,) float32: frame, value, frame, value ..."""
    points = np.empty(2 * len(keys), np.float32)
    points[0::2], points[1::2] = keys.frames, keys.values
    return points


def move(curve: bpy.types.FCurve, points: Floats) -> None:
    """Put the keys of a curve onto these points (2K,); their handles stay behind."""
    curve.keyframe_points.foreach_set("co", points)


def recalculate(curve: bpy.types.FCurve) -> None:
    """Let Blender set the handles that it sets by itself."""
    if hasattr(curve.keyframe_points, "handles_recalc"):
        curve.keyframe_points.handles_recalc()  # `update` sorts and tags as well
    else:
        curve.update()


def insert(curve: bpy.types.FCurve, keys: KeyCurve) -> None:
    """Set the curve to these values at these frames; no other key changes in any way.

    A key that stands there gets the value and takes its handles along. A new one goes on as the key before it does,
    with handles that Blender sets by itself; in a curve without keys it is as the user's preferences want it.
    """
    old = _read(curve)
    frames = old["co"][:, 0]
    wanted = points_of(keys).reshape(-1, 2)  # (K, 2)
    if not len(frames):
        curve.keyframe_points.add(len(keys))
        move(curve, wanted.ravel())
        recalculate(curve)
        return
    nearest = _nearest(frames, wanted[:, 0])
    hit = np.abs(frames[nearest] - wanted[:, 0]) < SAME_FRAME
    there, change = nearest[hit], wanted[hit, 1] - old["co"][nearest[hit], 1]
    for name in ("co", *_HANDLES):
        old[name][there, 1] += change
    old["co"][there, 1] = wanted[hit, 1]
    before = np.maximum(np.searchsorted(frames, wanted[~hit, 0]) - 1, 0)
    new: Rows = {name: values[before].copy() for name, values in old.items()}
    new["co"] = wanted[~hit]
    new |= _automatic(len(before))
    _write(curve, old, new)


def replace_span(curve: bpy.types.FCurve, keys: KeyCurve, span: tuple[float, float]) -> None:
    """Put these keys in place of those that the curve has from the first to the last frame of the span."""
    old = _read(curve)
    frames = old["co"][:, 0]
    outside = (frames < span[0] - SAME_FRAME) | (frames > span[1] + SAME_FRAME)
    kept: Rows = {name: values[outside] for name, values in old.items()}
    count = len(keys)
    new: Rows = {name: np.zeros((count, *values.shape[1:]), values.dtype) for name, values in old.items()}
    new |= {"back": np.full(count, 1.70158, np.float32), "period": np.full(count, 4.1, np.float32)}
    new["co"] = points_of(keys).reshape(-1, 2)
    if keys.kind is KeyKind.LINEAR:
        new |= _automatic(count) | {"interpolation": np.full(count, Interpolation.LINEAR, np.int32)}
    else:
        shown = drawn(keys)
        new |= {"handle_left_type": shown.sides, "handle_right_type": shown.sides}
        new |= {"handle_left": shown.left.reshape(-1, 2), "handle_right": shown.right.reshape(-1, 2)}
        new["interpolation"] = np.full(count, Interpolation.BEZIER, np.int32)
    _write(curve, kept, new)


def _nearest(frames: Floats, wanted: Floats) -> NDArray[np.int64]:
    """(K,) index of the frame nearest to each wanted one; `frames` ascend."""
    after = np.clip(np.searchsorted(frames, wanted), 1, max(len(frames) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(frames) - 1)
    closer = np.abs(frames[after] - wanted) < np.abs(frames[before] - wanted)
    return np.where(closer, after, before)


def _automatic(count: int) -> Rows:
    """Unselected plain keys whose handles Blender sets."""
    kinds, off = np.full(count, Handle.AUTO_CLAMPED, np.int32), np.zeros(count, bool)
    selected = ("select_control_point", "select_left_handle", "select_right_handle")
    return {"handle_left_type": kinds, "handle_right_type": kinds, "type": np.zeros(count, np.int32)} | dict.fromkeys(
        selected, off
    )


def _read(curve: bpy.types.FCurve) -> Rows:
    points = curve.keyframe_points
    rows: Rows = {}
    for name, (width, kind) in _FIELDS.items():
        if kind is np.int32:
            rows[name] = _kinds(points, name)
            continue
        values = np.empty(len(points) * width, kind)
        points.foreach_get(name, values)
        rows[name] = values.reshape(-1, 2) if width == 2 else values
    return rows


def _kinds(points: bpy.types.FCurveKeyframePoints, name: str) -> NDArray[np.int32]:
    """(K,) an enumeration's numbers. Blender 3.4 leaves the arrays of some of them as they are, without a word."""
    values = np.full(len(points), -1, np.int32)
    points.foreach_get(name, values)
    if (values < 0).any():
        numbers = {item.identifier: item.value for item in bpy.types.Keyframe.bl_rna.properties[name].enum_items}
        values[:] = [numbers[getattr(key, name)] for key in points]
    return values


def _set(points: bpy.types.FCurveKeyframePoints, name: str, values: NDArray[np.int32]) -> None:
    """Set an enumeration on all keys, one by one where it doesn't arrive in bulk; see `_kinds`."""
    points.foreach_set(name, values)
    seen = np.full(len(values), -1, np.int32)
    points.foreach_get(name, seen)
    if np.array_equal(seen, values):
        return
    words = {item.value: item.identifier for item in bpy.types.Keyframe.bl_rna.properties[name].enum_items}
    for key, value in zip(points, values.tolist(), strict=True):
        setattr(key, name, words[value])


def _write(curve: bpy.types.FCurve, old: Rows, new: Rows) -> None:
    """Give the curve both sets of keys, in order. Handles of the old ones stay, whatever stands beside them now."""
    order = np.argsort(np.concatenate((old["co"][:, 0], new["co"][:, 0])), kind="stable")
    rows: Rows = {name: np.concatenate((old[name], new[name]))[order] for name in _FIELDS}
    points = curve.keyframe_points
    points.clear()
    points.add(len(order))
    for name, values in rows.items():
        if values.dtype == np.int32:
            _set(points, name, values)
        else:
            points.foreach_set(name, np.ascontiguousarray(values).ravel())
    loose = (order >= len(old["co"])) & (rows["handle_left_type"] == Handle.AUTO_CLAMPED)
    if not loose.any():
        return
    recalculate(curve)  # which sets the new ones, but moves neighbours as well
    for name in _HANDLES:
        values = np.empty(2 * len(order), np.float32)
        points.foreach_get(name, values)
        fixed = np.where(loose[:, None], values.reshape(-1, 2), rows[name])
        points.foreach_set(name, np.ascontiguousarray(fixed).ravel())
