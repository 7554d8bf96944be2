"""Recipes as JSON: they come back as they were, and what is none is refused with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.curves.recipe import (
    MAX_TEXT,
    STANDARD,
    GapPolicy,
    KeyKind,
    MouthRule,
    Neutral,
    Recipe,
    Reduction,
    Tuning,
)
from semanticface.errors import InputError

UNIT = st.floats(0, 1)
TUNINGS = st.builds(
    Tuning,
    gain=st.floats(-100, 100),
    offset=st.floats(-10, 10),
    dead_zone=UNIT,
    maximum=st.none() | st.floats(-10, 10),
)
NEUTRALS = st.builds(
    Neutral,
    name=st.text(max_size=20),
    values=st.dictionaries(st.sampled_from(SHAPES), st.floats(0, 0.99)),
    origin=st.text(max_size=20),
)
RECIPES = st.builds(
    Recipe,
    gaps=st.sampled_from(GapPolicy),
    longest_gap=st.floats(0, 3600),
    smoothing=UNIT,
    step=st.none() | st.floats(0, 0.5),
    weighted=st.booleans(),
    neutral=st.none() | NEUTRALS,
    symmetry=UNIT,
    dead_zone=st.floats(0, 0.9),
    gain=st.floats(0, 100),
    head_gain=st.floats(-100, 100),
    eye_gain=st.floats(-100, 100),
    tunings=st.dictionaries(st.sampled_from(CSV_ORDER), TUNINGS, max_size=4),
    mouth=st.sampled_from(MouthRule),
    soft_clamp=st.none() | UNIT,
    reduction=st.none() | st.builds(Reduction, tolerance=st.floats(1e-5, 1), kind=st.sampled_from(KeyKind)),
    prune=st.booleans(),
)


@given(recipe=RECIPES)
def test_a_recipe_comes_back_as_it_was(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_absent_fields_take_their_defaults():
    assert Recipe.from_dict({"format": "semanticface-recipe", "version": 1}) == Recipe()


def changed(**fields: object) -> str:
    return json.dumps(STANDARD.to_dict() | fields)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "not a SemanticFace recipe"),
        ("{}", "not a SemanticFace recipe"),
        (changed(version=2), "version 2"),
        (changed(smooth=1), "unknown field 'smooth'"),
        (changed(smoothing=1.5), "smoothing is 1.5"),
        (changed(smoothing=True), "smoothing is True"),
        (changed(smoothing=float("nan")), "smoothing is nan"),
        (changed(gaps="fill"), "fill"),
        (changed(weighted=1), "weighted is 1"),
        (changed(tunings={"Nose": {}}), "'Nose' is no facial action"),
        (changed(tunings={"JawOpen": {"gain": "2"}}), "gain is '2'"),
        (changed(tunings=[]), "damaged"),
        (changed(neutral={"name": "A", "values": {"JawOpen": 1.0}}), "can't be subtracted"),
        (changed(neutral={"name": "A"}), "values"),
        (changed(reduction={"tolerance": 0}), "tolerance is 0"),
        (" " * (MAX_TEXT + 1), "too large"),
    ],
)
def test_what_is_no_recipe_is_refused_with_the_reason(text, reason):
    with pytest.raises(InputError, match=reason):
        Recipe.from_json(text)
