# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the take that is worked with: load the analysis that came with the keys."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.errors import InputError, SemanticFaceError

from .. import session
from ..footage.source import scene_rate
from ..footage.timing import TimeMap
from ..keying.operators import signature_on
from ..properties import plan_of, settings_of
from .reading import read_signature


class SEMANTICFACE_OT_load_analysis(bpy.types.Operator):
    """Load the analysis that the keys of the chosen mesh came with"""

    bl_idname = "semanticface.load_analysis"
    bl_label = "Load Analysis"

    def execute(self, context: Any) -> set[str]:
        plan = plan_of(
            settings_of(context.scene), TimeMap(0, 0.0, scene_rate(context.scene), scene_rate(context.scene))
        )
        try:
            signature = signature_on(plan.objects())
            if not signature:
                raise InputError("the target isn't animated by a take", "analyze, or choose the target")
            session.current().reading = read_signature(signature)
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_load_analysis,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
