"""The One-Euro filter against a case worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semanticface.engines.landmarks.smoothing import OneEuro


def points(shift: float) -> np.ndarray:
    """Two points that span 100 x 100 pixels, moved along x."""
    return np.array([[shift, 0.0, 0.0], [100.0 + shift, 100.0, 0.0]])


def test_a_step_of_one_pixel_by_hand():
    smooth = OneEuro()
    assert smooth(points(0), 1.0) == pytest.approx(points(0))
    got = smooth(points(1), 1.04)
    speed = 1.0 / 100 * 25  # a hundredth of a face in 1/25 s
    filtered = speed / (1 + 25 / (2 * math.pi * 1.0))
    alpha = 1 / (1 + 25 / (2 * math.pi * (0.05 + 80 * filtered)))
    assert got[:, 0] == pytest.approx([alpha, 100 + alpha], abs=1e-6)
    assert alpha == pytest.approx(0.505, abs=0.001)


def test_rest_is_steadied_and_speed_passes():
    jitter, run = OneEuro(), OneEuro()
    for i in range(60):
        still = jitter(points(0.05 * (-1) ** i), i / 25)
        moving = run(points(4.0 * i), i / 25)
    assert abs(still[0, 0]) < 0.02
    assert moving[0, 0] == pytest.approx(4.0 * 59, abs=1.0)


def test_after_a_reset_the_first_points_come_back_unchanged():
    smooth = OneEuro()
    smooth(points(0), 0.0)
    smooth.reset()
    assert smooth(points(50), 0.04) == pytest.approx(points(50))


def test_a_first_stamp_of_zero_counts_as_30_hz():
    """MediaPipe's reading of a stamp of 0, which the agreement with it depends on."""
    at_zero, later = OneEuro(), OneEuro()
    at_zero(points(0), 0.0)
    later(points(0), 1.0)
    assert at_zero(points(1), 0.04)[0, 0] != pytest.approx(later(points(1), 1.04)[0, 0], abs=1e-6)
    late = OneEuro()
    late(points(0), 1.0)
    assert at_zero(points(1), 0.08).shape == (2, 3)
    assert late(points(1), 1.0 + 1 / 30)[0, 0] == pytest.approx(_second_at_zero(), abs=1e-6)


def _second_at_zero() -> float:
    smooth = OneEuro()
    smooth(points(0), 0.0)
    return smooth(points(1), 0.04)[0, 0]


def test_a_stamp_that_stands_still_breaks_nothing():
    smooth = OneEuro()
    for _ in range(3):
        out = smooth(points(1), 2.0)
    assert np.isfinite(out).all()
