# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in which the meshes and controls are chosen that a take is keyed onto, with their axes."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from .. import names
from ..properties import SEMANTICFACE_PG_settings, settings_of
from ..ui import Sidebar, paragraphs
from .mapping import axes_name, chosen_meshes
from .shapes import driven_faces, match_of


class SEMANTICFACE_UL_meshes(bpy.types.UIList):
    """The further meshes of a character."""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: Any, active_data: Any, active_name: Any
    ) -> None:
        layout.use_property_split = False
        layout.prop(item, "mesh", text="", emboss=False, icon="MESH_DATA")


class SEMANTICFACE_PT_target(Sidebar, bpy.types.Panel):
    bl_label = "Target"
    bl_idname = "SEMANTICFACE_PT_target"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "use_shapes")
        if settings.use_shapes:
            _meshes(layout, context, settings)
        layout.prop(settings, "use_head")
        if settings.use_head:
            _control(layout, settings, "head")
        layout.prop(settings, "use_eyes")
        if settings.use_eyes:
            _control(layout, settings, "left_eye")
            _control(layout, settings, "right_eye")
        layout.prop(settings, "key_mode")
        layout.prop(settings, "push_down")


def _meshes(layout: Any, context: Any, settings: SEMANTICFACE_PG_settings) -> None:
    layout.prop(settings, "mesh")
    if settings.mesh is None:
        row = layout.row(align=True)
        row.operator(names.OP_FIND_TARGETS, icon="VIEWZOOM")
        row.operator(names.OP_ADD_HEAD, icon="USER")
        return
    if settings.more_meshes:
        layout.template_list(
            "SEMANTICFACE_UL_meshes", "", settings, "more_meshes", settings, "more_meshes_index", rows=2
        )
    row = layout.row(align=True)
    row.operator(names.OP_FIND_MESHES, icon="VIEWZOOM")
    row.operator(names.OP_ADD_MESHES, text="Add Selected", icon="ADD")
    if settings.more_meshes:
        row.operator(names.OP_REMOVE_MESH, text="", icon="REMOVE")
    if not settings.own_mapping:
        paragraphs(layout, context, _report(settings), "SHAPEKEY_DATA")


def _report(settings: SEMANTICFACE_PG_settings) -> list[str]:
    meshes = chosen_meshes(settings)
    driven = driven_faces(meshes)
    found = match_of(meshes)
    lines = found.lines()
    idle = [mesh.name for mesh in meshes if mesh.name not in found.matched]
    if found.convention and idle:
        lines.append("Nothing matches on " + ", ".join(idle))
    return lines + ([f"Left to their drivers: {', '.join(driven)}"] if driven else [])


def _control(layout: Any, settings: SEMANTICFACE_PG_settings, name: str) -> None:
    layout.prop(settings, name)
    control = getattr(settings, name)
    if control is not None and control.type == "ARMATURE":
        layout.prop_search(settings, f"{name}_bone", control.data, "bones")


class SEMANTICFACE_PT_axes(Sidebar, bpy.types.Panel):
    bl_label = "Axes"
    bl_idname = "SEMANTICFACE_PT_axes"
    bl_parent_id = "SEMANTICFACE_PT_target"
    bl_order = 1  # below the mapping
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        layout.operator(names.OP_GUESS_AXES, icon="ORIENTATION_LOCAL")
        parts = {"head": "Head", "eye": "Eyes"}
        if axes_name(settings, "right_eye") == "right_eye":
            parts = {"head": "Head", "eye": "Left Eye", "right_eye": "Right Eye"}
        row = layout.row(align=True)
        for label in ("", "Yaw", "Pitch", "Roll"):
            row.label(text=label)
        for part, label in parts.items():
            row = layout.row(align=True)
            row.label(text=label)
            for turn in ("yaw", "pitch", "roll"):
                row.prop(settings, f"{part}_{turn}", text="")
        layout.prop(settings, "right_eye_differs")


_CLASSES = (SEMANTICFACE_UL_meshes, SEMANTICFACE_PT_target, SEMANTICFACE_PT_axes)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
