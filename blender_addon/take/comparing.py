# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that put another take beside the present one, lead to where they part, and switch between their Actions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import bpy
import numpy as np

from semanticface.errors import InputError, SemanticFaceError
from semanticface.pump import Event
from semanticface.steps import Steps, Work
from semanticface.take import reading_take

from .. import session
from ..keying.plan import KeyMode
from ..keying.takes import signature_of
from ..properties import settings_of
from . import here, state, switching
from .compare import Comparison, Side, comparing, peaks_mask
from .handlers import look_again
from .listing import go_to
from .navigation import table_and_reading
from .reading import Reading, placing, reading_signature
from .table import step


def side_of(reading: Reading) -> Side:
    return Side(np.array(reading.frames, np.float64), reading.results)


def folder_reading(folder: Path, like: Reading) -> Work[Reading]:
    """A take on disk, placed on the timeline as the whole take of `like` is. Raises TakeError."""
    origins = [origin for origin in like.origins if origin.plan.mode is not KeyMode.INSERT] or list(like.origins)
    take = yield from reading_take(folder)
    placed = yield from placing(take, origins[-1].plan.time)
    return Reading("", tuple(entry[0] for entry in placed), tuple(entry[1] for entry in placed))


class Comparing:
    """Read take B and compare it with the present one, in steps."""

    def __init__(self, name: str, reading: Reading, find: Work[Reading]) -> None:
        self._name, self._reading = name, reading
        self._work = Steps(_compared(reading, find))

    def tick(self, now: session.Session, events: Sequence[Event], deadline: float) -> bool:
        """See `session.Task`."""
        if not self._work.go_on(deadline):  # a SemanticFaceError ends the task and is shown
            return True
        other, numbers = self._work.result()
        if now.reading is self._reading:
            state.current().compared = state.Compared(self._name, self._reading.signature, other, numbers)
        now.redraw()
        return False


def _compared(reading: Reading, find: Work[Reading]) -> Work[tuple[Reading, Comparison]]:
    other = yield from find
    numbers = yield from comparing(side_of(reading), side_of(other))
    return other, numbers


class SEMANTICFACE_OT_compare_takes(bpy.types.Operator):
    """Compare the take that animates the target (A) with the chosen one (B)"""

    bl_idname = "semanticface.compare_takes"
    bl_label = "Compare"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return state.current().table is not None

    def execute(self, context: Any) -> set[str]:
        now = session.current()
        try:
            _, reading = table_and_reading()
            name, find = _other(settings_of(context.scene), reading)
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        now.attach(Comparing(name, reading, find))
        return {"FINISHED"}


def _other(settings: Any, reading: Reading) -> tuple[str, Work[Reading]]:
    """What take B is called, and the work of reading it. Raises InputError."""
    if settings.compare_with == "FOLDER":
        if not settings.compare_folder.strip():
            raise InputError("no folder is chosen for take B", "choose the folder of a take")
        folder = Path(bpy.path.abspath(settings.compare_folder))
        return folder.name, folder_reading(folder, reading)
    action = settings.compare_action
    signature = signature_of(action)
    if not signature:
        raise InputError("no Action is chosen for take B", "choose one that was keyed from a take")
    return action.name, reading_signature(signature)


class SEMANTICFACE_OT_go_to_difference(bpy.types.Operator):
    """Move the playhead to the next frame at which the two takes differ most"""

    bl_idname = "semanticface.go_to_difference"
    bl_label = "Next Difference"

    back: bpy.props.BoolProperty(name="Back", description="To the previous one")

    @classmethod
    def poll(cls, context: Any) -> bool:
        return state.current().compared is not None

    def execute(self, context: Any) -> set[str]:
        compared = state.current().compared
        if compared is None:
            return {"CANCELLED"}
        numbers = compared.numbers
        row = step(peaks_mask(numbers), numbers.frames, context.scene.frame_current_final, self.back)
        if row is None:
            self.report({"INFO"}, "No such frame " + ("before" if self.back else "after") + " the playhead")
            return {"CANCELLED"}
        go_to(context.scene, float(numbers.frames[row]))
        return {"FINISHED"}


class SEMANTICFACE_OT_show_action(bpy.types.Operator):
    """Animate the targets by this Action; the present one stays in the file"""

    bl_idname = "semanticface.show_action"
    bl_label = "Show Take"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    action: bpy.props.StringProperty(name="Action", description="An Action that was keyed from a take")

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        shown = switching.present(here.blocks(settings))
        try:
            switching.show(self.action, here.blocks(settings))
        except SemanticFaceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if settings.compare_action is not None and settings.compare_action.name == self.action and shown:
            settings.compare_action = bpy.data.actions.get(shown)  # A and B have changed places
        look_again()
        if bpy.app.background:  # no window, so Blender pushes no undo step of its own
            bpy.ops.ed.undo_push(message=self.bl_label)
        return {"FINISHED"}


_CLASSES = (SEMANTICFACE_OT_compare_takes, SEMANTICFACE_OT_go_to_difference, SEMANTICFACE_OT_show_action)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
