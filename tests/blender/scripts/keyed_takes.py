"""Scripts of test_blender_keyed_takes.py: whole takes, keyed by plans onto characters that have more than a face."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from file_state import changed, file_state
from scene import add_empty, add_face, attempt, fresh, keys_on, shape_keys_on

from blender_addon import session
from blender_addon.footage.timing import TimeMap
from blender_addon.keying import fcurves as keying
from blender_addon.keying.plan import KeyMode, Plan, RotationTarget
from blender_addon.keying.signature import MOST_TEXT, Origin, gather, origins_in, signature_on, to_text
from blender_addon.keying.takes import key_take
from semanticface.actions import CSV_ORDER
from semanticface.curves.recipe import STANDARD, GapPolicy, Neutral, Recipe, Reduction
from semanticface.curves.replay import apply
from semanticface.curves.samples import COLUMN, samples_of
from semanticface.errors import InputError
from semanticface.mock_script import Script, make_result
from semanticface.results import FrameResult, Status
from semanticface.retarget.profile import Link, Profile, TargetKind
from semanticface.take import Take, TakeHeader, TakeWriter, read_take

SIDES = ("mouthSmileLeft", "mouthSmileRight")
LINKS = (
    Link("JawOpen", "jawOpen"),
    Link("MouthSmileLeft", "mouthSmileLeft"),
    Link("MouthSmileRight", "mouthSmileRight", gain=0.5, offset=0.1, maximum=0.4),
    Link("JawOpen", "drop", owner="Teeth", gain=2.0),
    Link("EyeBlinkLeft", "blink", TargetKind.PROPERTY, owner="Rig"),
    Link("HeadYaw", "turn", TargetKind.PROPERTY, owner="Rig", bone="neck", gain=57.3),
)
TIME = TimeMap(0, 1.0, Fraction(24), Fraction(24))


def character() -> None:
    """A face and its lashes, teeth with names of their own, a head control, a rig with custom properties."""
    fresh()
    add_face("Face", ("jawOpen", *SIDES, "by hand", "driven"))
    add_face("Lashes", ("jawOpen", *SIDES))
    add_face("Teeth", ("drop",))
    add_empty("Head")
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("neck")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig["blink"], rig["note"], rig.pose.bones["neck"]["turn"] = 0.0, "keep me", 0.0


def make_plan(**values: Any) -> Plan:
    head = RotationTarget("Head", "Head", "", ("-Z", "X", "Y"))
    plan = Plan(("Face", "Lashes", "Teeth"), (head,), TIME, Profile("Test", LINKS), Recipe())
    return replace(plan, **values)


def make_take(folder: str, name: str, results: list[FrameResult], path: str = "shot.mp4") -> Take:
    with TakeWriter(Path(folder) / name, TakeHeader({"path": path}, Fraction(24), {}, {}, key=name)) as writer:
        for result in results:
            writer.append(result)
    return read_take(Path(folder) / name)


def motion_take(folder: str, count: int = 200) -> Take:
    return make_take(folder, "shot-1", [make_result(Script(), frame, frame / 24) for frame in range(count)])


def still(frame: int, **values: float) -> FrameResult:
    return FrameResult(frame, frame / 24, Status.OK, dict.fromkeys(CSV_ORDER, 0.0) | values)


def _curve(owner: Any, path: str, index: int = 0) -> Any:
    return next(one for one in keying.curves_of(owner) if (one.data_path, one.array_index) == (path, index))


def recipe_and_mapping(folder: str) -> dict[str, Any]:
    """Keys of all kinds of targets by the standard recipe: how far each curve is from what it should show."""
    character()
    take = motion_take(folder)
    report = key_take(take, make_plan(recipe=STANDARD))
    values = apply(STANDARD, samples_of(take.results, Fraction(24))).values
    keys = {name: bpy.data.objects[name].data.shape_keys for name in ("Face", "Lashes", "Teeth")}
    rig = bpy.data.objects["Rig"]
    jaw, smile = values[:, COLUMN["JawOpen"]], values[:, COLUMN["MouthSmileRight"]]
    wanted = [
        (keys["Face"], 'key_blocks["jawOpen"].value', jaw),
        (keys["Lashes"], 'key_blocks["jawOpen"].value', jaw),
        (keys["Teeth"], 'key_blocks["drop"].value', 2 * jaw),
        (keys["Lashes"], 'key_blocks["mouthSmileRight"].value', np.minimum(0.5 * smile + 0.1, 0.4)),
        (rig, '["blink"]', values[:, COLUMN["EyeBlinkLeft"]]),
        (rig, 'pose.bones["neck"]["turn"]', 57.3 * values[:, COLUMN["HeadYaw"]]),
    ]
    off = []
    for owner, path, expected in wanted:
        seen = np.array([_curve(owner, path).evaluate(1.0 + frame) for frame in range(len(take.results))])
        off.append(float(np.abs(seen - expected).max()))
    face, lashes = (shape_keys_on(bpy.data.objects[name]) for name in ("Face", "Lashes"))
    bpy.context.scene.frame_set(50)
    return {
        "off": off,
        "shown": [rig["blink"], float(values[49, COLUMN["EyeBlinkLeft"]])],
        "same": face["jawOpen"] == lashes["jawOpen"],
        "counts": [report.channels, report.keys, report.values, report.keyed],
        "lines": report.lines(),
        "groups": sorted({curve.group.name for owner in (*keys.values(), rig) for curve in keying.curves_of(owner)}),
        "actions": list(report.actions),
        "slots": "slots" in bpy.types.Action.bl_rna.properties,
    }


def by_hand() -> None:
    """What a user has in the file already: curves on keyed and other channels, a driver, an NLA strip, a pose."""
    face, head = bpy.data.objects["Face"], bpy.data.objects["Head"]
    keys = face.data.shape_keys
    for name in ("jawOpen", "by hand"):
        for frame, value in ((-5, 0.25), (10, 0.5), (500, 0.75)):
            keys.key_blocks[name].value = value
            keys.key_blocks[name].keyframe_insert("value", frame=frame)
    keys.animation_data.action.name = "By Hand"
    driver = keys.key_blocks["driven"].driver_add("value").driver
    driver.expression = "0.5"
    head.keyframe_insert("location", index=1, frame=3)
    head.animation_data.action.name = "Nod"
    cube = add_empty("Bystander")
    cube["number"] = 3
    cube.keyframe_insert("scale", index=2, frame=7)
    strip = cube.animation_data.nla_tracks.new().strips.new("Old", 1, cube.animation_data.action)
    strip.influence = 0.5


def one_step(folder: str) -> list[dict[str, Any]]:
    """Every mode, by the operator and as the timer does at the end of an analysis."""
    take = motion_take(folder, 24)
    return [
        {"mode": mode, "push": push, **_step(take, mode, push, timer)}
        for mode, push in (("NEW", False), ("NEW", True), ("INSERT", False), ("REPLACE", False))
        for timer in (False, True)
    ]


def _step(take: Take, mode: str, push: bool, timer: bool) -> dict[str, Any]:
    """Key; what it changed; then undo, and redo."""
    character()
    by_hand()
    bpy.context.scene.frame_set(12)
    bpy.ops.ed.undo_push(message="By hand")
    before = file_state()
    plan = make_plan(mode=KeyMode(mode), push=push, recipe=replace(STANDARD, reduction=Reduction(0.005)))
    if timer:
        session.call_key_take(str(take.path), plan)
    else:
        attempt(bpy.ops.semanticface.key_take, directory=str(take.path), plan=plan.to_json())
    bpy.context.scene.frame_set(12)
    after = file_state()
    bpy.ops.ed.undo()
    undone = file_state()
    bpy.ops.ed.redo()
    bpy.context.scene.frame_set(12)
    redone = file_state()
    hand = [curve for name, curve in after.items() if name.startswith("curve By Hand") and "jawOpen" in name]
    return {
        "changed": changed(before, after),
        "undone": changed(before, undone),
        "redone": changed(after, redone),
        "jaw": [row[0] for row in hand[0][0]["co"]],
        "notes": list(session.current().notes),
        "animation": after["shapes of Face"],
    }


def refusals(folder: str) -> dict[str, str]:
    """Every reason why a channel can't be keyed; `NEW` where it may be keyed onto a new Action all the same."""
    found = {}

    def ask(name: str, **values: Any) -> None:
        before = file_state()
        try:
            key_take(take, make_plan(**{"mode": KeyMode.INSERT} | values))
            found[name] = ""
        except InputError as error:
            found[name] = str(error)
        if found[name] and changed(before, file_state()):
            found[name] += " CHANGED"

    def again() -> tuple[Any, Any, Any]:
        character()
        by_hand()
        return bpy.data.objects["Face"].data.shape_keys, bpy.data.objects["Head"], bpy.data.objects["Rig"]

    take = motion_take(folder, 3)
    keys, head, rig = again()
    _curve(keys, 'key_blocks["jawOpen"].value').lock = True
    ask("curve")
    ask("curve NEW", mode=KeyMode.NEW)
    keys, head, rig = again()
    curve = _curve(keys, 'key_blocks["jawOpen"].value')
    keying_group = keying.containers_of(keys)[0].groups.new("Mouth")
    curve.group, keying_group.lock = keying_group, True
    ask("group")
    keys, head, rig = again()
    _curve(keys, 'key_blocks["jawOpen"].value').convert_to_samples(1, 10)
    ask("baked", mode=KeyMode.REPLACE)
    keys, head, rig = again()
    head.lock_rotation[1] = True
    ask("rotation", mode=KeyMode.NEW)
    keys, head, rig = again()
    bone = rig.pose.bones["neck"]
    bone.rotation_mode, bone.lock_rotation = "YXZ", (True, False, True)
    ask("bone", rotations=(RotationTarget("Head", "Rig", "neck", ("-Z", "X", "Y")),))
    keys, head, rig = again()
    del rig["blink"]
    ask("property")
    wrong = {"no owner": ("", "x", ""), "text": ("Rig", "note", ""), "no bone": ("Rig", "x", "tail")}
    for name, (owner, target, part) in wrong.items():
        link = Link("JawOpen", target, TargetKind.PROPERTY, owner=owner, bone=part)
        ask(name, profile=Profile("", (LINKS[0], link)))
    keys, head, rig = again()
    if hasattr(keys.key_blocks[0], "lock_shape"):
        keys.key_blocks["jawOpen"].lock_shape = True
    ask("shape", mode=KeyMode.NEW)
    found |= _linked_actions(folder, take, again)
    return found


def _linked_actions(folder: str, take: Take, again: Any) -> dict[str, str]:
    found = {}
    keys, *_ = again()
    library = str(Path(folder) / "library.blend")
    bpy.data.libraries.write(library, {bpy.data.actions["By Hand"]}, fake_user=True)
    keys, *_ = again()
    with bpy.data.libraries.load(library, link=True) as (_, wanted):
        wanted.actions = ["By Hand"]
    keys.animation_data.action = wanted.actions[0]
    if hasattr(keys.animation_data, "action_slot"):
        keys.animation_data.action_slot = wanted.actions[0].slots[0]
    for name, mode in (("linked", KeyMode.REPLACE), ("linked NEW", KeyMode.NEW)):
        try:
            key_take(take, make_plan(mode=mode, push=True))
            found[name] = ""
        except InputError as error:
            found[name] = str(error)
    return found


def tweaked(folder: str) -> dict[str, Any]:
    """A strip of the head is in tweak mode."""
    character()
    by_hand()
    take, head = motion_take(folder, 3), bpy.data.objects["Head"]
    keying.write_take("Top", [keying.Track(head, ())], push=True)
    track = head.animation_data.nla_tracks[0]
    track.mute = False
    head.animation_data.nla_tracks.active = track
    head.animation_data.action = None
    track.select = track.strips[0].select = True
    head.animation_data.use_tweak_mode = True
    try:
        key_take(take, make_plan())
    except InputError as error:
        return {"error": str(error), "tweaking": head.animation_data.use_tweak_mode}
    return {"error": "", "tweaking": head.animation_data.use_tweak_mode}


def gaps(folder: str) -> dict[str, Any]:
    """Frames 2 and 3 have no face, 6 failed: left alone, held, and in a range whose old keys are replaced."""
    statuses = {2: Status.NO_FACE, 3: Status.NO_FACE, 6: Status.FAILED}
    failed = [FrameResult(frame, frame / 24, status, message="-") for frame, status in statuses.items()]
    given = [still(frame, JawOpen=0.1 * frame) for frame in range(8) if frame not in statuses]
    character()
    take, seen = make_take(folder, "gaps", [*given, *failed]), {}
    recipes = {"leave": Recipe(), "hold": Recipe(gaps=GapPolicy.HOLD), "few": Recipe(reduction=Reduction())}
    for name, recipe in recipes.items():
        report = key_take(take, make_plan(recipe=recipe, profile=Profile("", LINKS[:1])))
        seen[name] = [[key[0], round(key[1], 4)] for key in shape_keys_on(bpy.data.objects["Face"])["jawOpen"]]
        seen[f"{name} report"] = report.lines()
    return seen


def single_pose(folder: str) -> dict[str, Any]:
    """Single frames with a recipe: what is of the pose applies, what is of time doesn't."""
    character()
    neutral = Neutral("rest", {"JawOpen": 0.2})
    recipe = replace(STANDARD, neutral=neutral, gain=0.5)
    values = (0.2, 0.41, 0.6, 0.79, 1.0)  # on which smoothing and reduction would leave their marks
    take = make_take(folder, "pose", [still(5 + number, JawOpen=value) for number, value in enumerate(values)])
    key_take(take, make_plan(mode=KeyMode.INSERT, recipe=recipe, profile=Profile("", LINKS[:1])))
    return {"keys": shape_keys_on(bpy.data.objects["Face"])["jawOpen"]}


def pruned(folder: str) -> dict[str, Any]:
    """Curves that are zero throughout are left out of a new Action, never out of the present one."""
    character()
    take = make_take(folder, "flat", [still(0, JawOpen=0.005), still(1, JawOpen=0.5)])
    seen = {}
    for mode in (KeyMode.NEW, KeyMode.REPLACE):
        key_take(take, make_plan(mode=mode, recipe=Recipe(prune=True), profile=Profile("", LINKS[:3])))
        seen[mode.value] = sorted(shape_keys_on(bpy.data.objects["Face"]))
    seen["head"] = len(keys_on(bpy.data.objects["Head"]))
    take = make_take(folder, "zero", [still(0), still(1)])
    plan = make_plan(recipe=Recipe(prune=True), profile=Profile("", LINKS[:1]), rotations=())
    seen["nothing"] = key_take(take, plan).lines()
    return seen


def drivers(folder: str) -> dict[str, Any]:
    """What a driver holds is left to it and named; so is what hides the keys."""
    character()
    face, head = bpy.data.objects["Face"], bpy.data.objects["Head"]
    face.data.shape_keys.key_blocks["jawOpen"].driver_add("value")
    head.driver_add("rotation_euler", 1)
    head.keyframe_insert("location", index=0, frame=1)
    track = head.animation_data.nla_tracks.new()
    track.strips.new("Base", 1, head.animation_data.action)
    head.animation_data.action = None
    bpy.data.objects["Rig"].animation_data_create().action_influence = 0.5
    report = key_take(motion_take(folder, 5), make_plan())
    return {
        "face": sorted(shape_keys_on(face)), "head": sorted(keys_on(head)), "driven": list(report.driven),
        "notes": list(report.notes), "absent": len(report.absent), "lines": report.lines(),
    }  # fmt: skip


def signatures(folder: str) -> dict[str, Any]:
    """A take, one of its frames again, another footage, a range again: what the Action says it was keyed from."""
    character()
    first = motion_take(folder, 20)
    again = make_take(folder, "shot-2", [still(7, JawOpen=0.9)])
    without = make_take(folder, "shot-3", [FrameResult(8, 8 / 24, Status.NO_FACE)])
    other = make_take(folder, "other-1", [still(0, JawOpen=0.3)], "other.mp4")
    plan = make_plan(recipe=STANDARD)
    here = replace(TIME, anchor=7, scene_frame=8.0)
    key_take(first, plan)
    key_take(other, replace(plan, mode=KeyMode.INSERT, time=replace(TIME, scene_frame=100.0)))
    for take in (again, without):
        key_take(take, replace(plan, mode=KeyMode.INSERT, time=here, recipe=Recipe()))
    signature = signature_on(plan.objects())
    groups = gather(signature)
    by_frame = {result.frame: result for result in groups[-1].results}
    return {
        "origins": [origin.take.name for origin in origins_in(signature)],
        "groups": [[len(group.results), group.plan.mode, group.plan.recipe == STANDARD] for group in groups],
        "again": by_frame[7].coefficients["JawOpen"],
        "without": by_frame[8].status,
        "key": next(key for key in shape_keys_on(bpy.data.objects["Face"])["jawOpen"] if round(key[0], 3) == 8)[1],
        "round trip": Plan.from_json(plan.to_json()) == plan,
    }


def bounded(folder: str) -> dict[str, Any]:
    """Signatures of 500 takes that share a large profile, and of as many that don't; damaged and old ones."""
    links = tuple(Link("JawOpen", f"{'target' * 20} {number}") for number in range(1000))
    plan = make_plan(profile=Profile("big", links))
    shared = to_text([Origin(Path(f"take-{number}"), plan) for number in range(500)])
    own = [replace(plan, profile=Profile(f"big {number}", links)) for number in range(50)]
    each = to_text([Origin(Path(f"take-{number}"), one) for number, one in enumerate(own)])
    old = {"mesh": "Face", "rotations": [], "time": TIME.to_dict(), "interpolation": "LINEAR", "keep": True}
    (first,) = origins_in(json.dumps([{"take": "/takes/old-1", "plan": json.dumps(old)}]))
    return {
        "shared": [len(shared), len(origins_in(shared))],
        "own": [len(each), len(origins_in(each)), origins_in(each)[-1].take.name],
        "most": MOST_TEXT,
        "damaged": [len(origins_in(text)) for text in ("", "{", "[]", "3", '{"origins": 1}', shared[:-9] + "0}]}")],
        "old": [first.take.name, list(first.plan.meshes), len(first.plan.profile.links)],
    }
