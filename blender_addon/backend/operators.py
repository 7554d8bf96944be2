# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators about the backend process: start or join it, stop using it, end it, and say what is known about it."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import SemanticFaceError

from .. import preferences, session
from .diagnostics import collect
from .link import LinkState


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


class SEMANTICFACE_OT_copy_diagnostics(bpy.types.Operator):
    """Copy versions, the backend's state and the last messages to the clipboard, without names of your folders"""

    bl_idname = "semanticface.copy_diagnostics"
    bl_label = "Copy Diagnostics"

    def execute(self, context: Any) -> set[str]:
        context.window_manager.clipboard = collect(context, session.current())
        self.report({"INFO"}, "Diagnostics copied to the clipboard")
        return {"FINISHED"}


_CLASSES = (
    SEMANTICFACE_OT_connect_backend,
    SEMANTICFACE_OT_disconnect_backend,
    SEMANTICFACE_OT_stop_backend,
    SEMANTICFACE_OT_copy_diagnostics,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
