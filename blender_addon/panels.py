# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar of the 3D view. Draws what settings and session say and changes nothing."""

from __future__ import annotations

import textwrap
from typing import Any, ClassVar

import bpy

from semanticface.errors import SemanticFaceError
from semanticface.pump import Partial

from . import names, session
from .job import Phase
from .keying import animation_of
from .link import LinkState
from .properties import SEMANTICFACE_PG_settings, settings_of
from .reading import describe
from .source import Footage, footage_of, frame_under_playhead, selection_of, time_map
from .takes import signature_of
from .targets import match_shapes

PIXELS_PER_LETTER = 7
WRITTEN_LETTERS, WRITTEN_LINES = 2000, 14
"""Of a text that is being written its end is shown: no more of it is wrapped at each redraw, no more lines drawn."""


class _Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = names.CATEGORY


class SEMANTICFACE_PT_backend(_Sidebar, bpy.types.Panel):
    bl_label = "SemanticFace"
    bl_idname = "SEMANTICFACE_PT_backend"

    def draw(self, context: Any) -> None:
        layout, now = self.layout, session.current()
        state = now.link.state
        row = layout.row()
        row.label(text=now.link.describe(), icon="LINKED" if state is LinkState.CONNECTED else "UNLINKED")
        if now.engine:
            _paragraphs(layout, context, [now.engine[:1].upper() + now.engine[1:]], "SETTINGS")
        if state is LinkState.OFF:
            layout.operator(names.OP_CONNECT, icon="PLAY")
        else:
            row = layout.row(align=True)
            row.operator(names.OP_DISCONNECT, icon="X")
            if state is LinkState.CONNECTED:
                row.operator(names.OP_STOP)
        _notes(layout, context, now)


def _notes(layout: Any, context: Any, now: session.Session) -> None:
    if not now.notes:
        return
    box = layout.box()
    box.alert = now.failed
    _paragraphs(box, context, now.notes, "ERROR" if now.failed else "INFO")
    if now.unkeyed is not None:
        button = box.operator(names.OP_KEY_TAKE, text="Key What Is Finished", icon="KEYINGSET")
        button.directory, plan = now.unkeyed
        button.plan = plan.to_json()
    if now.failed:
        box.operator(names.OP_COPY_DIAGNOSTICS, icon="COPYDOWN")


class SEMANTICFACE_PT_footage(_Sidebar, bpy.types.Panel):
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
        _paragraphs(layout, context, [footage], "INFO")
        return
    chosen = selection_of(settings, context.scene)
    first = settings.first if settings.frames == "RANGE" else 0
    guess = "" if footage.rate else " (source rate not known yet)"
    lines = [time_map(footage, chosen, first).describe() + guess]
    if settings.frames == "CURRENT":
        lines.append(f"The playhead is at source frame {frame_under_playhead(footage, chosen)}")
    _paragraphs(layout, context, lines, "TIME")


def _footage_or_reason(settings: SEMANTICFACE_PG_settings, scene: bpy.types.Scene) -> Footage | str:
    try:
        return footage_of(settings, scene, drawing=True)
    except SemanticFaceError as error:
        return str(error)


class SEMANTICFACE_PT_target(_Sidebar, bpy.types.Panel):
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
        layout.prop(settings, "interpolation")
        layout.prop(settings, "keep")


def _shape_report(layout: Any, context: Any, mesh: bpy.types.Object) -> None:
    match = match_shapes(mesh)
    lines = [match.describe()]
    if match.keys and match.absent:
        lines.append("Without a shape key: " + ", ".join(match.absent))
    _paragraphs(layout, context, lines, "SHAPEKEY_DATA")


def _control(layout: Any, settings: SEMANTICFACE_PG_settings, name: str) -> None:
    layout.prop(settings, name)
    control = getattr(settings, name)
    if control is not None and control.type == "ARMATURE":
        layout.prop_search(settings, f"{name}_bone", control.data, "bones")


class SEMANTICFACE_PT_axes(_Sidebar, bpy.types.Panel):
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


class SEMANTICFACE_PT_analyze(_Sidebar, bpy.types.Panel):
    bl_label = "Analyze"
    bl_idname = "SEMANTICFACE_PT_analyze"

    def draw(self, context: Any) -> None:
        layout, job = self.layout, session.current().job
        if job is None:
            column = layout.column()
            column.scale_y = 1.4
            column.operator(names.OP_ANALYZE, icon="PLAY")
        else:
            if job.phase is Phase.RUNNING and hasattr(layout, "progress"):
                layout.progress(factor=job.fraction, text=job.describe())
            else:
                layout.label(text=job.describe(), icon="SORTTIME")
            if job.writing is not None:
                _written(layout.box(), context, job.writing)
            layout.operator(names.OP_CANCEL, icon="CANCEL")
        layout.operator(names.OP_KEY_TAKE, icon="FILE_FOLDER")


class SEMANTICFACE_PT_reading(_Sidebar, bpy.types.Panel):
    bl_label = "Analysis of This Frame"
    bl_idname = "SEMANTICFACE_PT_reading"

    def draw(self, context: Any) -> None:
        layout, settings, reading = self.layout, settings_of(context.scene), session.current().reading
        targets = (settings.mesh and settings.mesh.data.shape_keys, settings.head)
        signature = next(filter(None, (signature_of(animation_of(target)) for target in targets if target)), "")
        if not signature:
            layout.label(text="The target has no keys of a take")
        elif reading is None or reading.signature != signature:
            layout.operator(names.OP_LOAD_ANALYSIS, icon="TEXT")
        else:
            here = reading.at(context.scene.frame_current_final)
            lines = ["Before the first key"] if here is None else describe(*here)
            _paragraphs(layout, context, lines, "TEXT")


def _written(layout: Any, context: Any, writing: Partial) -> None:
    """The end of what is written of a frame, as many lines as there is room for."""
    end = writing.text[-WRITTEN_LETTERS:]
    lines = _wrapped(context, end.splitlines())
    kept = lines[-WRITTEN_LINES:]
    cut = len(kept) < len(lines) or len(end) < len(writing.text)
    column = layout.column(align=True)
    column.scale_y = 0.8
    column.label(text=f"Source frame {writing.frame}" + (": …" if cut else ":"), icon="GREASEPENCIL")
    for line in kept:
        column.label(text=line, icon="BLANK1")


def _wrapped(context: Any, lines: Any) -> list[str]:
    """Lines wrapped to the width of the sidebar."""
    width = context.region.width if context.region is not None else 300
    parts = []
    for line in lines:
        indent = "    " if line.startswith(" ") else ""
        parts += textwrap.wrap(line, max(20, width // PIXELS_PER_LETTER), subsequent_indent=indent) or [""]
    return parts


def _paragraphs(layout: Any, context: Any, lines: Any, icon: str) -> None:
    """Lines wrapped to the width of the sidebar; the first carries the icon."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for part in _wrapped(context, lines):
        column.label(text=part, icon=icon)
        icon = "BLANK1"


_CLASSES = (
    SEMANTICFACE_PT_backend,
    SEMANTICFACE_PT_footage,
    SEMANTICFACE_PT_target,
    SEMANTICFACE_PT_axes,
    SEMANTICFACE_PT_analyze,
    SEMANTICFACE_PT_reading,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
