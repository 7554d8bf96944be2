# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the mapping: whether it is automatic, its links when it is the user's own, and stored profiles."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from semanticface.actions import BY_NAME, Kind
from semanticface.retarget.profile import TargetKind

from .. import names
from ..properties import SEMANTICFACE_PG_settings, settings_of
from ..ui import Sidebar, paragraphs
from .mapping import unmet
from .properties import SEMANTICFACE_PG_link

MOST_NAMED = 12


class SEMANTICFACE_UL_links(bpy.types.UIList):
    """The links of a mapping; the search field finds actions, targets and objects."""

    def draw_item(
        self, context: Any, layout: Any, data: Any, item: Any, own_icon: Any, active_data: Any, active_name: Any
    ) -> None:
        layout.use_property_split = False
        row = layout.row(align=True)
        row.active = item.enabled
        row.prop(item, "enabled", text="")
        row.label(text=item.action)
        icon = "ERROR" if not item.target else "PROPERTIES" if item.kind == TargetKind.PROPERTY.value else "NONE"
        row.label(text=item.target or "(no target)", icon=icon)

    def filter_items(self, context: Any, data: Any, name: str) -> tuple[list[int], list[int]]:
        items = getattr(data, name)
        text = self.filter_name.casefold()
        flags = [self.bitflag_filter_item if found(item, text) else 0 for item in items]
        return flags, []


def found(item: SEMANTICFACE_PG_link, text: str) -> bool:
    """Whether a link has the text, in small letters, in its action, target, object or bone."""
    return any(text in field.casefold() for field in (item.action, item.target, item.owner, item.bone))


class SEMANTICFACE_PT_mapping(Sidebar, bpy.types.Panel):
    bl_label = "Mapping"
    bl_idname = "SEMANTICFACE_PT_mapping"
    bl_parent_id = "SEMANTICFACE_PT_target"
    bl_options: ClassVar[set[str]] = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, settings_of(context.scene)
        layout.use_property_split = True
        layout.use_property_decorate = False
        if settings.own_mapping:
            _own(layout, context, settings)
        else:
            layout.label(text="Automatic, by names", icon="FILE_REFRESH")
            layout.operator(names.OP_EDIT_MAPPING, icon="GREASEPENCIL")
        _profiles(layout, settings)


def _own(layout: Any, context: Any, settings: SEMANTICFACE_PG_settings) -> None:
    used = sum(1 for item in settings.links if item.enabled)
    layout.label(text=f"Your own: {used} of {len(settings.links)} links in use", icon="GREASEPENCIL")
    row = layout.row()
    row.template_list("SEMANTICFACE_UL_links", "", settings, "links", settings, "links_index", rows=5)
    side = row.column(align=True)
    side.operator(names.OP_ADD_LINK, text="", icon="ADD").kind = TargetKind.SHAPE.value
    side.operator(names.OP_ADD_LINK, text="", icon="PROPERTIES").kind = TargetKind.PROPERTY.value
    side.operator(names.OP_REMOVE_LINK, text="", icon="REMOVE")
    side.operator(names.OP_DUPLICATE_LINK, text="", icon="DUPLICATE")
    if 0 <= settings.links_index < len(settings.links):
        _link(layout, settings, settings.links[settings.links_index])
    lacking = unmet(settings)
    if lacking:
        more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
        paragraphs(layout, context, ["No chosen mesh has: " + ", ".join(lacking[:MOST_NAMED]) + more], "ERROR")
    layout.operator(names.OP_MATCH, icon="FILE_REFRESH")


def _link(layout: Any, settings: SEMANTICFACE_PG_settings, link: SEMANTICFACE_PG_link) -> None:
    column = layout.column(align=True)
    column.prop(link, "enabled")
    column.prop(link, "action")
    column.prop(link, "kind")
    column.prop_search(link, "owner", bpy.data, "objects")
    owner = bpy.data.objects.get(link.owner)
    if link.kind == TargetKind.SHAPE.value:
        keys = getattr((owner or settings.mesh).data, "shape_keys", None) if owner or settings.mesh else None
        if keys is not None:
            column.prop_search(link, "target", keys, "key_blocks")
        else:
            column.prop(link, "target")
    else:
        if owner is not None and owner.type == "ARMATURE":
            column.prop_search(link, "bone", owner.pose, "bones")
        column.prop(link, "target")
        if BY_NAME[link.action].kind is not Kind.SHAPE:
            column.prop(link, "unit")
    column.prop(link, "gain")
    column.prop(link, "offset")
    limits = layout.column(align=True)
    limits.use_property_split = False
    for limit in ("minimum", "maximum"):
        row = limits.row(align=True)
        row.prop(link, f"use_{limit}")
        row.prop(link, limit, text="")


def _profiles(layout: Any, settings: SEMANTICFACE_PG_settings) -> None:
    layout.label(text="Stored Profile")
    row = layout.row(align=True)
    row.use_property_split = False
    row.prop(settings, "profile_name", text="")
    row.operator(names.OP_LOAD_PROFILE, text="", icon="FILE_FOLDER")
    row.operator(names.OP_SAVE_PROFILE, text="", icon="FILE_TICK")
    row.operator(names.OP_REMOVE_PROFILE, text="", icon="TRASH")
    row = layout.row(align=True)
    row.operator(names.OP_IMPORT_PROFILE, text="Import", icon="IMPORT")
    row.operator(names.OP_EXPORT_PROFILE, text="Export", icon="EXPORT")


_CLASSES = (SEMANTICFACE_UL_links, SEMANTICFACE_PT_mapping)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
