"""One head in front of a camera: vertices in, a picture file out.

Blender's Workbench engine rasterizes; the colours are ours, per vertex (`shade.py`), so the picture is the same with
every Blender version, needs no graphics card, and takes well under a second. Importing this module imports bpy:
import it in a process of its own, and end that with `os._exit`, because bpy may hang or crash at a regular exit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from semanticface_training.synthetic import hair, light
from semanticface_training.synthetic.ict import Floats, Head, Ints, pose
from semanticface_training.synthetic.shade import CAMERA, Shader, mouth_vertices
from semanticface_training.synthetic.surface import Look, build_surface

BACKGROUND = (0.235, 0.262, 0.285)
LENS = 88.0
_METRES = 0.01
_MOUTH_OPEN = {"JawOpen": 0.6, "MouthSmileLeft": 0.5, "MouthSmileRight": 0.5}


class Scene:
    """A Blender scene that holds one head and draws it again for each set of vertices."""

    def __init__(self, head: Head, size: int, look: Look | None = None, seed: int = 1) -> None:
        look = look or Look()
        rng = np.random.default_rng(seed)
        self._surface = build_surface(head, look)
        self._hair = hair.join([make(head, rng) for make in (hair.brow_strands, hair.lash_strands, hair.scalp_strands)])
        towards = light.directions()
        self._shader = Shader(head, self._surface, look, towards, _visibility(head, towards))
        ribbon, strand_faces = hair.ribbons(self._hair.place(head.neutral), self._hair.width, CAMERA)
        count = len(self._surface.corners)
        self._mesh = _mesh(np.concatenate([self._surface.faces, strand_faces + count]), count + len(ribbon))
        _studio(size)

    def render(self, vertices: Floats, path: Path) -> None:
        """Draw the head's vertices (V, 3) in cm into `path`, a PNG of size x size pixels."""
        positions = self._surface.place(vertices)
        points = self._hair.place(vertices)
        ribbon, _ = hair.ribbons(points, self._hair.width, CAMERA)
        colours = self._shader.surface_colours(vertices, positions)
        hairs = self._shader.hair_colours(points, self._hair)
        rgba = np.ones((len(colours) + len(hairs), 4), np.float32)
        rgba[:, :3] = np.concatenate([colours, hairs])
        self._mesh.vertices.foreach_set("co", _to_blender(np.concatenate([positions, ribbon])).ravel())
        self._mesh.color_attributes["Colour"].data.foreach_set("color", rgba.ravel())
        self._mesh.update()
        bpy.context.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)


def _to_blender(points: Floats) -> Floats:
    """From the head's axes (Y up, Z to the viewer, cm) to Blender's (Z up, -Y to the viewer, m)."""
    turned = np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)
    scaled: Floats = (turned * _METRES).astype(np.float32)
    return scaled


def _polygons(faces: Ints) -> list[list[int]]:
    return [face[:3] if face[3] < 0 else face for face in faces.tolist()]


def _visibility(head: Head, towards: Floats) -> Floats:
    """Which directions each vertex sees past the head itself, (V, K) float32 of 0 or 1.

    Skin is measured with the mouth shut, what is inside the mouth with it half open.
    """
    visible = np.ones((len(head.neutral), len(towards)), np.float32)
    mouth = mouth_vertices(head)
    shells = [head.materials.index(f"M_{name}") for name in ("LacrimalFluid", "EyeBlend", "EyeOcclusion", "EyeLashes")]
    solid = head.faces[~np.isin(head.face_material, shells)]
    outside = np.setdiff1d(np.unique(solid[solid >= 0]), mouth)
    for rows, coefficients in ((outside, {}), (mouth, _MOUTH_OPEN)):
        positions = pose(head, coefficients)
        normals = light.vertex_normals(positions, solid)
        tree = BVHTree.FromPolygons(positions.tolist(), _polygons(solid))
        for row in rows:
            start = Vector((positions[row] + 0.03 * normals[row]).tolist())
            for k in np.flatnonzero(towards @ normals[row] > 0):
                if tree.ray_cast(start, Vector(towards[k].tolist()), 12.0)[0] is not None:
                    visible[row, k] = 0.0
    return visible


def _mesh(faces: Ints, count: int) -> Any:
    """An empty Blender file with one mesh of `count` vertices that carries a colour a vertex."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("Head")
    mesh.from_pydata(np.zeros((count, 3)).tolist(), [], _polygons(faces))
    mesh.color_attributes.new("Colour", "FLOAT_COLOR", "POINT")
    mesh.color_attributes.active_color = mesh.color_attributes["Colour"]
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Head", mesh))
    return mesh


def _studio(size: int) -> None:
    scene = bpy.context.scene
    camera = bpy.data.cameras.new("Camera")
    camera.lens, camera.clip_start = LENS, 0.01
    stand = bpy.data.objects.new("Camera", camera)
    stand.location, stand.rotation_euler = _to_blender(CAMERA[None])[0].tolist(), (np.pi / 2, 0, 0)
    scene.collection.objects.link(stand)
    scene.camera = stand
    scene.world = bpy.data.worlds.new("Backdrop")
    scene.world.color = BACKGROUND
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.shading.light, scene.display.shading.color_type = "FLAT", "VERTEX"
    scene.display.render_aa = "OFF"
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.compression = 10
