# SPDX-License-Identifier: GPL-3.0-or-later
"""New keys among those that an F-curve has: between them, or in place of a range. All others stay as they are.

As they are means bit for bit, handles too: Blender would set the handles of neighbours anew. This module knows nothing
of Actions.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from semanticface.curves.keys import KeyCurve
from semanticface.curves.recipe import KeyKind

from .keyframes import (
    FIELDS,
    HANDLES,
    SAME_FRAME,
    Drawn,
    Floats,
    Handle,
    Interpolation,
    Rows,
    drawn,
    fill,
    move,
    points_of,
    read,
    recalculate,
    set_kinds,
)

FEW = 8
"""Keys are put in one by one where the curve has so many times more; else all of its arrays are written anew."""
BLENDERS_SAME_FRAME = 0.01
"""Blender's own insertion takes keys closer than this, in frames, for one."""
_BACK, _PERIOD = 1.70158, 4.1
"""Blender's own values for new keys."""


def insert(curve: bpy.types.FCurve, keys: KeyCurve) -> None:
    """Set the curve to these values at these frames; no other key changes in any way.

    A key that stands there gets the value and takes its handles along. A new one goes on as the key before it does,
    with handles that Blender sets by itself; in a curve without keys it is as the user's preferences want it.
    """
    points = curve.keyframe_points
    wanted = points_of(keys).reshape(-1, 2)  # (K, 2)
    if not len(points):
        points.add(len(keys))
        move(curve, wanted.ravel())
        recalculate(curve)
        return
    frames = _pairs(curve, "co")[:, 0]
    nearest = _nearest(frames, wanted[:, 0])
    hit = np.abs(frames[nearest] - wanted[:, 0]) < SAME_FRAME
    if hit.any():
        _lift(curve, nearest[hit], wanted[hit, 1])
    missing = wanted[~hit]
    if len(missing):
        before = np.maximum(np.searchsorted(frames, missing[:, 0]) - 1, 0)
        looks = _looks(curve, before) if _few(len(missing), len(frames)) else None
        everything = read(curve) if looks is None else {}
        new = {name: values[before] for name, values in everything.items()} if looks is None else looks
        _merge(curve, np.zeros(len(frames), bool), new | {"co": missing} | _automatic(len(missing)))


def replace_span(curve: bpy.types.FCurve, keys: KeyCurve, span: tuple[float, float]) -> None:
    """Put these keys in place of those that the curve has from the first to the last frame of the span."""
    frames = _pairs(curve, "co")[:, 0]
    gone = (frames >= span[0] - SAME_FRAME) & (frames <= span[1] + SAME_FRAME)
    if gone.all():
        curve.keyframe_points.clear()
        fill(curve, drawn(keys))
    else:
        _merge(curve, gone, _rows_of(drawn(keys)))


def _rows_of(keys: Drawn) -> Rows:
    """Everything about these keys as plain new ones."""
    count = len(keys)
    rows: Rows = {
        name: np.zeros((count, 2) if width == 2 else count, kind) for name, (width, kind) in FIELDS.items()
    } | {"back": np.full(count, _BACK, np.float32), "period": np.full(count, _PERIOD, np.float32)}
    rows["co"] = keys.points.reshape(-1, 2)
    if keys.kind is KeyKind.LINEAR:
        return rows | _automatic(count) | {"interpolation": np.full(count, Interpolation.LINEAR, np.int32)}
    rows |= {"handle_left": keys.left.reshape(-1, 2), "handle_right": keys.right.reshape(-1, 2)}
    rows |= {"handle_left_type": keys.sides, "handle_right_type": keys.sides}
    return rows | {"interpolation": np.full(count, Interpolation.BEZIER, np.int32)}


def _automatic(count: int) -> Rows:
    """Unselected plain keys whose handles Blender sets."""
    kinds, off = np.full(count, Handle.AUTO_CLAMPED, np.int32), np.zeros(count, bool)
    selected = ("select_control_point", "select_left_handle", "select_right_handle")
    rows: Rows = {"handle_left_type": kinds, "handle_right_type": kinds, "type": np.zeros(count, np.int32)}
    return rows | dict.fromkeys(selected, off)


def _few(new: int, present: int) -> bool:
    return new * FEW < present


def _nearest(frames: Floats, wanted: Floats) -> NDArray[np.int64]:
    """(K,) index of the frame nearest to each wanted one; `frames` ascend."""
    after = np.clip(np.searchsorted(frames, wanted), 1, max(len(frames) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(frames) - 1)
    closer = np.abs(frames[after] - wanted) < np.abs(frames[before] - wanted)
    return np.where(closer, after, before)


def _pairs(curve: bpy.types.FCurve, name: str) -> Floats:
    """(K, 2) points or handles of all keys."""
    values = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get(name, values)
    return values.reshape(-1, 2)


def _lift(curve: bpy.types.FCurve, places: NDArray[np.int64], values: Floats) -> None:
    """Give these keys other values; their handles go along."""
    points = _pairs(curve, "co")
    change = values - points[places, 1]
    for name in HANDLES:
        handles = _pairs(curve, name)
        handles[places, 1] += change
        curve.keyframe_points.foreach_set(name, handles.ravel())
    points[places, 1] = values
    move(curve, points.ravel())


def _looks(curve: bpy.types.FCurve, places: NDArray[np.int64]) -> Rows:
    """Everything about a few keys; quicker than to read all."""
    keys, rows = [curve.keyframe_points[place] for place in places.tolist()], {}
    for name, (width, kind) in FIELDS.items():
        numbers = _numbers(name) if kind is np.int32 else None
        listed: list[Any] = [getattr(key, name) for key in keys]
        values = (
            [numbers[one] for one in listed] if numbers else [tuple(one) for one in listed] if width == 2 else listed
        )
        rows[name] = np.array(values, kind)
    return rows


def _numbers(name: str) -> dict[str, int]:
    return {item.identifier: item.value for item in bpy.types.Keyframe.bl_rna.properties[name].enum_items}


def _merge(curve: bpy.types.FCurve, gone: NDArray[np.bool_], new: Rows) -> None:
    """Take the keys that are `gone` (K,) out of the curve and put the new ones in. The others stay, with handles."""
    points, fresh = _pairs(curve, "co"), new["co"]
    kept = points[~gone, 0]
    distance = np.abs(kept[_nearest(kept, fresh[:, 0])] - fresh[:, 0]).min()
    order = np.argsort(np.concatenate((kept, fresh[:, 0])), kind="stable")
    if _few(len(fresh), len(points)) and distance > 2 * BLENDERS_SAME_FRAME:
        rows = {name: np.concatenate((_pairs(curve, name)[~gone], new[name]))[order] for name in HANDLES}
        _put_few(curve, gone, new)
    else:
        old = read(curve)
        rows = {name: np.concatenate((old[name][~gone], new[name]))[order] for name in FIELDS}
        _put_all(curve, rows)
    automatic = new["handle_left_type"] == Handle.AUTO_CLAMPED
    _hold(curve, rows, np.concatenate((np.zeros(len(kept), bool), automatic))[order])


def _put_all(curve: bpy.types.FCurve, rows: Rows) -> None:
    """Make the curve's keys anew."""
    points = curve.keyframe_points
    points.clear()
    points.add(len(rows["co"]))
    for name, values in rows.items():
        if values.dtype == np.int32:
            set_kinds(points, name, values)
        else:
            points.foreach_set(name, np.ascontiguousarray(values).ravel())


def _put_few(curve: bpy.types.FCurve, gone: NDArray[np.bool_], new: Rows) -> None:
    """Remove and add keys one by one; what all of their handles are is for `_hold`."""
    points = curve.keyframe_points
    for place in np.flatnonzero(gone)[::-1].tolist():
        points.remove(points[place], fast=True)
    words = {
        name: {number: word for word, number in _numbers(name).items()}
        for name, (_, kind) in FIELDS.items()
        if kind is np.int32
    }
    for number, (frame, value) in enumerate(new["co"].tolist()):
        key = points.insert(frame, value, options={"FAST"})
        for name, (width, _) in FIELDS.items():
            wanted = new[name][number].item() if width == 1 else None
            wanted = words[name][wanted] if name in words else wanted
            if wanted is not None and getattr(key, name) != wanted:  # each change makes Blender go over the whole curve
                setattr(key, name, wanted)


def _hold(curve: bpy.types.FCurve, rows: Rows, loose: NDArray[np.bool_]) -> None:
    """Give all handles the values in `rows` but for the `loose` (K,) ones, which Blender sets."""
    recalculate(curve)
    for name in HANDLES:
        fixed = np.where(loose[:, None], _pairs(curve, name), rows[name])
        curve.keyframe_points.foreach_set(name, np.ascontiguousarray(fixed).ravel())
