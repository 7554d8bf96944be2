"""The map from source frames to scene frames; needs no Blender."""

from __future__ import annotations

import importlib
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])


@pytest.fixture(scope="module")
def timing() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return importlib.import_module("blender_addon.footage.timing")


def test_29_97_footage_does_not_drift_over_an_hour(timing: ModuleType) -> None:
    clock = timing.TimeMap(0, 1.0, Fraction(30000, 1001), Fraction(24))
    frame = 107_892  # one hour of drop-frame timecode
    assert clock.to_scene(frame) == pytest.approx(1 + frame * 1001 / 30000 * 24, abs=1e-9)
    assert clock.to_scene(frame) == pytest.approx(1 + 3600 * 24, abs=0.1)


def test_variable_rate_footage_follows_its_own_times(timing: ModuleType) -> None:
    clock = timing.TimeMap(10, 101.0, Fraction(30), Fraction(24))
    assert clock.to_scene(11, time=0.5 + 0.4, anchor_time=0.4) == pytest.approx(101 + 12)


@given(
    source=RATES, scene=RATES, frame=st.integers(0, 200_000), anchor=st.integers(0, 1000), start=st.integers(-500, 500)
)
def test_a_scene_frame_leads_back_to_its_source_frame(
    timing: ModuleType, source: Fraction, scene: Fraction, frame: int, anchor: int, start: int
) -> None:
    for kind in timing.Timing:
        clock = timing.TimeMap(anchor, float(start), source, scene, kind)
        assert clock.to_source(clock.to_scene(frame)) == frame


def test_a_map_goes_through_json_unchanged(timing: ModuleType) -> None:
    clock = timing.TimeMap(3, 1.5, Fraction(30000, 1001), Fraction(24000, 1001), timing.Timing.PER_FRAME, True)
    assert timing.TimeMap.from_dict(clock.to_dict()) == clock


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (29.970029, "30000/1001"),
        (23.976024, "24000/1001"),
        (25.0, "25"),
        (24.0, "24"),
        (59.94, "60000/1001"),
        (12.5, "25/2"),
    ],
)
def test_rounded_rates_stand_for_exact_ones(timing: ModuleType, fps: float, rate: str) -> None:
    assert timing.near_rate(fps) == Fraction(rate)


def test_a_scene_rate_of_23_976_is_exact(timing: ModuleType) -> None:
    assert timing.exact_rate(24, 1.0010000467300415) == Fraction(24000, 1001)
    assert timing.exact_rate(30, 1.0) == 30
    assert timing.near_rate(0.0) is None
