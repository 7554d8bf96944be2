# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators about the backend process: start or join it, leave, restart and end it, free its memory, diagnose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import SemanticFaceError
from semanticface.link import LinkState

from .. import preferences, session
from . import tasks
from .diagnostics import Ask


class SEMANTICFACE_OT_connect_backend(bpy.types.Operator):
    """Join the backend that runs on this computer, or start it. It ends by itself when nobody uses it any more"""

    bl_idname = "semanticface.connect_backend"
    bl_label = "Start Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().link.state is LinkState.OFF

    def execute(self, context: Any) -> set[str]:
        try:
            session.current().connect(preferences.backend_command(context), start=True)
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class SEMANTICFACE_OT_disconnect_backend(bpy.types.Operator):
    """Stop using the backend. A running analysis is cancelled; what it finished stays in its take"""

    bl_idname = "semanticface.disconnect_backend"
    bl_label = "Disconnect"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().link.state is not LinkState.OFF

    def execute(self, context: Any) -> set[str]:
        session.current().disconnect()
        return {"FINISHED"}


class SEMANTICFACE_OT_stop_backend(bpy.types.Operator):
    """End the backend process, also for other programs that use it, and free its memory"""

    bl_idname = "semanticface.stop_backend"
    bl_label = "End Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().link.state is LinkState.CONNECTED

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        if now.link.pump is not None:
            now.link.pump.request("shutdown")
        now.disconnect()
        return {"FINISHED"}


class SEMANTICFACE_OT_restart_backend(bpy.types.Operator):
    """End the backend process, also for other programs that use it, and start it again. Takes a new version into use"""

    bl_idname = "semanticface.restart_backend"
    bl_label = "Restart Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().link.state is LinkState.CONNECTED

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        task = tasks.AfterEnd(now, lambda: now.connect(preferences.backend_command(bpy.context), start=True))
        now.attach(task)
        if bpy.app.background:
            tasks.wait_for(now, task)
        return {"FINISHED"}


class SEMANTICFACE_OT_release_memory(bpy.types.Operator):
    """End the backend's engines, which frees their memory and the GPU. The next analysis loads them again"""

    bl_idname = "semanticface.release_memory"
    bl_label = "Release GPU"

    @classmethod
    def poll(cls, context: Any) -> bool:
        now = session.current()
        return now.link.state is LinkState.CONNECTED and now.job is None

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        try:
            task = tasks.Release(now)
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        now.attach(task)
        if bpy.app.background:
            tasks.wait_for(now, task)
        return {"FINISHED"}


class SEMANTICFACE_OT_copy_diagnostics(bpy.types.Operator):
    """Copy versions, the backend's state and the last messages to the clipboard, without names of your folders"""

    bl_idname = "semanticface.copy_diagnostics"
    bl_label = "Copy Diagnostics"

    def execute(self, context: Any) -> set[str]:
        _ask(lambda text: setattr(bpy.context.window_manager, "clipboard", text))
        self.report({"INFO"}, "Diagnostics go to the clipboard")
        return {"FINISHED"}


class SEMANTICFACE_OT_save_diagnostics(bpy.types.Operator):
    """Write versions, the backend's state and the last messages to a file, without names of your folders"""

    bl_idname = "semanticface.save_diagnostics"
    bl_label = "Save Diagnostics"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.txt", options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        self.filepath = "semanticface-diagnostics.txt"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        file = Path(bpy.path.abspath(self.filepath))
        try:
            file.write_text("", "utf-8")  # refused here, where it can be said, and not later
        except OSError as error:
            self.report({"ERROR"}, f"{file} can't be written: {error.strerror} (choose another folder)")
            return {"CANCELLED"}
        _ask(lambda text: file.write_text(text, "utf-8"))
        return {"FINISHED"}


def _ask(then: Any) -> None:
    now = session.current()
    task = Ask(now, then)
    now.attach(task)
    if bpy.app.background:
        tasks.wait_for(now, task)


_CLASSES = (
    SEMANTICFACE_OT_connect_backend,
    SEMANTICFACE_OT_disconnect_backend,
    SEMANTICFACE_OT_stop_backend,
    SEMANTICFACE_OT_restart_backend,
    SEMANTICFACE_OT_release_memory,
    SEMANTICFACE_OT_copy_diagnostics,
    SEMANTICFACE_OT_save_diagnostics,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
