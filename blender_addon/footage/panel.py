# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in which footage and frames are chosen, with a line that says which source frame lands where."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import SemanticFaceError

from ..properties import SEMANTICFACE_PG_settings, settings_of
from ..ui import Sidebar, paragraphs
from .selection import Footage, frame_under_playhead, time_map
from .source import footage_of, selection_of


class SEMANTICFACE_PT_footage(Sidebar, bpy.types.Panel):
    bl_label = "Footage"
    bl_idname = "SEMANTICFACE_PT_footage"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "source", expand=True)
        if settings.source == "CLIP":
            layout.template_ID(settings, "clip", open="clip.open")
        else:
            layout.prop(settings, "filepath")
            layout.prop(settings, "sequence")
        if settings.sequence or (settings.source == "CLIP" and settings.clip and settings.clip.source == "SEQUENCE"):
            layout.prop(settings, "sequence_rate")
        layout.prop(settings, "frames", expand=True)
        if settings.frames == "RANGE":
            column = layout.column(align=True)
            column.prop(settings, "first")
            column.prop(settings, "last")
        if settings.frames != "CURRENT":
            layout.prop(settings, "step")
        layout.prop(settings, "face")
        if settings.face == "INDEX":
            layout.prop(settings, "face_index")
        _timing(layout, context, settings)


def _timing(layout: Any, context: Any, settings: SEMANTICFACE_PG_settings) -> None:
    layout.prop(settings, "timing")
    if settings.source == "CLIP":
        layout.prop(settings, "follow_clip")
    if settings.source != "CLIP" or not settings.follow_clip:
        layout.prop(settings, "scene_start")
    layout.prop(settings, "whole_frames")
    footage = _footage_or_reason(settings, context.scene)
    if isinstance(footage, str):
        paragraphs(layout, context, [footage], "INFO")
        return
    chosen = selection_of(settings, context.scene)
    first = settings.first if settings.frames == "RANGE" else 0
    guess = "" if footage.rate else " (source rate not known yet)"
    lines = [time_map(footage, chosen, first).describe() + guess]
    if settings.frames == "CURRENT":
        lines.append(f"The playhead is at source frame {frame_under_playhead(footage, chosen)}")
    paragraphs(layout, context, lines, "TIME")


def _footage_or_reason(settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene) -> Footage | str:
    try:
        return footage_of(settings, scene, drawing=True)
    except SemanticFaceError as error:
        return str(error)


_CLASSES = (SEMANTICFACE_PT_footage,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
