# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that lead from one frame that wants a look to the next, and mark the one that had it."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy
import numpy as np

from semanticface.errors import InputError, SemanticFaceError

from .. import session
from ..properties import settings_of
from . import state
from .listing import go_to
from .reading import Reading
from .review import load_reviewed, save_reviewed
from .table import Table, Want, step


def table_and_reading() -> tuple[Table, Reading]:
    """What the list shows. Raises InputError when there is none."""
    work = state.current()
    if work.table is None or work.reading is None:
        raise InputError("no take is loaded", "choose a target that is animated by a take, then press Load Analysis")
    return work.table, work.reading


class SEMANTICFACE_OT_go_to_frame(bpy.types.Operator):
    """Move the playhead to the next frame of this kind that is not reviewed"""

    bl_idname = "semanticface.go_to_frame"
    bl_label = "Next Frame to Review"

    want: bpy.props.EnumProperty(
        name="Want",
        items=(
            (Want.REVIEW, "To Review", "Failed, of low confidence, or text and numbers at odds"),
            (Want.LOW, "Low Confidence", "Of a confidence below the threshold"),
            (Want.DISAGREE, "At Odds", "Text and numbers disagree"),
            (Want.FAILED, "Failed", "Without a key"),
        ),
        default=Want.REVIEW,
    )
    back: bpy.props.BoolProperty(name="Back", description="To the previous one")

    @classmethod
    def poll(cls, context: Any) -> bool:
        return state.current().table is not None

    def execute(self, context: Any) -> set[str]:
        table, reading = table_and_reading()
        mask = table.wanted(Want(self.want), settings_of(context.scene).review_threshold)
        row = step(mask, np.array(reading.frames), context.scene.frame_current_final, self.back)
        if row is None:
            self.report({"INFO"}, "No such frame " + ("before" if self.back else "after") + " the playhead")
            return {"CANCELLED"}
        go_to(context.scene, reading.frames[row])
        return {"FINISHED"}


class SEMANTICFACE_OT_mark_reviewed(bpy.types.Operator):
    """Mark the frame under the playhead as reviewed, or take the mark away. Kept in the take's folder"""

    bl_idname = "semanticface.mark_reviewed"
    bl_label = "Mark as Reviewed"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return state.current().table is not None

    def execute(self, context: Any) -> set[str]:
        try:
            table, reading = table_and_reading()
            row = reading.place(context.scene.frame_current_final)
            if row is None:
                raise InputError("the playhead is before the first analyzed frame", "move it onto one")
            toggle(table, reading, row)
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        session.current().redraw()
        return {"FINISHED"}


def toggle(table: Table, reading: Reading, row: int) -> None:
    """Mark a row or take its mark away, on disk first. Raises TakeError when the marks can't be read or written."""
    take, source = reading.origin(row).take, reading.results[row].frame
    marked = not table.reviewed[row]
    kept = load_reviewed(take)  # somebody else may have marked frames meanwhile
    save_reviewed(take, kept | {source} if marked else kept - {source})
    for other in np.flatnonzero(table.sources == source):
        if reading.origin(int(other)).take == take:  # a frame may stand in several places
            table.mark(int(other), marked)


_CLASSES = (SEMANTICFACE_OT_go_to_frame, SEMANTICFACE_OT_mark_reviewed)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
