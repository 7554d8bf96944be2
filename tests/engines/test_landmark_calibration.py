"""A calibration replaces what it names and nothing else, stands in the cache's key, and is refused when it is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.engines.base import RunOptions
from semanticface.engines.landmarks.calibration import (
    SHIPPED,
    WIDTH,
    Calibration,
    input_vector,
    read_calibration,
    write_calibration,
)
from semanticface.engines.landmarks.coefficients import eye_angles
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.errors import OptionsError


@pytest.fixture(scope="module")
def shipped() -> Calibration:
    return read_calibration(SHIPPED)


def saved(path: Path, calibration: Calibration, **changes) -> str:
    write_calibration(path, replace(calibration, **changes))
    return str(path)


def test_the_shipped_calibration_takes_over_horizontal_gaze_alone(shipped):
    """Real clips decide: brow raises and glances down were lost, smiles halved, resting mouths given a funnel."""
    assert set(shipped.names) == {"EyeLookInLeft", "EyeLookOutLeft", "EyeLookInRight", "EyeLookOutRight"}
    assert shipped.facts["pictures"] == 1600 and shipped.facts["dataset"]["digest"]


def test_only_what_the_shipped_calibration_names_is_read_anew(engine, head, run, shipped):
    plain = run(engine, head[:8])
    calibrated = run(engine, head[:8], calibration="on")
    own = {*shipped.names, *(name for name in CSV_ORDER if "EyeYaw" in name or "EyePitch" in name or "EyeRoll" in name)}
    for one, other in zip(plain, calibrated, strict=True):
        same = {name for name in CSV_ORDER if one.coefficients[name] == other.coefficients[name]}
        assert set(CSV_ORDER) - own <= same
        assert any(name not in same for name in shipped.names)
        assert (one.confidence, one.box) == (other.confidence, other.box)


def test_a_calibrated_value_is_the_files_formula(engine, head, run, shipped):
    (result,) = run(engine, head[:1], video=False, calibration="on")
    session = engine.session(RunOptions({}), False)
    seen = session._tracker.look(head[0])
    session.close()
    inputs = input_vector(seen.pixels, seen.scores, engine.turn)
    by_hand = np.clip(inputs @ shipped.weights.astype(float) + shipped.offset, 0, 1)
    given = [result.coefficients[name] for name in shipped.names]
    assert np.allclose(given, by_hand, atol=1e-9)


def test_eyes_that_are_calibrated_turn_as_their_shapes_say(engine, head, run, shipped):
    assert any(name.startswith("EyeLook") for name in shipped.names)
    for result in run(engine, head[:4], calibration="on"):
        for name, angle in eye_angles(result.coefficients).items():
            assert result.coefficients[name] == pytest.approx(angle, abs=1e-12)


def test_the_analysis_speaks_of_the_calibrated_values(face_landmarker, head, run):
    talking = LandmarkEngine(face_landmarker, lanes=1, describe=describe)
    try:
        for result in run(talking, head[20:22], calibration="on"):
            assert result.analysis == describe(result.coefficients)
    finally:
        talking.close()


def test_the_caches_key_knows_what_a_calibration_holds_and_not_where_it_lies(engine, shipped, tmp_path):
    plain = engine.fingerprint({}, True)
    assert "calibration" not in plain
    assert engine.fingerprint({"calibration": "off"}, True) == plain
    on = engine.fingerprint({"calibration": "on"}, True)
    copy = saved(tmp_path / "copy.npz", shipped)
    other = saved(tmp_path / "other.npz", shipped, offset=shipped.offset + 0.01)
    assert on != plain
    assert engine.fingerprint({"calibration": copy}, True) == on
    assert engine.fingerprint({"calibration": other}, True) not in {on, plain}


def test_the_same_calibration_gives_the_same_bytes(shipped, tmp_path):
    first, second = (Path(saved(tmp_path / name, shipped)) for name in ("a.npz", "b.npz"))
    assert first.read_bytes() == second.read_bytes()
    assert read_calibration(first).digest == shipped.digest


@pytest.mark.parametrize("value", [True, "yes", "relative.npz", "/somewhere/file.txt", 3])
def test_an_option_that_is_no_calibration_is_refused(engine, value):
    with pytest.raises(OptionsError, match="calibration"):
        engine.options({"calibration": value})


def test_a_wrong_file_is_refused_with_the_reason(engine, shipped, tmp_path):
    def said(value: str) -> str:
        with pytest.raises(OptionsError) as caught:
            engine.options({"calibration": value})
        return caught.value.message

    assert "No such file" in said(str(tmp_path / "absent.npz"))
    (tmp_path / "text.npz").write_text("not a zip")
    assert "text.npz is no calibration" in said(str(tmp_path / "text.npz"))
    names = ("HeadYaw", *shipped.names[1:])
    assert "HeadYaw can't be calibrated" in said(saved(tmp_path / "head.npz", shipped, names=names))
    short = shipped.weights[: WIDTH - 1]
    assert "its weights are" in said(saved(tmp_path / "short.npz", shipped, weights=short))
    broken = shipped.weights.copy()
    broken[0, 0] = np.nan
    assert "no finite numbers" in said(saved(tmp_path / "nan.npz", shipped, weights=broken))
    foreign = {**shipped.facts, "models": "0" * 64}
    assert "other landmark models" in said(saved(tmp_path / "foreign.npz", shipped, facts=foreign))
    huge = np.zeros((WIDTH, 52 * 20), np.float32)
    assert "more than" in said(saved(tmp_path / "huge.npz", shipped, weights=huge))


def test_a_file_with_pickled_objects_is_refused_unread(engine, tmp_path):
    parts = dict.fromkeys(("facts", "names", "weights", "offset"), np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "pickled.npz", **parts)
    with pytest.raises(OptionsError, match="no calibration"):
        engine.options({"calibration": str(tmp_path / "pickled.npz")})


def test_turning_moving_and_enlarging_the_head_leaves_its_frontal_landmarks_alone(engine):
    turn = engine.turn
    face = engine._bundle.canonical
    rng = np.random.default_rng(3)
    points = np.concatenate([face.vertices, rng.normal(0, 4, (10, 3))]) + rng.normal(0, 0.1, (478, 3))
    flip = np.array([1.0, -1.0, -1.0])
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation = q * np.sign(np.linalg.det(q))
    before, _ = turn(points * flip)
    after, turned = turn((2.5 * points @ rotation.T + (100.0, -40.0, 7.0)) * flip)
    assert np.allclose(before, after, atol=1e-9)
    assert np.allclose(turned, rotation @ turn(points * flip)[1], atol=1e-9)
