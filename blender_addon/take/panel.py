# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel that says what was read from the face at the playhead."""

from __future__ import annotations

from typing import Any

import bpy

from .. import names, session
from ..keying.fcurves import animation_of
from ..keying.takes import signature_of
from ..properties import settings_of
from ..ui import Sidebar, paragraphs
from .reading import describe


class SEMANTICFACE_PT_reading(Sidebar, bpy.types.Panel):
    bl_label = "Analysis of This Frame"
    bl_idname = "SEMANTICFACE_PT_reading"

    def draw(self, context: Any) -> None:
        layout, settings, reading = self.layout, settings_of(context.scene), session.current().reading
        targets = (settings.mesh and settings.mesh.data.shape_keys, settings.head)
        signature = next(filter(None, (signature_of(animation_of(target)) for target in targets if target)), "")
        if not signature:
            layout.label(text="The target has no keys of a take")
        elif reading is None or reading.signature != signature:
            layout.operator(names.OP_LOAD_ANALYSIS, icon="TEXT")
        else:
            here = reading.at(context.scene.frame_current_final)
            lines = ["Before the first key"] if here is None else describe(*here)
            paragraphs(layout, context, lines, "TEXT")


_CLASSES = (SEMANTICFACE_PT_reading,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
