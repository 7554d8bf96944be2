"""The child of `bench.keying`: `python keying_child.py CHECKOUT FRAMES`, in a Python that has bpy."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

SHAPES = 52
CONTROLS = 3
ROUNDS = 5

Values = NDArray[np.float32]


def subject(name: str) -> tuple[Any, list[Any]]:
    """A mesh with 52 shape keys, and three empties that turn."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    face = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(face)
    face.shape_key_add(name="Basis")
    for number in range(SHAPES):
        face.shape_key_add(name=f"shape{number}")
    controls = [bpy.data.objects.new(f"{name} control {number}", None) for number in range(CONTROLS)]
    for control in controls:
        bpy.context.scene.collection.objects.link(control)
    return mesh.shape_keys, controls


def insert(keys: Any, controls: list[Any], frames: Values, values: Values) -> float:
    """Seconds for `keyframe_insert` of values (frames, 61)."""
    start = time.perf_counter()
    for frame, row in zip(frames.tolist(), values.tolist(), strict=True):
        for block, value in zip(keys.key_blocks[1:], row[:SHAPES], strict=True):
            block.value = value
            block.keyframe_insert("value", frame=frame)
        for number, control in enumerate(controls):
            for axis in range(3):
                control.rotation_euler[axis] = row[SHAPES + 3 * number + axis]
                control.keyframe_insert("rotation_euler", index=axis, frame=frame)
    return time.perf_counter() - start


def bulk(keying: Any, keys: Any, controls: list[Any], frames: Values, values: Values) -> float:
    """Seconds for the add-on's way, from the table of values to assigned Actions."""
    start = time.perf_counter()
    shapes = tuple(
        keying.Channel(f'key_blocks["shape{number}"].value', 0, "Face", keying.dense(frames, values[:, number]))
        for number in range(SHAPES)
    )
    tracks = [keying.Track(keys, shapes)]
    for number, control in enumerate(controls):
        first = SHAPES + 3 * number
        turns = tuple(
            keying.Channel("rotation_euler", axis, "Rotation", keying.dense(frames, values[:, first + axis]))
            for axis in range(3)
        )
        tracks.append(keying.Track(control, turns))
    keying.write_take("bench", tracks)
    return time.perf_counter() - start


def keys_on(keying: Any, owners: list[Any]) -> dict[tuple[int, str, int], bytes]:
    """Each curve's keys as bytes, by owner, data path and index."""
    found = {}
    for place, owner in enumerate(owners):
        for curve in keying.curves_of(owner):
            points = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", points)
            found[place, curve.data_path, curve.array_index] = points.tobytes()
    return found


def main(checkout: str, frames: int) -> dict[str, Any]:
    """Both ways in turns, so that a busy machine slows both: a fifth of the insertions, then one whole bulk take."""
    sys.path[:0] = [checkout, f"{checkout}/backend"]
    keying = import_module("blender_addon.keying.fcurves")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    channels = SHAPES + 3 * CONTROLS
    values = np.random.default_rng(0).random((frames, channels), np.float32)
    times = np.arange(1, frames + 1, dtype=np.float32)
    slow_keys, slow_controls = subject("slow")
    slow, fast, taken = 0.0, [], []
    for number, part in enumerate(np.array_split(np.arange(frames), ROUNDS)):
        slow += insert(slow_keys, slow_controls, times[part], values[part])
        keys, controls = subject(f"fast{number}")
        fast.append(bulk(keying, keys, controls, times, values))
        taken.append(keys_on(keying, [keys, *controls]))
    expected = keys_on(keying, [slow_keys, *slow_controls])
    return {
        "blender": bpy.app.version_string,
        "frames": frames,
        "channels": channels,
        "insert_seconds": slow,
        "bulk_seconds": statistics.median(fast),
        "ratio": statistics.median(fast) / slow,
        "equal": len(expected) == channels and all(found == expected for found in taken),
    }


if __name__ == "__main__":
    report = main(str(Path(sys.argv[1])), int(sys.argv[2]))
    print("\nsemanticface-keying " + json.dumps(report), flush=True)
    os._exit(0)  # the bpy module may hang or crash in its own clean-up
