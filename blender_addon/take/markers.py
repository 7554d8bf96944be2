# SPDX-License-Identifier: GPL-3.0-or-later
"""Timeline markers named by expression category. Ours are replaced when made anew; the user's own are never touched.

Markers of some Blender versions can't carry a property, so the scene remembers where ours stand and what they are
called: one that was moved or renamed has become the user's.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import bpy
import numpy as np

from semanticface.errors import SemanticFaceError

from ..properties import settings_of
from . import state
from .navigation import table_and_reading
from .table import Table, Want

MOST = 2000
LONGEST_NAME = 60

Mark = tuple[int, str]
"""Scene frame and name."""


def marks_of(table: Table, which: str, threshold: float) -> list[Mark]:
    """The markers for a table: CHANGES, ALL or REVIEW. At most one at a scene frame, the first that falls on it."""
    if which == "REVIEW":
        rows = np.flatnonzero(table.wanted(Want.REVIEW, threshold))
    elif which == "ALL":
        rows = np.arange(len(table))
    else:
        rows = np.array(_changes(table), np.int64)
    marks: dict[int, str] = {}
    for row in rows:
        name = table.categories[row] or "no analysis"
        marks.setdefault(round(table.reading.frames[row]), name.encode()[:LONGEST_NAME].decode(errors="ignore"))
    return list(marks.items())[:MOST]


def _changes(table: Table) -> list[int]:
    """Rows where the category is another than that of the row before; failed ones are passed over."""
    rows: list[int] = []
    last: str | None = None
    for row, category in enumerate(table.categories):
        if not table.failed[row] and category != last:
            rows.append(row)
            last = category
    return rows


def replace_markers(scene: bpy.types.Scene, marks: list[Mark]) -> int:
    """Put these markers into the scene in place of those that we made before; returns how many of those went."""
    settings = settings_of(scene)
    made = _remembered(settings.markers_made)
    old = [marker for marker in scene.timeline_markers if (marker.frame, marker.name) in made]
    for marker in old:
        scene.timeline_markers.remove(marker)
    for frame, name in marks:
        scene.timeline_markers.new(name, frame=frame)
    settings.markers_made = json.dumps(marks)
    return len(old)


def _remembered(text: str) -> set[Mark]:
    try:
        return {(int(frame), str(name)) for frame, name in json.loads(text or "[]")}
    except (ValueError, TypeError):
        return set()


class SEMANTICFACE_OT_add_markers(bpy.types.Operator):
    """Mark expressions on the timeline by their category, in place of the markers that were made so before"""

    bl_idname = "semanticface.add_markers"
    bl_label = "Mark Expressions"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return state.current().table is not None

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        try:
            table, _ = table_and_reading()
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        marks = marks_of(table, settings.markers_of, settings.review_threshold)
        gone = replace_markers(context.scene, marks)
        self.report({"INFO"}, f"{len(marks)} markers" + (f" in place of {gone}" if gone else ""))
        if bpy.app.background:  # no window, so Blender pushes no undo step of its own
            bpy.ops.ed.undo_push(message=self.bl_label)
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_add_markers,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
