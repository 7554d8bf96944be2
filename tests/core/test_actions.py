"""The table of 61 actions: sides, mirrors, orders and ranges are what the formats of the field say."""

from __future__ import annotations

import pytest

from semanticface.actions import (
    ACTIONS,
    BY_NAME,
    CSV_ORDER,
    ROTATIONS,
    SHAPES,
    UDP_ORDER,
    Kind,
    Side,
    canonical_name,
    mirrored,
    ordered,
)


def test_there_are_52_shapes_and_9_rotations() -> None:
    assert (len(ACTIONS), len(SHAPES), len(ROTATIONS)) == (61, 52, 9)
    assert len(set(CSV_ORDER)) == 61
    assert sum(action.kind is Kind.HEAD for action in ACTIONS) == 3


def test_the_two_published_orders_differ_in_jaw_and_mouth_sides_only() -> None:
    differing = [(index, a, b) for index, (a, b) in enumerate(zip(CSV_ORDER, UDP_ORDER, strict=True)) if a != b]
    assert differing == [
        (15, "JawRight", "JawLeft"),
        (16, "JawLeft", "JawRight"),
        (21, "MouthRight", "MouthLeft"),
        (22, "MouthLeft", "MouthRight"),
    ]
    assert sorted(CSV_ORDER) == sorted(UDP_ORDER)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_mirror_of_a_mirror_is_the_action_itself(action) -> None:
    partner = BY_NAME[action.mirror]
    assert partner.mirror == action.name
    assert partner.mirror_sign == action.mirror_sign
    assert {action.side, partner.side} in ({Side.LEFT, Side.RIGHT}, {Side.CENTER})
    assert (partner.region, partner.kind, partner.unit) == (action.region, action.kind, action.unit)


def test_mirroring_an_asymmetric_face_swaps_sides_and_negates_yaw_and_roll_only() -> None:
    face = {"JawLeft": 0.3, "MouthSmileRight": 0.8, "JawOpen": 0.5, "HeadYaw": 0.2, "HeadPitch": 0.1, "HeadRoll": 0.3}
    face |= {"LeftEyeYaw": 0.4, "LeftEyePitch": -0.2}
    assert mirrored(face) == {
        "JawRight": 0.3,
        "MouthSmileLeft": 0.8,
        "JawOpen": 0.5,
        "HeadYaw": -0.2,
        "HeadPitch": 0.1,
        "HeadRoll": -0.3,
        "RightEyeYaw": -0.4,
        "RightEyePitch": -0.2,
    }


def test_gaze_units_follow_the_direction_not_the_eye() -> None:
    to_the_left = {name for name, action in BY_NAME.items() if action.facs == "AU61"}
    assert to_the_left == {"EyeLookOutLeft", "EyeLookInRight"}


def test_names_are_found_in_any_letter_case_and_nothing_else() -> None:
    assert canonical_name("eyeBlinkLeft") == "EyeBlinkLeft"
    assert canonical_name("JAWOPEN") == "JawOpen"
    assert canonical_name("eyeBlink_L") is None
    assert BY_NAME["TongueOut"].arkit_name == "tongueOut"


def test_ordering_an_incomplete_face_is_refused_rather_than_filled() -> None:
    with pytest.raises(KeyError):
        ordered({"JawOpen": 1.0})
