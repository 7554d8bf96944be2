"""One head in front of a camera: vertices in, a picture file out.

Blender's Workbench engine rasterizes; the colours are ours, per vertex (`light.py`), so the picture is the same with
every Blender version, needs no graphics card, and takes well under a second. Importing this module imports bpy:
import it in a process of its own, and end that with `os._exit`, because bpy may hang or crash at a regular exit.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from semanticface_training.synthetic import hair, light
from semanticface_training.synthetic.ict import Floats, Head, Ints, eye_frames, pose
from semanticface_training.synthetic.surface import EYE_CENTRES, Look, Surface, build_surface, smooth

BACKGROUND = (0.235, 0.262, 0.285)
CAMERA = np.array([0.0, 2.6, 80.0], np.float32)
"""Where the camera stands, in the head's centimetres; it looks along -Z."""

LENS = 86.0
_METRES = 0.01


class Scene:
    """A Blender scene that holds one head and draws it again for each set of vertices."""

    def __init__(self, head: Head, size: int, look: Look | None = None, seed: int = 1) -> None:
        self._head = head
        self._look = look or Look()
        self._surface = build_surface(head, self._look)
        rng = np.random.default_rng(seed)
        self._hair = hair.join([hair.brow_strands(head, rng), hair.scalp_strands(head, rng)])
        self._edges = light.edges_of(self._surface.faces)
        self._towards = light.directions()
        self._visible = _visibility(head, self._surface, self._towards)
        self._scalp = hair.scalp_share(self._surface.place(head.neutral))
        _, strand_faces = hair.ribbons(self._hair.place(head.neutral), self._hair.width, CAMERA)
        count = len(self._surface.corners)
        self._mesh = _mesh(np.concatenate([self._surface.faces, strand_faces + count]), count + 6 * len(self._hair.width))
        _studio(size)

    def render(self, vertices: Floats, path: Path) -> None:
        """Draw the head's vertices (V, 3) in cm into `path`, a PNG of size x size pixels."""
        surface, strands = self._surface, self._hair
        positions = surface.place(vertices)
        points = strands.place(vertices)
        ribbon, _ = hair.ribbons(points, strands.width, CAMERA)
        colours = self._skin_colours(vertices, positions)
        hairs = self._hair_colours(points, colours)
        self._mesh.vertices.foreach_set("co", _to_blender(np.concatenate([positions, ribbon])).ravel())
        rgba = np.ones((len(colours) + len(hairs), 4), np.float32)
        rgba[:, :3] = np.concatenate([colours, hairs])
        self._mesh.color_attributes["Colour"].data.foreach_set("color", rgba.ravel())
        self._mesh.update()
        bpy.context.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)

    def _skin_colours(self, vertices: Floats, positions: Floats) -> Floats:
        surface = self._surface
        normals = light.vertex_normals(positions, surface.faces)
        turn = _head_turn(self._head, vertices)
        for number, (centre, _) in enumerate(eye_frames(self._head, vertices).values(), start=1):
            rows = surface.eye == number
            out = positions[rows] - centre
            normals[rows] = out / np.linalg.norm(out, axis=1, keepdims=True)
        towards = self._towards @ turn.T  # the sampled directions turn with the head; the room does not
        lit = light.gather(normals, self._visible, towards, light.radiance(towards))
        skin = surface.eye == 0
        lit = np.where((skin & ~surface.mouth)[:, None], light.spread(lit, self._edges), lit)
        to_viewer = CAMERA - positions
        to_viewer /= np.linalg.norm(to_viewer, axis=1, keepdims=True)
        open_sky = self._visible.mean(axis=1, keepdims=True)
        shine = np.where(skin[:, None], light.highlight(normals, to_viewer, 22.0) * 0.16, 0.0)
        wet = light.highlight(normals, to_viewer, 420.0) * 0.55
        shine = shine + np.where((surface.gloss > 0.9)[:, None], wet, 0.0)
        albedo = surface.albedo * (1 - 0.8 * self._scalp[:, None]) + np.asarray(self._look.hair) * 0.8 * self._scalp[:, None]
        gloss = (surface.gloss * (1 - self._scalp))[:, None]
        colours: Floats = (albedo * lit + shine * gloss * np.clip(open_sky * 2.2, 0, 1)).astype(np.float32)
        for number in (1, 2):
            rows = surface.eye == number
            colours[rows] *= self._lid_shade(vertices, positions[rows], number)
        return colours

    def _lid_shade(self, vertices: Floats, positions: Floats, number: int) -> Floats:
        """Shade that the upper lid throws on the eyeball, (P, 1)."""
        side = ("Left", "Right")[number - 1]
        centre, _ = eye_frames(self._head, vertices)[side]
        up = _head_turn(self._head, vertices) @ np.array([0, 1, 0], np.float32)
        height = (positions - centre) @ up
        shade: Floats = (1.0 - 0.55 * smooth(0.1, 0.85, height)).astype(np.float32)[:, None]
        return shade

    def _hair_colours(self, points: Floats, skin: Floats) -> Floats:
        """Kajiya-Kay: bright where light meets a strand across, and a streak of highlight; (S*6, 3)."""
        along = points[:, 2] - points[:, 0]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        head_middle = points.mean(axis=(0, 1))
        outward = points[:, 1] - head_middle
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        total = np.full((len(points), 3), 0.28, np.float32)
        for lamp in light.LAMPS:
            towards = np.asarray(lamp.towards, np.float32) / np.linalg.norm(lamp.towards)
            across = np.sqrt(np.maximum(1 - (along @ towards) ** 2, 0))
            faces = np.clip(outward @ towards * 0.8 + 0.35, 0, 1)
            total += ((0.4 * across + 0.9 * across**24) * faces)[:, None] * np.asarray(lamp.colour, np.float32)
        strand = total * np.asarray(self._look.hair, np.float32) * self._hair.shade[:, None]
        ends = np.array([0.65, 0.65, 1.0, 1.0, 1.15, 1.15], np.float32)
        coloured: Floats = (strand[:, None] * ends[:, None]).reshape(-1, 3).astype(np.float32)
        return coloured


def _to_blender(points: Floats) -> Floats:
    """From the head's axes (Y up, Z to the viewer, cm) to Blender's (Z up, -Y to the viewer, m)."""
    turned: Floats = np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1).astype(np.float32) * np.float32(_METRES)
    return turned


def _head_turn(head: Head, vertices: Floats) -> Floats:
    """The head's rotation (3, 3), measured on vertices of the skull that no expression moves."""
    still = slice(*head.regions["head_neck"])
    rigid = np.flatnonzero(head.head_weight[still] >= 1.0) + still.start
    rest, now = head.neutral[rigid], vertices[rigid]
    u, _, vt = np.linalg.svd((now - now.mean(axis=0)).T @ (rest - rest.mean(axis=0)))
    turn: Floats = ((u * np.array([1, 1, np.sign(np.linalg.det(u @ vt))])) @ vt).astype(np.float32)
    return turn


def _visibility(head: Head, surface: Surface, towards: Floats) -> Floats:
    """Which directions each vertex sees past the head itself, (N, K) float32 of 0 or 1.

    Skin is measured with the mouth shut, what is inside the mouth with it half open; eyeballs see everything
    (their lids move too much for a measurement at rest).
    """
    visible = np.ones((len(surface.corners), len(towards)), np.float32)
    used = np.unique(surface.faces[surface.faces >= 0])
    for inside, coefficients in ((False, {}), (True, {"JawOpen": 0.6, "MouthSmileLeft": 0.5, "MouthSmileRight": 0.5})):
        positions = surface.place(pose(head, coefficients))
        normals = light.vertex_normals(positions, surface.faces)
        tree = BVHTree.FromPolygons(positions.tolist(), [[int(v) for v in face if v >= 0] for face in surface.faces])
        for row in used[(surface.mouth[used] == inside) & (surface.eye[used] == 0)]:
            start = Vector((positions[row] + 0.03 * normals[row]).tolist())
            for k in np.flatnonzero(towards @ normals[row] > 0):
                if tree.ray_cast(start, Vector(towards[k].tolist()), 12.0)[0] is not None:
                    visible[row, k] = 0.0
    return visible


def _mesh(faces: Ints, count: int) -> bpy.types.Mesh:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("Head")
    polygons = [tuple(face[:3]) if face[3] < 0 else tuple(face) for face in faces.tolist()]
    mesh.from_pydata(np.zeros((count, 3)).tolist(), [], polygons)
    mesh.color_attributes.new("Colour", "FLOAT_COLOR", "POINT")
    mesh.color_attributes.active_color = mesh.color_attributes["Colour"]
    mesh.polygons.foreach_set("use_smooth", np.ones(len(polygons), bool))
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
