"""Scripts of test_blender_keying.py."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from scene import add_empty, add_face, attempt, fresh, ready, shape_keys_on

from blender_addon.keying import fcurves as keying
from blender_addon.keying.keyframes import read
from semanticface.actions import CSV_ORDER
from semanticface.curves.keys import KeyCurve, evaluate
from semanticface.curves.recipe import KeyKind
from semanticface.errors import InputError
from semanticface.results import FrameResult, Status
from semanticface.take import Take, TakeHeader, TakeWriter, read_take

JAW = 'key_blocks["jawOpen"].value'


def _channel(path: str, index: int, frames: Any, values: Any) -> keying.Channel:
    return keying.Channel(path, index, "Group", keying.dense(np.array(frames, float), np.array(values, float)))


def _random_curve(kind: KeyKind, seed: int) -> KeyCurve:
    """40 keys at uneven frames; half of them are corners."""
    rng = np.random.default_rng(seed)
    frames, values = np.cumsum(rng.uniform(0.3, 9.0, 40)), rng.normal(size=40)
    left, other = 0.3 * rng.normal(size=(2, 40))
    return KeyCurve(kind, frames, values, left, np.where(rng.random(40) < 0.5, left, other))


def drawn(folder: str) -> dict[str, float]:
    """The largest distance between what Blender draws and what the keys mean, at each quarter of a frame."""
    fresh()
    worst = {}
    for kind in KeyKind:
        keys = _random_curve(kind, 1)
        at = np.arange(keys.frames[0] - 2, keys.frames[-1] + 2, 0.25)
        onto, into = add_empty("New"), add_empty("Into")
        channel = keying.Channel("location", 1, "Group", keys)
        keying.write_take("Take", [keying.Track(onto, (channel,))])
        into.keyframe_insert("location", index=1, frame=10)
        keying.write_into("Take", [keying.Track(into, (channel,))], span=(float(keys.frames[0]), 1e4))
        for name, owner in (("new", onto), ("into", into)):
            curve = keying.curves_of(owner)[0]
            for edited in ("", " after an edit"):
                seen = np.array([curve.evaluate(frame) for frame in at])
                worst[f"{kind} {name}{edited}"] = float(np.abs(seen - evaluate(keys, at)).max())
                curve.update()  # as the Graph Editor does after each edit
    return worst


def layout(folder: str) -> dict[str, Any]:
    """How the Actions of one take over two data-blocks lie in the file."""
    fresh()
    face, head = add_face(), add_empty("Head")
    tracks = [
        keying.Track(face.data.shape_keys, (_channel(JAW, 0, [1, 2.5], [0.25, 0.75]),)),
        keying.Track(head, (_channel("rotation_euler", 2, [1, 2.5], [0.25, 0.75]),)),
    ]
    made = keying.write_take("Take", tracks)
    bpy.context.scene.frame_set(2, subframe=0.5)
    return {
        "actions": [action.name for action in made],
        "fake": [action.use_fake_user for action in made],
        "slots": "slots" in bpy.types.Action.bl_rna.properties,
        "group": keying.curves_of(head)[0].group.name,
        "kinds": [key.interpolation for key in keying.curves_of(head)[0].keyframe_points],
        "shown": [face.data.shape_keys.key_blocks["jawOpen"].value, head.rotation_euler.z],
    }


def _by_hand(owner: Any, path: str, index: int, more: int = 0) -> Any:
    """A curve with keys of all sorts at 1, 10, 20 and 30, selected and in colour, and so many more from 100 on."""
    for frame in (1, 10, 20, 30, *range(100, 100 + more)):
        owner.keyframe_insert(path, index=index, frame=frame)
    curve = next(one for one in keying.curves_of(owner) if (one.data_path, one.array_index) == (path, index))
    for number, key in enumerate(curve.keyframe_points):
        number %= 4
        key.co.y = (0.0, 3.0, 1.0, 5.0)[number]
        key.interpolation = ("CONSTANT", "BEZIER", "ELASTIC", "LINEAR")[number]
        key.easing = ("AUTO", "EASE_IN", "EASE_OUT", "EASE_IN_OUT")[number]
        key.type = ("KEYFRAME", "BREAKDOWN", "EXTREME", "JITTER")[number]
        key.handle_left_type = key.handle_right_type = ("FREE", "AUTO_CLAMPED", "ALIGNED", "VECTOR")[number]
        key.amplitude, key.period, key.back = 1.5, 3.5, 0.5
        key.select_control_point = number % 2 == 0
    curve.update()
    curve.keyframe_points[0].handle_right = (3, 0.5)
    curve.modifiers.new("NOISE")
    curve.extrapolation = "LINEAR"
    curve.color_mode, curve.color = "CUSTOM", (0.1, 0.2, 0.3)
    return curve


def _rows(curve: Any) -> list[dict[str, Any]]:
    """Everything about each key of a curve."""
    fields = read(curve)
    return [{name: values[n].tolist() for name, values in fields.items()} for n in range(len(curve.keyframe_points))]


def inserted(folder: str, more: int) -> dict[str, Any]:
    """Keys at 10 (where one stands), 15 and 40 go into a curve made by hand, and into one that isn't there yet."""
    fresh()
    head = add_empty("Head")
    _by_hand(head, "rotation_euler", 2, more)
    before = _rows(keying.curves_of(head)[0])
    frames, values = [10.0005, 15, 40], [4.0, 0.5, 2.0]
    channels = tuple(_channel("rotation_euler", index, frames, values) for index in (2, 0))
    used = keying.write_into("Take", [keying.Track(head, channels)])
    curves = {curve.array_index: curve for curve in keying.curves_of(head)}
    old = curves[2]
    bpy.context.view_layer.update()
    return {
        "before": before,
        "after": _rows(old),
        "new": [list(key.co) for key in curves[0].keyframe_points],
        "new kinds": [key.interpolation for key in curves[0].keyframe_points],
        "actions": [len(used), len(bpy.data.actions)],
        "curve": [len(old.modifiers), old.extrapolation, [round(part, 3) for part in old.color]],
        "drawn": [old.evaluate(frame) for frame in (10, 15, 40)],
    }


def replaced(folder: str, more: int) -> dict[str, Any]:
    """Keys from 8 to 25 are replaced by those of a curve."""
    fresh()
    head = add_empty("Head")
    _by_hand(head, "rotation_euler", 2, more)
    _by_hand(head, "location", 0)
    before = {curve.data_path: _rows(curve) for curve in keying.curves_of(head)}
    slopes = np.array([0.1, -0.2, 0.3])
    frames, values = np.array([9.0, 12.0, 24.0]), np.array([1.0, 2.0, 3.0])
    keys = KeyCurve(KeyKind.BEZIER, frames, values, slopes, slopes)
    track = keying.Track(head, (keying.Channel("rotation_euler", 2, "Group", keys),))
    keying.write_into("Take", [track], span=(8.0, 25.0))
    curves = {curve.data_path: curve for curve in keying.curves_of(head)}
    turned = curves["rotation_euler"]
    turned.modifiers[0].mute = True
    at = np.arange(9.0, 24.0, 0.25)
    off = np.array([turned.evaluate(frame) for frame in at]) - evaluate(keys, at)
    after = {path: _rows(curve) for path, curve in curves.items()}
    return {"before": before, "after": after, "off": float(np.abs(off).max())}


def pushed(folder: str) -> dict[str, Any]:
    """The strips that old Actions become: of two data-blocks, one with an Action of a single key."""
    fresh()
    face, head = add_face(), add_empty("Head")
    keys = face.data.shape_keys
    keying.write_take("First", [keying.Track(keys, (_channel(JAW, 0, [3.5, 9.25], [0, 1]),))])
    head.keyframe_insert("location", index=0, frame=-7)
    head.animation_data.action.name = "By Hand"
    new = [
        keying.Track(block, (_channel(path, 0, [1, 2], [1, 1]),)) for block, path in ((keys, JAW), (head, "location"))
    ]
    keying.write_take("Second", new, push=True)
    strips = {}
    for block in (keys, head):
        (track,) = block.animation_data.nla_tracks
        (strip,) = track.strips
        slot = getattr(strip, "action_slot", None)
        strips[strip.name] = {
            "action": strip.action.name, "track": track.name, "muted": track.mute, "start": strip.frame_start,
            "length": strip.frame_end - strip.frame_start, "scale": strip.scale,
            "slot": slot.name_display == block.name if slot else "slots" not in bpy.types.Action.bl_rna.properties,
            "now": block.animation_data.action.name,
        }  # fmt: skip
    bpy.context.scene.frame_set(9)
    return {"strips": strips, "shown": keys.key_blocks["jawOpen"].value}


def failing_track(folder: str) -> dict[str, Any]:
    """The second track can't be written; the first data-block must not have changed."""
    fresh()
    face, head = add_face(), add_empty("Head")
    good = _channel(JAW, 0, [1, 2], [0, 1])
    bad = _channel("rotation_euler", 0, [1, 2], [0, 0, 0])
    error = ""
    try:
        keying.write_take("Take", [keying.Track(face.data.shape_keys, (good,)), keying.Track(head, (bad,))])
    except (ValueError, RuntimeError, TypeError) as problem:
        error = type(problem).__name__
    changed = face.data.shape_keys.animation_data is not None or head.animation_data is not None
    return {"error": error, "actions": len(bpy.data.actions), "changed": changed}


def refilled(folder: str) -> dict[str, Any]:
    """Other values in curves that exist: what is shown at once, and what is refused."""
    fresh()
    face = add_face()
    keys, smile = face.data.shape_keys, 'key_blocks["mouthSmileLeft"].value'
    frames = [1, 5, 9]
    keying.write_take(
        "Take", [keying.Track(keys, tuple(_channel(path, 0, frames, [0, 0, 0]) for path in (JAW, smile)))]
    )
    bpy.context.scene.frame_set(5)
    keying.refill(keys, [_channel(JAW, 0, frames, [0, 0.5, 0])])
    bpy.context.view_layer.update()
    shown = keys.key_blocks["jawOpen"].value
    errors = []
    for channel in (_channel(JAW, 0, [1, 5], [0, 0]), _channel("nothing", 0, frames, [0, 0, 0])):
        try:
            keying.refill(keys, [channel])
        except InputError as error:
            errors.append(str(error))
    return {"shown": shown, "other": shape_keys_on(face)["mouthSmileLeft"], "errors": errors}


def make_take(directory: Path, frames: list[FrameResult], rate: Any = 24) -> Take:
    with TakeWriter(directory, TakeHeader({"path": "x"}, Fraction(rate), {}, {}, key="k")) as writer:
        for result in frames:
            writer.append(result)
    return read_take(directory)


def _result(frame: int, rate: int = 24, **values: float) -> FrameResult:
    return FrameResult(frame, frame / rate, Status.OK, dict.fromkeys(CSV_ORDER, 0.0) | values)


def many_frames(folder: str) -> dict[str, Any]:
    """A take of 600 frames through the operator: seconds, and what the last frame shows."""
    settings = ready(folder)
    make_take(Path(folder) / "long", [_result(number, JawOpen=number / 600) for number in range(600)])
    start = time.perf_counter()
    attempt(bpy.ops.semanticface.key_take, directory=str(Path(folder) / "long"))
    seconds = time.perf_counter() - start
    bpy.context.scene.frame_set(600)
    return {"seconds": seconds, "shown": settings.mesh.data.shape_keys.key_blocks["jawOpen"].value}
