"""The parametric head: what each number moves, and to which side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semanticface.errors import AssetError, OptionsError
from semanticface_training.synthetic.ict import eye_frames, gaze_from_shapes, lid_overlap, load_head, pose, rotation

MODEL = Path(__file__).parents[2].parent / "shared" / "data" / "ict_facekit.npz"
LEFT_EYE, RIGHT_EYE = slice(21451, 23021), slice(23021, 24591)


@pytest.fixture(scope="module")
def head():
    if not MODEL.exists():
        pytest.skip(f"no head model at {MODEL}")
    return load_head(MODEL)


def moved(head, coefficients):
    return np.linalg.norm(pose(head, coefficients) - head.neutral, axis=1)


def pupil(head, side, coefficients):
    """The foremost point of the resting eyeball, posed."""
    rows = np.arange(26719)[side]
    return pose(head, coefficients)[rows[head.neutral[rows, 2].argmax()]]


def test_no_coefficients_give_the_neutral_head(head):
    assert np.array_equal(pose(head, {}), head.neutral)


def test_posing_leaves_the_model_as_it_was(head):
    before = head.neutral.copy()
    pose(head, {"JawOpen": 1.0, "LeftEyeYaw": 0.4, "HeadYaw": 0.3})
    assert np.array_equal(head.neutral, before)


@pytest.mark.parametrize("name", ["EyeBlink", "MouthSmile", "BrowOuterUp", "NoseSneer", "EyeSquint"])
@pytest.mark.parametrize(("side", "sign"), [("Left", 1), ("Right", -1)])
def test_an_action_of_one_side_moves_that_side(head, name, side, sign):
    shift = moved(head, {name + side: 1.0})
    own, other = shift[sign * head.neutral[:, 0] > 0.5], shift[sign * head.neutral[:, 0] < -0.5]
    assert own.max() > 0.2
    assert other.max() < 0.35 * own.max()


@pytest.mark.parametrize(("name", "sign"), [("MouthLeft", 1), ("MouthRight", -1), ("JawLeft", 1), ("JawRight", -1)])
def test_mouth_and_jaw_go_to_the_side_of_their_name(head, name, sign):
    lips = head.landmarks[48:]
    shift = (pose(head, {name: 1.0}) - head.neutral)[lips, 0].mean()
    assert sign * shift > 0.3


def test_51_of_52_shapes_move_something_and_the_tongue_does_not(head):
    still = [name for name in head.names if moved(head, {name: 1.0}).max() < 0.01]
    assert len(head.names) == 52
    assert still == ["TongueOut"]


@pytest.mark.parametrize(("side", "name"), [(LEFT_EYE, "LeftEye"), (RIGHT_EYE, "RightEye")])
def test_positive_eye_yaw_looks_to_the_subjects_right_and_positive_pitch_down(head, side, name):
    rest = pupil(head, side, {})
    assert pupil(head, side, {f"{name}Yaw": 0.4})[0] < rest[0] - 0.3
    assert pupil(head, side, {f"{name}Pitch": 0.4})[1] < rest[1] - 0.3
    other = RIGHT_EYE if side == LEFT_EYE else LEFT_EYE
    assert np.array_equal(pupil(head, other, {f"{name}Yaw": 0.4}), pupil(head, other, {}))


@pytest.mark.parametrize(
    ("name", "axis", "sign"), [("HeadYaw", 0, -1), ("HeadPitch", 1, -1)], ids=["yaw to the right", "pitch down"]
)
def test_head_angles_move_the_nose_by_live_links_signs(head, name, axis, sign):
    tip = head.landmarks[30]
    assert sign * (pose(head, {name: 0.3}) - head.neutral)[tip, axis] > 2.0


def test_positive_roll_tilts_the_crown_to_the_subjects_left(head):
    crown = head.neutral[:, 1].argmax()
    assert (pose(head, {"HeadRoll": 0.3}) - head.neutral)[crown, 0] > 2.0


def test_the_head_turns_rigidly_and_the_shoulders_stay(head):
    angles = {"HeadYaw": 0.3, "HeadPitch": -0.2, "HeadRoll": 0.1}
    turned = pose(head, angles)
    face = head.head_weight == 1.0
    matrix = rotation(0.3, -0.2, 0.1)
    pairs = np.flatnonzero(face)[::500]
    expected = (head.neutral[pairs] - head.neutral[pairs[0]]) @ matrix.T
    assert np.abs(turned[pairs] - turned[pairs[0]] - expected).max() < 1e-4
    assert face[head.landmarks].all()
    still = head.head_weight == 0.0
    assert still.any()
    assert np.abs(turned[still] - head.neutral[still]).max() < 1e-4


def test_eye_frames_read_back_the_rendered_gaze_with_the_head_turned(head):
    vertices = pose(head, {"HeadYaw": 0.3, "LeftEyeYaw": 0.2, "LeftEyePitch": -0.1})
    _, turn = eye_frames(head, vertices)["Left"]
    assert np.abs(turn - rotation(0.3, 0.0) @ rotation(0.2, -0.1)).max() < 1e-3


def test_gaze_agrees_with_the_look_shapes():
    to_the_left = gaze_from_shapes({"EyeLookOutLeft": 1.0, "EyeLookInRight": 1.0, "EyeLookUpLeft": 0.5})
    assert to_the_left["LeftEyeYaw"] == to_the_left["RightEyeYaw"] == pytest.approx(-0.61)
    assert to_the_left["LeftEyePitch"] == pytest.approx(-0.305)


def test_identity_changes_the_person_and_keeps_the_eyes_centred(head):
    weights = np.random.default_rng(3).normal(0, 0.8, 100).astype(np.float32)
    person = pose(head, {}, weights)
    assert np.abs(person - head.neutral).max() > 0.3
    turned = pose(head, {"LeftEyeYaw": 0.5}, weights)
    before, after = eye_frames(head, person)["Left"][0], eye_frames(head, turned)["Left"][0]
    assert np.abs(before - after).max() < 0.05


def test_wrong_names_and_too_many_weights_are_refused(head):
    with pytest.raises(OptionsError, match="eyeBlinkLeft"):
        pose(head, {"eyeBlinkLeft": 1.0})
    with pytest.raises(OptionsError, match="101"):
        pose(head, {}, np.zeros(101, np.float32))


def test_a_file_that_is_not_the_model_is_named(tmp_path):
    with pytest.raises(AssetError, match=r"none\.npz"):
        load_head(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", neutral=np.zeros((3, 3)))
    with pytest.raises(AssetError, match="quads"):
        load_head(tmp_path / "other.npz")


def open_behind_closed_lids(head, identity, sunk):
    """Share of the eyeballs' front that lies before the face's nearest skin although both eyes are shut."""
    vertices = pose(head, {"EyeBlinkLeft": 1.0, "EyeBlinkRight": 1.0}, identity, sunk)
    skin = vertices[slice(*head.regions["face"])]
    seen = []
    for rows in (LEFT_EYE, RIGHT_EYE):
        ball = vertices[rows]
        front = ball[ball[:, 2] > ball[:, 2].max() - 0.6]
        near = skin[np.abs(skin[:, :2] - front[:, :2].mean(axis=0)).max(axis=1) < 2]
        apart = ((front[:, None, :2] - near[None, :, :2]) ** 2).sum(axis=2)
        lid = near[np.argpartition(apart, 3, axis=1)[:, :4], 2].max(axis=1)
        seen.append(float((front[:, 2] > lid).mean()))
    return max(seen)


def test_closed_lids_cover_the_eyes_of_anybody(head):
    people = [np.random.default_rng(seed).normal(0, 1, 100).astype(np.float32) for seed in (0, 3, 6, 11)]
    as_modelled = [open_behind_closed_lids(head, person, {}) for person in people]
    seated = [open_behind_closed_lids(head, person, lid_overlap(head, person)) for person in people]
    assert max(as_modelled) > 0.1  # else nothing needs seating
    assert max(seated) == 0.0
    assert all(0 <= depth < 0.5 for person in people for depth in lid_overlap(head, person).values())
