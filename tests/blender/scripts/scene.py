"""Helpers of the scripts: a scene with a target and footage, and what is keyed in it as plain numbers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy

from blender_addon import session
from blender_addon.keying import fcurves as keying
from blender_addon.properties import settings_of

SHAPES = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "JawLEFT", "eyeBlinkLeft", "not an action")


def fresh(fps: int = 24, base: float = 1.0) -> Any:
    """An empty scene at that rate, raw values; returns its settings."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = fps, base
    settings = settings_of(bpy.context.scene)
    settings.use_recipe = False  # raw values, so that what is keyed can be compared; the recipe has tests of its own
    return settings


def add_face(name: str = "Face", shapes: tuple[str, ...] = SHAPES) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    face = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(face)
    if shapes:
        face.shape_key_add(name="Basis")
    for shape in shapes:
        face.shape_key_add(name=shape)
    return face


def add_empty(name: str, mode: str = "YXZ") -> Any:
    empty = bpy.data.objects.new(name, None)
    empty.rotation_mode = mode
    bpy.context.scene.collection.objects.link(empty)
    return empty


def ready(folder: str, fps: int = 24, base: float = 1.0) -> Any:
    """A face, three controls, and a file that the mock takes for footage; returns the settings.

    The recipe leaves raw values and a key for each, so that a test sees what was analyzed.
    """
    settings = fresh(fps, base)
    settings.reduce, settings.smoothing = False, 0.0
    settings.mesh = add_face()
    settings.head, settings.left_eye, settings.right_eye = (add_empty(name) for name in ("Head", "EyeL", "EyeR"))
    choose_file(settings, folder)
    return settings


def choose_file(settings: Any, folder: str) -> None:
    clip = Path(folder) / "clip.mp4"
    clip.write_bytes(b"the mock never looks inside")
    settings.source, settings.filepath = "FILE", str(clip)


def keys_on(owner: Any) -> dict[str, list[list[float]]]:
    """`path[index]` -> [[frame, value], ...] of what animates the data-block."""
    return {
        f"{curve.data_path}[{curve.array_index}]": [list(key.co) for key in curve.keyframe_points]
        for curve in keying.curves_of(owner)
    }


def shape_keys_on(face: Any) -> dict[str, list[list[float]]]:
    """The same by shape key name."""
    return {path.split('"')[1]: keys for path, keys in keys_on(face.data.shape_keys).items()}


def attempt(operator: Any, **arguments: Any) -> str:
    """Run an operator; "" when it finished, else its error report."""
    try:
        return "" if operator(**arguments) == {"FINISHED"} else "cancelled"
    except RuntimeError as error:
        return str(error)


def tick_until(condition: Any, timeout: float = 20.0) -> float:
    """Call the session's tick by hand, as the timer would, until the condition holds; seconds of the longest tick."""
    deadline, longest = time.monotonic() + timeout, 0.0
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {session.current().job and session.current().job.describe()}")
        start = time.perf_counter()
        session.current().tick()
        longest = max(longest, time.perf_counter() - start)
        time.sleep(0.005)
    return longest
