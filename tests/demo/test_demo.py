"""The demonstration: its arithmetic is right, and the whole of it runs on the shipped sample."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.demo.compare import compare
from semanticface.demo.preview import compose, write_video
from semanticface.demo.run import run_demo
from semanticface.errors import TakeError
from semanticface.media import MediaRef, open_media


def faces(**moving: float) -> dict[int, dict[str, float]]:
    """Ten frames in which the named actions rise evenly to the given value."""
    return {frame: {name: moving.get(name, 0.0) * frame / 9 for name in CSV_ORDER} for frame in range(10)}


def test_errors_are_zero_against_itself_and_correlation_is_one() -> None:
    rows = {(row.region, row.unit): row for row in compare(faces(JawOpen=0.8), faces(JawOpen=0.8))}
    jaw = rows["jaw", "0..1"]
    assert (jaw.mean, jaw.p90, jaw.moving, jaw.actions) == (0.0, 0.0, 1, 4)
    assert jaw.correlation == pytest.approx(1.0)
    assert rows["brows", "0..1"].correlation is None


def test_rotation_errors_are_in_degrees_and_kept_apart_from_shapes() -> None:
    rows = {(row.region, row.unit): row for row in compare(faces(), faces(HeadYaw=np.radians(30)))}
    assert rows["head", "deg"].mean == pytest.approx(30 / 2 / 3)
    assert rows["gaze", "deg"].actions == 6
    assert rows["gaze", "0..1"].actions == 8


def test_only_frames_that_both_have_are_compared() -> None:
    found = faces(JawOpen=0.5)
    truth = {frame: values for frame, values in faces(JawOpen=0.5).items() if frame != 3}
    truth[99] = dict.fromkeys(CSV_ORDER, 1.0)
    assert all(row.mean == 0 for row in compare(found, truth))


def test_preview_keeps_rate_and_count(tmp_path: Path) -> None:
    left, right = np.full((30, 60, 3), 200, np.uint8), np.full((50, 50, 3), 50, np.uint8)
    images = [compose(left, right, f"{n}", ["a line " * 40], side=96) for n in range(12)]
    write_video(tmp_path / "p.mp4", iter(images), Fraction(30000, 1001))
    with open_media(MediaRef.from_user(str(tmp_path / "p.mp4"))) as reader:
        assert (reader.info.frame_count, reader.info.rate) == (12, Fraction(30000, 1001))
        assert (reader.info.width, reader.info.height) == (192, 96 + 150)


def test_the_demonstration_never_removes_a_folder_that_is_not_its_own(
    tmp_path: Path, samples: Path, face_landmarker: Path
) -> None:
    (tmp_path / "take").mkdir()
    (tmp_path / "take" / "precious.txt").write_text("mine")
    with pytest.raises(TakeError, match="not a take"):
        run_demo(tmp_path, samples, lambda line: None)
    assert (tmp_path / "take" / "precious.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.blender
def test_the_whole_demonstration_runs(tmp_path: Path, samples: Path, face_landmarker: Path) -> None:
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("bpy is not installed in this environment")
    command = [
        sys.executable,
        "-c",
        "from semanticface.cli import main; main()",
        "demo",
        "--out",
        str(tmp_path),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {Path(file).name for file in report["files"]} == {"take", "rom_head.csv", "demo.blend", "preview.mp4"}
    errors = {(row["region"], row["unit"]): row for row in report["errors"]}
    # Measured: 1.8 degrees, 0.98, 0.94, 0.80. The bounds catch a swapped side or sign, not noise.
    assert errors["head", "deg"]["mean"] < 3.0
    assert errors["head", "deg"]["correlation"] > 0.9
    assert errors["gaze", "deg"]["correlation"] > 0.85
    assert errors["jaw", "0..1"]["correlation"] > 0.6
    with open_media(MediaRef.from_user(str(tmp_path / "preview.mp4"))) as reader:
        assert reader.info.frame_count == 282
