"""Scripts of test_blender_recipe.py: a take keyed on three meshes, its recipe turned up and down."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from scene import add_empty, add_face, attempt, fresh

from blender_addon import session
from blender_addon.keying.fcurves import animation_of, curves_of
from blender_addon.keying.takes import origins_in, signature_of
from blender_addon.recipe import preview, pulse, standin
from blender_addon.recipe.state import show
from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.curves.recipe import Recipe
from semanticface.errors import InputError
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter

FRAMES = 60
JAW = 'key_blocks["JawOpen"].value'


def result(frame: int, values: dict[str, float]) -> FrameResult:
    return FrameResult(frame, frame / 24, Status.OK, dict.fromkeys(CSV_ORDER, 0.0) | values)


def jaw_at(frame: int) -> float:
    return round(0.5 - 0.4 * float(np.cos(frame / 8)), 6)


def write_a_take(path: Path, frames: range, scale: float = 1.0, source: str = "clip.mp4") -> str:
    header = TakeHeader({"kind": "video", "path": source}, Fraction(24), {}, {}, key=path.name)
    with TakeWriter(path, header) as writer:
        for frame in frames:
            values = {"JawOpen": scale * jaw_at(frame), "MouthSmileLeft": 0.1, "HeadYaw": 0.2 * jaw_at(frame)}
            writer.append(result(frame, values))
    return str(path)


def stage(folder: str, meshes: int = 2) -> Any:
    """Meshes with all 52 shapes and a head, raw values; returns the settings."""
    settings = fresh(24)
    settings.use_recipe = False
    settings.mesh = add_face("Face", SHAPES)
    for number in range(1, meshes):
        settings.more_meshes.add().mesh = add_face(f"More{number}", SHAPES)
    settings.head = add_empty("Head")
    settings.use_eyes = False
    return settings


def keyed(folder: str) -> Any:
    """A take keyed with raw values; the recipe is on from then on, without smoothing."""
    settings = stage(folder)
    take = write_a_take(Path(folder) / "first", range(FRAMES))
    assert attempt(bpy.ops.semanticface.key_take, directory=take) == ""
    with pulse.held(tell=False):
        show(settings, Recipe())
    return settings


def block() -> Any:
    return bpy.data.objects["Face"].data.shape_keys


def action_name(owner: Any = None) -> str:
    found = animation_of(owner or block())
    return found.name if found else ""


def curve(path: str = JAW, owner: Any = None) -> Any:
    return next(one for one in curves_of(owner or block()) if one.data_path == path)


def values_of(path: str = JAW, owner: Any = None) -> list[float]:
    return [key.co[1] for key in curve(path, owner).keyframe_points]


def keys_in(action: Any) -> int:
    """How many keys the Action has in all."""
    if hasattr(action, "layers"):
        bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
        return sum(len(curve.keyframe_points) for bag in bags for curve in bag.fcurves)
    return sum(len(curve.keyframe_points) for curve in action.fcurves)


def shows_changes(folder: str) -> dict[str, Any]:
    """A gain turned up: what the preview shows, and that the Action from before is as it was."""
    settings = keyed(folder)
    before = action_name()
    untouched = keys_in(bpy.data.actions[before])
    settings.gain = 1.5
    first = {"name": action_name(), "jaw": values_of(), "more": values_of(owner=bpy.data.meshes["More1"].shape_keys)}
    actions = len(bpy.data.actions)
    settings.tunings.add().action = "JawOpen"
    settings.tunings[0].gain = 0.5
    settings.head_gain = 2.0
    return {
        "before": before,
        "first": first,
        "then": values_of(),
        "head": [key.co[1] for key in curves_of(bpy.data.objects["Head"])[0].keyframe_points][:1],
        "head raw": [one.evaluate(1) for one in curves_of(bpy.data.objects["Head"])],
        "actions grew": len(bpy.data.actions) - actions,
        "raw": [jaw_at(frame) for frame in range(FRAMES)],
        "kept": keys_in(bpy.data.actions[before]) == untouched,
        "showing": preview.is_showing(settings),
        "on screen": shown_at(11),
        "signature": signature_of(animation_of(block())) == signature_of(bpy.data.actions[before]),
    }


def shown_at(frame: int) -> float:
    bpy.context.scene.frame_set(frame)
    return block().key_blocks["JawOpen"].value


def discarded(folder: str) -> dict[str, Any]:
    settings = keyed(folder)
    before, fake = action_name(), animation_of(block()).use_fake_user
    count = len(bpy.data.actions)
    settings.gain = 1.5
    problem = attempt(bpy.ops.semanticface.discard_preview)
    return {
        "problem": problem,
        "same": action_name() == before and action_name(bpy.data.objects["Head"]) != "",
        "values": values_of() == [float(np.float32(jaw_at(frame))) for frame in range(FRAMES)],
        "fake": animation_of(block()).use_fake_user == fake,
        "actions": len(bpy.data.actions) - count,
        "gain": settings.gain,
        "showing": preview.is_showing(settings),
        "shown": shown_at(11),
        "raw": jaw_at(10),
    }


def applied(folder: str) -> dict[str, Any]:
    """Applied with fewer keys, undone, redone."""
    settings = keyed(folder)
    before, count = action_name(), len(bpy.data.actions)
    bpy.ops.ed.undo_push(message="keyed")
    settings.gain, settings.reduce, settings.tolerance = 1.5, True, 0.01
    problem = attempt(bpy.ops.semanticface.apply_recipe)
    new, told = action_name(), session.current().notes
    keys = [list(key.co) for key in curve().keyframe_points]
    drawn = [curve().evaluate(frame + 1) for frame in range(FRAMES)]
    recipe = origins_in(signature_of(animation_of(block())))[-1].plan.recipe
    previews = [action.name for action in bpy.data.actions if standin.is_preview(action)]
    grown = len(bpy.data.actions) - count
    bpy.ops.ed.undo()
    undone = action_name()
    bpy.ops.ed.redo()
    return {
        "problem": problem,
        "names": [before, new, undone, action_name()],
        "keys": len(keys),
        "off": max(abs(value - 1.5 * jaw_at(frame)) for frame, value in enumerate(drawn)),
        "recipe": recipe.gain,
        "told": list(told),
        "previews": previews,
        "grown": grown,
        "old kept": keys_in(bpy.data.actions[before]) > 0,
        "gain": bpy.context.scene.semanticface.gain,
    }


def undone(folder: str) -> dict[str, Any]:
    """Undo and redo while a preview is shown; sliders and curves stay together."""
    settings = keyed(folder)
    before = action_name()
    bpy.ops.ed.undo_push(message="keyed")
    settings.gain = 1.5
    bpy.ops.ed.undo_push(message="gain")
    bpy.context.scene.semanticface.gain = 0.5
    bpy.ops.ed.undo_push(message="gain")
    seen = []
    for step in (None, bpy.ops.ed.undo, bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.redo):
        if step is not None:
            step()
        now = bpy.context.scene.semanticface
        seen.append([now.gain, max(values_of()) / 0.9, action_name() == before])
    bpy.context.scene.semanticface.gain = 2.0
    seen.append([2.0, max(values_of()) / 0.9, False])
    problem = attempt(bpy.ops.semanticface.discard_preview)
    left = [action.name for action in bpy.data.actions if "preview" in action.name]
    return {"seen": seen, "problem": problem, "back": action_name() == before, "peak": max(values_of()), "left": left}


def reopened(folder: str, how: str) -> dict[str, Any]:
    """Saved with a preview, the former Action renamed, opened again; then gone on, applied or discarded."""
    settings = keyed(folder)
    before = action_name()
    settings.gain = 1.5
    bpy.data.actions[before].name = "Renamed"
    path = str(Path(folder) / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.semanticface
    showing = preview.is_showing(settings)
    if how == "gone":
        Path(folder, "first").rename(Path(folder, "elsewhere"))
        settings.gain = 0.5
        told = list(session.current().notes)
        refused = attempt(bpy.ops.semanticface.apply_recipe)
        still = preview.is_showing(settings)
        problem = attempt(bpy.ops.semanticface.discard_preview)
        return {"told": told, "refused": refused, "still": still, "problem": problem, "name": action_name()}
    if how == "moved on":
        settings.gain = 0.5
        how = "discard"
    operator = getattr(bpy.ops.semanticface, {"apply": "apply_recipe", "discard": "discard_preview"}[how])
    problem = attempt(operator)
    return {
        "showing": showing,
        "problem": problem,
        "name": action_name(),
        "peak": max(values_of()),
        "actions": sorted(action.name for action in bpy.data.actions),
    }


def edited(folder: str) -> dict[str, Any]:
    """Keys set by hand in the preview, then discarded: they stay in the file."""
    settings = keyed(folder)
    before = action_name()
    settings.gain = 1.5
    preview_name = action_name()
    curve().keyframe_points.insert(200.5, 0.123)
    settings.gain = 1.2  # the curve has more keys now than we put there
    kept = [action for action in bpy.data.actions if action.name.startswith(preview_name)]
    hand = [action.name for action in kept if keys_in(action) and not standin.is_preview(action)]
    curve().keyframe_points[3].co[1] = 0.777
    problem = attempt(bpy.ops.semanticface.discard_preview)
    plain = [one for one in bpy.data.actions if one.name.startswith(preview_name) and not standin.is_preview(one)]
    return {
        "hand": len(hand),
        "plain": len(plain),
        "problem": problem,
        "told": list(session.current().notes),
        "back": action_name() == before,
    }


def losses(folder: str) -> dict[str, Any]:
    """Things that go away under a preview: a mesh, the Action that it stands in for, the whole target."""
    settings = keyed(folder)
    settings.gain = 1.5
    bpy.data.objects.remove(bpy.data.objects["More1"])
    settings.gain = 1.4
    told = list(session.current().notes)
    refused = attempt(bpy.ops.semanticface.apply_recipe)
    discarded = attempt(bpy.ops.semanticface.discard_preview)
    after = action_name()
    settings = keyed(str(Path(folder) / "second"))
    settings.gain = 1.5
    former = standin.former_of(block()).action
    bpy.data.actions.remove(former)
    settings.gain = 1.6
    bare = attempt(bpy.ops.semanticface.discard_preview)
    nothing = animation_of(block()) is None
    return {
        "told": told, "refused": refused, "discarded": discarded, "after": after, "bare": bare, "nothing": nothing,
    }  # fmt: skip


def inserted(folder: str) -> dict[str, Any]:
    """Single frames inserted into an Action of the user's: a recipe changes them and no other key."""
    settings = stage(folder, meshes=1)
    keys = block()
    for frame, value in ((1, 0.11), (30, 0.22), (90, 0.33)):
        keys.key_blocks["JawOpen"].value = value
        keys.key_blocks["JawOpen"].keyframe_insert("value", frame=frame)
    bpy.data.objects["Face"].location.x = 3.0
    own = action_name()
    settings.key_mode = "INSERT"
    take = write_a_take(Path(folder) / "single", range(9, 12))
    settings.scene_start = 10.0
    problem = attempt(bpy.ops.semanticface.key_take, directory=take)
    after_keying = {round(key.co[0]): key.co[1] for key in curve().keyframe_points}
    with pulse.held(tell=False):
        show(settings, Recipe())
    settings.gain = 1.5
    showing = preview.is_showing(settings)
    previewed = {round(key.co[0]): key.co[1] for key in curve().keyframe_points}
    settings.gain = 0.5
    again = {round(key.co[0]): key.co[1] for key in curve().keyframe_points}
    original = keys_in(bpy.data.actions[own])
    problem += attempt(bpy.ops.semanticface.apply_recipe)
    return {
        "problem": problem, "showing": showing, "keyed": after_keying, "previewed": previewed, "again": again,
        "applied": {round(key.co[0]): key.co[1] for key in curve().keyframe_points},
        "own": own != action_name() and keys_in(bpy.data.actions[own]) == original,
        "raw": [jaw_at(frame) for frame in (9, 10, 11)],
    }  # fmt: skip


def several(folder: str) -> dict[str, Any]:
    """Two takes of two footages in one Action: both obey the recipe."""
    settings = keyed(folder)
    settings.key_mode = "REPLACE"
    with pulse.held(tell=False):
        settings.use_recipe = False
    settings.scene_start = 101.0
    second = write_a_take(Path(folder) / "second", range(30), scale=0.5, source="other.mp4")
    problem = attempt(bpy.ops.semanticface.key_take, directory=second)
    with pulse.held(tell=False):
        settings.use_recipe = True
    settings.gain = 1.5
    at = {key.co[0]: key.co[1] for key in curve().keyframe_points}
    settings.gain = 0.5
    again = {key.co[0]: key.co[1] for key in curve().keyframe_points}
    settings.reduce = True
    problem += attempt(bpy.ops.semanticface.apply_recipe)
    return {
        "problem": problem, "showing": preview.is_showing(settings), "count": len(at),
        "ratios": [at[11] / jaw_at(10), at[111] / jaw_at(10), again[11] / jaw_at(10), again[111] / jaw_at(10)],
        "applied": [curve().evaluate(11) / jaw_at(10), curve().evaluate(111) / jaw_at(10)],
        "keys": len(curve().keyframe_points),
    }  # fmt: skip


def keyed_over(folder: str) -> dict[str, Any]:
    """Another take keyed while a preview is shown: the preview makes way and leaves nothing behind."""
    settings = keyed(folder)
    settings.gain = 1.5
    second = write_a_take(Path(folder) / "second", range(30), scale=0.5)
    problem = attempt(bpy.ops.semanticface.key_take, directory=second)
    showing = preview.is_showing(settings)
    settings.gain = 1.2
    problem += attempt(bpy.ops.semanticface.discard_preview)
    return {
        "problem": problem,
        "showing": showing,
        "peak": max(values_of()),
        "name": action_name(),
        "previews": [action.name for action in bpy.data.actions if standin.is_preview(action)],
    }


def switched_off(folder: str) -> dict[str, Any]:
    """Without live preview nothing shows until it is applied; without a take nothing happens at all."""
    settings = keyed(folder)
    settings.live_preview = False
    before = action_name()
    settings.gain = 1.5
    quiet = action_name() == before
    problem = attempt(bpy.ops.semanticface.apply_recipe)
    peak = max(values_of())
    settings = stage(folder)
    settings.use_recipe, settings.gain = True, 2.0
    refused = attempt(bpy.ops.semanticface.apply_recipe)
    return {"quiet": quiet, "problem": problem, "peak": peak, "refused": refused, "actions": len(bpy.data.actions)}


def refused_targets(folder: str) -> dict[str, Any]:
    """A locked control: no preview, the reason in the panel, the Action as it was."""
    settings = keyed(folder)
    before = action_name()
    bpy.data.objects["Head"].lock_rotation[1] = True
    settings.gain = 1.5
    told, locked = list(session.current().notes), action_name() == before
    try:
        preview.refresh(bpy.context.scene)
        error = ""
    except InputError as problem:
        error = str(problem)
    return {"told": told, "locked": locked, "error": error}


def speed(folder: str) -> dict[str, Any]:
    """The longest of some refreshes of 60 frames, in seconds."""
    settings = keyed(folder)
    settings.gain = 1.5
    taken = []
    for gain in (1.1, 1.2, 1.3):
        start = time.perf_counter()
        settings.gain = gain
        taken.append(time.perf_counter() - start)
    return {"longest": max(taken)}
