"""Gaps, symmetry, dead-zones, gains, the mouth and the soft limit: each step does what its slider says, no more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.actions import BY_NAME, Kind
from semanticface.curves import shaping
from semanticface.curves.gaps import fill_gaps
from semanticface.curves.recipe import GapPolicy, MouthRule, Recipe, Tuning
from semanticface.curves.replay import apply
from semanticface.curves.samples import COLUMN, Mark


def face(**values: float) -> np.ndarray:
    """(1, 61) zeros but for the named actions."""
    row = np.zeros((1, 61))
    for name, value in values.items():
        row[0, COLUMN[name]] = value
    return row


@pytest.fixture
def holed(make_samples):
    """Ten frames at 10 a second that count up; 0, 4 to 5 and 9 are missing."""
    values = np.repeat(np.arange(10.0)[:, None], 61, axis=1)
    values[[0, 4, 5, 9]] = np.nan
    return make_samples(values, rate=10.0)


def test_gaps_that_are_left_stay_empty_and_marked(holed):
    out = fill_gaps(holed, GapPolicy.LEAVE, 9.0)
    assert np.isnan(out.values[[0, 4, 5, 9]]).all()
    assert (out.marks[[0, 4, 5, 9]] == Mark.ABSENT).all()


def test_held_gaps_repeat_the_frame_before_and_say_so(holed):
    out = fill_gaps(holed, GapPolicy.HOLD, 9.0)
    assert (out.values[[4, 5]] == 3).all() and (out.values[9] == 8).all()
    assert np.isnan(out.values[0]).all(), "there is nothing to hold before the first frame"
    assert out.marks.tolist() == [1, 0, 0, 0, 2, 2, 0, 0, 0, 2]


def test_interpolated_gaps_lead_from_one_side_to_the_other(holed):
    out = fill_gaps(holed, GapPolicy.INTERPOLATE, 9.0)
    np.testing.assert_allclose(out.values[[4, 5], 0], [4, 5])
    assert np.isnan(out.values[[0, 9]]).all(), "at the ends there is nothing to lead to"
    assert out.marks.tolist() == [1, 0, 0, 0, 3, 3, 0, 0, 0, 1]


def test_a_gap_that_is_too_long_is_left_whole(holed):
    assert fill_gaps(holed, GapPolicy.INTERPOLATE, 0.29) is not holed
    assert np.isnan(fill_gaps(holed, GapPolicy.INTERPOLATE, 0.29).values[[4, 5]]).all()
    assert not np.isnan(fill_gaps(holed, GapPolicy.INTERPOLATE, 0.31).values[[4, 5]]).any()


def test_filled_frames_count_less_than_given_ones(holed):
    out = fill_gaps(holed, GapPolicy.HOLD, 9.0)
    assert (out.weights[4] < 0.5 * out.weights[3]).all()


def test_symmetry_brings_both_sides_to_their_mean():
    smile = face(MouthSmileLeft=0.8, MouthSmileRight=0.4)
    half, whole = shaping.even_sides(smile, 0.5), shaping.even_sides(smile, 1.0)
    assert half[0, COLUMN["MouthSmileLeft"]] == pytest.approx(0.7)
    assert whole[0, COLUMN["MouthSmileLeft"]] == whole[0, COLUMN["MouthSmileRight"]] == pytest.approx(0.6)


@pytest.mark.parametrize("name", ["JawLeft", "MouthRight", "EyeLookInLeft", "EyeLookOutRight", "HeadYaw", "LeftEyeYaw"])
def test_symmetry_leaves_what_goes_to_a_side(name):
    np.testing.assert_array_equal(shaping.even_sides(face(**{name: 0.5}), 1.0), face(**{name: 0.5}))


def test_the_dead_zone_silences_shapes_and_keeps_full_strength():
    out = shaping.cut_small(face(JawOpen=0.04, MouthClose=1.0, BrowInnerUp=0.55, HeadYaw=0.01), 0.1)
    assert out[0, COLUMN["JawOpen"]] == 0
    assert out[0, COLUMN["MouthClose"]] == 1
    assert out[0, COLUMN["BrowInnerUp"]] == pytest.approx(0.5)
    assert out[0, COLUMN["HeadYaw"]] == 0.01, "rotations have no dead-zone of their own accord"


def test_each_group_has_its_gain():
    out = shaping.amplify(face(JawOpen=0.2, HeadYaw=0.2, LeftEyePitch=0.2), Recipe(gain=2, head_gain=-1, eye_gain=0.5))
    found = [out[0, COLUMN[name]] for name in ("JawOpen", "HeadYaw", "LeftEyePitch")]
    assert found == pytest.approx([0.4, -0.2, 0.1])


def test_a_tuning_works_on_top_of_the_group():
    tuning = Tuning(gain=2.0, offset=0.1, maximum=0.75)
    out = shaping.amplify(face(JawOpen=0.2, BrowInnerUp=0.2), Recipe(gain=1.5, tunings={"JawOpen": tuning}))
    assert out[0, COLUMN["JawOpen"]] == pytest.approx(0.7)
    assert out[0, COLUMN["BrowInnerUp"]] == pytest.approx(0.3)
    out = shaping.amplify(face(JawOpen=0.9), Recipe(tunings={"JawOpen": tuning}))
    assert out[0, COLUMN["JawOpen"]] == 0.75


def test_a_rotations_dead_zone_works_on_both_signs():
    found = shaping.tuned(np.array([-0.3, -0.05, 0.05, 0.3]), Tuning(dead_zone=0.1), Kind.HEAD)
    np.testing.assert_allclose(found, [-0.2, 0, 0, 0.2])


def test_lips_close_at_most_as_far_as_the_jaw_is_open():
    mouth = np.concatenate([face(MouthClose=0.5, JawOpen=0.2), face(MouthClose=0.1, JawOpen=0.2)])
    kept = shaping.keep_lips_apart(mouth, MouthRule.KEEP)
    limited = shaping.keep_lips_apart(mouth, MouthRule.LIMIT)
    assert kept[:, COLUMN["MouthClose"]].tolist() == [0.5, 0.1]
    assert limited[:, COLUMN["MouthClose"]].tolist() == [0.2, 0.1]


@given(start=st.floats(0.0, 1.0), low=st.floats(-1, 3), more=st.floats(0, 3))
def test_the_soft_limit_keeps_order_and_never_passes_one(start, low, more):
    values = np.concatenate([face(JawOpen=low), face(JawOpen=low + more)])
    one, other = shaping.bend_to_one(values, start)[:, COLUMN["JawOpen"]]
    assert 0 <= one <= other + 1e-12 and other <= 1 + 1e-12
    if 0 <= low <= start:
        assert one == low


def test_the_soft_limit_leaves_rotations_and_can_be_off():
    face_ = face(HeadYaw=-1.4, JawOpen=1.2)
    assert shaping.bend_to_one(face_, 0.8)[0, COLUMN["HeadYaw"]] == -1.4
    assert shaping.bend_to_one(face_, 1.0)[0, COLUMN["JawOpen"]] == 1.0
    assert shaping.bend_to_one(face_, None)[0, COLUMN["JawOpen"]] == 1.2


def test_left_and_right_columns_are_true_pairs():
    names = list(COLUMN)
    for left, right in shaping.PAIRS:
        assert BY_NAME[names[left]].mirror == names[right]


def test_empty_rows_stay_empty_through_every_step(holed):
    recipe = Recipe(
        symmetry=1, gain=2, dead_zone=0.1, mouth=MouthRule.LIMIT, soft_clamp=0.5, tunings={"JawOpen": Tuning(offset=1)}
    )
    assert np.isnan(apply(recipe, holed).values[[0, 4, 5, 9]]).all()
