# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the demo head into a Blender scene: meshes, shape keys, materials and the empties that turn head and eyes.

The only file of the demo head that touches bpy, and it keeps no pointer to what it made.
"""

from __future__ import annotations

import itertools
from typing import Any

import bpy
import numpy as np

from .controls import ROTATION_MODE, DemoHead
from .eyelids import eyeball
from .mesh import Part, mirrored
from .model import Head, build_head
from .proportions import EYE_CENTER, NECK_PIVOT, Array, mirror_x
from .shapes import all_deltas

UNITS_PER_CM = 0.1
"""The head is built ten times life size (2.7 m): an object that fits beside Blender's default cube."""

_COLORS: dict[str, tuple[tuple[float, float, float], float]] = {
    "skin": ((0.80, 0.49, 0.36), 0.5),
    "lips": ((0.56, 0.22, 0.20), 0.38),
    "mouth": ((0.13, 0.02, 0.025), 0.6),
    "gum": ((0.55, 0.17, 0.17), 0.35),
    "teeth": ((0.86, 0.82, 0.74), 0.25),
    "tongue": ((0.62, 0.19, 0.20), 0.4),
    "nostril": ((0.09, 0.03, 0.025), 0.9),
    "brow": ((0.075, 0.038, 0.022), 0.7),
    "lash": ((0.02, 0.012, 0.01), 0.6),
    "hair": ((0.15, 0.072, 0.036), 0.55),
    "cloth": ((0.10, 0.17, 0.24), 0.85),
    "sclera": ((0.86, 0.85, 0.83), 0.12),
    "limbus": ((0.03, 0.06, 0.09), 0.12),
    "iris": ((0.12, 0.30, 0.42), 0.12),
    "pupil": ((0.004, 0.004, 0.005), 0.08),
}
"""Linear colour and roughness of each material."""


def _material(kind: str) -> Any:
    """The material of that kind, made anew unless the file has it already."""
    name = f"SemanticFace {kind}"
    found = bpy.data.materials.get(name)
    if found is not None:
        return found
    color, roughness = _COLORS[kind]
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*color, 1.0)
    material.roughness = roughness
    if material.node_tree is None:
        material.use_nodes = True
    shader = next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    if shader is not None:
        shader.inputs["Base Color"].default_value = (*color, 1.0)
        shader.inputs["Roughness"].default_value = roughness
        if kind in {"skin", "lips", "tongue"} and "Subsurface Weight" in shader.inputs:
            shader.inputs["Subsurface Weight"].default_value = 0.08
    return material


def _mesh(name: str, part: Part, origin: Array) -> Any:
    """A smooth-shaded mesh of the part, moved so that `origin` (cm) is its zero."""
    mesh = bpy.data.meshes.new(name)
    sides = np.where(part.faces[:, 3] < 0, 3, 4)
    corners = part.faces[part.faces >= 0]
    mesh.vertices.add(len(part.vertices))
    mesh.vertices.foreach_set("co", ((part.vertices - origin) * UNITS_PER_CM).astype(np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
    mesh.polygons.add(len(sides))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sides) - sides).astype(np.int32))
    if not bpy.types.MeshPolygon.bl_rna.properties["loop_total"].is_readonly:  # before 4.1 it didn't follow by itself
        mesh.polygons.foreach_set("loop_total", np.asarray(sides, np.int32))
    kinds = list(dict.fromkeys(part.materials))
    for kind in kinds:
        mesh.materials.append(_material(kind))
    slots = np.array([kinds.index(kind) for kind in part.materials], dtype=np.int32)
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("material_index", slots)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(sides), dtype=bool))
    mesh.validate()
    mesh.update()
    return mesh


def _add_shape_keys(face: Any, head: Head) -> None:
    face.shape_key_add(name="Basis", from_mix=False)
    neutral = (head.mesh.vertices - NECK_PIVOT) * UNITS_PER_CM
    for name, delta in all_deltas(head).items():
        key = face.shape_key_add(name=name, from_mix=False)
        key.slider_min, key.slider_max = 0.0, 1.0
        key.data.foreach_set("co", (neutral + delta * UNITS_PER_CM).astype(np.float32).ravel())
        key.value = 0.0


def _empty(name: str, collection: Any, location: Array, size: float, parent: Any) -> Any:
    empty = bpy.data.objects.new(name, None)
    empty.empty_display_type = "SPHERE" if parent else "CIRCLE"
    empty.empty_display_size = size * UNITS_PER_CM
    empty.rotation_mode = ROTATION_MODE
    empty.location = location * UNITS_PER_CM
    empty.parent = parent
    collection.objects.link(empty)
    return empty


def _object(name: str, mesh: Any, collection: Any, parent: Any) -> Any:
    made = bpy.data.objects.new(name, mesh)
    made.parent = parent
    collection.objects.link(made)
    return made


def _object_names(name: str) -> tuple[str, ...]:
    """Head, face, and left and right of eye empty and eyeball."""
    return (
        name,
        f"{name} Face",
        *(f"{name} {kind} {side}" for kind in ("Eye", "Eyeball") for side in ("Left", "Right")),
    )


def _free_names(name: str) -> tuple[str, ...]:
    """The names of the first head of that name that the file has no object of: the name itself, or numbered."""
    candidates = itertools.chain([name], (f"{name} {number}" for number in itertools.count(2)))
    every = map(_object_names, candidates)
    return next(names for names in every if not any(one in bpy.data.objects for one in names))


def build_demo_head(context_or_scene: Any, name: str = "SemanticFace Head") -> DemoHead:
    """Builds the head in the active collection (of a context) or the scene's own; returns the objects' names.

    Names are `name`, `name Face`, `name Eye Left`, `name Eyeball Left` and so on; where the file has one of them, the
    whole head is called `name 2`, `name 3` ... Nothing that is in the file is touched. Takes about a second.
    """
    collection = context_or_scene.collection
    names = _free_names(name)
    head = build_head()
    control = _empty(names[0], collection, NECK_PIVOT, 9.0, None)
    face = _object(names[1], _mesh(names[1], head.mesh, NECK_PIVOT), collection, control)
    _add_shape_keys(face, head)
    ball = eyeball()
    places = (EYE_CENTER, mirror_x(EYE_CENTER))
    turning, eyes = [], []
    for side, (place, part) in enumerate(zip(places, (ball, mirrored(ball, "eyeball")), strict=True)):
        turning.append(_empty(names[2 + side], collection, place - NECK_PIVOT, 2.6, control))
        eyes.append(_object(names[4 + side], _mesh(names[4 + side], part, np.zeros(3)), collection, turning[-1]))
    return DemoHead(face.name, control.name, (turning[0].name, turning[1].name), (eyes[0].name, eyes[1].name))
