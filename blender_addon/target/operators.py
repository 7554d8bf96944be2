# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that set up a scene: add the demo head, find the targets around the active object."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from ..demo_head import build_demo_head
from ..properties import settings_of
from .targets import has_face_shapes


class SEMANTICFACE_OT_add_demo_head(bpy.types.Operator):
    """Add a head with all 52 ARKit shape keys and controls for head and eyes, and choose it as the target"""

    bl_idname = "semanticface.add_demo_head"
    bl_label = "Add Demo Head"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        made = build_demo_head(context)
        settings = settings_of(context.scene)
        settings.mesh = bpy.data.objects[made.face]
        settings.head = bpy.data.objects[made.head_control]
        settings.left_eye, settings.right_eye = (bpy.data.objects[name] for name in made.eye_controls)
        settings.head_bone = settings.left_eye_bone = settings.right_eye_bone = ""
        for name in ("head_yaw", "head_pitch", "head_roll", "eye_yaw", "eye_pitch", "eye_roll"):
            settings.property_unset(name)
        self.report({"INFO"}, f'Added "{made.face}"')
        return {"FINISHED"}


class SEMANTICFACE_OT_find_targets(bpy.types.Operator):
    """Choose the active object as the mesh, or the first mesh in the scene that has ARKit shape keys"""

    bl_idname = "semanticface.find_targets"
    bl_label = "Find Mesh"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        candidates = [context.object, *context.scene.objects]
        found = next((candidate for candidate in candidates if has_face_shapes(candidate)), None)
        if found is None:
            self.report({"ERROR"}, "No mesh in this scene has shape keys with ARKit names, such as jawOpen")
            return {"CANCELLED"}
        settings_of(context.scene).mesh = found
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_add_demo_head, SEMANTICFACE_OT_find_targets)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
