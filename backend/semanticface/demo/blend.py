"""Blender's part of the demonstration, run as a process of its own: demo head, keys, .blend, rendered frames.

Uses the extension's own operators, as its panel does; nothing is keyed here behind its back. The process ends with
`os._exit` after cleaning up, because bpy as a module may hang or crash while the interpreter shuts down.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import traceback
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.demo.libraries import missing_libraries

SIDE = 560
"""Rendered frames are square, this many pixels a side; the preview shrinks them, which smooths their edges."""


def _load_bpy() -> Any:
    """The bpy module, or an exit that names what is missing and the one command that installs it."""
    missing = missing_libraries()
    if missing:
        names, packages = ", ".join(missing), " ".join(missing.values())
        sys.exit(f"Blender needs {names}: install with `apt-get install {packages}` (Debian and Ubuntu)")
    try:
        import bpy
    except ImportError as error:
        sys.exit(f"bpy can't be loaded ({error}): pip install 'semanticface[blender]' with Python 3.11")
    return bpy


def _scene(bpy: Any, rate: Fraction, frames: int) -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = math.ceil(rate)
    scene.render.fps_base = float(math.ceil(rate) / rate)
    scene.frame_start, scene.frame_end = 1, frames
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.view_settings.view_transform = "Standard"
    scene.display.shading.light = "STUDIO"
    scene.display.shading.color_type = "MATERIAL"
    scene.display.render_aa = "OFF"
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.075, 0.085, 0.1)
    return scene


def _camera(bpy: Any, scene: Any, face: Any) -> None:
    """A portrait camera in front of the head (which looks towards -Y), framing the face and the hair."""
    corners = [face.matrix_world @ type(face.location)(corner) for corner in face.bound_box]
    low = [min(corner[axis] for corner in corners) for axis in range(3)]
    high = [max(corner[axis] for corner in corners) for axis in range(3)]
    height = high[2] - low[2]
    data = bpy.data.cameras.new("Portrait")
    data.lens, data.clip_start = 70.0, 0.01
    camera = bpy.data.objects.new("Portrait", data)
    camera.location = ((low[0] + high[0]) / 2, low[1] - 1.7 * height, low[2] + 0.56 * height)
    camera.rotation_euler = (math.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera


def _render(bpy: Any, scene: Any, folder: Path) -> None:
    """Frame 1 of the scene is source frame 0: files are named by source frame."""
    folder.mkdir(parents=True, exist_ok=True)
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.compression = 10
    for number in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(number)
        scene.render.filepath = str(folder / f"{number - 1:05d}.png")
        bpy.ops.render.render(write_still=True)


def build(addon: Path, take: Path, clip: Path, blend: Path, frames: Path) -> None:
    """Make the .blend from the take and render each frame. Raises RuntimeError when an operator refuses."""
    bpy = _load_bpy()
    from semanticface.take import read_take

    taken = read_take(take)
    sys.path.insert(0, str(addon))
    import blender_addon

    scene = _scene(bpy, taken.header.rate or Fraction(24), len(taken.results))
    blender_addon.register()
    try:
        bpy.ops.semanticface.add_demo_head()
        settings = scene.semanticface
        settings.clip = bpy.data.movieclips.load(str(clip))
        if "FINISHED" not in bpy.ops.semanticface.key_take(directory=str(take)):
            raise RuntimeError("the take was not keyed")
        _camera(bpy, scene, settings.mesh)
        scene.frame_set(1)
        bpy.ops.wm.save_as_mainfile(filepath=str(blend), relative_remap=True)
        _render(bpy, scene, frames)
    finally:
        blender_addon.unregister()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("addon", "take", "clip", "blend", "frames"):
        parser.add_argument(f"--{name}", type=lambda text: Path(text).absolute(), required=True)
    arguments = parser.parse_args()
    code = 0
    try:
        build(**vars(arguments))
    except SystemExit as stop:
        print(stop.code, file=sys.stderr)
        code = 1
    except BaseException:  # reported in full: this process has no other way to say it
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
