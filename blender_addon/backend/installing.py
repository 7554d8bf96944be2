# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that install, repair, check and remove the backend, and get the face model.

Nothing goes into Blender's Python. The network is used only when Blender allows it; where Blender has no such setting
(before 4.2) the dialog asks. The work is done by a process of its own, which the panel follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import SemanticFaceError
from semanticface.link import LinkState
from semanticface.provision.order import Order, Work, bundled_package
from semanticface.provision.overview import InstallState
from semanticface.provision.trouble import Cause, ProvisionError

from .. import preferences, session
from . import tasks

WIDTH = 420


def online_access() -> bool | None:
    """Whether Blender allows the network; None where it has no such setting."""
    return getattr(bpy.app, "online_access", None)


def host_folders() -> tuple[Path, ...]:
    """Blender's own folders, in which no environment may be made."""
    binary = Path(bpy.app.binary_path).parent if bpy.app.binary_path else None
    own = (bpy.utils.resource_path("LOCAL"), bpy.utils.resource_path("SYSTEM"), bpy.utils.user_resource("SCRIPTS"))
    shared = {Path("/"), Path("/usr/bin"), Path("/usr/local/bin"), Path("/bin")}  # not Blender's alone
    folders = [Path(text) for text in own if text] + ([binary] if binary is not None else [])
    return tuple(dict.fromkeys(folder for folder in folders if folder not in shared))


def order_of(context: Any, work: Work, wheels: Path | None, online: bool, mllm: bool = False) -> Order:
    """What the preferences and the dialog say."""
    return Order(
        work=work,
        folder=preferences.environment_folder(context),
        extras=("backend", "mllm") if mllm else ("backend",),
        package=bundled_package(Path(__file__).parents[1] / "wheels"),
        wheels=wheels,
        online=online,
        python=preferences.python(context),
        index=preferences.package_index(context),
        keep_out=host_folders(),
    )


def may_go_online(asked: bool) -> bool:
    """Blender's setting, or where there is none, what the dialog was told."""
    allowed = online_access()
    return asked if allowed is None else bool(allowed)


class _Runs:
    """Starts an order and follows it; in background mode, or when asked to, waits for its end."""

    def start(self, order: Order, wait: bool) -> set[str]:
        now = session.current()
        try:
            now.desk.begin(order)
        except SemanticFaceError as error:
            return self.refuse(error)
        now.tell([])
        task = tasks.follow(now)
        if not (wait or bpy.app.background):
            return {"FINISHED"}
        while now.desk.busy:
            tasks.wait_for(now, task)
        if now.failed:
            self.report({"ERROR"}, "\n".join(now.notes))
        return {"CANCELLED"} if now.failed else {"FINISHED"}

    def refuse(self, error: SemanticFaceError) -> set[str]:
        session.current().tell([str(error)], failed=True)
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


class SEMANTICFACE_OT_install_backend(_Runs, bpy.types.Operator):
    """Install the backend into an environment of its own on this computer. Blender's Python stays as it is"""

    bl_idname = "semanticface.install_backend"
    bl_label = "Install Backend"

    repair: bpy.props.BoolProperty(
        name="Anew",
        description="Make the environment anew; the old one is used until the new one has been tried out",
        options={"SKIP_SAVE"},
    )
    source: bpy.props.EnumProperty(
        name="From",
        items=(
            ("INDEX", "Package Index", "Fetch the packages from the Python package index (about 140 MB)"),
            ("FOLDER", "Folder of Wheels", "Install from a folder that was filled elsewhere, without a network"),
        ),
    )
    wheels: bpy.props.StringProperty(name="Folder", description="Folder of wheels", subtype="DIR_PATH")
    mllm: bpy.props.BoolProperty(
        name="With the SemanticFace Engine",
        description="Also PyTorch and what the large model needs: several GB, and of use with a graphics card",
    )
    allow_online: bpy.props.BoolProperty(
        name="Use the Network",
        description="Fetch packages and the face model from the network, this time",
        options={"SKIP_SAVE"},
    )
    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when it has ended. Blender without a window always waits",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return not session.current().desk.installing

    def invoke(self, context: Any, event: Any) -> set[str]:
        folder = preferences.wheel_folder(context)
        if folder is not None:
            self.source, self.wheels = "FOLDER", str(folder)
        return context.window_manager.invoke_props_dialog(self, width=WIDTH)

    def draw(self, context: Any) -> None:
        layout = self.layout
        layout.label(text=f"Into {preferences.environment_folder(context)}")
        layout.prop(self, "source", expand=True)
        if self.source == "FOLDER":
            layout.prop(self, "wheels")
        elif online_access() is None:
            layout.prop(self, "allow_online")
        elif not online_access():
            layout.label(text="Online access is off: Preferences > System > Network", icon="ERROR")
        layout.prop(self, "mllm")
        layout.prop(self, "repair")

    def execute(self, context: Any) -> set[str]:
        online = self.source == "INDEX" and may_go_online(self.allow_online)
        wheels = None
        if self.source == "FOLDER":
            if not self.wheels.strip():
                return self.refuse(ProvisionError(Cause.WHEEL_MISSING, "no folder of wheels is chosen", "choose one"))
            wheels = Path(bpy.path.abspath(self.wheels.strip()))
            preferences.remember_wheel_folder(context, str(wheels))
        elif not online:
            text = "the network may not be used: Blender's online access is off"
            return self.refuse(ProvisionError(Cause.NOT_ALLOWED, text))
        work = Work.REPAIR if self.repair else Work.INSTALL
        return self.start(order_of(context, work, wheels, online, self.mllm), self.wait)


class SEMANTICFACE_OT_cancel_install(bpy.types.Operator):
    """Cancel the installation. What was fetched stays, and Install goes on with it"""

    bl_idname = "semanticface.cancel_install"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().desk.installing

    def execute(self, context: Any) -> set[str]:
        session.current().desk.cancel()
        return {"FINISHED"}


class SEMANTICFACE_OT_check_backend(bpy.types.Operator):
    """Look whether the backend is installed, runs, and fits this extension"""

    bl_idname = "semanticface.check_backend"
    bl_label = "Check Installation"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return not session.current().desk.installing

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        task = tasks.check(now)
        if bpy.app.background:
            tasks.wait_for(now, task)
        return {"FINISHED"}


class SEMANTICFACE_OT_get_face_model(_Runs, bpy.types.Operator):
    """Fetch the face model (3.8 MB) that the backend needs, from its publisher"""

    bl_idname = "semanticface.get_face_model"
    bl_label = "Get Face Model"

    allow_online: bpy.props.BoolProperty(
        name="Use the Network", description="Fetch the model from the network, this time", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return _has_backend()

    def invoke(self, context: Any, event: Any) -> set[str]:
        if online_access() is None:
            return context.window_manager.invoke_props_dialog(self, width=WIDTH)
        return self.execute(context)

    def execute(self, context: Any) -> set[str]:
        if not may_go_online(self.allow_online):
            text = "the network may not be used: Blender's online access is off"
            hint = "allow it in Preferences > System, or press Import Face Model"
            return self.refuse(ProvisionError(Cause.NOT_ALLOWED, text, hint))
        return self.start(_model_order(context, None, True), False)


class SEMANTICFACE_OT_import_face_model(_Runs, bpy.types.Operator):
    """Take the face model from a file, face_landmarker.task, that was brought here"""

    bl_idname = "semanticface.import_face_model"
    bl_label = "Import Face Model"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.task", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        return _has_backend()

    def invoke(self, context: Any, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        return self.start(_model_order(context, Path(bpy.path.abspath(self.filepath)), False), False)


class SEMANTICFACE_OT_remove_backend(_Runs, bpy.types.Operator):
    """End the backend and remove the environment that was installed from here. Models and takes stay"""

    bl_idname = "semanticface.remove_backend"
    bl_label = "Remove Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return not session.current().desk.installing

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        order = order_of(context, Work.REMOVE, None, False)
        if now.link.state is LinkState.OFF:
            return self.start(order, False)
        task = tasks.AfterEnd(now, lambda: _begin(order))
        now.attach(task)
        if bpy.app.background:
            tasks.wait_for(now, task)
            for other in [other for other in now.tasks if isinstance(other, tasks.FollowDesk)]:
                tasks.wait_for(now, other)
        return {"FINISHED"}


def _begin(order: Order) -> None:
    now = session.current()
    now.desk.begin(order)
    tasks.follow(now)


def _has_backend() -> bool:
    view = session.current().desk.view
    return view is not None and view.state in {InstallState.NO_MODEL, InstallState.OK}


def _model_order(context: Any, file: Path | None, online: bool) -> Order:
    """For the Python of the backend that is used, which need not be in an environment of ours."""
    found = session.current().desk.found
    python = found.command[0] if found is not None and found.command else ""
    folder = preferences.environment_folder(context)
    return Order(work=Work.MODEL, folder=folder, python=python, model_file=file, online=online)


_CLASSES = (
    SEMANTICFACE_OT_install_backend,
    SEMANTICFACE_OT_cancel_install,
    SEMANTICFACE_OT_check_backend,
    SEMANTICFACE_OT_get_face_model,
    SEMANTICFACE_OT_import_face_model,
    SEMANTICFACE_OT_remove_backend,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
