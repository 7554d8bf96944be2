"""The face at rest: found, subtracted, kept by name, shown and removed; rubbish beside it does no harm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semanticface import paths
from semanticface.curves import neutral as room
from semanticface.curves.neutral import (
    load_neutrals,
    neutral_from,
    remove_neutral,
    save_neutral,
    subtract,
)
from semanticface.curves.recipe import Neutral, Recipe
from semanticface.curves.replay import apply
from semanticface.curves.samples import COLUMN
from semanticface.errors import InputError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    return tmp_path / "neutrals"


@pytest.fixture
def resting(make_samples):
    """Frames 0 to 4 at rest, 5 to 9 not."""
    values = np.zeros((10, 61))
    values[:5, COLUMN["BrowInnerUp"]] = [0.1, 0.12, 0.9, 0.1, 0.11]
    values[:5, COLUMN["HeadPitch"]] = -0.2
    values[5:] = 0.8
    return make_samples(values)


def test_the_median_of_the_chosen_frames_is_the_neutral(resting):
    found = neutral_from(resting, [0, 1, 2, 3, 4], "Ada", "take 1")
    assert found.values["BrowInnerUp"] == pytest.approx(0.11), "one wild frame has no say"
    assert found.values["HeadPitch"] == pytest.approx(-0.2)
    assert (found.name, found.origin) == ("Ada", "take 1")


def test_frames_without_values_make_no_neutral(make_samples):
    with pytest.raises(InputError, match="none of the frames"):
        neutral_from(make_samples(np.full((5, 61), np.nan)), [0, 1], "Ada")


def test_a_face_at_full_strength_is_no_face_at_rest(make_samples):
    with pytest.raises(InputError, match="EyeBlinkLeft is 1"):
        neutral_from(make_samples(np.ones((5, 61))), [0, 1], "Ada")


def test_rest_becomes_zero_and_full_strength_stays(make_samples):
    neutral = Neutral("Ada", {"JawOpen": 0.2, "HeadYaw": 0.3})
    values = np.zeros((3, 61))
    values[:, COLUMN["JawOpen"]] = [0.1, 0.2, 1.0]
    values[:, COLUMN["HeadYaw"]] = [0.0, 0.3, 0.5]
    out = subtract(values, neutral)
    np.testing.assert_allclose(out[:, COLUMN["JawOpen"]], [0, 0, 1])
    np.testing.assert_allclose(out[:, COLUMN["HeadYaw"]], [-0.3, 0, 0.2])


def test_a_neutral_in_a_recipe_is_seen_and_taken_out_again(resting):
    neutral = neutral_from(resting, range(5), "Ada")
    recipe = Recipe.from_json(Recipe(neutral=neutral).to_json())
    assert recipe.neutral == neutral
    assert apply(recipe, resting).column("HeadPitch")[0] == pytest.approx(0.0)
    np.testing.assert_array_equal(apply(Recipe(), resting).values, resting.values)


def test_a_neutral_is_kept_replaced_and_removed_by_name(home):
    save_neutral(Neutral("Ada", {"JawOpen": 0.1}, "take 1"))
    save_neutral(Neutral("Ada", {"JawOpen": 0.2}, "take 2"))
    save_neutral(Neutral("ada!", {"JawOpen": 0.3}))
    assert {name: one.values["JawOpen"] for name, one in load_neutrals().items()} == {"Ada": 0.2, "ada!": 0.3}
    assert remove_neutral("Ada") and not remove_neutral("Ada")
    assert list(load_neutrals()) == ["ada!"]


def test_any_name_stays_inside_the_folder(home):
    for name in ("../../etc/passwd", "Ä Ö", "x" * 200, "CON"):
        assert save_neutral(Neutral(name, {})).parent == home
        assert name in load_neutrals()


def test_without_a_folder_there_are_no_neutrals(home):
    assert load_neutrals() == {} and not home.exists()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"format": "semanticface-neutral", "version": 2, "name": "A", "values": {}}',
        b'{"format": "semanticface-neutral", "version": 1, "name": "A", "values": {"Nose": 1}}',
        b'{"format": "semanticface-neutral", "version": 1, "name": "A", "values": {"JawOpen": NaN}}',
        b'{"format": "semanticface-neutral", "version": 1, "name": "A", "values": {"JawOpen": 1.0}}',
        b'{"format": "semanticface-neutral", "version": 1, "name": "A", "values": 5}',
        b"[" * 60_000,
        b" " * (room.MAX_TEXT + 1),
    ],
)
def test_rubbish_among_the_files_is_passed_over(home, rubbish):
    save_neutral(Neutral("Ada", {"JawOpen": 0.1}))
    path = home / "rubbish.json"
    path.write_bytes(rubbish)
    (home / "folder.json").mkdir()
    assert list(load_neutrals()) == ["Ada"]
    with pytest.raises(InputError, match=r"rubbish\.json"):
        room.read_neutral_file(path)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_neutral_needs_a_name(home, name):
    with pytest.raises(InputError, match="name"):
        save_neutral(Neutral(name, {}))
