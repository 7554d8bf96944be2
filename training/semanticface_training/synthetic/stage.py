"""Draws figures with Blender's Workbench engine: vertex colours in, an RGBA picture out.

The colours are ours, so the picture needs no graphics card. Importing this module imports bpy: import it in a process
of its own, and end that with `os._exit`, because bpy may hang or crash at a regular exit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import EngineError
from semanticface_training.synthetic.ict import Floats, Ints
from semanticface_training.synthetic.variation import Camera

Image = NDArray[np.uint8]

_METRES = 0.01
_SENSOR = 36.0


def viewpoint(camera: Camera, centre: Floats) -> Floats:
    """Where the camera stands, (3,) cm: so far away that its lens spans `extent` at the face."""
    distance = camera.extent * camera.lens / _SENSOR
    stand: Floats = (centre + np.array([camera.aside[0], camera.aside[1], distance])).astype(np.float32)
    return stand


class Stage:
    """A Blender scene with one mesh of fixed `faces` (`count` vertices), a prop that comes and goes, and a camera."""

    def __init__(self, faces: Ints, count: int, size: int, scratch: Path) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._head = _mesh("Head", faces, count)
        self._prop: Any = None
        self._scratch = scratch
        self._stand = _studio(size)

    def render(self, positions: Floats, colours: Floats, camera: Camera, centre: Floats) -> Image:
        """The mesh at `positions` (N, 3) cm in `colours` (N, 3) linear RGB: (size, size, 4) uint8 BGRA, no backdrop."""
        _fill(self._head, positions, colours)
        self._stand.data.lens = camera.lens
        self._stand.location = _to_blender(viewpoint(camera, centre)[None])[0].tolist()
        bpy.context.scene.render.filepath = str(self._scratch)
        bpy.ops.render.render(write_still=True)
        drawn = cv2.imread(str(self._scratch), cv2.IMREAD_UNCHANGED)
        if drawn is None or drawn.shape[-1] != 4:
            raise EngineError("Blender drew no picture", "is the disk full? The bpy module needs Mesa's libEGL")
        return np.asarray(drawn, np.uint8)

    def place_prop(self, positions: Floats, faces: Ints, colours: Floats) -> None:
        """Put something else into the scene, in the same units as the head."""
        self.clear_prop()
        self._prop = _mesh("Prop", faces, len(positions))
        _fill(self._prop, positions, colours)

    def clear_prop(self) -> None:
        """Take the prop away."""
        if self._prop is not None:
            bpy.data.meshes.remove(self._prop)
            self._prop = None


def _to_blender(points: Floats) -> Floats:
    """From the head's axes (Y up, Z to the viewer, cm) to Blender's (Z up, -Y to the viewer, m)."""
    turned = np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)
    scaled: Floats = (turned * _METRES).astype(np.float32)
    return scaled


def _mesh(name: str, faces: Ints, count: int) -> Any:
    mesh = bpy.data.meshes.new(name)
    polygons = [face[:3] if face[3] < 0 else face for face in faces.tolist()]
    mesh.from_pydata(np.zeros((count, 3)).tolist(), [], polygons)
    mesh.color_attributes.new("Colour", "FLOAT_COLOR", "POINT")
    mesh.color_attributes.active_color = mesh.color_attributes["Colour"]
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(name, mesh))
    return mesh


def _fill(mesh: Any, positions: Floats, colours: Floats) -> None:
    rgba = np.ones((len(colours), 4), np.float32)
    rgba[:, :3] = colours
    mesh.vertices.foreach_set("co", _to_blender(positions).ravel())
    mesh.color_attributes["Colour"].data.foreach_set("color", rgba.ravel())
    mesh.update()


def _studio(size: int) -> Any:
    scene = bpy.context.scene
    camera = bpy.data.cameras.new("Camera")
    camera.sensor_width, camera.clip_start = _SENSOR, 0.01
    stand = bpy.data.objects.new("Camera", camera)
    stand.rotation_euler = (np.pi / 2, 0, 0)
    scene.collection.objects.link(stand)
    scene.camera = stand
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.shading.light, scene.display.shading.color_type = "FLAT", "VERTEX"
    scene.display.render_aa = "OFF"
    scene.view_settings.view_transform = "Standard"
    scene.render.film_transparent = True
    scene.render.use_compositing = scene.render.use_sequencer = False  # nothing to do, and it costs time
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.compression = 0
    return stand
