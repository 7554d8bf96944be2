# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in which two takes are compared: at the playhead, over all, and by looking at them in turn."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from .. import names
from ..properties import settings_of
from ..ui import Sidebar, paragraphs
from . import here, state, switching
from .panel_frames import is_wide
from .table import category_of


class SEMANTICFACE_PT_compare(Sidebar, bpy.types.Panel):
    bl_label = "Compare Takes"
    bl_idname = "SEMANTICFACE_PT_compare"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings, work = self.layout, settings_of(context.scene), state.current()
        if work.reading is None:
            layout.label(text="No take is loaded")
            return
        row = layout.row(align=True)
        row.prop(settings, "compare_with", expand=True)
        by_action = settings.compare_with == "ACTION"
        layout.prop(settings, "compare_action" if by_action else "compare_folder", text="B")
        layout.operator(names.OP_COMPARE, icon="ARROW_LEFTRIGHT")
        if by_action and settings.compare_action is not None:
            _switch(layout, settings)
        if work.compared is not None:
            _moment(layout, context, work, work.compared)
            _overall(layout, context, work.compared)


def _switch(layout: Any, settings: Any) -> None:
    """A is what animates the target; showing B makes it A, so that the same button switches back."""
    shown = switching.present(here.blocks(settings))
    if shown and shown != settings.compare_action.name:
        layout.label(text=f"A: {shown}", icon="ACTION")
        button = layout.operator(names.OP_SHOW_ACTION, text=f"Show {settings.compare_action.name}", icon="HIDE_OFF")
        button.action = settings.compare_action.name


def _moment(layout: Any, context: Any, work: state.Work, compared: state.Compared) -> None:
    """Both categories at the playhead, and the actions that differ most there."""
    box = layout.box()
    numbers, frame = compared.numbers, context.scene.frame_current_final
    row = numbers.row(frame)
    if row is None or work.reading is None:
        box.label(text="No moment here that both takes have")
        return
    a, b = work.reading.results[int(numbers.a[row])], compared.other.results[int(numbers.b[row])]
    lines = [f"Scene frame {numbers.frames[row]:.6g}", f"A: {category_of(a)}", f"B: {category_of(b)}"]
    paragraphs(box, context, lines, "ARROW_LEFTRIGHT")
    values_a, values_b = a.coefficients or {}, b.coefficients or {}
    rows = [(name, values_a[name], values_b[name], difference) for name, difference in numbers.largest_at(row)]
    if not rows:
        box.label(text="Equal here")
    elif is_wide(context):
        _grid(box, [("Action", "A", "B", "B − A"), *((name, *map(_number, values)) for name, *values in rows)])
    else:
        column = box.column(align=True)
        column.scale_y = 0.8
        for name, value_a, value_b, difference in rows:
            column.label(text=name)
            column.label(text=f"{value_a:.2f} → {value_b:.2f} ({difference:+.2f})", icon="BLANK1")


def _number(value: float) -> str:
    return f"{value:.2f}"


def _overall(layout: Any, context: Any, compared: state.Compared) -> None:
    box = layout.box()
    numbers = compared.numbers
    paragraphs(box, context, [f"Over {len(numbers.frames)} common moments with {compared.name}"], "DRIVER_DISTANCE")
    worst = [(name, f"{value:.3f}") for name, value in numbers.worst_actions()]
    _grid(box, (("Action", "RMS"), *worst) if worst else (("No difference", ""),))
    row = box.row(align=True)
    for back, icon in ((True, "TRIA_LEFT"), (False, "TRIA_RIGHT")):
        button = row.operator(names.OP_GO_TO_DIFFERENCE, text="" if back else "Largest Differences", icon=icon)
        button.back = back


def _grid(layout: Any, rows: Any) -> None:
    """A column of names, then one for each number."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for name, *cells in rows:
        parts = column.split(factor=0.6 if len(cells) == 1 else 0.46)
        parts.label(text=name)
        inner = parts.row()
        for cell in cells:
            inner.label(text=cell)


_CLASSES = (SEMANTICFACE_PT_compare,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
