"""Drawing the head with Blender: the picture shows what the coefficients say, on the side that they say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

MODEL = Path(__file__).parents[2].parent / "shared" / "data" / "ict_facekit.npz"
DRAW = """
import os, sys
from pathlib import Path
from semanticface_training.synthetic.ict import load_head, pose
from semanticface_training.synthetic.scene import Scene
head = load_head(Path(sys.argv[1]))
scene = Scene(head, 192)
for name, coefficients in (("rest", {}), ("wink", {"EyeBlinkLeft": 1.0}), ("jaw", {"JawOpen": 0.8})):
    scene.render(pose(head, coefficients), Path(sys.argv[2]) / f"{name}.png")
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    if not MODEL.exists():
        pytest.skip(f"no head model at {MODEL}")
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy module")
    folder = tmp_path_factory.mktemp("pictures")
    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(MODEL), str(folder)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {path.stem: cv2.imread(str(path)).astype(int) for path in folder.glob("*.png")}


@pytest.mark.blender
def test_a_wink_of_the_subjects_left_eye_changes_the_right_half_of_the_picture(pictures):
    # Averaged over 5 x 5 pixels, because the edges of hairs jump by one pixel when anything moves by a hundredth of it.
    change = np.abs(cv2.blur((pictures["wink"] - pictures["rest"]).astype(np.float32), (5, 5))).max(axis=2)
    assert change[:, 96:].max() > 40
    assert change[:, :96].max() < 10


@pytest.mark.blender
def test_an_open_jaw_shows_a_dark_mouth_in_the_lower_half(pictures):
    darker = (pictures["rest"] - pictures["jaw"]).max(axis=2) > 40
    rows = np.flatnonzero(darker.any(axis=1))
    assert darker.sum() > 60
    assert np.median(rows) > 96


@pytest.mark.blender
def test_the_head_stands_in_the_middle_before_a_plain_background(pictures):
    rest = pictures["rest"]
    corner = rest[2, 2]
    assert np.abs(rest[2, :] - corner).max() <= 2
    columns = np.flatnonzero((np.abs(rest[40:120] - corner).max(axis=2) > 16).any(axis=0))
    assert abs((columns[0] + columns[-1]) / 2 - 96) < 6
