# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator that keys a take from its folder as one undo step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import bpy

from semanticface.errors import InputError, SemanticFaceError
from semanticface.take import Take, read_take

from .. import session
from ..footage.source import scene_rate
from ..footage.timing import TimeMap, Timing
from ..properties import plan_of, settings_of
from ..take.reading import read_signature
from .plan import Plan
from .takes import Report, key_take, signature_on


def plan_for_take(take: Take, scene: bpy.types.Scene) -> Plan:
    """The plan for a take that comes without one: the panel's targets, its first frame at the panel's scene start."""
    settings = settings_of(scene)
    if not take.results:
        raise InputError(f"{take.path} holds no results", "analyze again")
    rate = scene_rate(scene)
    time = TimeMap(
        anchor=take.results[0].frame,
        scene_frame=settings.scene_start,
        source_rate=take.header.rate or rate,
        scene_rate=rate,
        timing=Timing(settings.timing),
        whole=settings.whole_frames,
    )
    return plan_of(settings, time)


class SEMANTICFACE_OT_key_take(bpy.types.Operator):
    """Key a take from its folder onto the chosen targets, on a new Action. Needs no backend"""

    bl_idname = "semanticface.key_take"
    bl_label = "Key Take from Disk"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(name="Take", description="Folder of the take", subtype="DIR_PATH")
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    plan: bpy.props.StringProperty(description="How to key, as JSON", options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        if self.plan:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        try:
            report = self._key(context, now)
        except SemanticFaceError as error:
            now.tell([f"Nothing was keyed: {error}"], failed=True)
            self.report({"ERROR"}, f"Nothing was keyed: {error}")
            return {"CANCELLED"}
        now.tell(report.lines(), failed=not report.keyed)
        self.report({"INFO"} if report.keyed else {"WARNING"}, report.lines()[0])
        if not report.keyed:
            return {"CANCELLED"}
        if bpy.app.background:  # no window, so Blender pushes no undo step of its own
            bpy.ops.ed.undo_push(message=self.bl_label)
        return {"FINISHED"}

    def _key(self, context: Any, now: session.Session) -> Report:
        take = read_take(Path(bpy.path.abspath(self.directory)))
        plan = Plan.from_json(self.plan) if self.plan else plan_for_take(take, context.scene)
        report = key_take(take, plan)
        settings_of(context.scene).last_take = str(take.path)
        now.unkeyed = None
        if report.keyed:
            now.reading = read_signature(signature_on(plan.objects()), take, now.reading)
        return report


_CLASSES = (SEMANTICFACE_OT_key_take,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
