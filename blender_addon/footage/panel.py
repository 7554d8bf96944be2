# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in which footage and frames are chosen, with the lines that say which source frame lands where."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import SemanticFaceError

from .. import names, session
from ..properties import SEMANTICFACE_PG_settings, settings_of
from ..ui import Sidebar, paragraphs
from .lines import Lines, describe
from .selection import Footage
from .source import footage_of, selection_of
from .strips import chosen_strip, sequencer_scene, strips_of


class SEMANTICFACE_PT_footage(Sidebar, bpy.types.Panel):
    bl_label = "Footage"
    bl_idname = "SEMANTICFACE_PT_footage"

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        layout.use_property_split = True
        layout.use_property_decorate = False
        row = layout.row(align=True)
        row.use_property_split = False  # three names need the whole width
        row.prop(settings, "source", expand=True)
        _source(layout, context, settings)
        layout.prop(settings, "frames")
        _frames(layout, settings)
        layout.prop(settings, "face")
        if settings.face == "INDEX":
            layout.prop(settings, "face_index")
        _timing(layout, context, settings)


def _source(layout: Any, context: Any, settings: SEMANTICFACE_PG_settings) -> None:
    numbered = settings.sequence
    if settings.source == "CLIP":
        layout.template_ID(settings, "clip", open="clip.open")
        numbered = settings.clip is not None and settings.clip.source == "SEQUENCE"
    elif settings.source == "STRIP":
        editor = sequencer_scene(context.scene).sequence_editor
        if editor is not None:
            layout.prop_search(settings, "strip", editor, strips_of(editor)[0], icon="SEQUENCE")
            if not settings.strip and editor.active_strip is not None:
                layout.label(text=f"Active strip: {editor.active_strip.name}", icon="BLANK1")
        numbered = _is_images(settings, context.scene)
    else:
        layout.prop(settings, "filepath")
        layout.prop(settings, "sequence")
    if numbered:
        layout.prop(settings, "sequence_rate")


def _is_images(settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene) -> bool:
    try:
        return chosen_strip(settings, scene).type == "IMAGE"
    except SemanticFaceError:
        return False


def _frames(layout: Any, settings: SEMANTICFACE_PG_settings) -> None:
    chosen = settings.frames
    if chosen == "MATTER":
        layout.prop(settings, "within")
        chosen = settings.within
        column = layout.column(align=True)
        column.prop(settings, "sensitivity", slider=True)
        column.prop(settings, "most_keys")
    if chosen == "RANGE":
        column = layout.column(align=True)
        column.prop(settings, "first")
        column.prop(settings, "last")
    if settings.frames in {"RANGE", "SCENE", "ALL"}:
        layout.prop(settings, "step")


def _timing(layout: Any, context: Any, settings: SEMANTICFACE_PG_settings) -> None:
    follows = settings.source != "FILE" and settings.follow_clip
    if not (follows and settings.source == "STRIP"):
        layout.prop(settings, "timing")  # a strip that is followed says itself how it plays
    if settings.source != "FILE":
        layout.prop(settings, "follow_clip", text="Follow Strip" if settings.source == "STRIP" else "Follow Clip")
    if not follows:
        layout.prop(settings, "scene_start")
    layout.prop(settings, "whole_frames")
    try:
        footage = footage_of(settings, context.scene, drawing=True)
    except SemanticFaceError as error:
        paragraphs(layout, context, [str(error)], "INFO")
        return
    _lines(layout, context, footage, describe_footage(footage, settings, context.scene))


def describe_footage(footage: Footage, settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene) -> Lines:
    return describe(footage, selection_of(settings, scene), session.current().probes.of(footage.media))


def _lines(layout: Any, context: Any, footage: Footage, lines: Lines) -> None:
    paragraphs(layout, context, lines.plain, "TIME")
    if lines.refusal:
        paragraphs(layout, context, [lines.refusal], "INFO")
    if lines.warnings:
        box = layout.box()
        box.alert = True
        for warning in lines.warnings:
            paragraphs(box, context, [warning], "ERROR")
    if not session.current().probes.of(footage.media) and (footage.count is None or footage.rate is None):
        layout.operator(names.OP_PROBE, icon="VIEWZOOM")


_CLASSES = (SEMANTICFACE_PT_footage,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
