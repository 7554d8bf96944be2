"""What `check` finds in a text that is wrong about a face, and that it lets a true one pass."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semanticface.actions import CSV_ORDER, ROTATIONS, SHAPES, mirrored
from semanticface.analysis.check import DisagreementKind, check
from semanticface.analysis.claims import read_claims
from semanticface.analysis.describe import describe
from semanticface.analysis.lexicon import MOVEMENTS, read
from semanticface.results import Analysis

REST = dict.fromkeys(CSV_ORDER, 0.0)
SMILE = REST | {"MouthSmileLeft": 0.65, "MouthSmileRight": 0.65, "CheekSquintLeft": 0.4, "CheekSquintRight": 0.4}


def prose(movements: str, category: str = "", emotion: str = "", symmetry: str = "") -> Analysis:
    return Analysis(category, {"face": movements}, emotion, symmetry)


def kinds(analysis: Analysis, coefficients: dict[str, float]) -> set[tuple[str, str]]:
    return {(found.kind.name, found.subject) for found in check(analysis, coefficients).disagreements}


faces = st.fixed_dictionaries(
    {
        **{name: st.one_of(st.just(0.0), st.floats(0.0, 1.05)) for name in SHAPES},
        **{name: st.floats(-1.0, 1.0) for name in ROTATIONS},
    }
)


@settings(max_examples=150, deadline=None)
@given(faces)
def test_a_description_agrees_with_its_face(coefficients):
    agreement = check(describe(coefficients), coefficients)
    assert agreement.agrees, agreement.disagreements


@settings(max_examples=100, deadline=None)
@given(faces)
def test_a_description_is_read_back_as_exactly_the_active_movements(coefficients):
    readings = read(coefficients)
    active = {m.key for m in MOVEMENTS if max(readings[m.key]) >= m.threshold}
    assert {key for claim in read_claims(describe(coefficients).muscle_movements) for key in claim.movements} == active


def test_no_false_alarm_on_the_real_recording(real_faces):
    for one in real_faces[::5]:
        assert check(describe(one), one).agrees


def test_descriptions_of_other_frames_are_caught(real_faces):
    """Each 7th frame with one 1,700 frames on; at least 0.3 apart in some action other than gaze."""
    shapes = [name for name in SHAPES if not name.startswith("EyeLook")]
    caught, pairs = 0, 0
    for i in range(0, len(real_faces), 7):
        here, there = real_faces[i], real_faces[(i + 1700) % len(real_faces)]
        if max(abs(here[name] - there[name]) for name in shapes) >= 0.3:
            pairs += 1
            caught += not check(describe(here), there).agrees
    assert pairs > 300
    assert caught / pairs > 0.95


def test_swapped_sides_are_caught_wherever_a_side_is_named(real_faces):
    uneven = [one for one in real_faces[::3] if describe(one).symmetry != "mostly symmetric"]
    assert len(uneven) > 30
    for one in uneven:
        assert any(found.kind is DisagreementKind.SIDE for found in check(describe(one), mirrored(one)).disagreements)


def test_released_answers_are_judged_as_a_reader_would(released_answers):
    first, second, third = (check(analysis, numbers) for analysis, numbers in released_answers)
    assert first.agrees and first.claims >= 12
    assert second.agrees and second.claims >= 9
    # "slight lip stretching" stands over MouthStretch 0.0 on both sides
    assert [(found.kind, found.subject) for found in third.disagreements] == [
        (DisagreementKind.INACTIVE, "MouthStretch")
    ]


def test_released_answers_do_not_fit_each_others_numbers(released_answers):
    for i, (analysis, _) in enumerate(released_answers):
        for j, (_, numbers) in enumerate(released_answers):
            assert i == j or len(check(analysis, numbers).disagreements) >= 3


def test_a_released_answer_with_left_and_right_swapped_is_caught(released_answers):
    for analysis, numbers in released_answers[:2]:
        assert any(kind == "SIDE" for kind, _ in kinds(analysis, mirrored(numbers)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Strong bilateral smile with raised cheeks.", set()),
        ("**Mouth**: Corners pulled up strongly.\n**Cheeks**: Slightly raised.", set()),
        ("Lip corner puller (AU 12) at high intensity, cheek raiser (AU6).", set()),
        ("Strong smile, cheeks raised, jaw dropped.", {("INACTIVE", "JawOpen")}),
        ("Cheeks raised.", {("OMITTED", "MouthSmile")}),
        ("Cheeks raised, without any smile.", {("OMITTED", "MouthSmile")}),
        ("Mouth: neutral. Cheeks raised.", {("OMITTED", "MouthSmile")}),
        ("A slight smile, cheeks raised.", {("INTENSITY", "MouthSmile")}),
        ("A smile on the left side only, cheeks raised.", {("SIDE", "MouthSmile")}),
        ("Strong smile, more pronounced on the right. Cheeks raised.", {("SIDE", "MouthSmile")}),
        ("No brow movement; no frown. Strong smile, raised cheeks, minimal jaw opening.", set()),
        ("", {("OMITTED", "MouthSmile")}),
    ],
)
def test_free_text_about_a_smile(text, expected):
    assert kinds(prose(text), SMILE) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Left eyebrow raised higher than the right.", {"BrowOuterUpLeft": 0.6, "BrowOuterUpRight": 0.3}),
        ("The smile is weaker on the left side.", {"MouthSmileLeft": 0.2, "MouthSmileRight": 0.5}),
        ("The left eye is closed (wink), the right eye open.", {"EyeBlinkLeft": 0.9, "EyeBlinkRight": 0.1}),
        ("A one-sided smirk on the left corner of the mouth.", {"MouthSmileLeft": 0.5}),
        ("Jaw: moved slightly to the left.", {"JawLeft": 0.2}),
        ("Gaze directed to the left.", {"EyeLookOutLeft": 0.5, "EyeLookInRight": 0.5}),
        ("The head is turned to the left.", {"HeadYaw": -0.4}),
    ],
)
def test_free_text_about_sides_holds_for_one_face_and_not_for_its_mirror_image(text, values):
    one = REST | values
    assert kinds(prose(text), one) == set()
    assert "SIDE" in {kind for kind, _ in kinds(prose(text), mirrored(one))}


def test_category_and_emotion_need_support():
    text = "Strong smile, cheeks raised."
    assert kinds(prose(text, "A genuine smile", "suggests happiness or amusement"), SMILE) == set()
    assert kinds(prose(text, "Anger", "clearly shows rage"), SMILE) == {("CATEGORY", "anger"), ("EMOTION", "anger")}
    assert kinds(prose(text, "neutral face"), SMILE) == {("CATEGORY", "neutral")}
    assert kinds(prose(text, "A smile, possibly hiding fear", "not clearly observable"), SMILE) == set()


def test_symmetry_is_held_to_the_numbers():
    uneven = REST | {"MouthSmileLeft": 0.7, "MouthSmileRight": 0.2}
    text = "Smile on the left."
    assert kinds(prose(text, symmetry="largely symmetrical"), uneven) == {("SIDE", "MouthSmile")}
    assert kinds(prose(text, symmetry="Asymmetrical, the smile is more pronounced on the left side."), uneven) == set()
    assert kinds(prose("Strong smile.", symmetry="clearly asymmetrical"), SMILE) == {("SIDE", "face")}


def test_a_disagreement_says_what_and_how_much():
    (found,) = check(prose("Strong smile, cheeks raised, tongue sticking out."), SMILE).disagreements
    assert (found.kind, found.subject, found.value) == (DisagreementKind.INACTIVE, "TongueOut", 0.0)
    assert found.message == 'TongueOut 0.00 is weaker than the text says ("tongue sticking out")'


def test_one_changed_word_is_enough(real_faces):
    analysis = describe(SMILE)
    weaker = {region: text.replace("strongly", "slightly") for region, text in analysis.muscle_movements.items()}
    assert kinds(replace(analysis, muscle_movements=weaker), SMILE) == {("INTENSITY", "MouthSmile")}


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.text(max_size=100))
def test_any_text_is_read_without_harm(text, other):
    check(Analysis(other, {"face": text, other: text}, text, text), SMILE)


@pytest.mark.clock
@pytest.mark.parametrize("word", ["smile ", "foo, ", "a,", "(", "left, right, ", "smile, left, right, ", "a. "])
def test_a_huge_text_takes_no_more_than_a_moment(word):
    start = time.process_time()
    check(Analysis(word * 100_000, {"face": word * 100_000}, word * 100_000, word * 100_000), SMILE)
    assert time.process_time() - start < 3.0
