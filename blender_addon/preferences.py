# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which backend to use and whether to start it without being asked."""

from __future__ import annotations

from typing import Any

import bpy

from . import names


class SEMANTICFACE_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    backend_command: bpy.props.StringProperty(
        name="Backend",
        description=(
            "Python or command of the backend's installation. Empty: the one that registered itself on this computer, "
            "or `semanticface` on the search path"
        ),
        subtype="FILE_PATH",
    )
    start_when_needed: bpy.props.BoolProperty(
        name="Start When Needed",
        description="Analyze starts the backend if none is running. Off: Analyze only joins a running one",
        default=True,
    )

    def draw(self, context: Any) -> None:
        self.layout.prop(self, "backend_command")
        self.layout.prop(self, "start_when_needed")
        self.layout.operator(names.OP_COPY_DIAGNOSTICS, icon="COPYDOWN")


def backend_command(context: bpy.types.Context) -> str | None:
    """The command that the user named, None to look for one."""
    found = _preferences(context)
    return (found.backend_command.strip() or None) if found else None


def start_when_needed(context: bpy.types.Context) -> bool:
    found = _preferences(context)
    return True if found is None else bool(found.start_when_needed)


def _preferences(context: bpy.types.Context) -> Any | None:
    addon = context.preferences.addons.get(__package__)
    return None if addon is None else addon.preferences  # None when a script registered the add-on directly


def register() -> None:
    bpy.utils.register_class(SEMANTICFACE_AP_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(SEMANTICFACE_AP_preferences)
