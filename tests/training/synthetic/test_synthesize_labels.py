"""The label is what is drawn: each action moves its own side and place, eyes turn as their angles say."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from semanticface.actions import BY_NAME, SHAPES

ROOT = Path(__file__).parents[3]
MEASURE = """
import json, os, sys
from pathlib import Path
import bpy, cv2
import numpy as np
from semanticface.actions import SHAPES
from semanticface_training.synthetic.draw import Painter, Source
from semanticface_training.synthetic.expressions import AT, settled
from semanticface_training.synthetic.plan import Kind, Picture, Slot
from semanticface_training.synthetic.variation import (
    Camera, Finish, Prop, Variation, draw_person, draw_room)

kind, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
source = Source(folder if kind == "ict" else None, folder if kind == "demo" else None)
painter = Painter(source, 128, out / "scratch.png")
figure = painter._figure
person = draw_person(np.random.default_rng(5), figure.modes)
room = draw_room(np.random.default_rng(6))

def values(**named):
    out = np.zeros(61)
    for name, value in named.items():
        out[AT[name]] = value
    return settled(out, figure.missing)

def draw(name, prop=Prop.NONE, **named):
    varied = Variation(room, Camera(70.0, 24.0, (0.0, 0.0)), prop, Finish(quality=98), 1)
    shown = Picture(Slot("train", 0, Kind.PLAIN, 0), person, values(**named), varied, ())
    (out / f"{name}.jpg").write_bytes(painter.draw(shown))

dressed = figure.dress(person)
found = {"moved": {}, "eyes": {}}
rest = figure.draw(dressed, values(), room, np.array([0, 0, 60], np.float32))
still = rest.positions
if kind == "demo":
    for name in SHAPES:
        way = figure._shapes[AT[name]]
        length = np.linalg.norm(way, axis=1)
        at = figure._neutral
        found["moved"][name] = [float(length.max()), float((length * at[:, 0]).sum() / length.sum()),
                                float((length * at[:, 1]).sum() / length.sum())]
    front = int(figure._ball[:, 2].argmax())
    for name, unit in (("EyeLookOutLeft", .8), ("EyeLookInLeft", .6), ("EyeLookUpRight", .7), ("EyeLookDownRight", .5)):
        posed = values(**{name: unit})
        side = 0 if name.endswith("Left") else 1
        gaze = figure.pose(dressed, posed)[1][side][front] - dressed.eyes[side]
        label = "Left" if side == 0 else "Right"
        found["eyes"][name] = [float(-np.arctan2(gaze[0], gaze[2])), float(posed[AT[label + "EyeYaw"]]),
                               float(-np.arctan2(gaze[1], np.hypot(gaze[0], gaze[2]))),
                               float(posed[AT[label + "EyePitch"]])]
draw("rest")
draw("wink", EyeBlinkLeft=1.0)
draw("jaw", JawOpen=0.9)
draw("left", MouthSmileLeft=1.0)
draw("look", EyeLookOutRight=0.8, EyeLookInLeft=0.8)
draw("hand", prop=Prop.HAND)
(out / "found.json").write_text(json.dumps(found))
os._exit(0)
"""


def measured(kind, source, folder):
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy module")
    command = [sys.executable, "-c", MEASURE, kind, str(source), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "found.json").read_text())


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, measured("demo", ROOT / "blender_addon", folder)


@pytest.fixture(scope="module")
def ict(shared, tmp_path_factory):
    model = shared / "data" / "ict_facekit.npz"
    if not model.exists():
        pytest.skip("ICT-FaceKit's data is not among the development data")
    folder = tmp_path_factory.mktemp("ict")
    measured("ict", model, folder)
    return folder


def change(folder, name):
    """How much each pixel differs from the resting face, (128, 128), smoothed over 3 x 3."""
    import cv2
    import numpy as np

    pictures = [cv2.imread(str(folder / f"{one}.jpg")).astype(np.float32) for one in (name, "rest")]
    return np.abs(cv2.blur(pictures[0] - pictures[1], (3, 3))).max(axis=2)


@pytest.mark.blender
def test_each_action_of_one_side_moves_that_side_of_the_demo_head(demo):
    for name in SHAPES:
        length, across, _ = demo[1]["moved"][name]
        side = BY_NAME[name].side
        if name.startswith("EyeLookIn") or name.startswith("EyeLookOut"):
            continue  # the lids hardly follow; the eyeball itself is measured below
        assert length > 0.03, name
        if side == "left":
            assert across > 0.5, name
        elif side == "right":
            assert across < -0.5, name


@pytest.mark.blender
def test_brows_move_above_the_eyes_and_mouths_below(demo):
    moved = demo[1]["moved"]
    assert moved["BrowInnerUp"][2] > 1.0 > -2.0 > moved["MouthSmileLeft"][2] > moved["JawOpen"][2]


@pytest.mark.blender
def test_eyes_turn_as_their_angles_say(demo):
    for name, (yaw, told_yaw, pitch, told_pitch) in demo[1]["eyes"].items():
        assert yaw == pytest.approx(told_yaw, abs=2e-3), name
        assert pitch == pytest.approx(told_pitch, abs=2e-3), name
    assert demo[1]["eyes"]["EyeLookOutLeft"][0] < -0.4  # to the subject's left
    assert demo[1]["eyes"]["EyeLookDownRight"][2] > 0.25


def assert_regions(folder):
    """Left is the subject's, which is the right half of the picture."""
    for name, half in (("wink", "upper"), ("left", "lower")):
        difference = change(folder, name)
        assert difference[:, 68:].max() > 25, name
        assert difference[:, :50].max() < 12, name
        rows = difference.max(axis=1).argmax()
        assert (rows < 66) == (half == "upper"), name
    assert change(folder, "jaw")[66:].max() > 40
    assert change(folder, "jaw")[:40].max() < 12
    assert change(folder, "look")[66:].max() < 12 < 40 < change(folder, "look")[:66].max()
    assert (change(folder, "hand") > 20).mean() > 0.04


@pytest.mark.blender
def test_the_demo_heads_picture_changes_where_the_action_is(demo):
    assert_regions(demo[0])


@pytest.mark.blender
def test_the_ict_heads_picture_changes_where_the_action_is(ict):
    assert_regions(ict)
