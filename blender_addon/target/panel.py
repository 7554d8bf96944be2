# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels in which the meshes and controls are chosen that a take is keyed onto."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from .. import names
from ..properties import SEMANTICFACE_PG_settings, settings_of
from ..ui import Sidebar, paragraphs
from .targets import match_shapes


class SEMANTICFACE_PT_target(Sidebar, bpy.types.Panel):
    bl_label = "Target"
    bl_idname = "SEMANTICFACE_PT_target"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "use_shapes")
        if settings.use_shapes:
            layout.prop(settings, "mesh")
            if settings.mesh is None:
                row = layout.row(align=True)
                row.operator(names.OP_FIND_TARGETS, icon="VIEWZOOM")
                row.operator(names.OP_ADD_HEAD, icon="USER")
            else:
                _shape_report(layout, context, settings.mesh)
        layout.prop(settings, "use_head")
        if settings.use_head:
            _control(layout, settings, "head")
        layout.prop(settings, "use_eyes")
        if settings.use_eyes:
            _control(layout, settings, "left_eye")
            _control(layout, settings, "right_eye")
        layout.prop(settings, "key_mode")
        layout.prop(settings, "push_down")


def _shape_report(layout: Any, context: Any, mesh: bpy.types.Object) -> None:
    match = match_shapes(mesh)
    lines = [match.describe()]
    if match.keys and match.absent:
        lines.append("Without a shape key: " + ", ".join(match.absent))
    paragraphs(layout, context, lines, "SHAPEKEY_DATA")


def _control(layout: Any, settings: SEMANTICFACE_PG_settings, name: str) -> None:
    layout.prop(settings, name)
    control = getattr(settings, name)
    if control is not None and control.type == "ARMATURE":
        layout.prop_search(settings, f"{name}_bone", control.data, "bones")


class SEMANTICFACE_PT_axes(Sidebar, bpy.types.Panel):
    bl_label = "Axes"
    bl_idname = "SEMANTICFACE_PT_axes"
    bl_parent_id = "SEMANTICFACE_PT_target"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        settings = settings_of(context.scene)
        for part in ("head", "eye"):
            row = self.layout.row(align=True)
            row.label(text=part.capitalize())
            for turn in ("yaw", "pitch", "roll"):
                row.prop(settings, f"{part}_{turn}", text="")


_CLASSES = (SEMANTICFACE_PT_target, SEMANTICFACE_PT_axes)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
