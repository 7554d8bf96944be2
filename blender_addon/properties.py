# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that the panel shows, kept on the scene as `scene.semanticface`, and the plan that they amount to."""

from __future__ import annotations

import bpy

from . import names
from .analysis.properties import AnalysisSettings
from .footage.properties import FootageSettings
from .footage.timing import TimeMap
from .keying.plan import Plan
from .keying.properties import KeyingSettings, key_mode_of
from .recipe.properties import RecipeSettings
from .recipe.state import recipe_of
from .take.properties import TakeSettings
from .target.mapping import meshes_of, profile_of, rotations_of
from .target.properties import TargetSettings


class SEMANTICFACE_PG_settings(
    bpy.types.PropertyGroup,
    FootageSettings,
    AnalysisSettings,
    TargetSettings,
    KeyingSettings,
    RecipeSettings,
    TakeSettings,
):
    """Everything that a user sets for one scene."""

    last_take: bpy.props.StringProperty(name="Last Take", description="Folder of the last take", subtype="DIR_PATH")


def settings_of(scene: bpy.types.Scene) -> SEMANTICFACE_PG_settings:
    return getattr(scene, names.SETTINGS)


def plan_of(settings: SEMANTICFACE_PG_settings, time: TimeMap) -> Plan:
    """What the settings say about targets, with the given time map. Checks nothing; `targets.check_plan` does."""
    return Plan(
        meshes=meshes_of(settings),
        rotations=rotations_of(settings),
        time=time,
        profile=profile_of(settings),
        recipe=recipe_of(settings),
        mode=key_mode_of(settings),
        push=settings.push_down,
    )


def register() -> None:
    bpy.utils.register_class(SEMANTICFACE_PG_settings)
    setattr(bpy.types.Scene, names.SETTINGS, bpy.props.PointerProperty(type=SEMANTICFACE_PG_settings))


def unregister() -> None:
    delattr(bpy.types.Scene, names.SETTINGS)
    bpy.utils.unregister_class(SEMANTICFACE_PG_settings)
