"""What a description says of a face, and what it must not say."""

from __future__ import annotations

import re
import time
from math import radians

import pytest

from semanticface.actions import CSV_ORDER, mirrored
from semanticface.analysis.describe import AT_REST, describe
from semanticface.analysis.lexicon import MOVEMENTS, read
from semanticface.analysis.prototypes import ACTION_NAMES, EMOTION_NAMES, NEUTRAL, category_scores


def face(**values: float) -> dict[str, float]:
    """A face at rest but for the given values; `MouthSmile=0.5` sets both sides."""
    out = dict.fromkeys(CSV_ORDER, 0.0)
    for name, value in values.items():
        for key in [name] if name in out else [f"{name}Left", f"{name}Right"]:
            out[key] = value
    return out


def said(coefficients: dict[str, float]) -> str:
    return " ".join(describe(coefficients).muscle_movements.values())


def test_a_neutral_face_is_said_to_be_at_rest():
    analysis = describe(face())
    assert analysis.expression_category == "neutral"
    assert analysis.muscle_movements == {"face": AT_REST}
    assert analysis.emotional_implication == "not clearly observable"
    assert analysis.symmetry == "mostly symmetric"


def test_resting_levels_of_a_landmark_engine_are_not_named():
    resting = face(EyeSquint=0.37, EyeBlink=0.2, BrowOuterUp=0.2, EyeLookDown=0.4, MouthPress=0.12)
    assert describe(resting).muscle_movements == {"face": AT_REST}


def test_a_pair_that_agrees_is_one_phrase_with_its_action_unit():
    assert describe(face(MouthSmile=0.6)).muscle_movements == {
        "mouth": "Lip corners pulled up strongly on both sides (AU12)."
    }


@pytest.mark.parametrize(
    ("left", "right", "phrase"),
    [
        (0.6, 0.1, "lip corners pulled up strongly on the left only (AU12)"),
        (0.7, 0.4, "lip corners pulled up strongly on the left, moderately on the right (AU12)"),
        (0.32, 0.5, "lip corners pulled up moderately, right stronger than left (AU12)"),
    ],
)
def test_a_pair_that_differs_is_told_by_side(left, right, phrase):
    analysis = describe(face(MouthSmileLeft=left, MouthSmileRight=right))
    assert phrase in analysis.muscle_movements["mouth"].lower().replace("au", "AU")
    side = "left" if left > right else "right"
    assert analysis.symmetry == (
        f"asymmetric: lip corners pulled up (AU12) stronger on the {side} by {abs(left - right):.2f}"
    )


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.2, "slightly"), (0.3, "moderately"), (0.55, "strongly"), (0.8, "extremely"), (1.05, "extremely")],
)
def test_the_intensity_word_follows_the_bands(value, word):
    assert f"lowered {word}" in said(face(JawOpen=value))


def test_mouth_close_is_never_pressed_lips():
    assert "kept together" not in said(face(MouthClose=0.6))
    over_open_jaw = said(face(MouthClose=0.5, JawOpen=0.6))
    assert "lips kept together moderately over the lowered jaw (AU8)" in over_open_jaw.replace("Lips", "lips")
    assert "press" not in over_open_jaw


def test_gaze_and_head_are_told_in_the_subjects_directions():
    looking = face(EyeLookOutLeft=0.6, EyeLookInRight=0.6, EyeLookDown=0.7)
    assert describe(looking).muscle_movements["gaze"] == "Gaze strongly to the subject's left and strongly down."
    turned = face(HeadYaw=radians(20), HeadPitch=radians(15), HeadRoll=radians(10))
    assert describe(turned).muscle_movements["head"] == (
        "Head turned about 20 degrees to the subject's right (AU51/52); head lowered about 15 degrees (AU54); "
        "head tilted about 10 degrees to the subject's left (AU55/56)."
    )
    assert "turned inward" in said(face(EyeLookIn=0.6))


def test_the_mouth_and_the_jaw_go_to_the_named_side():
    analysis = describe(face(MouthLeft=0.5, JawRight=0.3))
    assert analysis.muscle_movements["mouth"] == "Mouth moved moderately to the subject's left."
    assert "jaw moved moderately to the subject's right" in analysis.muscle_movements["jaw"].lower()
    assert analysis.symmetry.startswith("asymmetric: mouth moved to the subject's left")


@pytest.mark.parametrize(
    ("category", "values"),
    [
        ("happiness", {"MouthSmile": 0.7, "CheekSquint": 0.5}),
        ("sadness", {"BrowInnerUp": 0.7, "BrowDown": 0.4, "MouthFrown": 0.6, "MouthShrugLower": 0.4}),
        ("surprise", {"BrowInnerUp": 0.8, "BrowOuterUp": 0.7, "EyeWide": 0.6, "JawOpen": 0.5}),
        ("fear", {"BrowInnerUp": 0.7, "BrowDown": 0.5, "EyeWide": 0.8, "MouthStretch": 0.7, "JawOpen": 0.4}),
        ("anger", {"BrowDown": 0.8, "EyeSquint": 0.6, "EyeWide": 0.5, "MouthPress": 0.4}),
        ("disgust", {"NoseSneer": 0.6, "MouthUpperUp": 0.5, "MouthFrown": 0.4}),
        ("contempt", {"MouthDimpleLeft": 0.6}),
    ],
)
def test_a_prototype_is_its_emotion_and_half_of_it_is_none(category, values):
    whole = describe(face(**values))
    assert whole.expression_category == category
    assert whole.emotional_implication.startswith(f"consistent with {category} (AU")
    weak = describe(face(**{name: value * 0.35 for name, value in values.items()}))
    assert weak.emotional_implication == "not clearly observable"


@pytest.mark.parametrize(
    ("category", "values"),
    [
        ("smile", {"MouthSmile": 0.5}),
        ("wink", {"EyeBlinkLeft": 0.9, "EyeBlinkRight": 0.1}),
        ("eyes closed", {"EyeBlink": 0.9}),
        ("pucker", {"MouthPucker": 0.7}),
        ("funneled lips", {"MouthFunnel": 0.6}),
        ("tongue out", {"TongueOut": 0.9}),
        ("mouth open", {"JawOpen": 0.6}),
        ("near neutral", {"MouthSmile": 0.16}),
    ],
)
def test_other_faces_are_named_by_what_they_do(category, values):
    analysis = describe(face(**values))
    assert category in analysis.expression_category
    assert analysis.emotional_implication == "not clearly observable"


def test_two_emotions_that_come_close_are_mixed():
    both = face(BrowInnerUp=0.9, BrowOuterUp=0.9, EyeWide=0.8, MouthStretch=0.8, JawOpen=0.6)
    assert describe(both).expression_category == "mixed: surprise and fear"


def test_scores_cover_every_category_and_stay_in_range(real_faces):
    for one in real_faces[::50]:
        scores = category_scores(one)
        assert set(scores) == {*EMOTION_NAMES, *ACTION_NAMES, NEUTRAL}
        assert all(0.0 <= score <= 1.0 for score in scores.values())


def test_a_stronger_smile_is_never_less_of_a_smile():
    scores = [category_scores(face(MouthSmile=value / 20))["smile"] for value in range(21)]
    assert scores == sorted(scores) and scores[0] == 0.0 and scores[-1] == 1.0


def test_only_active_actions_are_named_on_the_real_recording(real_faces):
    stems = {m.key: re.escape(m.phrase.split(" {}")[0]) for m in MOVEMENTS if m.region.value not in {"gaze", "head"}}
    for one in real_faces[::20]:
        text = said(one).lower()
        readings = read(one)
        for movement in MOVEMENTS:
            if movement.key in stems:
                active = max(readings[movement.key]) >= movement.threshold
                assert bool(re.search(stems[movement.key], text)) == active, (movement.key, text)


def test_a_mirrored_face_swaps_the_sides_in_its_description(real_faces):
    swap = {"left": "right", "right": "left"}
    for one in real_faces[::20]:
        there, back = describe(one), describe(mirrored(one))
        assert there.expression_category == back.expression_category
        swapped = re.sub(r"\b(left|right)\b", lambda m: swap[m.group()], there.symmetry)
        assert swapped == back.symmetry


@pytest.mark.clock
def test_it_is_deterministic_and_fast_enough_for_every_frame(real_faces):
    some = real_faces[::10]
    took = []
    for _ in range(5):
        start = time.process_time()
        first = [describe(one) for one in some]
        took.append((time.process_time() - start) / len(some))
    assert [describe(one) for one in some] == first
    assert min(took) < 0.00015
