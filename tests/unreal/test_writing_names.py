"""What the plugin asks of names and rates before Unreal refuses them, or changes them without a word."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from semanticface_unreal.curve_set import Curve, CurveSet, Unsolved
from semanticface_unreal.ports import STAMP, AssetOrder
from semanticface_unreal.writing.names import LONGEST_CURVE, check_content_path, check_curve_name, root_of, split
from semanticface_unreal.writing.tags import FIRST, POLICY, RATE, REMARKS, UNSOLVED, VERSION, ours, tags_of

from semanticface import __version__
from semanticface.errors import InputError


@pytest.mark.parametrize(
    ("folder", "name", "says"),
    [
        ("/Game/Shots", "AS Shot", "space"),
        ("/Game/Shots", "AS_Shot.v2", "refuses: ."),
        ("/Game/Shots", 'AS_"Shot"', '"'),
        ("/Game/Shots", "AS\tShot", r"\t"),
        ("/Game/Shots", "", "no name"),
        ("/Game/Shots", "None", "no name"),
        ("/Game/Sh&ts", "AS_Shot", "&"),
        ("/Game//Shots", "AS_Shot", "no content folder"),
        ("Game/Shots", "AS_Shot", "no content folder"),
        ("/", "AS_Shot", "no content folder"),
        ("/Engine/Shots", "AS_Shot", "/Engine"),
        ("/Temp", "AS_Shot", "/Temp"),
        ("/Game/" + "x" * 190, "AS_Shot", "too many"),
    ],
)
def test_a_place_that_unreal_refuses_is_refused_with_the_reason(folder: str, name: str, says: str) -> None:
    with pytest.raises(InputError) as refusal:
        check_content_path(folder, name)
    assert says in str(refusal.value)
    assert refusal.value.hint


@pytest.mark.parametrize("folder", ["/Game", "/Game/", "/Game/Shots/sc010", "/MyPlugin/Faces", "/Game/Gesichter/Übung"])
def test_a_usual_place_is_taken(folder: str) -> None:
    check_content_path(folder, "AS_sc010-020_v3")


@pytest.mark.parametrize("name", ["", "None", " jaw", "jaw\n", "x" * (LONGEST_CURVE + 1)])
def test_a_curve_name_that_unreal_changes_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        check_curve_name(name)


def test_a_path_falls_into_folder_and_name_with_and_without_its_object() -> None:
    assert split("/Game/A/B.B") == split("/Game/A/B") == ("/Game/A", "B")
    assert root_of("/Game/A/B") == "/Game"


def test_the_tags_say_what_the_asset_was_made_from() -> None:
    made = tags_of(_curves(), AssetOrder("/Game", "AS_A", stamp="abc", tags={"Source": "a.mp4", STAMP: "no"}))
    assert made["SemanticFace.Source"] == "a.mp4"
    assert made[RATE] == "24000/1001"
    assert made[FIRST] == "101"
    assert made[POLICY] == "hold"
    assert made[UNSOLVED] == "103-105, 110"
    assert json.loads(made[REMARKS]) == ["Über zwei Bilder"]
    assert made[VERSION] == __version__
    assert STAMP not in made, "the stamp is set last, by itself"


def test_tags_of_others_are_not_ours() -> None:
    assert ours({RATE: "24", "Author": "me"}) == {RATE: "24"}


def _curves() -> CurveSet:
    curve = Curve("jawOpen", np.array([0, 4]), np.array([0.0, 1.0]))
    return CurveSet(Fraction(24000, 1001), 9, 101, (curve,), Unsolved.HOLD, (103, 104, 105, 110), ("Über zwei Bilder",))
