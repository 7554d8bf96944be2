# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the mapping: edit it, match again, change its links, keep it under a name, exchange it as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import bpy

from semanticface.errors import InputError
from semanticface.retarget import store
from semanticface.retarget.profile import MAX_LINKS, TargetKind

from .. import names
from ..properties import settings_of
from .mapping import OWN, chosen_meshes, forget_mapping, profile_of, use_profile, whole_profile
from .properties import SEMANTICFACE_PG_link
from .shapes import match_of

UNDOABLE: frozenset[str] = frozenset({"REGISTER", "UNDO"})


def _begin_own(settings: Any) -> None:
    """Make the mapping in force the user's own, if it isn't yet."""
    if not settings.own_mapping:
        use_profile(settings, profile_of(settings))
        settings.profile_name = ""


class SEMANTICFACE_OT_edit_mapping(bpy.types.Operator):
    """Make a mapping of your own out of the automatic one, to change it link by link"""

    bl_idname = names.OP_EDIT_MAPPING
    bl_label = "Edit"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        _begin_own(settings_of(context.scene))
        return {"FINISHED"}


class SEMANTICFACE_OT_match_automatically(bpy.types.Operator):
    """Match the shape keys by their names. A mapping of your own is dropped: save it first to keep it"""

    bl_idname = names.OP_MATCH
    bl_label = "Match Automatically"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        forget_mapping(settings)
        lines = match_of(chosen_meshes(settings)).lines()
        self.report({"INFO"}, lines[0])
        return {"FINISHED"}


class SEMANTICFACE_OT_add_link(bpy.types.Operator):
    """Add a link to the mapping; one that is automatic becomes your own"""

    bl_idname = names.OP_ADD_LINK
    bl_label = "Add Link"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    kind: bpy.props.EnumProperty(
        name="Target Is",
        items=((TargetKind.SHAPE.value, "Shape Key", ""), (TargetKind.PROPERTY.value, "Custom Property", "")),
        default=TargetKind.SHAPE.value,
        options={"SKIP_SAVE"},
    )

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        _begin_own(settings)
        if len(settings.links) >= MAX_LINKS:
            self.report({"ERROR"}, f"A mapping has at most {MAX_LINKS} links")
            return {"CANCELLED"}
        link = settings.links.add()
        link.kind = self.kind
        if self.kind == TargetKind.PROPERTY.value:
            link.action = "HeadYaw"
            link.owner = settings.head.name if settings.head is not None else ""
        settings.links_index = len(settings.links) - 1
        return {"FINISHED"}


class _OnLink:
    """Asks for a mapping of the user's own that has a link."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        settings = settings_of(context.scene)
        return settings.own_mapping and 0 <= settings.links_index < len(settings.links)


class SEMANTICFACE_OT_remove_link(_OnLink, bpy.types.Operator):
    """Remove the active link"""

    bl_idname = names.OP_REMOVE_LINK
    bl_label = "Remove Link"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        settings.links.remove(settings.links_index)
        settings.links_index = max(0, min(settings.links_index, len(settings.links) - 1))
        return {"FINISHED"}


class SEMANTICFACE_OT_duplicate_link(_OnLink, bpy.types.Operator):
    """Add a copy of the active link, for a second target or a second action"""

    bl_idname = names.OP_DUPLICATE_LINK
    bl_label = "Duplicate Link"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        if len(settings.links) >= MAX_LINKS:
            self.report({"ERROR"}, f"A mapping has at most {MAX_LINKS} links")
            return {"CANCELLED"}
        settings.links.add()
        source = settings.links[settings.links_index]  # after adding: the collection may have moved in memory
        for field in SEMANTICFACE_PG_link.__annotations__:
            setattr(settings.links[-1], field, getattr(source, field))
        settings.links.move(len(settings.links) - 1, settings.links_index + 1)
        settings.links_index += 1
        return {"FINISHED"}


class SEMANTICFACE_OT_load_profile(bpy.types.Operator):
    """Use the stored profile of this name as the mapping"""

    bl_idname = names.OP_LOAD_PROFILE
    bl_label = "Load Profile"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            absent = use_profile(settings, store.load(settings.profile_name))
        except InputError as error:
            return _refused(self, error)
        return _taken(self, settings, absent)


class SEMANTICFACE_OT_save_profile(bpy.types.Operator):
    """Store the mapping and the controls under this name, for other files and for Unreal"""

    bl_idname = names.OP_SAVE_PROFILE
    bl_label = "Save Profile"

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            stored = store.save(whole_profile(settings, settings.profile_name))
        except InputError as error:
            return _refused(self, error)
        settings.profile_name = stored.name
        self.report({"INFO"}, f'Stored {len(stored.links)} links as "{stored.name}"')
        return {"FINISHED"}


class SEMANTICFACE_OT_remove_profile(bpy.types.Operator):
    """Delete the stored profile of this name; the mapping of this file stays"""

    bl_idname = names.OP_REMOVE_PROFILE
    bl_label = "Delete Profile"

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            store.remove(settings.profile_name)
        except InputError as error:
            return _refused(self, error)
        self.report({"INFO"}, f'Deleted "{settings.profile_name}"')
        settings.profile_name = ""
        return {"FINISHED"}


class SEMANTICFACE_OT_import_profile(bpy.types.Operator):
    """Use a profile from a JSON file as the mapping"""

    bl_idname = names.OP_IMPORT_PROFILE
    bl_label = "Import Profile"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            absent = use_profile(settings, store.read_profile(Path(bpy.path.abspath(self.filepath))))
        except InputError as error:
            return _refused(self, error)
        return _taken(self, settings, absent)


class SEMANTICFACE_OT_export_profile(bpy.types.Operator):
    """Write the mapping and the controls to a JSON file"""

    bl_idname = names.OP_EXPORT_PROFILE
    bl_label = "Export Profile"

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        settings = settings_of(context.scene)
        self.filepath = bpy.path.clean_name(settings.profile_name or OWN) + ".json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".json"))
        try:
            store.write_profile(path, whole_profile(settings, settings.profile_name or path.stem))
        except InputError as error:
            return _refused(self, error)
        self.report({"INFO"}, f"Wrote {path.name}")
        return {"FINISHED"}


def _refused(operator: Any, error: InputError) -> set[str]:
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def _taken(operator: Any, settings: Any, absent: list[str]) -> set[str]:
    if absent:
        operator.report({"WARNING"}, f"This file lacks {', '.join(absent[:6])}; choose them under Mapping or Target")
    else:
        operator.report({"INFO"}, f'{len(settings.links)} links of "{settings.profile_name}"')
    return {"FINISHED"}


_CLASSES = (
    SEMANTICFACE_OT_edit_mapping,
    SEMANTICFACE_OT_match_automatically,
    SEMANTICFACE_OT_add_link,
    SEMANTICFACE_OT_remove_link,
    SEMANTICFACE_OT_duplicate_link,
    SEMANTICFACE_OT_load_profile,
    SEMANTICFACE_OT_save_profile,
    SEMANTICFACE_OT_remove_profile,
    SEMANTICFACE_OT_import_profile,
    SEMANTICFACE_OT_export_profile,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
