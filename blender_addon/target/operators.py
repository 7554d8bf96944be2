# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that choose targets: the demo head, the meshes of a character, the axes of controls."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import bpy

from semanticface.errors import InputError

from .. import names
from ..demo_head import build_demo_head
from ..properties import settings_of
from .axes import guess_axes
from .characters import meshes_of_character
from .mapping import chosen_meshes, set_axes
from .shapes import has_face_shapes

FAR_OFF = math.radians(30)
"""An axis that points so far from where it should is worth a word."""


class SEMANTICFACE_OT_add_demo_head(bpy.types.Operator):
    """Add a head with all 52 ARKit shape keys and controls for head and eyes, and choose it as the target"""

    bl_idname = names.OP_ADD_HEAD
    bl_label = "Add Demo Head"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        made = build_demo_head(context)
        settings = settings_of(context.scene)
        settings.mesh = bpy.data.objects[made.face]
        settings.more_meshes.clear()
        settings.head = bpy.data.objects[made.head_control]
        settings.left_eye, settings.right_eye = (bpy.data.objects[name] for name in made.eye_controls)
        settings.head_bone = settings.left_eye_bone = settings.right_eye_bone = ""
        settings.property_unset("right_eye_differs")
        for name in ("head_yaw", "head_pitch", "head_roll", "eye_yaw", "eye_pitch", "eye_roll"):
            settings.property_unset(name)
        self.report({"INFO"}, f'Added "{made.face}"')
        return {"FINISHED"}


class SEMANTICFACE_OT_find_targets(bpy.types.Operator):
    """Choose the active object as the mesh, or the first mesh in the scene whose shape keys are known by name"""

    bl_idname = names.OP_FIND_TARGETS
    bl_label = "Find Mesh"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        candidates = [context.object, *context.scene.objects]
        found = next((candidate for candidate in candidates if has_face_shapes(candidate)), None)
        if found is None:
            self.report({"ERROR"}, "No mesh in this scene has shape keys with known names, such as jawOpen")
            return {"CANCELLED"}
        settings_of(context.scene).mesh = found
        return {"FINISHED"}


class SEMANTICFACE_OT_add_meshes(bpy.types.Operator):
    """Add the selected meshes that have shape keys: lashes, teeth, tongue, brows"""

    bl_idname = names.OP_ADD_MESHES
    bl_label = "Add Selected Meshes"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        selected = [one for one in context.selected_objects if one.type == "MESH" and one.data.shape_keys is not None]
        return _add(self, settings_of(context.scene), selected, "No other selected mesh has shape keys")


class SEMANTICFACE_OT_find_meshes(bpy.types.Operator):
    """Add every mesh of the character whose shape keys match: same armature, same parent, or same collection"""

    bl_idname = names.OP_FIND_MESHES
    bl_label = "Find All"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return settings_of(context.scene).mesh is not None

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        found = list(meshes_of_character(settings.mesh, context.scene))
        return _add(self, settings, found, "No other mesh of this character has shape keys that match")


class SEMANTICFACE_OT_remove_mesh(bpy.types.Operator):
    """Take the active mesh out of the list; the object stays as it is"""

    bl_idname = names.OP_REMOVE_MESH
    bl_label = "Remove Mesh"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return len(settings_of(context.scene).more_meshes) > 0

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        last = len(settings.more_meshes) - 1
        settings.more_meshes.remove(min(settings.more_meshes_index, last))
        settings.more_meshes_index = max(0, min(settings.more_meshes_index, last - 1))
        return {"FINISHED"}


class SEMANTICFACE_OT_guess_axes(bpy.types.Operator):
    """Set the axes of head and eye controls from how they rest, for a head that looks along the world's -Y"""

    bl_idname = names.OP_GUESS_AXES
    bl_label = "Guess Axes"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        settings = settings_of(context.scene)
        return any(getattr(settings, name) is not None for name in ("head", "left_eye", "right_eye"))

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        doubtful = []
        for name in ("head", "left_eye", "right_eye"):
            control = getattr(settings, name)
            if control is None:
                continue
            try:
                guess = guess_axes(control, getattr(settings, f"{name}_bone") if control.type == "ARMATURE" else "")
            except InputError as error:
                self.report({"ERROR"}, str(error))
                return {"CANCELLED"}
            set_axes(settings, name, guess.axes)
            if guess.off > FAR_OFF:
                doubtful.append(f"{name.replace('_', ' ')} ({math.degrees(guess.off):.0f}°)")
        if doubtful:
            self.report({"WARNING"}, f"Axes are far from upright: {', '.join(doubtful)}. Check which way they turn")
        else:
            self.report({"INFO"}, "Axes set for a head that looks along -Y")
        return {"FINISHED"}


def _add(operator: Any, settings: Any, meshes: list[bpy.types.Object], none: str) -> set[str]:
    there = set(chosen_meshes(settings)) | {item.mesh for item in settings.more_meshes} | {settings.mesh}
    new = [mesh for mesh in meshes if mesh not in there]
    if not new:
        operator.report({"WARNING"}, none)
        return {"CANCELLED"}
    if settings.mesh is None:
        best = next((mesh for mesh in new if has_face_shapes(mesh)), new[0])
        settings.mesh = best
        new.remove(best)
    for mesh in new:
        settings.more_meshes.add().mesh = mesh
    operator.report({"INFO"}, f"{len(settings.more_meshes) + 1} meshes are keyed")
    return {"FINISHED"}


_CLASSES = (
    SEMANTICFACE_OT_add_demo_head,
    SEMANTICFACE_OT_find_targets,
    SEMANTICFACE_OT_add_meshes,
    SEMANTICFACE_OT_find_meshes,
    SEMANTICFACE_OT_remove_mesh,
    SEMANTICFACE_OT_guess_axes,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
