"""The landmark bench: its figures exist without MediaPipe, its comparison counts right, a wrong Python is said."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from semanticface.bench import landmarks
from semanticface.bench.agreement import Track, compare
from semanticface.bench.clips import fitted
from semanticface.errors import EngineError, OptionsError


@pytest.fixture
def short(tmp_path, head) -> Path:
    """Eight frames of the sample as an image sequence."""
    for frame in head[:8]:
        cv2.imwrite(str(tmp_path / f"head_{frame.frame:04d}.png"), frame.image[..., ::-1])
    return tmp_path


@pytest.fixture(autouse=True)
def model(face_landmarker, monkeypatch):
    monkeypatch.setenv("SEMANTICFACE_MODELS", str(face_landmarker.parent))


def test_without_mediapipe_our_own_figures_are_given_and_it_says_so(short):
    figures = landmarks.run([short], None, frames=4, rounds=1)
    assert "not measured" in figures["MediaPipe"]
    assert figures["agreement"] == {}
    assert "targets" not in figures
    assert figures["speed at 1080p"]["ours, 1 lane"]["frames/s"] > 1
    assert figures["split"][short.name]


def test_a_python_without_mediapipe_is_an_engine_error(short):
    with pytest.raises(EngineError, match="MediaPipe"):
        landmarks.run([short], Path(sys.executable), frames=4, rounds=1)
    with pytest.raises(EngineError, match="no-python"):
        landmarks.run([short], Path("no-python"), frames=4, rounds=1)


def test_a_bench_of_nothing_is_refused(short):
    with pytest.raises(OptionsError):
        landmarks.run([short], None, frames=0, rounds=1)


def test_a_face_that_only_one_sees_is_counted_and_not_compared():
    ours = Track(np.array([True, True, False]), np.full((3, 51), 0.5), np.zeros((3, 3)))
    other = Track(np.array([True, False, False]), np.full((3, 51), 0.25), np.full((3, 3), 1.0))
    figures = compare(ours, other)
    assert figures["presence differs"] == 1
    assert figures["scores"]["max"] == pytest.approx(0.25)
    assert figures["rotation, degrees"]["mean"] == pytest.approx(1.0)


def test_a_picture_is_fitted_into_1080p_undistorted():
    out = fitted(np.full((100, 100, 3), 255, np.uint8))
    assert out.shape == (1080, 1920, 3)
    assert (out[:, 420:1500] == 255).all()
    assert (out[:, :420] == 0).all()
