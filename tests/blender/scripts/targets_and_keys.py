"""Scripts of test_blender_targets.py and test_blender_keying.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from scene import add_empty, add_face, attempt, fresh, keys_on, ready, shape_keys_on

from blender_addon import session
from blender_addon.target.rotations import EULER_ORDERS, euler_angles
from blender_addon.target.shapes import driven_faces, match_of, names_of


def _refusal() -> str:
    """The error of Analyze, and a note where work was begun in spite of it."""
    error = attempt(bpy.ops.semanticface.analyze_footage)
    begun = session.current().link.state != "off" or session.current().job is not None
    return error + (" BEGUN" if begun else "")


def refused_meshes(folder: str) -> dict[str, str]:
    """Each reason why a mesh can't be keyed."""
    errors = {}
    settings = ready(folder)
    settings.mesh = add_face("Plain", ())
    errors["no keys"] = _refusal()
    settings.mesh = add_face("Alien", ("mund auf",))
    errors["no names"] = _refusal()
    absolute = add_face("Absolute")
    absolute.data.shape_keys.use_relative = False
    settings.mesh = absolute
    errors["absolute"] = _refusal()
    driven = add_face("Driven", ("jawOpen",))
    driven.data.shape_keys.key_blocks["jawOpen"].driver_add("value")
    settings.mesh = driven
    errors["driven"] = _refusal()
    settings.use_head = settings.use_eyes = settings.use_shapes = False
    errors["nothing"] = _refusal()
    settings = ready(folder)
    settings.filepath = str(Path(folder) / "gone.mp4")
    errors["no file"] = _refusal()
    settings.source = "CLIP"
    errors["no clip"] = _refusal()
    return errors


def refused_links(folder: str) -> dict[str, str]:
    """A linked mesh, an override of it, and a linked control."""
    library = str(Path(folder) / "library.blend")
    fresh()
    bpy.data.libraries.write(library, {add_face("Linked"), add_empty("LinkedHead")}, fake_user=True)
    settings = ready(folder)
    with bpy.data.libraries.load(library, link=True) as (_, wanted):
        wanted.objects = ["Linked", "LinkedHead"]
    face, head = wanted.objects
    for block in (face, head):
        bpy.context.scene.collection.objects.link(block)
    errors = {}
    settings.mesh = face
    errors["linked"] = _refusal()
    settings.mesh = face.override_create()
    errors["override"] = _refusal()
    settings.mesh, settings.head = bpy.data.objects["Face"], head
    errors["linked head"] = _refusal()
    return errors


def refused_controls(folder: str) -> dict[str, str]:
    errors = {}
    settings = ready(folder)
    settings.head.rotation_mode = "QUATERNION"
    errors["quaternion"] = _refusal()
    settings = ready(folder)
    settings.head_yaw = "X"
    errors["axes"] = _refusal()
    settings = ready(folder)
    settings.head, settings.head_bone = _armature(), "no such bone"
    errors["bone"] = _refusal()
    return errors


def _armature() -> Any:
    """An armature with a bone `head` that points up, so that its Y axis does, and a bone `eye`."""
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, x in (("head", 0.0), ("eye", 1.0)):
        bone = armature.data.edit_bones.new(name)
        bone.head, bone.tail = (x, 0, 0), (x, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in armature.pose.bones:
        bone.rotation_mode = "XYZ"
    return armature


def bones(folder: str) -> dict[str, Any]:
    """Head and one eye are bones of one armature."""
    settings = ready(folder)
    rig = _armature()
    settings.head, settings.head_bone = rig, "head"
    settings.left_eye, settings.left_eye_bone, settings.right_eye = rig, "eye", None
    for part in ("head", "eye"):
        for turn, axis in (("yaw", "-Y"), ("pitch", "X"), ("roll", "Z")):
            setattr(settings, f"{part}_{turn}", axis)
    error = attempt(bpy.ops.semanticface.analyze_footage)
    return {"error": error, "keys": keys_on(rig)}


def matches(folder: str) -> dict[str, Any]:
    fresh()
    both = match_of([add_face("Both", ("JAWOPEN", "jawOpen", "headYaw", "smile"))])
    face = add_face("Driven", ("jawOpen", "mouthClose"))
    face.data.shape_keys.key_blocks["jawOpen"].driver_add("value")
    free = match_of([face])
    names = names_of(face)
    return {
        "both": both.matched["Both"],
        "absent": len(both.missing),
        "free": free.matched["Driven"],
        "names": [names.free, names.driven],
        "driven": driven_faces([face]),
    }


def rotations(folder: str) -> dict[str, float]:
    """For each Euler order the largest angle, in radians, between what is meant and what the angles give."""
    from mathutils import Euler, Matrix

    turns = np.random.default_rng(1).uniform(-1.2, 1.2, (200, 3))
    worst = {}
    for order in EULER_ORDERS:
        for axes in (("-Z", "X", "Y"), ("-Y", "X", "Z"), ("X", "-Y", "-Z")):
            angles = euler_angles(turns, axes, order)
            for (yaw, pitch, roll), row in zip(turns, angles, strict=True):
                meant = Matrix.Identity(3)
                for angle, axis in ((yaw, axes[0]), (pitch, axes[1]), (roll, axes[2])):
                    meant = meant @ Matrix.Rotation(-angle if axis[0] == "-" else angle, 3, axis[-1])
                off = (meant.inverted() @ Euler(row.tolist(), order).to_matrix()).to_quaternion().angle
                worst[order] = max(worst.get(order, 0.0), min(off, abs(off - 2 * np.pi)))
    spin = np.linspace(-4.0, 4.0, 400)[:, None] * np.array([1.0, 0.1, 0.0])
    worst["largest step"] = float(np.abs(np.diff(euler_angles(spin, ("-Z", "X", "Y"), "XYZ"), axis=0)).max())
    return worst


def take_from_disk(folder: str, directory: str) -> dict[str, Any]:
    """Key a take with no backend anywhere."""
    import os

    os.environ["SEMANTICFACE_BACKEND"] = "/nowhere"
    settings = ready(folder)
    settings.scene_start = 50
    error = attempt(bpy.ops.semanticface.key_take, directory=directory)
    again = attempt(bpy.ops.semanticface.load_analysis)
    missing = attempt(bpy.ops.semanticface.key_take, directory=folder)
    return {
        "error": error, "again": again, "missing": missing, "link": session.current().link.state,
        "shapes": shape_keys_on(settings.mesh), "actions": len(bpy.data.actions),
    }  # fmt: skip
