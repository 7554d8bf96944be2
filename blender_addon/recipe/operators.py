# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the recipe: apply or discard what is previewed, single actions, stored recipes and recipe files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import bpy

from semanticface.curves.recipe import STANDARD, Recipe
from semanticface.errors import InputError, SemanticFaceError

from .. import names, session
from ..properties import settings_of
from . import presets, preview, pulse
from .properties import ACTION_NAMES
from .state import recipe_of, show

UNDOABLE: frozenset[str] = frozenset({"REGISTER", "UNDO"})


def refused(operator: bpy.types.Operator, error: SemanticFaceError) -> set[str]:
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def done(operator: bpy.types.Operator, line: str) -> set[str]:
    operator.report({"INFO"}, line)
    return {"FINISHED"}


def _step(label: str) -> None:
    """An undo step where there is no window, for Blender pushes none of its own there."""
    if bpy.app.background:
        bpy.ops.ed.undo_push(message=label)


class SEMANTICFACE_OT_apply_recipe(bpy.types.Operator):
    """Key the take that animates the target anew by this recipe, on a new Action. The old one stays in the file"""

    bl_idname = names.OP_APPLY_RECIPE
    bl_label = "Apply Recipe"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        try:
            lines = preview.apply(context.scene)
        except SemanticFaceError as error:
            now.tell([f"Nothing was keyed: {error}"], failed=True)
            return refused(self, error)
        now.tell(lines)
        _step(self.bl_label)
        return done(self, lines[0])


class SEMANTICFACE_OT_discard_preview(bpy.types.Operator):
    """Go back to the Action that was there before the preview, and to its recipe"""

    bl_idname = names.OP_DISCARD_PREVIEW
    bl_label = "Discard Preview"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        lines = preview.discard(context.scene)
        session.current().tell(lines)
        _step(self.bl_label)
        return done(self, lines[0])


class SEMANTICFACE_OT_reset_recipe(bpy.types.Operator):
    """Set all sliders of the recipe to what a new scene starts with; no neutral, no single actions"""

    bl_idname = names.OP_RESET_RECIPE
    bl_label = "Reset Recipe"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        _show(context, STANDARD, "")
        return {"FINISHED"}


class SEMANTICFACE_OT_add_tuning(bpy.types.Operator):
    """Tune one more action by itself"""

    bl_idname = names.OP_ADD_TUNING
    bl_label = "Add Action"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        used = {item.action for item in settings.tunings}
        free = next((name for name in ACTION_NAMES if name not in used), "")
        if not free:
            return refused(self, InputError("all actions are in the list", "change one of them"))
        with pulse.held():
            settings.tunings.add().action = free
        settings.tunings_index = len(settings.tunings) - 1
        return {"FINISHED"}


class SEMANTICFACE_OT_remove_tuning(bpy.types.Operator):
    """Remove the active action from the list: what holds for all holds for it"""

    bl_idname = names.OP_REMOVE_TUNING
    bl_label = "Remove Action"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    @classmethod
    def poll(cls, context: Any) -> bool:
        settings = settings_of(context.scene)
        return 0 <= settings.tunings_index < len(settings.tunings)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        settings.tunings.remove(settings.tunings_index)
        settings.tunings_index = max(0, min(settings.tunings_index, len(settings.tunings) - 1))
        pulse.note_change()
        return {"FINISHED"}


class SEMANTICFACE_OT_load_recipe(bpy.types.Operator):
    """Use the stored recipe of this name"""

    bl_idname = names.OP_LOAD_RECIPE
    bl_label = "Load Recipe"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        name = settings_of(context.scene).recipe_name
        try:
            recipe = presets.load(name)
        except InputError as error:
            return refused(self, error)
        _show(context, recipe, name)
        return done(self, f'Recipe "{name}"')


class SEMANTICFACE_OT_save_recipe(bpy.types.Operator):
    """Store the recipe under this name, its neutral included"""

    bl_idname = names.OP_SAVE_RECIPE
    bl_label = "Save Recipe"

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            presets.save(settings.recipe_name, recipe_of(settings))
        except InputError as error:
            return refused(self, error)
        return done(self, f'Stored as "{settings.recipe_name}"')


class SEMANTICFACE_OT_remove_recipe(bpy.types.Operator):
    """Delete the stored recipe of this name from this computer; the sliders stay"""

    bl_idname = names.OP_REMOVE_RECIPE
    bl_label = "Delete Stored Recipe"

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            presets.remove(settings.recipe_name)
        except InputError as error:
            return refused(self, error)
        settings.recipe_name = ""
        return {"FINISHED"}


class SEMANTICFACE_OT_import_recipe(bpy.types.Operator):
    """Use a recipe from a file"""

    bl_idname = names.OP_IMPORT_RECIPE
    bl_label = "Import Recipe"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        try:
            recipe = presets.read(path)
        except InputError as error:
            return refused(self, error)
        _show(context, recipe, "")
        return done(self, f"Recipe of {path.name}")


class SEMANTICFACE_OT_export_recipe(bpy.types.Operator):
    """Write the recipe to a file, for other computers and other hosts"""

    bl_idname = names.OP_EXPORT_RECIPE
    bl_label = "Export Recipe"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        self.filepath = self.filepath or f"{settings_of(context.scene).recipe_name or 'recipe'}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        try:
            presets.write(path, recipe_of(settings_of(context.scene)))
        except InputError as error:
            return refused(self, error)
        return done(self, f"Wrote {path.name}")


def _show(context: Any, recipe: Recipe, name: str) -> None:
    settings = settings_of(context.scene)
    with pulse.held():
        show(settings, recipe)
    settings.recipe_name = name


_CLASSES = (
    SEMANTICFACE_OT_apply_recipe,
    SEMANTICFACE_OT_discard_preview,
    SEMANTICFACE_OT_reset_recipe,
    SEMANTICFACE_OT_add_tuning,
    SEMANTICFACE_OT_remove_tuning,
    SEMANTICFACE_OT_load_recipe,
    SEMANTICFACE_OT_save_recipe,
    SEMANTICFACE_OT_remove_recipe,
    SEMANTICFACE_OT_import_recipe,
    SEMANTICFACE_OT_export_recipe,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
