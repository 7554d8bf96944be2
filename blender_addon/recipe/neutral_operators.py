# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the neutral: take it from frames, remove it, keep it for an actor, use a kept one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import bpy

from semanticface.curves.neutral import load_neutrals, remove_neutral, save_neutral
from semanticface.errors import InputError, SemanticFaceError

from .. import names, session
from ..properties import settings_of
from ..take.reading import Reading, read_signature
from . import preview, pulse
from .neutrals import Span, frame_of, neutral_at, selected_markers
from .operators import UNDOABLE, done, refused
from .state import neutral_of, show_neutral


def reading_in_force(settings: Any) -> Reading:
    """What was read of the take that animates the target. Raises SemanticFaceError when there is none, or it's gone."""
    now, signature = session.current(), preview.signature_here(settings)
    if not signature:
        raise InputError("the target isn't animated by a take", "analyze footage, or choose the target")
    if now.reading is None or now.reading.signature != signature:
        now.reading = read_signature(signature)
    return now.reading


class SEMANTICFACE_OT_take_neutral(bpy.types.Operator):
    """Take the face at rest from frames of the take: what was read there is subtracted from all frames"""

    bl_idname = names.OP_TAKE_NEUTRAL
    bl_label = "Take Neutral"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    frames: bpy.props.EnumProperty(
        name="From",
        items=(
            ("CURRENT", "Current Frame", "The frame under the playhead"),
            ("MARKERS", "Selected Markers", "The frames of the selected timeline markers"),
            ("RANGE", "Range", "All frames from first to last"),
        ),
        default="CURRENT",
    )
    first: bpy.props.FloatProperty(name="First", description="First scene frame", precision=0)
    last: bpy.props.FloatProperty(name="Last", description="Last scene frame, included", precision=0)

    def invoke(self, context: Any, event: Any) -> set[str]:
        scene = context.scene
        if self.frames != "RANGE":
            return self.execute(context)
        ranged = scene.use_preview_range
        self.first = scene.frame_preview_start if ranged else scene.frame_start
        self.last = scene.frame_preview_end if ranged else scene.frame_end
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: Any) -> set[str]:
        scene, settings = context.scene, settings_of(context.scene)
        try:
            reading = reading_in_force(settings)
            spans = {
                "CURRENT": lambda: frame_of(scene),
                "MARKERS": lambda: selected_markers(scene),
                "RANGE": lambda: [Span(self.first, self.last)],
            }[self.frames]()
            neutral = neutral_at(reading, spans, settings.actor or "Neutral", scene)
        except SemanticFaceError as error:
            return refused(self, error)
        show_neutral(settings, neutral)
        return done(self, f"Neutral from {neutral.origin}")


class _OnNeutral:
    """Asks for a neutral."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        return bool(settings_of(context.scene).neutral_values)


class SEMANTICFACE_OT_remove_neutral(_OnNeutral, bpy.types.Operator):
    """Subtract no neutral"""

    bl_idname = names.OP_REMOVE_NEUTRAL
    bl_label = "Remove Neutral"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        show_neutral(settings_of(context.scene), None)
        return {"FINISHED"}


class SEMANTICFACE_OT_save_actor(_OnNeutral, bpy.types.Operator):
    """Keep the neutral under the actor's name, for other takes and other files"""

    bl_idname = names.OP_SAVE_ACTOR
    bl_label = "Save as Actor"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    name: bpy.props.StringProperty(name="Actor", description="Name of the actor", options={"SKIP_SAVE"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        self.name = self.name or settings_of(context.scene).actor
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        neutral, name = neutral_of(settings), (self.name or settings.actor).strip()
        try:
            if neutral is None:
                raise InputError("there is no neutral to keep", "take one first")
            if not name:
                raise InputError("the actor has no name", "type one")
            neutral = replace(neutral, name=name)
            save_neutral(neutral)
        except InputError as error:
            return refused(self, error)
        settings.actor = name
        with pulse.held(tell=False):  # the values are the same
            show_neutral(settings, neutral)
        return done(self, f'Kept for "{name}"')


class SEMANTICFACE_OT_load_actor(bpy.types.Operator):
    """Subtract the neutral that is kept for this actor"""

    bl_idname = names.OP_LOAD_ACTOR
    bl_label = "Use Actor's Neutral"
    bl_options: ClassVar[set[str]] = set(UNDOABLE)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        neutral = load_neutrals().get(settings.actor)
        if neutral is None:
            return refused(self, InputError(f'no neutral is kept for "{settings.actor}"', "choose one of the list"))
        show_neutral(settings, neutral)
        return done(self, f'Neutral of "{neutral.name}"')


class SEMANTICFACE_OT_forget_actor(bpy.types.Operator):
    """Delete the neutral that is kept for this actor from this computer; the one in use stays"""

    bl_idname = names.OP_FORGET_ACTOR
    bl_label = "Delete Actor's Neutral"

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        settings = settings_of(context.scene)
        if not remove_neutral(settings.actor):
            return refused(self, InputError(f'no neutral is kept for "{settings.actor}"', "choose one of the list"))
        settings.actor = ""
        return {"FINISHED"}


_CLASSES = (
    SEMANTICFACE_OT_take_neutral,
    SEMANTICFACE_OT_remove_neutral,
    SEMANTICFACE_OT_save_actor,
    SEMANTICFACE_OT_load_actor,
    SEMANTICFACE_OT_forget_actor,
)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
