# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the take that is worked with: load the analysis that came with the keys."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import InputError, SemanticFaceError

from .. import session
from ..properties import settings_of
from . import here, state
from .following import load
from .reading import read_signature


class SEMANTICFACE_OT_load_analysis(bpy.types.Operator):
    """Load the analysis that the keys of the chosen targets came with. Goes on in the background"""

    bl_idname = "semanticface.load_analysis"
    bl_label = "Load Analysis"

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when it is loaded. Blender without a window always waits",
        options={"SKIP_SAVE"},
    )

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        state.current().problem = ""
        try:
            signature = here.signature(settings_of(context.scene))
            if not signature:
                raise InputError("the target isn't animated by a take", "analyze, or choose the target")
            if self.wait or bpy.app.background:
                now.reading = read_signature(signature)
            else:
                load(now, signature)
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_load_analysis,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
