"""From scores to named coefficients: every name, the right side, the right sign."""

from __future__ import annotations

import pytest

from semanticface.actions import CSV_ORDER, mirrored
from semanticface.engines.landmarks.coefficients import SCORES, coefficients, tongue_out
from semanticface.engines.landmarks.geometry import HeadAngles

REST = HeadAngles(0.0, 0.0, 0.0)


def made(tongue: float = 0.0, head: HeadAngles = REST, **scores: float) -> dict[str, float]:
    return coefficients([0.9, *(scores.get(name, 0.0) for name in SCORES)], tongue, head)


def test_all_61_actions_come_in_csv_order():
    assert tuple(made()) == CSV_ORDER
    assert len(set(SCORES)) == 51


def test_an_asymmetric_face_keeps_its_sides():
    values = made(JawLeft=0.4, MouthRight=0.3, EyeBlinkLeft=0.8, MouthSmileRight=0.6, BrowOuterUpLeft=0.2)
    active = {name: value for name, value in values.items() if value}
    assert active == {
        "JawLeft": 0.4,
        "MouthRight": 0.3,
        "EyeBlinkLeft": 0.8,
        "MouthSmileRight": 0.6,
        "BrowOuterUpLeft": 0.2,
    }


def test_both_eyes_to_the_subjects_right_are_positive_yaw():
    values = made(EyeLookInLeft=0.5, EyeLookOutRight=0.5)
    assert values["LeftEyeYaw"] == pytest.approx(0.30)
    assert values["RightEyeYaw"] == pytest.approx(0.30)


def test_looking_down_is_positive_pitch_and_roll_follows_the_product():
    values = made(EyeLookDownLeft=0.4, EyeLookOutLeft=0.5)
    assert values["LeftEyePitch"] == pytest.approx(0.22)
    assert values["LeftEyeYaw"] == pytest.approx(-0.30)
    assert values["LeftEyeRoll"] == pytest.approx(0.97 * 0.22 * -0.30)
    assert values["RightEyePitch"] == values["RightEyeRoll"] == 0


def test_a_mirrored_face_gives_mirrored_eye_rotations():
    values = made(EyeLookOutLeft=0.5, EyeLookInRight=0.4, EyeLookUpLeft=0.3, EyeLookUpRight=0.3)
    other = made(EyeLookOutRight=0.5, EyeLookInLeft=0.4, EyeLookUpLeft=0.3, EyeLookUpRight=0.3)
    assert mirrored(values) == pytest.approx(other)


def test_the_head_keeps_its_angles():
    values = made(head=HeadAngles(0.1, -0.2, 0.3))
    assert (values["HeadYaw"], values["HeadPitch"], values["HeadRoll"]) == (0.1, -0.2, 0.3)


def test_a_doubtful_tongue_is_no_tongue():
    assert [tongue_out(score) for score in (0.0, 0.065, 0.46, 0.5)] == [0, 0, 0, 0]
    assert tongue_out(0.75) == pytest.approx(0.5)
    assert tongue_out(1.0) == 1.0
    assert made(tongue=0.9)["TongueOut"] == pytest.approx(0.8)


def test_a_score_too_few_is_refused():
    with pytest.raises(ValueError, match="zip"):
        coefficients([0.0] * 51, 0.0, REST)
