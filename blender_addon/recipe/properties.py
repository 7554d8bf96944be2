# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of the recipe that makes curves of raw results. They live on the scene.

Defaults are those of `semanticface.curves.recipe.STANDARD`. A change only says that there was one; see `pulse`.
"""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.actions import ACTIONS, Kind
from semanticface.curves import neutral
from semanticface.curves.recipe import STANDARD, GapPolicy, KeyKind, MouthRule, Reduction

from . import presets, pulse

_WHAT = {Kind.SHAPE: "Shape", Kind.HEAD: "Head", Kind.EYE: "Eye"}
_ACTION_ITEMS = tuple((action.name, action.name, _WHAT[action.kind]) for action in ACTIONS)
ACTION_NAMES = tuple(action.name for action in ACTIONS)
_REDUCTION = STANDARD.reduction or Reduction()


def _changed(self: Any, context: Any) -> None:
    pulse.note_change()


def _stored_recipes(self: Any, context: Any, text: str) -> list[str]:
    """For the search field: asked when the user types in it, never on a redraw."""
    return [name for name in presets.names() if text.casefold() in name.casefold()]


def _stored_neutrals(self: Any, context: Any, text: str) -> list[str]:
    return [name for name in neutral.load_neutrals() if text.casefold() in name.casefold()]


def _switch(name: str, description: str, default: bool) -> Any:
    return bpy.props.BoolProperty(name=name, description=description, default=default, update=_changed)


def _part(name: str, description: str, default: float, most: float = 1.0) -> Any:
    return bpy.props.FloatProperty(
        name=name, description=description, default=default, min=0.0, max=most, subtype="FACTOR", update=_changed
    )


def _gain(name: str, of: str, default: float, least: float) -> Any:
    return bpy.props.FloatProperty(
        name=name, description=f"Factor of {of}", default=default,
        min=least, max=100.0, soft_min=0.0, soft_max=2.0, step=5, update=_changed,
    )  # fmt: skip


class SEMANTICFACE_PG_tuning(bpy.types.PropertyGroup):
    """Of one action, on top of what holds for all: as `semanticface.curves.recipe.Tuning` has it."""

    action: bpy.props.EnumProperty(name="Action", description="What is tuned", items=_ACTION_ITEMS, update=_changed)
    gain: _gain("Gain", "the value", 1.0, -100.0)
    offset: bpy.props.FloatProperty(
        name="Offset", description="Added after the gain", min=-10, max=10, soft_min=-1, soft_max=1, step=1,
        update=_changed,
    )  # fmt: skip
    dead_zone: _part("Dead Zone", "Values up to this one count as nothing", 0.0)
    use_maximum: _switch("Cut", "Cut values above the maximum", False)
    maximum: bpy.props.FloatProperty(
        name="Maximum", default=1.0, min=-10, max=10, soft_min=0, soft_max=1, step=1, update=_changed
    )


class RecipeSettings:
    """Mixed into the scene's settings."""

    use_recipe: _switch("Use Recipe", "Off: raw values are keyed, each frame as the engine answered", True)
    live_preview: bpy.props.BoolProperty(
        name="Live Preview",
        description=(
            "Show each change of the recipe on the target at once, on a preview Action. "
            "Your own Action is untouched until you apply"
        ),
        default=True,
    )
    recipe_name: bpy.props.StringProperty(
        name="Recipe", description="Name of a stored recipe", search=_stored_recipes, search_options={"SUGGESTION"}
    )

    neutral_name: bpy.props.StringProperty(name="Neutral", description="The face at rest that is subtracted")
    neutral_origin: bpy.props.StringProperty(name="Origin", description="Where the neutral was taken from")
    neutral_values: bpy.props.StringProperty(options={"HIDDEN"}, update=_changed)
    """Action -> value at rest, as JSON; empty for none."""
    actor: bpy.props.StringProperty(
        name="Actor", description="Name of a stored neutral", search=_stored_neutrals, search_options={"SUGGESTION"}
    )

    smoothing: _part(
        "Smoothing", "How calm the curves are; 0 leaves values as they are. Blinks and onsets stay", STANDARD.smoothing
    )
    weighted: _switch("Weighted", "Uncertain values give way to their neighbours", STANDARD.weighted)
    use_grid: _switch("Own Grid", "Say on which steps the engine's values lie. Off: found in the values", False)
    grid: _part("Grid", "Steps on which the engine's values lie; 0 for none", 0.1, most=0.5)
    gaps: bpy.props.EnumProperty(
        name="Gaps",
        description="What stands in frames without a result",
        items=(
            (GapPolicy.LEAVE.value, "Leave", "No key there"),
            (GapPolicy.HOLD.value, "Hold", "The last value before the gap"),
            (GapPolicy.INTERPOLATE.value, "Interpolate", "From the value before the gap to the one after it"),
        ),
        default=STANDARD.gaps.value,
        update=_changed,
    )
    longest_gap: bpy.props.FloatProperty(
        name="Longest", description="Longer gaps are left", default=STANDARD.longest_gap,
        min=0.0, max=3600.0, soft_max=5.0, unit="TIME_ABSOLUTE", update=_changed,
    )  # fmt: skip

    symmetry: _part("Symmetry", "How much both sides do the same; 1 gives them their mean", STANDARD.symmetry)
    gain: _gain("Shapes", "all shapes", STANDARD.gain, 0.0)
    head_gain: _gain("Head", "the head's turns", STANDARD.head_gain, -100.0)
    eye_gain: _gain("Eyes", "the eyes' turns", STANDARD.eye_gain, -100.0)
    dead_zone: _part("Dead Zone", "Shapes up to this value count as nothing", STANDARD.dead_zone, most=0.9)
    use_soft_clamp: _switch("Limit to 1", "Keep shapes at or below 1", STANDARD.soft_clamp is not None)
    soft_clamp: _part("Bend From", "Above this value shapes bend towards 1; 1 cuts them there", 0.9)
    mouth_rule: bpy.props.EnumProperty(
        name="Lips",
        description="How MouthClose, which closes the lips of an open jaw, goes with JawOpen",
        items=(
            (MouthRule.KEEP.value, "As They Are", "MouthClose as it was read"),
            (MouthRule.LIMIT.value, "Keep Apart", "MouthClose at most JawOpen, so that lips don't pass each other"),
        ),
        default=STANDARD.mouth.value,
        update=_changed,
    )
    tunings: bpy.props.CollectionProperty(type=SEMANTICFACE_PG_tuning, name="Single Actions")
    tunings_index: bpy.props.IntProperty(name="Active Action", options={"HIDDEN"})

    reduce: bpy.props.BoolProperty(
        name="Fewer Keys", description="Keys only where the curves need them", default=STANDARD.reduction is not None
    )
    tolerance: bpy.props.FloatProperty(
        name="Tolerance", description="How far a curve may be from the values, at any frame",
        default=_REDUCTION.tolerance, min=1e-5, max=1.0, soft_min=0.001, soft_max=0.1, precision=4, step=0.1,
    )  # fmt: skip
    key_kind: bpy.props.EnumProperty(
        name="Kind",
        description="What is between keys",
        items=(
            (KeyKind.BEZIER.value, "Bezier", "Curves with handles: few keys that are easily edited"),
            (KeyKind.LINEAR.value, "Linear", "Straight lines"),
        ),
        default=_REDUCTION.kind.value,
    )
    prune: bpy.props.BoolProperty(
        name="No Still Curves", description="Leave out curves that are zero throughout", default=STANDARD.prune
    )


_CLASSES = (SEMANTICFACE_PG_tuning,)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
