# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which backend to use, where it is installed from and to, what to do unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from semanticface.provision.order import default_folder

from . import names


class SEMANTICFACE_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    backend_command: bpy.props.StringProperty(
        name="Backend",
        description=(
            "Python or command of the backend's installation. Empty: the one that registered itself on this computer, "
            "the environment that was installed from here, or `semanticface` on the search path"
        ),
        subtype="FILE_PATH",
    )
    start_when_needed: bpy.props.BoolProperty(
        name="Start When Needed",
        description="Analyze starts the backend if none is running. Off: Analyze only joins a running one",
        default=True,
    )
    release_before_render: bpy.props.BoolProperty(
        name="Free the GPU Before Rendering",
        description="When a render begins, the backend gives its memory back, unless an analysis is running",
        default=True,
    )
    environment_folder: bpy.props.StringProperty(
        name="Environment",
        description="Folder in which the backend is installed. Empty: in your own folder of application data",
        subtype="DIR_PATH",
    )
    wheel_folder: bpy.props.StringProperty(
        name="Wheels",
        description="Folder of wheels to install the backend from, without a network. Empty: the package index",
        subtype="DIR_PATH",
    )
    python: bpy.props.StringProperty(
        name="Python",
        description="Python 3.11 or later that the environment is made with. Empty: the best one on this computer",
        subtype="FILE_PATH",
    )
    package_index: bpy.props.StringProperty(
        name="Additional Index",
        description="Address of one more package index, such as the one with PyTorch for your graphics card",
    )

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.prop(self, "backend_command")
        layout.prop(self, "start_when_needed")
        layout.prop(self, "release_before_render")
        box = layout.box()
        box.label(text="Installation of the Backend", icon="IMPORT")
        for name in ("environment_folder", "wheel_folder", "python", "package_index"):
            box.prop(self, name)
        row = box.row()
        row.operator(names.OP_INSTALL)
        row.operator(names.OP_CHECK_BACKEND)
        row = layout.row()
        row.operator(names.OP_COPY_DIAGNOSTICS, icon="COPYDOWN")
        row.operator(names.OP_SAVE_DIAGNOSTICS, icon="FILE_TICK")


def backend_command(context: bpy.types.Context) -> str | None:
    """The command that the user named, None to look for one."""
    return _text(context, "backend_command") or None


def start_when_needed(context: bpy.types.Context) -> bool:
    found = _preferences(context)
    return True if found is None else bool(found.start_when_needed)


def release_before_render(context: bpy.types.Context) -> bool:
    found = _preferences(context)
    return True if found is None else bool(found.release_before_render)


def environment_folder(context: bpy.types.Context) -> Path:
    """Where the backend's environments are made."""
    text = _text(context, "environment_folder")
    return Path(bpy.path.abspath(text)) if text else default_folder()


def wheel_folder(context: bpy.types.Context) -> Path | None:
    """The folder to install from, None for the package index."""
    text = _text(context, "wheel_folder")
    return Path(bpy.path.abspath(text)) if text else None


def remember_wheel_folder(context: bpy.types.Context, folder: str) -> None:
    found = _preferences(context)
    if found is not None:
        found.wheel_folder = folder


def python(context: bpy.types.Context) -> str:
    """The Python to build on, "" for the best one."""
    return _text(context, "python")


def package_index(context: bpy.types.Context) -> str:
    return _text(context, "package_index")


def _text(context: bpy.types.Context, name: str) -> str:
    found = _preferences(context)
    return "" if found is None else str(getattr(found, name)).strip()


def _preferences(context: bpy.types.Context) -> Any | None:
    addon = context.preferences.addons.get(__package__)
    return None if addon is None else addon.preferences  # None when a script registered the add-on directly


def register() -> None:
    bpy.utils.register_class(SEMANTICFACE_AP_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(SEMANTICFACE_AP_preferences)
