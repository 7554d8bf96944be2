# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a take's frames: thumbnail, scene and source frame, expression, confidence, and what wants a look.

Draws what the table and the pictures know; computes and reads nothing.
"""

from __future__ import annotations

from typing import Any

import bpy

from .. import names, session
from ..properties import settings_of
from ..ui import Sidebar, paragraphs
from . import here, state
from .listing import frames_list
from .properties import view_of
from .table import Table

ROWS = 8
WIDE = 290
"""Pixels of the sidebar, at the normal scale, from which on a row has room for all that is known of its frame."""


def icon_of(table: Table, row: int, threshold: float) -> str:
    """What wants a look, or that somebody had one."""
    if table.reviewed[row]:
        return "CHECKBOX_HLT"
    if table.failed[row]:
        return "CANCEL"
    if table.disagreements[row] > 0:
        return "ERROR"
    return "QUESTION" if table.confidence[row] < threshold else "CHECKMARK"


class SEMANTICFACE_UL_frames(bpy.types.UIList):
    """Frames of a take"""

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int = 0,
        flt_flag: int = 0,
    ) -> None:
        work = state.current()
        if work.table is None or work.reading is None or index >= len(work.table):
            return
        threshold, wide = settings_of(context.scene).review_threshold, is_wide(context)
        draw_row(layout, work, work.table, index, threshold, wide)

    def draw_filter(self, context: Any, layout: Any) -> None:
        """The panel has filters of its own."""

    def filter_items(self, context: Any, data: Any, name: str) -> tuple[list[int], list[int]]:
        return state.current().layout(view_of(settings_of(context.scene)), self.bitflag_filter_item)


def is_wide(context: Any) -> bool:
    """Whether there is room for all that is known; there is where nothing is drawn."""
    scale = context.preferences.system.ui_scale
    return context.region is None or context.region.width / scale >= WIDE


def draw_row(layout: Any, work: state.Work, table: Table, row: int, threshold: float, wide: bool) -> None:
    """One line of the list; source frame and confidence are left out where there is no room for them."""
    picture = work.pictures.icon(work.key(row))
    where = f"{table.reading.frames[row]:.6g}" if wide else f"{table.reading.frames[row]:.0f}"
    columns = layout.split(factor=0.25 if wide else 0.32)
    if picture:
        columns.label(text=where, icon_value=picture)
    else:
        columns.label(text=where, icon="IMAGE_DATA")
    if not wide:
        columns.label(text=table.categories[row], icon=icon_of(table, row, threshold))
        return
    columns = columns.split(factor=0.15)
    columns.label(text=str(table.sources[row]))
    columns = columns.split(factor=0.78)
    columns.label(text=table.categories[row], icon=icon_of(table, row, threshold))
    known = table.confidence[row] == table.confidence[row]
    columns.label(text=f"{table.confidence[row]:.0%}" if known else "")


class SEMANTICFACE_PT_take(Sidebar, bpy.types.Panel):
    bl_label = "Take"
    bl_idname = "SEMANTICFACE_PT_take"

    def draw(self, context: Any) -> None:
        layout, settings, work = self.layout, settings_of(context.scene), state.current()
        if work.problem:
            paragraphs(layout, context, [work.problem], "ERROR")
            layout.operator(names.OP_LOAD_ANALYSIS, text="Try Again", icon="FILE_REFRESH")
            return
        if work.table is None or work.reading is None:
            _nothing(layout, settings, work)
            return
        if work.reading.gone:
            gone = [f"The take {folder} is gone: its frames are not listed" for folder in work.reading.gone[:3]]
            paragraphs(layout, context, gone, "ERROR")
        _filters(layout, settings)
        chosen = frames_list(context)
        layout.template_list("SEMANTICFACE_UL_frames", "", chosen, "rows", chosen, "active", rows=ROWS)
        _review(layout, settings, work.table)
        column = layout.column(align=True)
        column.prop(settings, "markers_of", text="")
        column.operator(names.OP_ADD_MARKERS, icon="MARKER_HLT")


def _nothing(layout: Any, settings: Any, work: state.Work) -> None:
    signature = here.signature(settings)
    if work.reading is not None and work.reading.signature == signature:
        layout.label(text="Reading the take", icon="SORTTIME")
    elif session.current().tasks and signature:
        layout.label(text="Loading the take", icon="SORTTIME")
    elif signature:
        layout.operator(names.OP_LOAD_ANALYSIS, icon="TEXT")
    else:
        layout.label(text="The target has no keys of a take")


def _filters(layout: Any, settings: Any) -> None:
    row = layout.row(align=True)
    row.prop(settings, "list_show", text="")
    row.prop(settings, "list_sort", text="")
    row = layout.row(align=True)
    row.prop(settings, "list_search", text="", icon="VIEWZOOM")
    row.prop(settings, "follow_playhead", text="", icon="PLAY")


def _review(layout: Any, settings: Any, table: Table) -> None:
    reviewed, flagged = table.progress(settings.review_threshold)
    column = layout.column(align=True)
    column.prop(settings, "review_threshold", slider=True)
    for want, text in (("REVIEW", "To Review"), ("LOW", "Low Confidence"), ("DISAGREE", "At Odds")):
        parts = column.split(factor=0.64, align=True)
        parts.label(text=text)
        pair = parts.row(align=True)
        for back, icon in ((True, "TRIA_LEFT"), (False, "TRIA_RIGHT")):
            button = pair.operator(names.OP_GO_TO, text="", icon=icon)
            button.want, button.back = want, back
    column = layout.column(align=True)
    column.label(text=f"{reviewed} of {flagged} reviewed", icon="CHECKBOX_HLT")
    column.operator(names.OP_MARK_REVIEWED, icon="CHECKMARK")


_CLASSES = (SEMANTICFACE_UL_frames, SEMANTICFACE_PT_take)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
