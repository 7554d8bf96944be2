# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that the panel shows, kept on the scene as `scene.semanticface`, and the plan that they amount to."""

from __future__ import annotations

import bpy

from semanticface.curves.recipe import Recipe

from . import names
from .footage.timing import TimeMap, Timing
from .keying.plan import Plan
from .keying.properties import KeyingSettings, key_mode_of
from .target.mapping import meshes_of, profile_of, rotations_of
from .target.properties import TargetSettings


class SEMANTICFACE_PG_settings(bpy.types.PropertyGroup, TargetSettings, KeyingSettings):
    """Everything that a user sets for one scene."""

    source: bpy.props.EnumProperty(
        name="Source",
        items=(
            ("CLIP", "Movie Clip", "A clip of this file, as in the Movie Clip editor"),
            ("FILE", "File", "A video, an image, or a numbered image sequence on this computer"),
        ),
        default="CLIP",
    )
    clip: bpy.props.PointerProperty(type=bpy.types.MovieClip, name="Clip", description="Footage of the face")
    filepath: bpy.props.StringProperty(name="File", description="Footage of the face", subtype="FILE_PATH")
    sequence: bpy.props.BoolProperty(
        name="Image Sequence", description="The file stands for the numbered sequence that it belongs to"
    )
    sequence_rate: bpy.props.FloatProperty(
        name="Sequence Rate",
        description="Frames per second of an image sequence; 0 takes the scene's",
        default=0.0,
        min=0.0,
        max=1000.0,
    )

    frames: bpy.props.EnumProperty(
        name="Frames",
        items=(
            ("CURRENT", "Current", "The source frame under the playhead, keyed on the current scene frame"),
            ("RANGE", "Range", "Source frames from first to last"),
            ("ALL", "All", "The whole source"),
        ),
        default="ALL",
    )
    first: bpy.props.IntProperty(name="First", description="First source frame, counted from 0", default=0, min=0)
    last: bpy.props.IntProperty(name="Last", description="Last source frame, included", default=100, min=0)
    step: bpy.props.IntProperty(
        name="Every n-th", description="1 analyzes each frame, 5 every fifth", default=1, min=1, soft_max=50
    )
    face: bpy.props.EnumProperty(
        name="Face",
        items=(
            ("LARGEST", "Largest", "The largest face in the picture"),
            ("INDEX", "By Number", "The n-th face from the left, counted from 0"),
        ),
        default="LARGEST",
    )
    face_index: bpy.props.IntProperty(name="Face Number", description="0 is the leftmost face", min=0, max=31)

    timing: bpy.props.EnumProperty(
        name="Timing",
        items=(
            (Timing.REAL_TIME, "Real Time", "Seconds are kept: 25 fps footage keeps its length in a 24 fps scene"),
            (Timing.PER_FRAME, "Frame by Frame", "One source frame on each scene frame, as the Clip Editor plays it"),
        ),
        default=Timing.REAL_TIME,
    )
    follow_clip: bpy.props.BoolProperty(
        name="Follow Clip",
        description="Start where the clip starts in the scene (its Start Frame and Frame Offset)",
        default=True,
    )
    scene_start: bpy.props.FloatProperty(
        name="Scene Start", description="Scene frame on which the first source frame lands", default=1.0, precision=2
    )
    whole_frames: bpy.props.BoolProperty(name="Whole Frames", description="Move keys to the nearest whole scene frame")

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
        recipe=Recipe(),
        mode=key_mode_of(settings),
        push=settings.push_down,
    )


def register() -> None:
    bpy.utils.register_class(SEMANTICFACE_PG_settings)
    setattr(bpy.types.Scene, names.SETTINGS, bpy.props.PointerProperty(type=SEMANTICFACE_PG_settings))


def unregister() -> None:
    delattr(bpy.types.Scene, names.SETTINGS)
    bpy.utils.unregister_class(SEMANTICFACE_PG_settings)
