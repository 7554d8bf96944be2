# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels of the recipe: what is on, the preview, and the sliders by what they are for. Draws, changes nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from .. import names
from ..properties import settings_of
from ..ui import Sidebar, paragraphs
from . import preview

CLOSED: frozenset[str] = frozenset({"DEFAULT_CLOSED"})


class SEMANTICFACE_PT_recipe(Sidebar, bpy.types.Panel):
    bl_label = "Recipe"
    bl_idname = "SEMANTICFACE_PT_recipe"

    def draw_header(self, context: Any) -> None:
        self.layout.prop(settings_of(context.scene), "use_recipe", text="")

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        if not settings.use_recipe:
            layout.label(text="Raw values are keyed as they are", icon="INFO")
        layout.prop(settings, "live_preview")
        showing = preview.is_showing(settings)
        if showing:
            paragraphs(layout, context, ["A preview is shown: keys set in it by hand are not taken over"], "HIDE_OFF")
        row = layout.row(align=True)
        row.operator(names.OP_APPLY_RECIPE, text="Apply", icon="CHECKMARK")
        if showing:
            row.operator(names.OP_DISCARD_PREVIEW, text="Discard", icon="X")
        row = layout.row(align=True)
        row.prop(settings, "recipe_name", text="")
        row.operator(names.OP_LOAD_RECIPE, text="", icon="FILE_FOLDER")
        row.operator(names.OP_SAVE_RECIPE, text="", icon="FILE_TICK")
        row.operator(names.OP_REMOVE_RECIPE, text="", icon="TRASH")
        row = layout.row(align=True)
        row.operator(names.OP_IMPORT_RECIPE, text="Import", icon="IMPORT")
        row.operator(names.OP_EXPORT_RECIPE, text="Export", icon="EXPORT")
        row.operator(names.OP_RESET_RECIPE, text="", icon="LOOP_BACK")


class _Part(Sidebar):
    """A panel below the recipe's."""

    bl_parent_id = "SEMANTICFACE_PT_recipe"


def _opened(layout: Any, context: Any) -> tuple[Any, Any]:
    """(layout, settings) of a panel below the recipe's, which is grey while the recipe is off."""
    settings = settings_of(context.scene)
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.active = settings.use_recipe
    return layout, settings


def _switched(layout: Any, data: Any, switch: str, value: str) -> None:
    """A switch, and below it the value that it switches on; side by side there is no room for their names."""
    layout.prop(data, switch)
    if getattr(data, switch):
        layout.prop(data, value)


class SEMANTICFACE_PT_recipe_neutral(_Part, bpy.types.Panel):
    bl_label = "Neutral"
    bl_idname = "SEMANTICFACE_PT_recipe_neutral"

    def draw(self, context: Any) -> None:
        layout, settings = _opened(self.layout, context)
        if settings.neutral_values:
            row = layout.row(align=True)
            row.label(text=settings.neutral_name or "Neutral", icon="USER")
            row.operator(names.OP_REMOVE_NEUTRAL, text="", icon="X")
            if settings.neutral_origin:
                paragraphs(layout, context, [f"From {settings.neutral_origin}"], "BLANK1")
        else:
            layout.label(text="None: values stand as they were read", icon="USER")
        column = layout.column(align=True)
        for frames, text in (("CURRENT", "From Current Frame"), ("MARKERS", "From Selected Markers"),
                             ("RANGE", "From Range...")):  # fmt: skip
            column.operator(names.OP_TAKE_NEUTRAL, text=text).frames = frames
        row = layout.row(align=True)
        row.prop(settings, "actor")
        row.operator(names.OP_LOAD_ACTOR, text="", icon="FILE_FOLDER")
        row.operator(names.OP_SAVE_ACTOR, text="", icon="FILE_TICK")
        row.operator(names.OP_FORGET_ACTOR, text="", icon="TRASH")


class SEMANTICFACE_PT_recipe_smoothing(_Part, bpy.types.Panel):
    bl_label = "Smoothing & Gaps"
    bl_idname = "SEMANTICFACE_PT_recipe_smoothing"

    def draw(self, context: Any) -> None:
        layout, settings = _opened(self.layout, context)
        layout.prop(settings, "smoothing")
        layout.prop(settings, "weighted")
        _switched(layout, settings, "use_grid", "grid")
        layout.prop(settings, "gaps")
        part = layout.column()
        part.active = settings.gaps != "leave"
        part.prop(settings, "longest_gap")


class SEMANTICFACE_PT_recipe_gains(_Part, bpy.types.Panel):
    bl_label = "Gains"
    bl_idname = "SEMANTICFACE_PT_recipe_gains"
    bl_options: ClassVar[set[str]] = set(CLOSED)

    def draw(self, context: Any) -> None:
        layout, settings = _opened(self.layout, context)
        column = layout.column(align=True)
        for name in ("gain", "head_gain", "eye_gain"):
            column.prop(settings, name)
        layout.prop(settings, "symmetry")
        layout.prop(settings, "dead_zone")
        _switched(layout, settings, "use_soft_clamp", "soft_clamp")
        layout.prop(settings, "mouth_rule")


class SEMANTICFACE_UL_tunings(bpy.types.UIList):
    """Actions that are tuned by themselves, each with its gain; the search field finds them by name."""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, icon: Any, active_data: Any, active_name: Any
    ) -> None:
        row = layout.row(align=True)
        row.label(text=item.action)
        row.prop(item, "gain", text="", emboss=False)

    def filter_items(self, context: Any, data: Any, name: str) -> tuple[list[int], list[int]]:
        text = self.filter_name.casefold()
        shown = self.bitflag_filter_item
        return [shown if text in item.action.casefold() else 0 for item in getattr(data, name)], []


class SEMANTICFACE_PT_recipe_actions(_Part, bpy.types.Panel):
    bl_label = "Single Actions"
    bl_idname = "SEMANTICFACE_PT_recipe_actions"
    bl_options: ClassVar[set[str]] = set(CLOSED)

    def draw(self, context: Any) -> None:
        layout, settings = _opened(self.layout, context)
        row = layout.row()
        row.template_list("SEMANTICFACE_UL_tunings", "", settings, "tunings", settings, "tunings_index", rows=4)
        side = row.column(align=True)
        side.operator(names.OP_ADD_TUNING, text="", icon="ADD")
        side.operator(names.OP_REMOVE_TUNING, text="", icon="REMOVE")
        if not 0 <= settings.tunings_index < len(settings.tunings):
            return
        item = settings.tunings[settings.tunings_index]
        column = layout.column(align=True)
        for name in ("action", "gain", "offset", "dead_zone"):
            column.prop(item, name)
        _switched(layout, item, "use_maximum", "maximum")


class SEMANTICFACE_PT_recipe_keys(_Part, bpy.types.Panel):
    bl_label = "Keys"
    bl_idname = "SEMANTICFACE_PT_recipe_keys"
    bl_options: ClassVar[set[str]] = set(CLOSED)

    def draw(self, context: Any) -> None:
        layout, settings = _opened(self.layout, context)
        layout.prop(settings, "reduce")
        column = layout.column()
        column.active = settings.reduce
        column.prop(settings, "tolerance")
        column.prop(settings, "key_kind")
        layout.prop(settings, "prune")


_CLASSES = (
    SEMANTICFACE_UL_tunings,
    SEMANTICFACE_PT_recipe,
    SEMANTICFACE_PT_recipe_neutral,
    SEMANTICFACE_PT_recipe_smoothing,
    SEMANTICFACE_PT_recipe_gains,
    SEMANTICFACE_PT_recipe_actions,
    SEMANTICFACE_PT_recipe_keys,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
