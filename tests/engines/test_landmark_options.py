"""Options of the landmark engine: completed, or refused by name."""

from __future__ import annotations

import pytest

from semanticface.engines.landmarks.options import DEFAULTS, complete
from semanticface.errors import OptionsError


def test_nothing_given_means_the_defaults():
    assert complete({}) == dict(DEFAULTS)
    assert complete(complete({})) == dict(DEFAULTS)


@pytest.mark.parametrize("face", ["largest", 0, 3, [10, 20, 30.5, 40]])
def test_a_face_can_be_named_in_three_ways(face):
    assert complete({"face": face})["face"] == face


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("face", "smallest"),
        ("face", -1),
        ("face", True),
        ("face", [0, 0, 0, 10]),
        ("face", [0, 0, 10]),
        ("face", [0, 0, float("nan"), 10]),
        ("smoothing", 1),
        ("small_faces", "yes"),
        ("min_detection", 0),
        ("min_presence", 1.5),
        ("min_presence", "0.5"),
        ("max_faces", 0),
        ("max_faces", 2.0),
    ],
)
def test_a_wrong_value_is_refused_with_the_options_name_and_a_hint(name, value):
    with pytest.raises(OptionsError, match=name) as caught:
        complete({name: value})
    assert caught.value.hint


def test_an_unknown_option_lists_the_known_ones():
    with pytest.raises(OptionsError, match="smooth'") as caught:
        complete({"smooth": True})
    assert "smoothing" in caught.value.hint
