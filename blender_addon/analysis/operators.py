# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that start and cancel an analysis. Everything that can be refused is refused here, before any work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from semanticface.errors import EngineError, SemanticFaceError

from .. import preferences, session
from ..compat import session_uid
from ..footage.selection import time_map
from ..footage.source import engine_options, footage_of, selection_of
from ..properties import plan_of, settings_of
from ..take.folders import new_take_folder
from ..target.targets import check_plan, find_object
from .engines import reason
from .job import AnalysisJob, Order, Phase


def begin_analysis(context: bpy.types.Context) -> AnalysisJob:
    """Start what the scene's settings ask for. Raises SemanticFaceError with the reason when it can't be done."""
    scene = context.scene
    settings = settings_of(scene)
    footage = footage_of(settings, scene)
    selection = selection_of(settings, scene)
    plan = plan_of(settings, time_map(footage, selection, settings.first))
    check_plan(plan)
    said, unusable = reason(settings.engine, session.current().offered)
    if unusable:
        raise EngineError(said, "choose another engine in the Analyze panel")
    order = Order(
        footage=footage,
        selection=selection,
        plan=plan,
        uids={name: session_uid(find_object(name)) for name in plan.objects()},
        options=engine_options(settings),
        take=new_take_folder(footage.label),
    )
    return begin(order)


def begin(order: Order) -> AnalysisJob:
    """Start any order, and the backend where it is needed. Raises SemanticFaceError when that can't be done."""
    now, context = session.current(), bpy.context
    job = now.begin(order)
    try:
        now.connect(preferences.backend_command(context), preferences.start_when_needed(context))
    except SemanticFaceError:
        now.job = None
        raise
    return job


def carry_out(operator: Any, start: Callable[[], AnalysisJob]) -> set[str]:
    """Start a job for an operator with a property `wait`, and wait for its end where that is wanted or has to be.

    Refusals and failures are told in the panel and reported.
    """
    now = session.current()
    try:
        job = start()
    except SemanticFaceError as error:
        now.tell([str(error)], failed=True)
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    if not (operator.wait or bpy.app.background):
        return {"FINISHED"}
    now.run(job)
    if job.phase is Phase.DONE and not now.failed:
        return {"FINISHED"}
    operator.report({"WARNING" if job.phase is Phase.CANCELLED else "ERROR"}, "\n".join(now.notes))
    return {"CANCELLED"}


class SEMANTICFACE_OT_analyze_footage(bpy.types.Operator):
    """Analyze the chosen frames and key the result onto a new Action. Goes on in the background"""

    bl_idname = "semanticface.analyze_footage"
    bl_label = "Analyze"

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when the take is keyed. Blender without a window always waits",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().job is None

    def execute(self, context: Any) -> set[str]:
        return carry_out(self, lambda: begin_analysis(context))


class SEMANTICFACE_OT_cancel_analysis(bpy.types.Operator):
    """Cancel the analysis. Nothing is keyed; what is finished stays in its take"""

    bl_idname = "semanticface.cancel_analysis"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return session.current().job is not None

    def execute(self, context: Any) -> set[str]:
        session.current().cancel()
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_analyze_footage, SEMANTICFACE_OT_cancel_analysis)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
