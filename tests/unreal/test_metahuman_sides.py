"""All 61 actions arrive where the published table wants them, on the right side, by each way of naming curves."""

from __future__ import annotations

import numpy as np
import pytest
from asymmetric import ASYMMETRIC, expected_controls, expected_head
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.retarget.metahuman import (
    FaceOptions,
    arkit_curves,
    metahuman_curves,
    metahuman_profile,
    profile_curves,
)
from semanticface.retarget.profile import Link, Profile, TargetKind


def rows(*frames: dict[str, float]) -> NDArray[np.float64]:
    return np.array([[frame[name] for name in CSV_ORDER] for frame in frames])


@pytest.fixture
def values() -> NDArray[np.float64]:
    return rows(dict(ASYMMETRIC), dict(ASYMMETRIC))


def test_the_frame_tells_all_61_values_and_all_sides_apart() -> None:
    assert set(ASYMMETRIC) == set(CSV_ORDER)
    assert len({abs(value) for value in ASYMMETRIC.values()}) == 61
    assert all(0 < value < 1 for value in expected_controls().values())


def test_a_metahuman_gets_the_controls_of_the_published_table_and_no_others(values: NDArray[np.float64]) -> None:
    curves = metahuman_curves(values)
    assert {name: series.tolist() for name, series in curves.items()} == {
        name: pytest.approx([value, value]) for name, value in expected_controls().items()
    }


@pytest.mark.parametrize("action", CSV_ORDER)
def test_each_action_alone_moves_what_the_table_says(action: str) -> None:
    frame = dict.fromkeys(CSV_ORDER, 0.0) | {"JawOpen": 0.5}
    frame |= {action: 0.9}
    curves = metahuman_curves(rows(frame), FaceOptions(head=True))
    expected = expected_controls(frame) | expected_head(frame)
    assert {name: series[0] for name, series in curves.items()} == pytest.approx(expected)


def test_the_head_changes_axes_as_epic_wires_it(values: NDArray[np.float64]) -> None:
    degrees = metahuman_curves(values, FaceOptions(head=True))
    as_live_link = metahuman_curves(values, FaceOptions(head=True, head_factor=50.0))
    for name, value in expected_head().items():
        assert degrees[name] == pytest.approx(value)
    for name, value in expected_head(factor=50.0).items():
        assert as_live_link[name] == pytest.approx(value)
    assert degrees["HeadRoll"][0] == pytest.approx(np.degrees(ASYMMETRIC["HeadYaw"]))


def test_without_the_head_no_curve_of_it_is_written(values: NDArray[np.float64]) -> None:
    assert not [name for name in metahuman_curves(values) if name.startswith("Head")]


def test_arkit_curves_are_the_values_by_their_own_names(values: NDArray[np.float64]) -> None:
    shapes, everything = arkit_curves(values), arkit_curves(values, head=True)
    assert len(shapes) == 52
    assert {name: series[0] for name, series in everything.items()} == dict(ASYMMETRIC)
    assert {name: series[0] for name, series in shapes.items()} == {name: ASYMMETRIC[name] for name in shapes}
    assert not [name for name in shapes if "Head" in name or "EyeYaw" in name]


def test_a_profile_of_61_links_brings_each_action_to_its_target(values: NDArray[np.float64]) -> None:
    links = tuple(
        Link(action, f"rig_{action}", kind, "Face" if kind is TargetKind.PROPERTY else "", gain=2.0, offset=0.25)
        for action, kind in zip(CSV_ORDER, [TargetKind.SHAPE, TargetKind.PROPERTY] * 31, strict=False)
    )
    curves = profile_curves(Profile("Rig", links), values)
    assert {name: series[1] for name, series in curves.items()} == {
        f"rig_{action}": pytest.approx(2.0 * value + 0.25) for action, value in ASYMMETRIC.items()
    }


def test_the_exported_profile_gives_the_same_but_for_the_lips(values: NDArray[np.float64]) -> None:
    profile = Profile.from_json(metahuman_profile(FaceOptions(head=True)).to_json())
    curves = profile_curves(profile, values)
    expected = expected_controls() | expected_head()
    assert {name: series[0] for name, series in curves.items()} == pytest.approx(
        {name: value for name, value in expected.items() if "LipsTogether" not in name}
    )
