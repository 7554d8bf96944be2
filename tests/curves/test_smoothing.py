"""Smoothing: calm where the face is, quick where it moves, and never over a gap or a frame that stands alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semanticface.curves import smoothing
from semanticface.curves.banded import _solve, solve_in_chunks
from semanticface.curves.samples import COLUMN, Mark, Samples
from semanticface.curves.smoothing import smooth


def curves(make_samples, frames: int = 120, rate: float = 30.0, seed: int = 0) -> tuple[Samples, np.ndarray]:
    """Readings with noise of 0.02 on a grid of 0.1, and the truth: slow waves, rests, and a blink of both eyes."""
    time = np.arange(frames) / rate
    phases = np.random.default_rng(99).uniform(0, 6, 61)
    truth = 0.3 + 0.25 * np.sin(2 * np.pi * 0.4 * time[:, None] + phases)
    blink = 0.95 * np.exp(-0.5 * ((time - 2.0) / 0.05) ** 2)
    truth[:, COLUMN["EyeBlinkLeft"]] = truth[:, COLUMN["EyeBlinkRight"]] = blink
    truth[:, COLUMN["JawForward"]] = 0.06
    truth[:, COLUMN["TongueOut"]] = 0.0
    noise = np.random.default_rng(seed).normal(0, 0.02, truth.shape)
    noise[:, COLUMN["TongueOut"]] = 0.0
    return make_samples(np.round((truth + noise) / 0.1) * 0.1, rate), truth


def error(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((values - truth) ** 2)))


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
def test_steps_and_jitter_go_at_any_frame_rate(make_samples, rate):
    readings, truth = curves(make_samples, frames=int(4 * rate), rate=rate)
    smoothed = smooth(readings, 0.5, None, True).values
    assert error(smoothed, truth) < 0.5 * error(readings.values, truth)


@pytest.mark.parametrize("amount", [0.1, 0.5, 1.0])
def test_a_blink_closes_at_any_strength(make_samples, amount):
    readings, truth = curves(make_samples)
    blink = smooth(readings, amount, None, True).column("EyeBlinkLeft")
    assert blink.max() > 0.95 * truth[:, COLUMN["EyeBlinkLeft"]].max()
    assert abs(int(blink.argmax()) - 60) <= 1


def test_more_smoothing_is_calmer(make_samples):
    readings, _ = curves(make_samples)
    unrest = [np.abs(np.diff(smooth(readings, a, None, True).values, 2, axis=0)).mean() for a in (0.1, 0.3, 0.5, 1.0)]
    assert unrest == sorted(unrest, reverse=True)


def test_a_value_between_two_steps_is_found_by_how_often_each_is_read(make_samples):
    readings, _ = curves(make_samples)
    jaw = smooth(readings, 0.5, None, True).column("JawForward")
    assert set(np.round(readings.column("JawForward"), 1)) == {0.0, 0.1}
    assert np.abs(jaw - 0.06).max() < 0.03


def test_what_rests_on_zero_stays_there(make_samples):
    readings, _ = curves(make_samples)
    assert (smooth(readings, 0.5, None, True).column("TongueOut") == 0).all()


def test_shapes_stay_between_zero_and_one(make_samples):
    readings, _ = curves(make_samples)
    kept = replace(readings, values=np.clip(readings.values, 0.0, 1.0))
    shapes = smooth(kept, 1.0, None, True).values[:, smoothing.SHAPE_COLUMNS]
    assert shapes.min() >= 0 and shapes.max() <= 1


def test_nothing_is_late(make_samples):
    """Played backwards, the same comes out backwards."""
    readings, _ = curves(make_samples, frames=90)
    backwards = replace(readings, values=readings.values[::-1].copy())
    there, back = smooth(readings, 0.5, None, True).values, smooth(backwards, 0.5, None, True).values[::-1]
    assert error(there, back) < 2e-3


def test_a_movement_of_one_eye_stays_in_that_eye(make_samples):
    readings, _ = curves(make_samples)
    values = readings.values.copy()
    values[:, COLUMN["EyeBlinkRight"]] = 0.0
    wink = smooth(replace(readings, values=values), 0.5, None, True)
    assert wink.column("EyeBlinkLeft").max() > 0.9
    assert wink.column("EyeBlinkRight").max() < 0.05


def test_sides_that_differ_for_good_go_on_differing(make_samples):
    readings, _ = curves(make_samples)
    values = readings.values.copy()
    values[:, COLUMN["MouthSmileLeft"]], values[:, COLUMN["MouthSmileRight"]] = 0.6, 0.4
    out = smooth(replace(readings, values=values), 0.5, None, True)
    np.testing.assert_allclose(out.column("MouthSmileLeft"), 0.6, atol=1e-6)
    np.testing.assert_allclose(out.column("MouthSmileRight"), 0.4, atol=1e-6)


def test_frames_across_a_gap_know_nothing_of_each_other(make_samples):
    readings, _ = curves(make_samples)
    holed = readings.values.copy()
    holed[50:53] = np.nan
    one = smooth(make_samples(holed), 0.5, None, True).values
    other = holed.copy()
    other[53:] = 0.7
    two = smooth(make_samples(other), 0.5, None, True).values
    np.testing.assert_array_equal(one[:50], two[:50])
    assert np.isnan(one[50:53]).all()


@pytest.mark.parametrize("frames", [[0, 7, 30, 31, 90], range(0, 300, 10), [3]])
def test_frames_that_stand_alone_keep_their_values_exactly(make_samples, frames):
    values = np.random.default_rng(0).uniform(0, 1, (len(frames), 61))
    out = smooth(make_samples(values, frames=np.array(frames)), 1.0, None, True)
    np.testing.assert_array_equal(out.values, values)


def test_uneven_times_within_a_run_are_tolerated(make_samples):
    readings, truth = curves(make_samples)
    jitter = np.random.default_rng(0).uniform(-0.004, 0.004, len(readings.times))
    smoothed = smooth(replace(readings, times=readings.times + jitter), 0.5, None, True).values
    assert error(smoothed, truth) < 0.5 * error(readings.values, truth)


def test_a_frame_that_the_engine_doubts_gives_way_to_its_neighbours(make_samples):
    readings, truth = curves(make_samples)
    values, weights = readings.values.copy(), readings.weights.copy()
    values[30] = np.round(np.clip(values[30] + 0.4, 0, 1), 1)
    weights[30] = 0.05
    unsure = replace(readings, values=values, weights=weights)
    trusting, weighing = (smooth(unsure, 0.5, None, weighted).values[30] for weighted in (False, True))
    assert error(weighing, truth[30]) < 0.3 * error(trusting, truth[30])


def test_an_engine_that_is_never_sure_is_smoothed_as_one_that_always_is(make_samples):
    readings, _ = curves(make_samples)
    doubtful = replace(readings, weights=readings.weights * 0.3)
    one, other = smooth(readings, 0.5, None, True).values, smooth(doubtful, 0.5, None, True).values
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_grid_is_found_in_the_values(make_samples):
    readings, truth = curves(make_samples)
    assert smoothing.step_of(readings) == 0.1
    assert smoothing.step_of(make_samples(np.round(truth / 0.05) * 0.05)) == 0.05
    assert smoothing.step_of(make_samples(truth)) == 0.0
    assert smoothing.step_of(make_samples(np.zeros((20, 61)))) == 0.0


def test_a_column_that_never_moves_does_not_hide_the_grid(make_samples):
    readings, _ = curves(make_samples)
    values = readings.values.copy()
    values[:, COLUMN["HeadYaw"]] = 0.2345
    assert smoothing.step_of(replace(readings, values=values)) == 0.1


@pytest.mark.parametrize("frames_a_step", [3, 4, 8])
def test_a_staircase_becomes_a_slope(make_samples, frames_a_step):
    slope = np.repeat(np.arange(10 * frames_a_step)[:, None] / (10 * frames_a_step), 61, axis=1)
    out = smooth(make_samples(np.round(slope / 0.1) * 0.1), 0.5, None, True).column("JawOpen")
    inner = slice(frames_a_step, -frames_a_step)
    assert np.diff(out[inner]).max() < 1.6 / (10 * frames_a_step)
    assert np.diff(out[inner]).min() > 0.4 / (10 * frames_a_step)


def test_values_that_a_gap_policy_filled_do_not_hide_the_grid(make_samples):
    readings, _ = curves(make_samples)
    values, marks = readings.values.copy(), readings.marks.copy()
    values[40:44] += 0.033
    marks[40:44] = Mark.INTERPOLATED
    assert smoothing.step_of(replace(readings, values=values, marks=marks)) == 0.1


def test_values_without_noise_or_grid_stay_nearly_themselves(make_samples):
    _, truth = curves(make_samples)
    assert error(smooth(make_samples(truth), 0.5, None, True).values, truth) < 0.002


@given(rows=st.integers(2, 200), seed=st.integers(0, 2**32 - 1), stiffness=st.floats(0.01, 1e4))
@settings(max_examples=60, deadline=None)
def test_corrections_in_chunks_arrive_where_the_whole_system_does(rows, seed, stiffness):
    random = np.random.default_rng(seed)
    first, second = (random.uniform(0, stiffness, (max(rows - k, 0), 3)) for k in (1, 2))
    diagonal = random.uniform(50, 100, (rows, 3))
    for weights, order in ((first, 1), (second, 2)):
        for k, factor in enumerate(((1.0, 1.0), (1.0, 4.0, 1.0))[order - 1]):
            diagonal[k : k + len(weights)] += factor * weights
    beside = -first
    beside[: len(second)] -= 2 * second
    beside[1:] -= 2 * second
    bands = [band.astype(np.float32) for band in (diagonal, beside, second, random.normal(size=(rows, 3)))]
    whole, chunks = _solve(*bands), solve_in_chunks(*bands)
    assert np.abs(whole - chunks).max() <= (2e-6 if rows <= 32 else 0.2) * max(1e-3, np.abs(whole).max())
