# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the backend: its state, what to do about it, and the last message; below it, how it is installed."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from semanticface.link import LinkState
from semanticface.provision.overview import InstallState, Overview

from .. import names, session
from ..ui import Sidebar, paragraphs

_NOTHING_TO_START = {InstallState.NOT_INSTALLED, InstallState.INCOMPLETE, InstallState.INSTALLING}


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
        view = now.desk.view
        if view is not None and view.state is not InstallState.OK and state is not LinkState.CONNECTED:
            _install_box(layout.box(), context, view)
        if state is LinkState.OFF:
            if view is None or view.state not in _NOTHING_TO_START:
                layout.operator(names.OP_CONNECT, icon="PLAY")
        else:
            _running(layout, state)
        _notes(layout, context, now)


class SEMANTICFACE_PT_installation(Sidebar, bpy.types.Panel):
    bl_label = "Installation"
    bl_idname = "SEMANTICFACE_PT_installation"
    bl_parent_id = "SEMANTICFACE_PT_backend"
    bl_options: ClassVar = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, view = self.layout, session.current().desk.view
        if view is None:
            layout.label(text="Not looked at yet", icon="QUESTION")
        else:
            icon = "CHECKMARK" if view.state is InstallState.OK else "INFO"
            paragraphs(layout, context, view.lines, icon)
        layout.operator(names.OP_CHECK_BACKEND, icon="FILE_REFRESH")
        if view is not None and view.state is not InstallState.INSTALLING:
            _changes(layout, view)
        row = layout.row(align=True)
        row.operator(names.OP_COPY_DIAGNOSTICS, icon="COPYDOWN")
        row.operator(names.OP_SAVE_DIAGNOSTICS, text="Save", icon="FILE_TICK")


def _running(layout: Any, state: LinkState) -> None:
    row = layout.row(align=True)
    row.operator(names.OP_DISCONNECT, icon="X")
    if state is LinkState.CONNECTED:
        row.operator(names.OP_STOP)
        row = layout.row(align=True)
        row.operator(names.OP_RELEASE)
        row.operator(names.OP_RESTART, text="Restart")


def _install_box(box: Any, context: Any, view: Overview) -> None:
    """What is wrong with the installation and the one button that helps; or how far it is."""
    if view.state is InstallState.INSTALLING:
        if view.fraction is not None and hasattr(box, "progress"):
            box.progress(factor=view.fraction, text=view.lines[0])
        else:
            paragraphs(box, context, view.lines, "SORTTIME")
        box.operator(names.OP_CANCEL_INSTALL, icon="CANCEL")
        return
    paragraphs(box, context, view.lines, "ERROR" if view.state is not InstallState.NOT_INSTALLED else "INFO")
    if view.state is InstallState.NO_MODEL:
        row = box.row(align=True)
        row.operator(names.OP_GET_MODEL, icon="IMPORT")
        row.operator(names.OP_IMPORT_MODEL, text="Import", icon="FILE_FOLDER")
    elif view.state is not InstallState.TOO_NEW:
        text = _BUTTONS.get(view.state, "Repair")
        box.operator(names.OP_INSTALL, text=text, icon="IMPORT").repair = view.state is InstallState.CANNOT_RUN


_BUTTONS = {InstallState.NOT_INSTALLED: "Install Backend", InstallState.TOO_OLD: "Update"}


def _changes(layout: Any, view: Overview) -> None:
    column = layout.column(align=True)
    if view.newer or view.state is InstallState.TOO_OLD:
        column.operator(names.OP_INSTALL, text="Update", icon="IMPORT").repair = False
    elif view.own:
        column.operator(names.OP_INSTALL, text="Repair", icon="TOOL_SETTINGS").repair = True
    else:
        column.operator(names.OP_INSTALL, icon="IMPORT").repair = False
    if view.own or view.state is InstallState.INCOMPLETE:
        column.operator(names.OP_REMOVE, icon="TRASH")


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


_CLASSES = (SEMANTICFACE_PT_backend, SEMANTICFACE_PT_installation)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
