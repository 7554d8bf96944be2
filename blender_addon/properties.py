# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that the panel shows, kept on the scene as `scene.semanticface`, and the plan that they amount to."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.curves.recipe import Recipe
from semanticface.retarget.profile import Link, Profile

from . import names
from .footage.timing import TimeMap, Timing
from .keying.plan import AXES, DEFAULT_EYE_AXES, DEFAULT_HEAD_AXES, Plan, RotationTarget
from .keying.properties import KeyingSettings, key_mode_of
from .target.targets import has_face_shapes, match_shapes

_AXIS_ITEMS = tuple((axis, axis, f"A positive angle turns about {axis}") for axis in AXES)


def _axis(turn: str, of: str, default: str) -> Any:
    return bpy.props.EnumProperty(
        name=turn, description=f"Local axis of the {of} about which its {turn.lower()} turns",
        items=_AXIS_ITEMS, default=default,
    )  # fmt: skip


def _control(name: str, of: str) -> Any:
    return bpy.props.PointerProperty(
        type=bpy.types.Object, name=name, description=f"Object or armature whose rotation shows {of}"
    )


def _bone(of: str) -> Any:
    return bpy.props.StringProperty(name="Bone", description=f"Bone of the armature that turns {of}")


class SEMANTICFACE_PG_settings(bpy.types.PropertyGroup, KeyingSettings):
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

    use_shapes: bpy.props.BoolProperty(name="Shapes", description="Key the shape keys", default=True)
    use_head: bpy.props.BoolProperty(name="Head", description="Key the head control's rotation", default=True)
    use_eyes: bpy.props.BoolProperty(name="Eyes", description="Key the eye controls' rotation", default=True)
    mesh: bpy.props.PointerProperty(
        type=bpy.types.Object,
        name="Mesh",
        description="Mesh with ARKit shape keys",
        poll=lambda self, candidate: has_face_shapes(candidate),
    )
    head: _control("Head", "the head's turns")
    head_bone: _bone("the head")
    left_eye: _control("Left Eye", "the subject's left eye")
    left_eye_bone: _bone("the left eye")
    right_eye: _control("Right Eye", "the subject's right eye")
    right_eye_bone: _bone("the right eye")
    head_yaw: _axis("Yaw", "head control", DEFAULT_HEAD_AXES[0])
    head_pitch: _axis("Pitch", "head control", DEFAULT_HEAD_AXES[1])
    head_roll: _axis("Roll", "head control", DEFAULT_HEAD_AXES[2])
    eye_yaw: _axis("Yaw", "eye controls", DEFAULT_EYE_AXES[0])
    eye_pitch: _axis("Pitch", "eye controls", DEFAULT_EYE_AXES[1])
    eye_roll: _axis("Roll", "eye controls", DEFAULT_EYE_AXES[2])

    last_take: bpy.props.StringProperty(name="Last Take", description="Folder of the last take", subtype="DIR_PATH")


def settings_of(scene: bpy.types.Scene) -> SEMANTICFACE_PG_settings:
    return getattr(scene, names.SETTINGS)


def plan_of(settings: SEMANTICFACE_PG_settings, time: TimeMap) -> Plan:
    """What the settings say about targets, with the given time map. Checks nothing; `targets.check_plan` does."""
    head_axes = (settings.head_yaw, settings.head_pitch, settings.head_roll)
    eye_axes = (settings.eye_yaw, settings.eye_pitch, settings.eye_roll)
    wanted = (
        ("Head", settings.use_head, settings.head, settings.head_bone, head_axes),
        ("LeftEye", settings.use_eyes, settings.left_eye, settings.left_eye_bone, eye_axes),
        ("RightEye", settings.use_eyes, settings.right_eye, settings.right_eye_bone, eye_axes),
    )
    rotations = tuple(
        RotationTarget(actions, control.name, bone if control.type == "ARMATURE" else "", axes)
        for actions, used, control, bone, axes in wanted
        if used and control is not None
    )
    meshes = (settings.mesh,) if settings.use_shapes and settings.mesh is not None else ()
    return Plan(
        meshes=tuple(mesh.name for mesh in meshes),
        rotations=rotations,
        time=time,
        profile=_exact_names(meshes),
        recipe=Recipe(),
        mode=key_mode_of(settings),
        push=settings.push_down,
    )


def _exact_names(meshes: tuple[bpy.types.Object, ...]) -> Profile:
    """Shape keys that are called as ARKit calls them."""
    found = dict.fromkeys(pair for mesh in meshes for pair in match_shapes(mesh).keys.items())
    return Profile("ARKit", tuple(Link(action, key) for action, key in found))


def register() -> None:
    bpy.utils.register_class(SEMANTICFACE_PG_settings)
    setattr(bpy.types.Scene, names.SETTINGS, bpy.props.PointerProperty(type=SEMANTICFACE_PG_settings))


def unregister() -> None:
    delattr(bpy.types.Scene, names.SETTINGS)
    bpy.utils.unregister_class(SEMANTICFACE_PG_settings)
