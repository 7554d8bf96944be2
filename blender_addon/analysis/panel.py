# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel that starts an analysis, shows how far it is, and what is being written."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.pump import Partial

from .. import names, session
from ..properties import settings_of
from ..ui import Sidebar, paragraphs, wrapped
from .engines import reason

WRITTEN_LETTERS, WRITTEN_LINES = 2000, 14
"""Of a text that is being written its end is shown: no more of it is wrapped at each redraw, no more lines drawn."""


class SEMANTICFACE_PT_analyze(Sidebar, bpy.types.Panel):
    bl_label = "Analyze"
    bl_idname = "SEMANTICFACE_PT_analyze"

    def draw(self, context: Any) -> None:
        layout, job = self.layout, session.current().job
        if job is None:
            _engine(layout, context)
            column = layout.column()
            column.scale_y = 1.4
            column.operator(names.OP_ANALYZE, icon="PLAY")
        else:
            if job.phase.counts and hasattr(layout, "progress"):
                layout.progress(factor=job.fraction, text=job.describe())
            else:
                layout.label(text=job.describe(), icon="SORTTIME")
            if job.writing is not None:
                _written(layout.box(), context, job.writing)
            layout.operator(names.OP_CANCEL, icon="CANCEL")
        layout.operator(names.OP_KEY_TAKE, icon="FILE_FOLDER")


def _engine(layout: Any, context: Any) -> None:
    """The choice of the engine, and what the backend says of it."""
    settings = settings_of(context.scene)
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(settings, "engine")
    said, bad = reason(settings.engine, session.current().offered)
    if said:
        paragraphs(layout, context, [said[:1].upper() + said[1:]], "ERROR" if bad else "SETTINGS")


def _written(layout: Any, context: Any, writing: Partial) -> None:
    """The end of what is written of a frame, as many lines as there is room for."""
    end = writing.text[-WRITTEN_LETTERS:]
    lines = wrapped(context, end.splitlines())
    kept = lines[-WRITTEN_LINES:]
    cut = len(kept) < len(lines) or len(end) < len(writing.text)
    column = layout.column(align=True)
    column.scale_y = 0.8
    column.label(text=f"Source frame {writing.frame}" + (": …" if cut else ":"), icon="GREASEPENCIL")
    for line in kept:
        column.label(text=line, icon="BLANK1")


_CLASSES = (SEMANTICFACE_PT_analyze,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
