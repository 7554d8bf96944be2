# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that say what is keyed: meshes, controls and their axes, and the mapping. They live on the scene."""

from __future__ import annotations

from typing import Any

import bpy

from semanticface.actions import ACTIONS, Kind
from semanticface.retarget import store
from semanticface.retarget.profile import TargetKind

from ..keying.plan import AXES, DEFAULT_EYE_AXES, DEFAULT_HEAD_AXES
from .shapes import has_face_shapes

_AXIS_ITEMS = tuple((axis, axis, f"A positive angle turns about {axis}") for axis in AXES)
_WHAT = {Kind.SHAPE: "Shape", Kind.HEAD: "Head", Kind.EYE: "Eye"}
_ACTION_ITEMS = tuple((action.name, action.name, _WHAT[action.kind]) for action in ACTIONS)
RADIANS, DEGREES = "RADIANS", "DEGREES"


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


def _stored_names(self: Any, context: Any, text: str) -> list[str]:
    """For the search field: asked when the user types in it, never on a redraw."""
    return [name for name in store.names() if text.casefold() in name.casefold()]


class SEMANTICFACE_PG_mesh(bpy.types.PropertyGroup):
    """One more mesh of the character: lashes, teeth, tongue, brows."""

    mesh: bpy.props.PointerProperty(type=bpy.types.Object, name="Mesh", poll=lambda self, one: one.type == "MESH")


class SEMANTICFACE_PG_link(bpy.types.PropertyGroup):
    """One link of the user's own mapping, as `semanticface.retarget.profile.Link` has it."""

    enabled: bpy.props.BoolProperty(name="Enabled", description="Off: this link is left out", default=True)
    action: bpy.props.EnumProperty(name="Action", description="What moves the target", items=_ACTION_ITEMS)
    kind: bpy.props.EnumProperty(
        name="Target Is",
        items=(
            (TargetKind.SHAPE.value, "Shape Key", "A shape key of the chosen meshes"),
            (TargetKind.PROPERTY.value, "Custom Property", "A custom property of an object or of a bone"),
        ),
        default=TargetKind.SHAPE.value,
    )
    target: bpy.props.StringProperty(name="Target", description="Name of the shape key or of the custom property")
    owner: bpy.props.StringProperty(
        name="Object", description="Object that has the target. Empty: every chosen mesh that has such a shape key"
    )
    bone: bpy.props.StringProperty(name="Bone", description="Bone that has the property. Empty: the object itself")
    unit: bpy.props.EnumProperty(
        name="Unit",
        description="What the property counts angles in",
        items=((RADIANS, "Radians", ""), (DEGREES, "Degrees", "")),
        default=RADIANS,
    )
    gain: bpy.props.FloatProperty(name="Gain", description="Factor of the value", default=1.0, soft_min=-2, soft_max=2)
    offset: bpy.props.FloatProperty(name="Offset", description="Added after the gain", soft_min=-1, soft_max=1)
    use_minimum: bpy.props.BoolProperty(name="Minimum", description="Cut values below")
    minimum: bpy.props.FloatProperty(name="Minimum", default=0.0, soft_min=-1, soft_max=1)
    use_maximum: bpy.props.BoolProperty(name="Maximum", description="Cut values above")
    maximum: bpy.props.FloatProperty(name="Maximum", default=1.0, soft_min=-1, soft_max=2)


class TargetSettings:
    """Mixed into the scene's settings."""

    use_shapes: bpy.props.BoolProperty(name="Shapes", description="Key the shape keys", default=True)
    use_head: bpy.props.BoolProperty(name="Head", description="Key the head's rotation", default=True)
    use_eyes: bpy.props.BoolProperty(name="Eyes", description="Key the eyes' rotation", default=True)
    mesh: bpy.props.PointerProperty(
        type=bpy.types.Object,
        name="Mesh",
        description="Mesh of the face, with shape keys for its expressions",
        poll=lambda self, candidate: has_face_shapes(candidate),
    )
    more_meshes: bpy.props.CollectionProperty(type=SEMANTICFACE_PG_mesh, name="More Meshes")
    more_meshes_index: bpy.props.IntProperty(name="Active Mesh", options={"HIDDEN"})

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
    right_eye_differs: bpy.props.BoolProperty(
        name="Right Eye Differs", description="The right eye's control has axes of its own, as mirrored bones may have"
    )
    right_eye_yaw: _axis("Yaw", "right eye's control", DEFAULT_EYE_AXES[0])
    right_eye_pitch: _axis("Pitch", "right eye's control", DEFAULT_EYE_AXES[1])
    right_eye_roll: _axis("Roll", "right eye's control", DEFAULT_EYE_AXES[2])

    own_mapping: bpy.props.BoolProperty(
        name="Own Mapping",
        description="Off: shape keys are matched by their names. On: the links below hold, and nothing else",
    )
    links: bpy.props.CollectionProperty(type=SEMANTICFACE_PG_link, name="Links")
    links_index: bpy.props.IntProperty(name="Active Link", options={"HIDDEN"})
    profile_name: bpy.props.StringProperty(
        name="Profile", description="Name of a stored retarget profile", search=_stored_names,
        search_options={"SUGGESTION"},
    )  # fmt: skip


_CLASSES = (SEMANTICFACE_PG_mesh, SEMANTICFACE_PG_link)


register, unregister = bpy.utils.register_classes_factory(_CLASSES)
