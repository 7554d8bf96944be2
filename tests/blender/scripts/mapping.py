"""Scripts of test_blender_mapping.py: characters in several conventions, keyed from one take through the operator."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from mathutils import Matrix, Vector
from panels_drawn import Layout
from scene import add_empty, add_face, attempt, fresh, keys_on, shape_keys_on

from blender_addon.target import mapping, mapping_panel, panel
from blender_addon.target.axes import guess_axes
from blender_addon.target.mapping_panel import found
from blender_addon.target.shapes import available, has_face_shapes, match_of
from semanticface.retarget import store

OPS = bpy.ops.semanticface


def draw_target() -> list[str]:
    """What the panels of this room say."""
    lines: list[str] = []
    for drawn in (panel.SEMANTICFACE_PT_target, mapping_panel.SEMANTICFACE_PT_mapping, panel.SEMANTICFACE_PT_axes):
        drawn.draw(SimpleNamespace(layout=Layout(lines)), bpy.context)
    return lines


def character(settings: Any, meshes: dict[str, list[str]]) -> list[Any]:
    """Meshes with these shape keys on one armature; the first is the main one."""
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    made = []
    for name, shapes in meshes.items():
        face = add_face(name, tuple(shape for shape in shapes if shape != "Basis"))
        face.parent = rig
        made.append(face)
    settings.mesh = made[0]
    settings.use_head = settings.use_eyes = False
    return made


def keyed(settings: Any, directory: str) -> dict[str, Any]:
    """Key the take; mesh -> shape key -> keys."""
    error = attempt(OPS.key_take, directory=directory)
    meshes = mapping.chosen_meshes(settings)
    return {"error": error, "keys": {mesh.name: shape_keys_on(mesh) for mesh in meshes}}


def conventions(folder: str, rigs: str, directory: str) -> dict[str, Any]:
    """Each rig of the file (name -> mesh -> names) as a character, found and keyed."""
    out = {}
    for rig, meshes in json.loads(Path(rigs).read_text()).items():
        settings = fresh()
        made = character(settings, meshes)
        other = add_face("Bystander", ("jawOpen", "eyeBlinkLeft", "mouthClose"))
        if len(made) > 1:
            attempt(OPS.find_meshes)
        seen = keyed(settings, directory)
        profile = mapping.profile_of(settings)
        out[rig] = seen | {
            "meshes": mapping.meshes_of(settings),
            "links": [[link.action, link.target, link.owner, link.gain] for link in profile.links],
            "bystander": other.data.shape_keys.animation_data is not None,
            "actions": len(bpy.data.actions),
        }  # fmt: skip
    return out


def own_mapping(folder: str, directory: str) -> dict[str, Any]:
    """Edited links: gain, offset, limits, two actions on one target, one switched off, one on one mesh alone."""
    settings = fresh()
    names = ["jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight", "smile", "untouched"]
    face, _ = character(settings, {"Face": names, "Teeth": ["jawOpen"]})
    attempt(OPS.find_meshes)
    face.data.shape_keys.key_blocks["untouched"].keyframe_insert("value", frame=3)
    before = [settings.own_mapping, len(mapping.profile_of(settings).links)]
    attempt(OPS.edit_mapping)
    by_action = {link.action: link for link in settings.links}
    jaw = by_action["JawOpen"]
    jaw.gain, jaw.offset, jaw.use_maximum, jaw.maximum = 0.5, 0.1, True, 0.3
    by_action["MouthClose"].enabled = False
    by_action["MouthSmileLeft"].target = by_action["MouthSmileRight"].target = "smile"
    settings.links_index = list(settings.links).index(jaw)
    attempt(OPS.duplicate_link)
    copy = settings.links[settings.links_index]
    copy.owner, copy.gain, copy.offset = "Teeth", 0.25, 0.0
    copied = [copy.action, copy.target, copy.use_maximum]
    drawn = draw_target()
    match = [found(link, "smile") for link in settings.links]
    result = keyed(settings, directory)
    profile = mapping.profile_of(settings)
    attempt(OPS.match_automatically)
    return result | {
        "before": before,
        "copied": copied,
        "json": profile.to_json(), "drawn": drawn, "match": match,
        "after": [settings.own_mapping, len(settings.links), len(mapping.profile_of(settings).links)],
        "untouched": bool(shape_keys_on(face).get("untouched")),
    }  # fmt: skip


def links_of_all_kinds(folder: str) -> dict[str, Any]:
    """Add, remove, duplicate at the ends of the list, and what they do without a mapping of one's own."""
    settings = fresh()
    character(settings, {"Face": ["jawOpen", "mouthClose", "eyeBlinkLeft"]})
    polls = [OPS.remove_link.poll(), OPS.duplicate_link.poll()]
    attempt(OPS.add_link)
    added = [settings.own_mapping, len(settings.links), settings.links_index, settings.links[-1].target]
    empty = len(mapping.profile_of(settings).links)
    attempt(OPS.add_link, kind="property")
    prop = settings.links[-1]
    kinds = [prop.kind, prop.action]
    while settings.links:
        attempt(OPS.remove_link)
    return {
        "polls": polls, "added": added, "empty": empty, "kinds": kinds, "left": settings.links_index,
        "refused": attempt(OPS.remove_link), "nothing": len(mapping.profile_of(settings).links),
    }  # fmt: skip


def presets(folder: str, directory: str) -> dict[str, Any]:
    """Saved under a name, loaded into another file, exported and imported; and what is refused."""
    settings = fresh()
    character(settings, {"Face": ["jawOpen", "mouthClose", "eyeBlinkLeft"]})
    settings.head = add_empty("Head")
    settings.head_yaw, settings.head_pitch, settings.head_roll = "-Y", "X", "Z"
    settings.right_eye = add_empty("EyeR")
    attempt(OPS.edit_mapping)
    settings.links[0].gain = 0.7
    attempt(OPS.add_link, kind="property")
    link = settings.links[-1]
    link.target, link.unit, link.gain = "yaw", "DEGREES", 2.0
    saved = mapping.whole_profile(settings, "Kaya")
    errors = {"no name": attempt(OPS.save_profile)}
    settings.profile_name = "Kaya"
    errors["save"] = attempt(OPS.save_profile)
    errors["export"] = attempt(OPS.export_profile, filepath=str(Path(folder) / "kaya"))
    exported = (Path(folder) / "kaya.json").read_text()
    settings = fresh()
    character(settings, {"Face": ["jawOpen", "other"]})
    add_empty("Head")
    settings.profile_name = "Kaya"
    errors["load"] = attempt(OPS.load_profile)
    loaded = mapping.whole_profile(settings, "Kaya")
    unmet = mapping.unmet(settings)
    drawn = draw_target()
    attempt(OPS.match_automatically)
    errors["import"] = attempt(OPS.import_profile, filepath=str(Path(folder) / "kaya.json"))
    imported = mapping.whole_profile(settings, "Kaya")
    settings.profile_name = "nobody"
    errors["none"] = attempt(OPS.load_profile)
    rubbish = Path(folder) / "rubbish.json"
    rubbish.write_text('{"format": "semanticface-profile", "version": 1, "links": [{"action": "Nod", "target": "x"}]}')
    errors["rubbish"] = attempt(OPS.import_profile, filepath=str(rubbish))
    kept = len(settings.links)
    settings.profile_name = "Kaya"
    errors["remove"] = attempt(OPS.remove_profile)
    return {
        "errors": errors, "stored": store.names(), "kept": kept, "unmet": unmet, "drawn": drawn,
        "saved": saved.to_dict(), "exported": json.loads(exported),
        "loaded": loaded.to_dict(), "imported": imported.to_dict(),
    }  # fmt: skip


def properties_keyed(folder: str, directory: str) -> dict[str, Any]:
    """Head and eyes as custom properties of an object and of a bone; the switches hold for them too."""
    settings = fresh()
    rig = character(settings, {"Face": ["jawOpen", "mouthClose", "eyeBlinkLeft"]})[0].parent
    rig["head_yaw"] = 0.0
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("eyes")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.pose.bones["eyes"]["look"] = 0.0
    settings.use_head = settings.use_eyes = True
    for action, target, name, unit in (
        ("HeadYaw", "head_yaw", "", "DEGREES"), ("LeftEyePitch", "look", "eyes", "RADIANS"),
    ):  # fmt: skip
        attempt(OPS.add_link, kind="property")
        link = settings.links[-1]
        link.action, link.target, link.owner, link.bone, link.unit = action, target, "Rig", name, unit
    settings.links[-1].gain = -1.0
    errors = {}
    errors["keyed"] = attempt(OPS.key_take, directory=directory)
    keys = keys_on(rig)
    settings.use_eyes = False
    without = [link.action for link in mapping.profile_of(settings).links][-1]
    settings.use_eyes = True
    last = settings.links[-1]
    last.target = "gone"
    errors["gone"] = attempt(OPS.key_take, directory=directory)
    rig.pose.bones["eyes"]["gone"] = "text"
    errors["text"] = attempt(OPS.key_take, directory=directory)
    last.bone = "no bone"
    errors["bone"] = attempt(OPS.key_take, directory=directory)
    last.owner = "Nobody"
    errors["owner"] = attempt(OPS.key_take, directory=directory)
    last.owner = ""
    errors["empty"] = attempt(OPS.key_take, directory=directory)
    last.bone, last.owner, last.target = "eyes", "Rig", "look"
    rig.driver_add('pose.bones["eyes"]["look"]')
    errors["driven"] = attempt(OPS.key_take, directory=directory)
    return {"errors": errors, "keys": keys, "without": without}


def meshes_found(folder: str) -> dict[str, Any]:
    """Which meshes Find All and Add Selected take, and which not."""
    settings = fresh()
    parts = {"Face": ["jawOpen", "mouthClose", "eyeBlinkLeft"], "Lashes": ["Lashes_eyeBlinkLeft"], "Shirt": ["Tight"]}
    face, lashes, shirt = character(settings, parts)
    modified = add_face("Tongue", ("jawOpen", "tongueOut"))
    modified.modifiers.new("Armature", "ARMATURE").object = face.parent
    stranger = add_face("Stranger", ("jawOpen", "mouthClose", "eyeBlinkLeft"))
    add_face("Plain", ())
    alone = [has_face_shapes(one) for one in (face, lashes, shirt, face.parent, None)]
    attempt(OPS.find_meshes)
    by_rig = mapping.meshes_of(settings)
    again = attempt(OPS.find_meshes)
    for one in bpy.context.scene.objects:
        one.select_set(one in (face, stranger, shirt))
    attempt(OPS.add_meshes)
    selected = mapping.meshes_of(settings)
    attempt(OPS.remove_mesh)
    removed = mapping.meshes_of(settings)
    settings.use_shapes = False
    off = mapping.meshes_of(settings)
    settings = fresh()
    home = bpy.data.collections.new("Bob")
    bpy.context.scene.collection.children.link(home)
    for name in ("Head", "Teeth"):
        one = add_face(name, ("jawOpen", "mouthClose", "eyeBlinkLeft"))
        bpy.context.scene.collection.objects.unlink(one)
        home.objects.link(one)
    add_face("Elsewhere", ("jawOpen", "mouthClose", "eyeBlinkLeft"))
    settings.mesh = bpy.data.objects["Head"]
    attempt(OPS.find_meshes)
    by_collection = mapping.meshes_of(settings)
    settings = fresh()
    nothing = [OPS.find_meshes.poll(), attempt(OPS.add_meshes)]
    return {
        "alone": alone, "rig": by_rig, "again": again, "selected": selected, "removed": removed, "off": off,
        "collection": by_collection, "nothing": nothing,
    }  # fmt: skip


def axes_guessed(folder: str) -> dict[str, Any]:
    """For objects and bones in many rest orientations: whether the guessed axes turn the head as they should."""
    settings = fresh()
    out: dict[str, Any] = {"guesses": {}, "wrong": []}
    rig = _armature_of({
        "up": ((0, 0, 0), (0, 0, 1), 0.0), "forward": ((0, 0, 0), (0, -1, 0), 0.0),
        "rolled": ((0, 0, 0), (0, 0, 1), 1.5708), "left": ((0, 0, 0), (1, 0, 0), 3.1416),
        "down": ((0, 0, 0), (0.1, 0.05, -1), 0.3),
    })  # fmt: skip
    for bone in rig.data.bones:
        guess = guess_axes(rig, bone.name)
        out["guesses"][bone.name] = [guess.axes, guess.off]
        out["wrong"] += [bone.name] if _turns_wrong(rig, bone.name, guess.axes) else []
    upright, parent, child = (add_empty(name) for name in ("Upright", "Parent", "Child"))
    parent.rotation_euler = (1.5708, 0.0, 0.0)
    child.parent = parent
    child.rotation_euler = (0.2, 0.1, 0.4)  # a pose, not its rest
    bpy.context.view_layer.update()
    for one in (upright, child):
        out["guesses"][one.name] = [guess_axes(one).axes, guess_axes(one).off]
        out["wrong"] += [one.name] if _turns_wrong(one, "", guess_axes(one).axes) else []
    polls = [OPS.guess_axes.poll()]
    settings.head, settings.head_bone = rig, "forward"
    settings.left_eye = settings.right_eye = rig
    settings.left_eye_bone, settings.right_eye_bone = "up", "left"
    error = attempt(OPS.guess_axes)
    out["settings"] = [mapping.axes_of(settings, name) for name in ("head", "left_eye", "right_eye")]
    out["differs"] = settings.right_eye_differs
    out["plan"] = [list(target.axes) for target in mapping.rotations_of(settings)]
    out["drawn"] = draw_target()
    settings.right_eye_bone = "up"
    attempt(OPS.guess_axes)
    out["same"] = settings.right_eye_differs
    settings.head_bone = "nowhere"
    return out | {"errors": [error, attempt(OPS.guess_axes)], "polls": [*polls, OPS.guess_axes.poll()]}


def _armature_of(bones: dict[str, tuple[Any, Any, float]]) -> Any:
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (head, tail, roll) in bones.items():
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail, bone.roll = head, tail, roll
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def _turns_wrong(control: Any, bone: str, axes: tuple[str, str, str]) -> bool:
    """Turn the real control by each angle in Blender, and see where face and crown go."""
    mover = control.pose.bones[bone] if bone else control
    mover.rotation_mode = "YXZ"
    kept = mover.rotation_euler.copy()

    def orientation() -> Matrix:
        bpy.context.view_layer.update()
        world = control.matrix_world @ mover.matrix if bone else mover.matrix_world
        return world.to_3x3().normalized()

    mover.rotation_euler = (0, 0, 0)
    rest = orientation()
    wrong = False
    for axis, turn in zip(axes, ("yaw", "pitch", "roll"), strict=True):
        angles = [0.0, 0.0, 0.0]
        angles["XYZ".index(axis[-1])] = -0.5 if axis.startswith("-") else 0.5
        mover.rotation_euler = angles
        moved = orientation() @ rest.inverted()
        face, crown = moved @ Vector((0, -1, 0)), moved @ Vector((0, 0, 1))
        wrong |= {"yaw": face.x > -0.2, "pitch": face.z > -0.2, "roll": crown.x < 0.2}[turn]
    mover.rotation_euler = kept
    bpy.context.view_layer.update()
    return wrong


def driven_shapes(folder: str, directory: str) -> dict[str, Any]:
    """Shape keys that a driver holds are neither matched nor keyed, and are named."""
    settings = fresh()
    (face,) = character(settings, {"Face": ["jawOpen", "mouthClose", "eyeBlinkLeft", "browInnerUp"]})
    face.data.shape_keys.key_blocks["jawOpen"].driver_add("value")
    seen = keyed(settings, directory)
    free = available(["Face"])["Face"]
    return seen | {"free": free, "drawn": draw_target(), "matched": match_of([face]).found}


def redraws(folder: str, rigs: str) -> dict[str, float]:
    """Milliseconds of one redraw of our panels with three meshes of 52 shapes, automatic and with own links."""
    settings = fresh()
    meshes = json.loads(Path(rigs).read_text())
    character(settings, meshes)
    attempt(OPS.find_meshes)
    out = {"first": _milliseconds(1), "automatic": _milliseconds(20)}
    attempt(OPS.edit_mapping)
    out["own"] = _milliseconds(20)
    return out


def _milliseconds(times: int) -> float:
    def once() -> float:
        start = time.perf_counter()
        draw_target()
        return (time.perf_counter() - start) * 1000

    return sorted(once() for _ in range(times))[times // 2]
