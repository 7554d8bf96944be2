# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the backend: its state, what to do about it, and the last message."""

from __future__ import annotations

from typing import Any

import bpy

from .. import names, session
from ..ui import Sidebar, paragraphs
from .link import LinkState


class SEMANTICFACE_PT_backend(Sidebar, bpy.types.Panel):
    bl_label = "SemanticFace"
    bl_idname = "SEMANTICFACE_PT_backend"

    def draw(self, context: Any) -> None:
        layout, now = self.layout, session.current()
        state = now.link.state
        row = layout.row()
        row.label(text=now.link.describe(), icon="LINKED" if state is LinkState.CONNECTED else "UNLINKED")
        if now.engine:
            paragraphs(layout, context, [now.engine[:1].upper() + now.engine[1:]], "SETTINGS")
        if state is LinkState.OFF:
            layout.operator(names.OP_CONNECT, icon="PLAY")
        else:
            row = layout.row(align=True)
            row.operator(names.OP_DISCONNECT, icon="X")
            if state is LinkState.CONNECTED:
                row.operator(names.OP_STOP)
        _notes(layout, context, now)


def _notes(layout: Any, context: Any, now: session.Session) -> None:
    if not now.notes:
        return
    box = layout.box()
    box.alert = now.failed
    paragraphs(box, context, now.notes, "ERROR" if now.failed else "INFO")
    if now.unkeyed is not None:
        button = box.operator(names.OP_KEY_TAKE, text="Key What Is Finished", icon="KEYINGSET")
        button.directory, plan = now.unkeyed
        button.plan = plan.to_json()
    if now.failed:
        box.operator(names.OP_COPY_DIAGNOSTICS, icon="COPYDOWN")


_CLASSES = (SEMANTICFACE_PT_backend,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
