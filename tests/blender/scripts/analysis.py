"""Scripts of test_blender_analysis.py."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy
from scene import add_face, attempt, fresh, keys_on, ready, shape_keys_on, tick_until

import blender_addon
from blender_addon import session
from blender_addon.analysis.operators import begin_analysis
from blender_addon.footage.source import footage_of
from blender_addon.keying.takes import origins_in
from blender_addon.properties import settings_of
from semanticface.take import read_take


def _keyed(settings: Any) -> dict[str, Any]:
    return {
        "shapes": shape_keys_on(settings.mesh),
        "head": keys_on(settings.head) if settings.head else {},
        "left_eye": keys_on(settings.left_eye) if settings.left_eye else {},
        "right_eye": keys_on(settings.right_eye) if settings.right_eye else {},
        "notes": list(session.current().notes),
        "failed": session.current().failed,
        "actions": [action.name for action in bpy.data.actions],
        "take": settings.last_take,
    }


def whole_clip(folder: str, fps: int, base: float, **values: Any) -> dict[str, Any]:
    """Analyze everything with the blocking operator."""
    settings = ready(folder, fps, base)
    for name, value in values.items():
        setattr(settings, name, value)
    error = attempt(bpy.ops.semanticface.analyze_footage)
    return _keyed(settings) | {"error": error}


def saved_file(folder: str) -> dict[str, Any]:
    """In a saved file the take stands beside it, and the next one beside that."""
    settings = ready(folder)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "shot.blend"))
    error = attempt(bpy.ops.semanticface.analyze_footage) + attempt(bpy.ops.semanticface.analyze_footage)
    takes = sorted(str(path.relative_to(folder)) for path in Path(folder).glob("semanticface/*"))
    statuses = [result.status for result in read_take(Path(settings.last_take)).results]
    return {"error": error, "takes": takes, "statuses": statuses}


def from_clip(folder: str, movie: str, playhead: float, **values: Any) -> dict[str, Any]:
    """A movie clip that starts at scene frame 11 and skips 5 source frames."""
    settings = ready(folder)
    settings.source, settings.clip = "CLIP", bpy.data.movieclips.load(movie)
    settings.clip.frame_start, settings.clip.frame_offset = 11, 5
    for name, value in values.items():
        setattr(settings, name, value)
    bpy.context.scene.frame_set(int(playhead), subframe=playhead % 1)
    return {"error": attempt(bpy.ops.semanticface.analyze_footage), **_keyed(settings)}


def single_frames_add_up(folder: str) -> dict[str, Any]:
    """Key two frames under the playhead, then the first again."""
    settings = ready(folder)
    settings.frames = "CURRENT"
    seen = []
    for frame in (10, 30, 10):
        bpy.context.scene.frame_set(frame)
        attempt(bpy.ops.semanticface.analyze_footage)
        seen.append([key[0] for key in shape_keys_on(settings.mesh)["jawOpen"]])
    reading = session.current().reading
    at = {str(frame): reading.at(frame)[1].frame for frame in (10, 20, 30)}
    return {"seen": seen, "reading": at, "takes": len(origins_in(reading.signature))}


def users_action(folder: str, mode: str) -> dict[str, Any]:
    """The user has keys of their own on the shape keys; analyze, undo, redo."""
    settings = ready(folder)
    settings.key_mode = mode
    blocks = settings.mesh.data.shape_keys.key_blocks
    for frame, value in ((-5, 0.25), (10, 0.5), (500, 0.75)):
        for name in ("jawOpen", "not an action"):
            blocks[name].value = value
            blocks[name].keyframe_insert("value", frame=frame)
    settings.mesh.data.shape_keys.animation_data.action.name = "By Hand"
    before = shape_keys_on(settings.mesh)
    bpy.ops.ed.undo_push(message="By hand")
    error = attempt(bpy.ops.semanticface.analyze_footage)
    keyed = _state()
    bpy.ops.ed.undo()
    undone = _state()
    bpy.ops.ed.redo()
    return {"error": error, "before": before, "keyed": keyed, "undone": undone, "redone": _state()}


def _state() -> dict[str, Any]:
    """What animates the face now, and the user's Action read through an object of its own."""
    face = bpy.data.objects["Face"]
    hand = bpy.data.actions["By Hand"]
    witness = bpy.data.objects.get("Witness") or add_face("Witness")
    data = witness.data.shape_keys.animation_data_create()
    data.action = hand
    if hasattr(data, "action_slot"):
        data.action_slot = hand.slots[0]
    by_hand = shape_keys_on(witness)
    bpy.data.objects.remove(witness)
    return {
        "face": shape_keys_on(face),
        "action": face.data.shape_keys.animation_data.action.name,
        "by_hand": by_hand,
        "by_hand_kept": hand.use_fake_user,
        "actions": sorted(action.name for action in bpy.data.actions),
        "head": bpy.data.objects["Head"].animation_data is not None
        and bpy.data.objects["Head"].animation_data.action is not None,
    }


def cancel(folder: str) -> dict[str, Any]:
    """Start, let some frames come, cancel."""
    settings = ready(folder)
    job = begin_analysis(bpy.context)
    longest = tick_until(lambda: job.done >= 3)
    attempt(bpy.ops.semanticface.cancel_analysis)
    tick_until(lambda: session.current().job is None, timeout=5)
    state = session.current().link.state
    return _keyed(settings) | {"phase": job.phase, "animated": _animated(), "longest": longest, "link": state}


def _animated() -> bool:
    return any(block.animation_data for block in (*bpy.data.objects, *bpy.data.shape_keys))


def backend_dies(folder: str) -> dict[str, Any]:
    """The mock dies at frame 20; then key what is finished."""
    settings = ready(folder)
    start = time.monotonic()
    error = attempt(bpy.ops.semanticface.analyze_footage)
    seconds = time.monotonic() - start
    dead = _keyed(settings)
    animated = _animated()
    take, plan = session.current().unkeyed
    kept = [result.frame for result in read_take(Path(take)).results]
    late = attempt(bpy.ops.semanticface.key_take, directory=take, plan=plan.to_json())
    after = _keyed(settings)
    return {
        "error": error, "seconds": seconds, "dead": dead, "kept": kept, "late": late, "after": after,
        "animated": animated, "link": session.current().link.state,
    }  # fmt: skip


def load_file(folder: str) -> dict[str, Any]:
    """Another file is opened in the middle of a job: one with objects of the same names."""
    ready(folder)
    path = str(Path(folder) / "other.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    job = begin_analysis(bpy.context)
    tick_until(lambda: job.done >= 2)
    bpy.ops.wm.open_mainfile(filepath=path)
    tick_until(lambda: session.current().job is None)
    settings = settings_of(bpy.context.scene)
    return _keyed(settings) | {"phase": job.phase, "animated": _animated(), "kept": bool(session.current().unkeyed)}


def rename_and_undo(folder: str) -> dict[str, Any]:
    """The user renames the target and undoes something else while the job runs."""
    ready(folder)
    bpy.ops.ed.undo_push(message="start")
    job = begin_analysis(bpy.context)
    tick_until(lambda: job.done >= 2)
    bpy.data.objects["Face"].name = "Hero"
    bpy.ops.ed.undo_push(message="rename")
    bpy.data.objects["Head"].location.x = 1
    bpy.ops.ed.undo_push(message="move")
    bpy.ops.ed.undo()
    tick_until(lambda: session.current().job is None)
    return _keyed(settings_of(bpy.context.scene)) | {"mesh": settings_of(bpy.context.scene).mesh.name}


def unregister_in_a_job(folder: str) -> dict[str, Any]:
    """Unregister with everything open, then register and analyze again."""
    ready(folder)
    job = begin_analysis(bpy.context)
    tick_until(lambda: job.done >= 2)
    pump = session.current().link.pump
    start = time.perf_counter()
    blender_addon.unregister()
    seconds = time.perf_counter() - start
    gone = not hasattr(bpy.types, "SEMANTICFACE_PT_analyze") and not hasattr(bpy.types.Scene, "semanticface")
    blender_addon.register()
    settings = ready(folder)
    settings.frames, settings.last = "RANGE", 3
    error = attempt(bpy.ops.semanticface.analyze_footage)
    return {"seconds": seconds, "gone": gone, "closed": pump.state, "error": error, "again": _keyed(settings)}


def own_fault(folder: str) -> dict[str, Any]:
    """An exception in our own code in a tick is shown and lets go of the job; the timer lives on."""
    ready(folder)
    job = begin_analysis(bpy.context)
    tick_until(lambda: job.done >= 1)
    job.handle = lambda *_: 1 / 0
    deadline = time.monotonic() + 10
    interval: float | None = 0.0
    while session.current().job is not None and time.monotonic() < deadline:
        interval = session._on_timer()
        time.sleep(0.01)
    return {"notes": list(session.current().notes), "job": session.current().job is None, "interval": interval}


def no_backend(folder: str) -> dict[str, Any]:
    """No installation is found, and a command that ends at once."""
    import os

    fresh()
    errors = []
    for command in ("/nowhere/python", "/bin/false"):
        os.environ["SEMANTICFACE_BACKEND"] = command
        ready(folder)
        start = time.monotonic()
        error = attempt(bpy.ops.semanticface.analyze_footage)
        errors.append([error, time.monotonic() - start, list(session.current().notes)])
    return {"errors": errors}


def sequence_footage(folder: str, first: str) -> dict[str, Any]:
    """What the backend is asked for when the footage is an image sequence, as a clip and as a file."""
    settings = ready(folder, 24, 1.001)
    settings.source, settings.clip = "CLIP", bpy.data.movieclips.load(first)
    seen = {"clip": dict(footage_of(settings, bpy.context.scene).media)}
    settings.sequence_rate = 29.97
    settings.source, settings.filepath, settings.sequence = "FILE", first, True
    seen["file"] = dict(footage_of(settings, bpy.context.scene).media)
    settings.sequence = False
    seen["still"] = dict(footage_of(settings, bpy.context.scene).media)
    return seen
