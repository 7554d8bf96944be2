# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator that asks the backend about the chosen footage before it is analyzed."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import SemanticFaceError

from .. import preferences, session
from ..properties import settings_of
from .probing import ProbeTask
from .source import footage_of


class SEMANTICFACE_OT_probe_footage(bpy.types.Operator):
    """Ask the backend for the footage's exact rate, number of frames and holes, and start it where it is needed"""

    bl_idname = "semanticface.probe_footage"
    bl_label = "Look at Footage"

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        try:
            footage = footage_of(settings_of(context.scene), context.scene)
            now.connect(preferences.backend_command(context), preferences.start_when_needed(context))
        except SemanticFaceError as error:
            now.tell([str(error)], failed=True)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        now.attach(ProbeTask(footage.media))
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_probe_footage,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
