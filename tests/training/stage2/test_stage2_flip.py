"""A mirrored sample: each side in its place, in picture, numbers and words, and refused where that can't be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.errors import InputError
from semanticface.results import Analysis
from semanticface_training.stage2.flip import flip, mirrored_analysis, mirrored_words


def test_a_wink_changes_sides_in_picture_numbers_and_words(faces):
    face = faces(1)
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 0] = 200
    values = dict.fromkeys(CSV_ORDER, 0.0) | {"EyeBlinkLeft": 0.9, "JawRight": 0.5, "HeadPitch": 0.2}
    values |= {"HeadYaw": 0.3, "HeadRoll": -0.1, "LeftEyeYaw": 0.25, "LeftEyePitch": 0.15}
    other = flip(replace(face, image=image, coefficients=values, analysis=describe(values)))
    assert other.image[:, -1].min() == 200
    assert other.image[:, :-1].max() == 0
    assert other.image.flags.c_contiguous
    seen = {name: value for name, value in other.coefficients.items() if value}
    assert seen == {
        "EyeBlinkRight": 0.9,
        "JawLeft": 0.5,
        "HeadPitch": 0.2,
        "HeadYaw": -0.3,
        "HeadRoll": 0.1,
        "RightEyeYaw": -0.25,
        "RightEyePitch": 0.15,
    }
    assert "on the right only" in other.analysis.muscle_movements["eyes"]
    assert other.analysis == describe(other.coefficients)


def test_twice_in_the_mirror_is_the_sample_again(faces):
    for seed in range(20):
        face = faces(seed)
        again = flip(flip(face))
        assert (again.coefficients, again.analysis) == (dict(face.coefficients), face.analysis)
        assert np.array_equal(again.image, face.image)


def test_words_of_the_rules_mirror_into_what_the_rules_say_of_the_mirrored_face(faces):
    for seed in range(60):
        face = faces(seed)
        assert flip(face).analysis == flip(face, describe).analysis


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The left corner rises, Right stays; LEFT!", "The right corner rises, Left stays; RIGHT!"),
        ("a left-sided smirk, gaze leftwards", "a right-sided smirk, gaze rightwards"),
        ("MouthSmileLeft and eyeBlinkRight", "MouthSmileRight and eyeBlinkLeft"),
        ("LeftEyeYaw", "RightEyeYaw"),
        ("bright, upright and frightened", "bright, upright and frightened"),
        ("head turned (AU51), eyes (AU 62)", "head turned (AU52), eyes (AU 61)"),
        ("head turned (AU51/52), smile (AU12)", "head turned (AU51/52), smile (AU12)"),
    ],
)
def test_sides_are_exchanged_word_by_word(text, other):
    assert mirrored_words(text) == other
    assert mirrored_words(other) == text


@pytest.mark.parametrize(
    "text",
    ["the mouth is left open", "all right", "tilted clockwise", "AU12L", "R12A", "leftish", "at right angles", "L/R"],
)
def test_a_side_that_cannot_be_told_is_refused(text, faces):
    words = Analysis("smile", {"mouth": f"The lips: {text}."}, "none", "mostly symmetric")
    with pytest.raises(InputError, match=r"take/7: .* can't be mirrored in words"):
        flip(replace(faces(7), analysis=words))
    assert flip(replace(faces(7), analysis=words), describe).analysis is not None


def test_every_field_is_mirrored():
    text = "left"
    other = mirrored_analysis(Analysis(text, {text: text}, text, text))
    assert other == Analysis("right", {"right": "right"}, "right", "right")
