# SPDX-License-Identifier: GPL-3.0-or-later
"""Analyze one frame again, with another engine: a take of its own, keyed on that frame alone; the old one stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from semanticface.errors import InputError, MediaError

from .. import names, session
from ..analysis.job import Order
from ..analysis.operators import begin, carry_out
from ..compat import session_uid
from ..footage.selection import Footage, Selection
from ..footage.timing import TimeMap
from ..keying.plan import KeyMode
from ..target.targets import check_plan, find_object
from . import here
from .folders import new_take_folder
from .pictures import media_of
from .reading import Reading

AUTO, LANDMARKS = "auto", "landmarks"


def engines(now: session.Session) -> list[tuple[str, str]]:
    """(name, title) of the engines that a frame can be analyzed with; those of the backend once it is connected."""
    offered = {AUTO: "The Backend's Choice"}
    pump = now.link.pump
    rows = [] if pump is None or pump.welcome is None else pump.welcome["engines"]
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and row.get("installed") and isinstance(row.get("name"), str):
            offered[row["name"]] = str(row.get("title") or row["name"])[:80]
    return [*offered.items(), *([] if LANDMARKS in offered else [(LANDMARKS, "Landmarks")])]


def order_for(reading: Reading, row: int, engine: str) -> Order:
    """The order for one frame of a reading. Raises SemanticFaceError when it can't be carried out, and says why."""
    origin, result, where = reading.origin(row), reading.results[row], reading.frames[row]
    header = reading.header(row)
    media = media_of(header.source)
    if media is None:
        raise InputError(f"{origin.take} holds results of pictures that were sent", "analyze from the footage itself")
    if not Path(media["path"]).exists():
        raise MediaError(f"the footage {media['path']} is not there any more", "put it back, or analyze the moved file")
    old = origin.plan.time
    time = TimeMap(result.frame, where, old.source_rate, old.scene_rate, old.timing)
    plan = replace(origin.plan, time=time, mode=KeyMode.INSERT, push=False)
    check_plan(plan)
    same = header.engine.get("name") == engine
    options = dict(header.options) if same else {key: header.options[key] for key in ("face",) if key in header.options}
    label = Path(media["path"]).stem
    return Order(
        footage=Footage(media, label, header.rate, result.frame, where),
        selection=Selection.of_frames((result.frame,), time),
        plan=plan,
        uids={name: session_uid(find_object(name)) for name in plan.objects()},
        options=options | {"engine": engine},
        take=new_take_folder(f"{label}-frame-{result.frame}"),
    )


class SEMANTICFACE_OT_reanalyze_frame(bpy.types.Operator):
    """Analyze the frame under the playhead again and key it in the present Action. The old result stays in its take"""

    bl_idname = "semanticface.reanalyze_frame"
    bl_label = "Analyze This Frame Again"

    engine: bpy.props.StringProperty(name="Engine", description="Which engine analyzes", default=AUTO)
    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when the frame is keyed. Blender without a window always waits",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        now = session.current()
        return now.job is None and now.reading is not None

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        return carry_out(self, lambda: begin(order_for(*row_here(context, now), self.engine or AUTO)))


def row_here(context: Any, now: session.Session) -> tuple[Reading, int]:
    """The reading in force and its row at the playhead. Raises InputError when there is none."""
    reading = now.reading
    if reading is None or reading.signature != here.signature(context.scene.semanticface):
        raise InputError("the analysis of the target's take is not loaded", "press Load Analysis")
    row = reading.place(context.scene.frame_current_final)
    if row is None:
        raise InputError("the playhead is before the first analyzed frame", "move it onto one")
    return reading, row


class SEMANTICFACE_MT_reanalyze(bpy.types.Menu):
    bl_label = "Analyze This Frame Again"
    bl_idname = names.MENU_REANALYZE

    def draw(self, context: Any) -> None:
        for name, title in engines(session.current()):
            self.layout.operator(names.OP_REANALYZE, text=title).engine = name


_CLASSES = (SEMANTICFACE_OT_reanalyze_frame, SEMANTICFACE_MT_reanalyze)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
