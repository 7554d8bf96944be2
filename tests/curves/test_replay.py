"""A recipe applied: pure, the same by `Replay` as at once, and no more work than a change asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.curves import replay
from semanticface.curves.recipe import GapPolicy, MouthRule, Neutral, Recipe, Tuning
from semanticface.curves.samples import COLUMN, Samples


def face(make_samples, rows: int = 60, seed: int = 0) -> Samples:
    """Values on a grid of 0.1 that wander, with two gaps."""
    walk = np.random.default_rng(seed).normal(0, 0.05, (rows, 61)).cumsum(axis=0)
    values = np.round(np.abs(np.sin(walk)), 1)
    values[20:23] = np.nan
    values[-2:] = np.nan
    return make_samples(values)


@pytest.fixture(scope="module")
def samples(make_samples) -> Samples:
    return face(make_samples)


SETTINGS = {
    "gaps": st.sampled_from(list(GapPolicy)),
    "longest_gap": st.sampled_from([0.05, 1.0]),
    "smoothing": st.sampled_from([0.0, 0.5, 1.0]),
    "step": st.sampled_from([None, 0.0, 0.1]),
    "weighted": st.booleans(),
    "neutral": st.sampled_from([None, Neutral("A", {"JawOpen": 0.1}), Neutral("B", {"HeadYaw": 0.2})]),
    "symmetry": st.sampled_from([0.0, 0.5, 1.0]),
    "dead_zone": st.sampled_from([0.0, 0.1]),
    "gain": st.sampled_from([1.0, 1.4]),
    "head_gain": st.sampled_from([1.0, -1.0]),
    "eye_gain": st.sampled_from([1.0, 0.5]),
    "tunings": st.sampled_from([{}, {"JawOpen": Tuning(gain=2.0, offset=0.1, dead_zone=0.05, maximum=0.9)}]),
    "mouth": st.sampled_from(list(MouthRule)),
    "soft_clamp": st.sampled_from([None, 0.8, 1.0]),
    "prune": st.booleans(),
}
CHANGE = st.sampled_from(sorted(SETTINGS)).flatmap(lambda name: st.tuples(st.just(name), SETTINGS[name]))


@given(changes=st.lists(CHANGE, max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replay_gives_what_apply_gives_after_any_sequence_of_changes(samples, changes):
    player, recipe = replay.Replay(samples), Recipe()
    before = player.apply(recipe).values.copy()
    for name, value in changes:
        recipe = replace(recipe, **{name: value})
        got, expected = player.apply(recipe), replay.apply(recipe, samples)
        np.testing.assert_array_equal(got.values, expected.values)
        np.testing.assert_array_equal(got.marks, expected.marks)
        told = set(player.changed)
        really = {c for c in range(61) if not np.array_equal(got.values[:, c], before[:, c], equal_nan=True)}
        assert told == really
        before = got.values.copy()


@given(recipe=st.builds(Recipe, **SETTINGS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_applying_a_recipe_changes_nothing_of_what_it_is_given(make_samples, recipe):
    given_samples, untouched = face(make_samples), face(make_samples)
    replay.apply(recipe, given_samples)
    for name in ("frames", "times", "values", "weights", "marks"):
        np.testing.assert_array_equal(getattr(given_samples, name), getattr(untouched, name))


def test_an_empty_recipe_gives_the_raw_values(samples):
    np.testing.assert_array_equal(replay.apply(Recipe(), samples).values, samples.values)


def test_a_changed_slider_runs_its_step_and_those_after_it_only(samples):
    player, recipe = replay.Replay(samples), Recipe(smoothing=0.5)
    player.apply(recipe)
    everything = player.recomputed
    player.apply(replace(recipe, soft_clamp=0.9))
    assert player.recomputed == 1
    player.apply(replace(recipe, soft_clamp=0.9, gain=1.2))
    assert 1 < player.recomputed < everything
    player.apply(replace(recipe, soft_clamp=0.9, gain=1.2))
    assert player.recomputed == 0 and player.changed == ()


def test_a_tuning_of_one_action_changes_its_column_alone(samples):
    player = replay.Replay(samples)
    player.apply(Recipe())
    player.apply(Recipe(tunings={"JawOpen": Tuning(gain=1.5)}))
    assert player.changed == (COLUMN["JawOpen"],)


@pytest.mark.parametrize("rows", [0, 1, 2, 6])
def test_takes_of_any_length_pass_through_every_step(make_samples, rows):
    recipe = Recipe(smoothing=1.0, gaps=GapPolicy.INTERPOLATE, symmetry=1.0, gain=1.1, soft_clamp=0.8)
    out = replay.apply(recipe, make_samples(np.full((rows, 61), 0.3)))
    assert out.values.shape == (rows, 61)


def test_a_take_without_any_result_stays_empty(make_samples):
    out = replay.apply(Recipe(smoothing=1.0, gaps=GapPolicy.HOLD, gain=2.0), make_samples(np.full((9, 61), np.nan)))
    assert np.isnan(out.values).all()
