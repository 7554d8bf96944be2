"""The benchmark from one command, a calibration fitted and shown: small, but with real heads, engines and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from faces_kit import SAMPLES, faces_dataset
from typer.testing import CliRunner

from semanticface.engines.landmarks.calibration import read_calibration
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.errors import OptionsError
from semanticface_training.cli import app
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.evaluation.benchmark import suite
from semanticface_training.synthetic.build import default_demo_head
from semanticface_training.synthetic.draw import Source
from semanticface_training.synthetic.plan import SetOptions

TINY = SetOptions(train=24, val=24, test=6, per_identity=6, size=192, mirror_pairs=1)


def invoke(*words: object) -> list[dict]:
    """The command's lines of JSON."""
    result = CliRunner().invoke(app, ["benchmark", *map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.mark.slow
def test_a_benchmark_has_every_engine_on_every_part_and_a_second_run_draws_and_asks_nothing(tmp_path, face_landmarker):
    pytest.importorskip("bpy")
    source = Source(None, default_demo_head(), ())
    outcome = suite.run_benchmark(tmp_path / "run", TINY, source)
    names = {row.method for row in outcome.rows}
    assert names == {"mean", "mediapipe", "calibrated", "deadface", "deadface-fixed", "sbca", "ridge"}
    whole = {row.method: row for row in outcome.rows if row.part == "all"}
    assert {row.asked for row in whole.values()} == {6}
    assert whole["mean"].against_mean == 0 and whole["mediapipe"].against_raw == 0
    assert {row.part for row in outcome.rows} >= {"all", "mirror"}
    assert outcome.left_out and "SemanticFace takes no part" in outcome.left_out[0]
    told = json.loads((tmp_path / "run" / "benchmark.json").read_text())
    assert told["digest"] == outcome.digest and len(told["rows"]) == len(outcome.rows)
    assert (tmp_path / "run" / "evaluation" / "results.json").is_file()
    seen: list[int] = []
    again = suite.run_benchmark(
        tmp_path / "run", TINY, source, on_drawn=lambda _: seen.append(0), on_answered=lambda one: seen.append(one.done)
    )
    assert again == outcome and not any(seen)


@pytest.mark.slow
def test_a_calibration_is_fitted_used_and_shown_by_commands(tmp_path, face_landmarker):
    faces = faces_dataset(tmp_path / "faces", train=30, val=20, test=1)
    with DatasetWriter(tmp_path / "set", Meta("test")) as writer:
        for number, row in enumerate(faces.rows):
            writer.add(row, faces.image_bytes(number))
        writer.finish()
    file, cache = tmp_path / "own.npz", tmp_path / "cache"
    words = ("--out", file, "--cache", cache, "--shapes", "JawOpen,EyeBlinkLeft")
    done = invoke("calibrate", "--dataset", tmp_path / "set", *words)[-1]
    assert done["shapes"] == ["JawOpen", "EyeBlinkLeft"] and done["with_face"] == 30
    calibration = read_calibration(file)
    assert calibration.names == ("JawOpen", "EyeBlinkLeft") and calibration.digest == done["digest"]
    before = file.read_bytes()
    invoke("calibrate", "--dataset", tmp_path / "set", *words)
    assert file.read_bytes() == before
    engine = LandmarkEngine(face_landmarker, lanes=1)
    assert engine.options({"calibration": str(file)})["calibration"] == str(file)
    engine.close()
    shown = invoke("calibration", "--footage", clip(tmp_path), "--out", tmp_path / "shown", "--calibration", file)[-1]
    assert shown["frames"] == 40 and len(shown["pages"]) == 1
    page = cv2.imread(shown["pages"][0])
    assert page is not None and page.std() > 20
    told = json.loads((tmp_path / "shown" / "comparison.json").read_text())
    assert [line["name"] for line in told["shapes"]] == ["JawOpen", "EyeBlinkLeft"]
    assert all(-1 <= line["agreement"] <= 1 for line in told["shapes"] if line["agreement"] is not None)


def clip(folder: Path) -> Path:
    """The sample's first 40 frames."""
    from semanticface.bench.clips import open_clip, read_frames

    path = folder / "short"
    path.mkdir()
    with open_clip(SAMPLES / "rom_head.mp4") as reader:
        for frame in read_frames(reader, range(40)):
            cv2.imwrite(str(path / f"f.{frame.frame:04d}.png"), frame.image[:, :, ::-1])
    return path


def test_what_the_command_can_not_do_is_refused_before_anything_is_drawn(tmp_path):
    def refused(*words: str) -> str:
        with pytest.raises(OptionsError) as caught:
            CliRunner().invoke(app, ["benchmark", *words], catch_exceptions=False)
        return caught.value.message

    assert "needs a folder" in refused()
    assert "no size 'huge'" in refused("--out", str(tmp_path / "out"), "--size", "huge")
    assert "no .npz" in refused("calibrate", "--dataset", "x", "--out", "y.txt", "--cache", "z")
    assert not (tmp_path / "out").exists()
