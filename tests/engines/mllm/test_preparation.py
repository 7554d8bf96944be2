"""A prepared face is the same wherever it stood in its picture, and the engine asks about nothing else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import loading_kit as kit
import numpy as np
import pytest

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.engine import SemanticFaceEngine
from semanticface.engines.mllm.loading import Settings
from semanticface.engines.mllm.preparation import ANCHORS, contrast, levelled, squared
from semanticface.engines.mllm.profile import Preparation, Profile, load_profile, parse_profile
from semanticface.errors import AssetError
from semanticface.results import Status

PLAIN = Profile("tiny", "You look.", "What do you see?", image_tokens=(9, 9), analysis_tokens=16)
SIDE = 96


def face(turn: float, size: float, x: float, y: float, gain: float = 1.0, level: float = 0.0):
    """A drawn face, 4 px a cm at size 1, and its landmarks: the anchors, all other points far away."""
    image = np.full((480, 640, 3), 90.0, np.float32)
    spin = size * 4 * np.exp(1j * turn)

    def at(place: tuple[float, float]) -> complex:
        return complex(*place) * spin + complex(x, y)

    for place, radius, colour in [((0, 1), 8.5, 150), ((-3, -2.6), 1.2, 20), ((3, -2.6), 1.2, 240), ((1, 5), 2.0, 60)]:
        centre = at(place)
        fixed = [round(part * 16) for part in (centre.real, centre.imag, radius * abs(spin))]
        cv2.circle(image, (fixed[0], fixed[1]), fixed[2], (colour,) * 3, -1, cv2.LINE_AA, 4)
    points = np.full((478, 3), 1e4)
    for number, place in ANCHORS.items():
        points[number, :2] = at(place).real, at(place).imag
    return np.clip(image * gain + level, 0, 255).astype(np.uint8), points


def apart(one, other) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def test_turn_size_and_place_are_taken_out():
    straight = levelled(*face(0.0, 2.0, 320, 240), SIDE)
    assert straight.shape == (SIDE, SIDE, 3) and straight.dtype == np.uint8
    assert apart(levelled(*face(0.35, 2.0, 320, 240), SIDE), straight) < 3
    assert apart(levelled(*face(-0.2, 5.0, 300, 230), SIDE), straight) < 3
    assert apart(levelled(*face(0.0, 2.0, 210, 200), SIDE), straight) < 3
    image, points = face(0.0, 2.0, 320, 240)
    assert apart(levelled(image[:, ::-1], points, SIDE), straight) > 10, "another face is another picture"


def test_light_is_taken_out():
    straight = levelled(*face(0.0, 2.0, 320, 240), SIDE)
    assert apart(levelled(*face(0.0, 2.0, 320, 240, gain=0.5), SIDE), straight) < 8
    assert apart(levelled(*face(0.0, 2.0, 320, 240, gain=0.6, level=80), SIDE), straight) < 8


def test_nothing_is_blown_up_out_of_a_flat_picture():
    assert set(contrast(np.full((SIDE, SIDE, 3), 77, np.uint8)).flatten().tolist()) <= {127, 128}
    assert squared(np.zeros((40, 90, 3), np.uint8), SIDE).shape == (SIDE, SIDE, 3)


def test_a_profile_names_its_preparation_and_nothing_else(tmp_path):
    prepared = replace(PLAIN, preparation=Preparation.LEVELLED)
    prepared.save(tmp_path)
    assert load_profile(tmp_path) == prepared
    assert "preparation" not in PLAIN.to_json(), "old profiles keep their identity"
    with pytest.raises(AssetError, match="preparation"):
        parse_profile({**prepared.to_dict(), "preparation": "ironed"})


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The same weights, asked with prepared pictures and with pictures as they are."""
    made = []
    for kind in (Preparation.LEVELLED, Preparation.NONE):
        folder = tmp_path_factory.mktemp("prepared") / "tiny"
        kit.save_checkpoint(folder, seed=38, profile=replace(PLAIN, preparation=kind), digits=True)
        made.append(SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu")))
    yield made
    for one in made:
        one.close()


def answer(engine, image):
    session = engine.session(RunOptions({"mode": "coefficients", "draft": "none"}), video=False)
    try:
        return next(iter(session.analyze([FrameInput(4, None, image)])))
    finally:
        session.close()


def test_the_engine_shows_the_model_the_levelled_face(engines, head, face_landmarker):
    levels, plain = engines
    image = head[0].image
    finder = FaceCrop()
    points = finder.seen(image)[1]
    finder.close()
    told = answer(levels, image)
    assert told.status is Status.OK and told.box is not None
    assert told.estimates == answer(plain, levelled(image, points, SIDE)).estimates
    assert told.estimates != answer(plain, image).estimates


def test_without_a_face_the_middle_of_the_picture_is_shown_and_said(engines, face_landmarker):
    levels, plain = engines
    grey = np.random.default_rng(1).integers(0, 255, (120, 200, 3), np.uint8)
    told = answer(levels, grey)
    assert "whole picture" in told.message
    assert told.estimates == answer(plain, squared(grey, SIDE)).estimates


def test_which_face_is_meant_decides_an_answer_where_faces_are_levelled(engines):
    levels, plain = engines
    assert levels.fingerprint({"face": 1}, False) != levels.fingerprint({}, False)
    assert plain.fingerprint({"face": 1}, False) == plain.fingerprint({}, False)
