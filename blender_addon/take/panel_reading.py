# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel that says what was read from the face at the playhead, and where that text and the numbers part."""

from __future__ import annotations

from typing import Any

import bpy

from .. import names, session
from ..properties import settings_of
from ..ui import Sidebar, paragraphs
from . import here, state
from .reading import describe, remedy

PICTURE_SCALE = 5.0


class SEMANTICFACE_PT_reading(Sidebar, bpy.types.Panel):
    bl_label = "Analysis of This Frame"
    bl_idname = "SEMANTICFACE_PT_reading"

    def draw(self, context: Any) -> None:
        layout, settings, reading = self.layout, settings_of(context.scene), session.current().reading
        signature = here.signature(settings)
        if not signature:
            layout.label(text="The target has no keys of a take")
        elif reading is None or reading.signature != signature:
            layout.operator(names.OP_LOAD_ANALYSIS, icon="TEXT")
        else:
            row = reading.place(context.scene.frame_current_final)
            if row is None:
                paragraphs(layout, context, ["Before the first key"], "TEXT")
            else:
                _frame(layout, context, row)


def _frame(layout: Any, context: Any, row: int) -> None:
    work = state.current()
    reading = work.reading
    if reading is None:
        return
    result = reading.results[row]
    picture = work.pictures.icon(work.key(row))
    if picture:
        layout.template_icon(icon_value=picture, scale=PICTURE_SCALE)
    paragraphs(layout, context, describe(reading.frames[row], result), "TEXT")
    if remedy(result):
        paragraphs(layout, context, [remedy(result)], "INFO")
    found = work.disagreements(row)
    if found:
        box = layout.box()
        for one in found:
            paragraphs(box, context, [f"{one.kind.value.capitalize()}: {one.message}"], "ERROR")
    layout.menu(names.MENU_REANALYZE, icon="FILE_REFRESH")


_CLASSES = (SEMANTICFACE_PT_reading,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
