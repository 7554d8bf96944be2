"""Profiles applied to arrays: gains, limits, sums, owners, and frames without a face."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface.retarget.apply import drive, targets_of
from semanticface.retarget.profile import Link, Profile, TargetKind


@pytest.fixture
def values() -> NDArray[np.float64]:
    return np.random.default_rng(3).uniform(-0.1, 1.1, (50, len(CSV_ORDER)))


def column(values: NDArray[np.float64], action: str) -> NDArray[np.float64]:
    return values[:, CSV_ORDER.index(action)]


def test_gain_offset_and_limits_are_the_links_own(values: NDArray[np.float64]) -> None:
    link = Link("JawOpen", "mouth", gain=-2.0, offset=0.5, minimum=-0.75, maximum=0.25)
    driven = drive(Profile("", (link,)), values, {"Face": ["mouth"]})
    expected = [min(max(-2.0 * value + 0.5, -0.75), 0.25) for value in column(values, "JawOpen")]
    assert driven["Face", "", "mouth"] == pytest.approx(expected)
    assert {-0.75, 0.25} <= set(driven["Face", "", "mouth"])


def test_shares_add_up_after_their_own_limits(values: NDArray[np.float64]) -> None:
    links = (
        Link("MouthSmileLeft", "smile", gain=0.5, maximum=0.3),
        Link("MouthSmileRight", "smile", gain=0.5),
        Link("JawOpen", "jaw"),
    )
    driven = drive(Profile("", links), values, {"Face": ["smile", "jaw"]})
    expected = np.minimum(0.5 * column(values, "MouthSmileLeft"), 0.3) + 0.5 * column(values, "MouthSmileRight")
    assert driven["Face", "", "smile"] == pytest.approx(expected)
    assert driven["Face", "", "jaw"] == pytest.approx(column(values, "JawOpen"))


def test_an_action_may_have_many_targets(values: NDArray[np.float64]) -> None:
    links = tuple(Link("MouthPucker", f"Mouth_Pucker_{place}", gain=0.8) for place in ("Up_L", "Up_R", "Down_L"))
    driven = drive(Profile("", links), values, {"Body": [link.target for link in links]})
    assert len(driven) == 3
    for series in driven.values():
        assert series == pytest.approx(0.8 * column(values, "MouthPucker"))


def test_links_without_an_owner_go_wherever_there_is_such_a_shape_and_others_to_theirs() -> None:
    profile = Profile(
        "", (Link("JawOpen", "jaw"), Link("EyeBlinkLeft", "blink", owner="Lashes"), Link("CheekPuff", "x"))
    )
    found = targets_of(profile, {"Face": {"jaw", "blink"}, "Teeth": {"jaw"}, "Lashes": {"blink"}})
    assert list(found) == [("Face", "", "jaw"), ("Teeth", "", "jaw"), ("Lashes", "", "blink")]


def test_an_owner_that_is_not_chosen_gets_nothing() -> None:
    profile = Profile("", (Link("JawOpen", "jaw", owner="Elsewhere"), Link("JawOpen", "gone", owner="Face")))
    assert targets_of(profile, {"Face": {"jaw"}}) == {}


def test_properties_are_named_by_owner_and_bone(values: NDArray[np.float64]) -> None:
    degrees = 57.29577951308232
    links = (
        Link("HeadYaw", "turn", TargetKind.PROPERTY, "Rig", "head", degrees),
        Link("HeadPitch", "turn", TargetKind.PROPERTY, "Rig"),
    )
    driven = drive(Profile("", links), values, {})
    assert driven["Rig", "head", "turn"] == pytest.approx(np.degrees(column(values, "HeadYaw")))
    assert driven["Rig", "", "turn"] == pytest.approx(column(values, "HeadPitch"))


def test_a_shape_and_a_property_of_one_name_are_refused() -> None:
    links = (Link("JawOpen", "jaw"), Link("HeadYaw", "jaw", TargetKind.PROPERTY, "Face"))
    with pytest.raises(InputError, match='"Face" has a shape and a property called "jaw"'):
        targets_of(Profile("", links), {"Face": ["jaw"]})


def test_frames_without_a_face_stay_so(values: NDArray[np.float64]) -> None:
    values[[3, 17]] = np.nan
    links = (Link("JawOpen", "jaw", minimum=0.0, maximum=1.0), Link("MouthClose", "jaw", offset=0.2))
    driven = drive(Profile("", links), values, {"Face": ["jaw"]})
    assert list(np.flatnonzero(np.isnan(driven["Face", "", "jaw"]))) == [3, 17]


def test_values_are_not_changed_and_other_shapes_of_them_are_refused(values: NDArray[np.float64]) -> None:
    before = values.copy()
    drive(Profile("", (Link("JawOpen", "jaw", gain=3.0),)), values, {"Face": ["jaw"]})
    assert np.array_equal(values, before)
    with pytest.raises(InputError, match=r"\(50, 52\)"):
        drive(Profile(""), values[:, :52], {})


def test_every_target_equals_a_plain_loop(values: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(5)
    links = tuple(
        Link(
            action=str(rng.choice(CSV_ORDER)),
            target=f"t{rng.integers(20)}",
            owner=str(rng.choice(["", "A", "B"])),
            gain=float(rng.normal()),
            offset=float(rng.normal()),
            minimum=-1.0 if rng.random() < 0.3 else None,
            maximum=0.5 if rng.random() < 0.3 else None,
        )
        for _ in range(200)
    )
    available = {"A": [f"t{n}" for n in range(15)], "B": [f"t{n}" for n in range(10, 20)]}
    driven = drive(Profile("", links), values, available)
    wanted: dict[tuple[str, str, str], list[float]] = {}
    for link in links:
        for owner, names in available.items():
            if link.owner in {"", owner} and link.target in names:
                series = wanted.setdefault((owner, "", link.target), [0.0] * len(values))
                for row, value in enumerate(column(values, link.action).tolist()):
                    share = link.gain * value + link.offset
                    share = share if link.minimum is None else max(share, link.minimum)
                    series[row] += share if link.maximum is None else min(share, link.maximum)
    assert set(driven) == set(wanted)
    for key, series in wanted.items():
        assert driven[key] == pytest.approx(series)
