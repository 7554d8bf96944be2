"""Names of real conventions are matched in full, sides never swap, and rigs without a convention stay unlinked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import rig_names as rigs
from hypothesis import given
from hypothesis import strategies as st

from semanticface.actions import SHAPES
from semanticface.retarget.matching import Match, match

STYLES = rigs.styles()


def linked(found: Match) -> dict[str, tuple[str, ...]]:
    """Action -> its targets, in the order of the links."""
    out: dict[str, tuple[str, ...]] = {}
    for link in found.profile.links:
        out[link.action] = (*out.get(link.action, ()), link.target)
    return out


def flat(rig: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [name for names in rig.values() for name in names]


def test_the_lists_of_this_test_are_whole() -> None:
    assert all(set(rig) == set(SHAPES) for rig in STYLES.values())


@pytest.mark.parametrize("style", STYLES)
def test_all_52_are_matched_and_no_side_is_swapped(style: str) -> None:
    rig = STYLES[style]
    found = match({"Face": ["Basis", *flat(rig)]})
    assert linked(found) == dict(rig)
    assert found.missing == ()
    assert found.doubtful == found.duplicates == ()
    assert found.unused == {"Face": ("Basis",)}
    assert found.matched["Face"] == dict(rig)


@pytest.mark.parametrize("style", STYLES)
def test_the_order_of_names_changes_nothing(style: str) -> None:
    names = flat(STYLES[style])
    assert linked(match({"Face": names})) == linked(match({"Face": names[::-1]}))


def test_character_creator_is_matched_on_its_own_meshes_and_nothing_else_of_it_is() -> None:
    names = flat(rigs.CC4_EXTENDED)
    body = [name for name in names if name != "Tongue_Out"] + rigs.CC4_OTHERS
    found = match({"CC_Base_Body": body, "CC_Base_Tongue": ["Basis", "Tongue_Out", "Tongue_Up", "V_Tongue_Out"]})
    assert found.convention == "Character Creator"
    assert linked(found) == rigs.CC4_EXTENDED
    assert set(found.unused["CC_Base_Body"]) == set(rigs.CC4_OTHERS)
    assert found.matched["CC_Base_Tongue"] == {"TongueOut": ("Tongue_Out",)}


def test_old_character_creator_shapes_are_matched_where_they_have_a_counterpart() -> None:
    found = match({"CC_Base_Body": rigs.CC3_STANDARD})
    got = linked(found)
    assert got["BrowInnerUp"] == ("Brow_Raise_Inner_L", "Brow_Raise_Inner_R")
    assert got["NoseSneerLeft"] == ("Nose_Flank_Raise_L",)
    assert got["MouthRollLower"] == ("Mouth_Bottom_Lip_Under",)
    assert {"JawOpen", "TongueOut", "EyeLookUpLeft"} <= set(found.missing)  # its jaw and eyes are bones
    assert {"Open", "Wide", "Eye_Blink", "Mouth_Smile", "Brow_Raise_L"} <= set(found.unused["CC_Base_Body"])


def test_character_creator_names_with_sides_written_out_are_known() -> None:
    found = match({"Body": ["Brow_Raise_Inner_Left", "Brow_Raise_Inner_Right", "Brow_Drop_Left", "Eye_Blink_L"]})
    assert linked(found)["BrowInnerUp"] == ("Brow_Raise_Inner_Left", "Brow_Raise_Inner_Right")


def test_explus_goes_before_the_old_shapes_beside_it() -> None:
    found = match({"Body": [*rigs.CC3_STANDARD, *rigs.EXPLUS]})
    assert linked(found) == STYLES["Character Creator ExPlus"]
    assert "Eye_Blink_L" in {name for _, name, _ in found.duplicates}


def test_ready_player_me_leaves_visemes_and_two_sided_shapes_alone() -> None:
    found = match({"Wolf3D_Head": rigs.ARKIT + rigs.READY_PLAYER_ME_OTHERS, "Wolf3D_Teeth": rigs.ARKIT})
    assert linked(found) == STYLES["ARKit, Faceit, Ready Player Me"]
    assert {link.owner for link in found.profile.links} == {""}
    left_alone = set(found.unused["Wolf3D_Head"]) | {name for _, name, _ in found.duplicates}
    assert left_alone == set(rigs.READY_PLAYER_ME_OTHERS)


def test_ict_facekit_has_51_and_splits_two(shared: Path) -> None:
    names = [str(name) for name in np.load(shared / "data" / "ict_facekit.npz")["expr_names"]]
    found = match({"ICT": names})
    assert found.missing == ("TongueOut",)
    got = linked(found)
    assert got["BrowInnerUp"] == ("browInnerUp_L", "browInnerUp_R")
    assert got["CheekPuff"] == ("cheekPuff_L", "cheekPuff_R")
    sided = {action: names for action, names in got.items() if action.endswith(("Left", "Right")) and len(action) > 10}
    assert len(sided) == 36
    for action, (name,) in sided.items():
        side = "Left" if name.endswith("_L") else "Right"
        assert action == rigs.named(name.removesuffix("_L").removesuffix("_R")) + side
    assert set(found.unused["ICT"]) == {"PupilDilate_L", "PupilDilate_R", "cheekRaiser_L", "cheekRaiser_R"}


@pytest.mark.parametrize("prefix", ["", "Face.M_F00_000_00_"])
def test_plain_vroid_is_matched_where_it_has_a_counterpart(prefix: str) -> None:
    found = match({"Face": [prefix + name for name in rigs.VROID]})
    assert found.convention == "VRoid"
    gains = {(link.action, link.target.removeprefix(prefix)): link.gain for link in found.profile.links}
    assert gains["EyeBlinkLeft", "Fcl_EYE_Close_L"] == gains["EyeBlinkRight", "Fcl_EYE_Close_R"] == 1.0
    assert gains["JawOpen", "Fcl_MTH_A"] == 1.0
    assert gains["BrowDownLeft", "Fcl_BRW_Angry"] == gains["BrowDownRight", "Fcl_BRW_Angry"] == 0.5
    assert "MouthFrownLeft" in found.missing
    assert prefix + "Fcl_ALL_Joy" in found.unused["Face"]


def test_a_mesh_with_arkit_names_on_a_vroid_character_keeps_their_full_gain() -> None:
    found = match({"Face": rigs.VROID, "Brows": ["browDownLeft", "browDownRight"]})
    gains = {link.target: link.gain for link in found.profile.links}
    assert gains["Fcl_BRW_Angry"] == 0.5
    assert gains["browDownLeft"] == 1.0


def test_perfect_sync_on_a_vroid_head_leaves_its_own_shapes_alone() -> None:
    found = match({"Face": [*rigs.VROID, *map(rigs.named, rigs.ARKIT)]})
    assert linked(found) == STYLES["Pascal, VRM Perfect Sync"]


@pytest.mark.parametrize("rig", rigs.NOT_FACES)
def test_a_rig_without_a_convention_gets_no_link(rig: str) -> None:
    found = match({"Mesh": rigs.NOT_FACES[rig]})
    assert found.profile.links == ()
    assert found.convention == ""
    assert found.missing == SHAPES
    assert found.lines()[0] == "No shape has a name that is known"


def test_all_of_them_together_get_no_link_either() -> None:
    assert match(rigs.NOT_FACES).profile.links == ()


def test_what_a_face_has_beside_its_shapes_is_not_linked() -> None:
    extra = [name for names in rigs.NOT_FACES.values() for name in names]
    found = match({"Face": [*rigs.ARKIT, *extra]})
    assert linked(found) == STYLES["ARKit, Faceit, Ready Player Me"]


def test_one_or_two_hits_are_doubtful_unless_they_are_spelled_exactly() -> None:
    found = match({"Car": ["Jaw_Open", "Mouth Close", "bonnet"]})
    assert found.profile.links == ()
    assert [(name, action) for _, name, action in found.doubtful] == [
        ("Jaw_Open", "JawOpen"),
        ("Mouth Close", "MouthClose"),
    ]
    assert "Doubtful, not linked: Jaw_Open (JawOpen), Mouth Close (MouthClose)" in found.lines()
    assert linked(match({"Teeth": ["jawOpen"]})) == {"JawOpen": ("jawOpen",)}


def test_what_only_comes_near_an_action_fills_no_gap_of_another_convention() -> None:
    names = [name for name in rigs.ARKIT if name != "jawOpen"]
    found = match({"Face": [*names, "mouthOpen", "Fcl_MTH_A"]})
    assert found.missing == ("JawOpen",)
    assert {name for _, name, _ in found.doubtful} == {"mouthOpen", "Fcl_MTH_A"}


def test_leftovers_are_not_linked_however_many_there_are() -> None:
    assert match({"Face": [f"old_{name}" for name in rigs.ARKIT]}).profile.links == ()


def test_arkits_own_spelling_goes_before_any_other() -> None:
    most = [rig[0] for rig in STYLES["_L and _R (Face Cap, Maya)"].values()]
    assert linked(match({"Face": [*most, "eyeBlinkLeft"]}))["EyeBlinkLeft"] == ("eyeBlinkLeft",)


def test_half_of_a_pair_is_doubtful() -> None:
    found = match({"Face": ["eyeBlink_L", "eyeBlink_R", "jawOpen", "mouthSmile_L", "cheekPuff_L"]})
    assert "CheekPuff" in found.missing
    assert found.doubtful == (("Face", "cheekPuff_L", "CheekPuff"),)


def test_a_second_name_for_an_action_is_left_alone_and_named() -> None:
    found = match({"Face": ["EYEBLINKLEFT", *rigs.ARKIT, "Eye_Blink_L"]})
    assert linked(found)["EyeBlinkLeft"] == ("eyeBlinkLeft",)
    assert {name for _, name, _ in found.duplicates} == {"EYEBLINKLEFT", "Eye_Blink_L"}


def test_the_spelling_of_most_names_goes_first() -> None:
    most = [rig[0] for rig in STYLES["_L and _R (Face Cap, Maya)"].values()]
    for order in ([*most, "EyeBlinkLeft"], ["EyeBlinkLeft", *most]):
        assert linked(match({"Face": order}))["EyeBlinkLeft"] == ("eyeBlink_L",)


def test_meshes_that_spell_alike_share_links_and_others_get_their_own() -> None:
    meshes = {"Face": rigs.ARKIT, "Lashes": ["eyeBlinkLeft", "eyeBlinkRight"], "Teeth": ["Teeth_jawOpen", "Basis"]}
    found = match(meshes)
    by_action = {}
    for link in found.profile.links:
        by_action.setdefault(link.action, []).append((link.owner, link.target))
    assert by_action["EyeBlinkLeft"] == [("", "eyeBlinkLeft")]
    assert by_action["JawOpen"] == [("Face", "jawOpen"), ("Teeth", "Teeth_jawOpen")]
    assert found.matched["Lashes"] == {"EyeBlinkLeft": ("eyeBlinkLeft",), "EyeBlinkRight": ("eyeBlinkRight",)}
    assert "By mesh: Face 52, Lashes 2, Teeth 1" in found.lines()


def test_a_mesh_in_another_convention_is_moved_by_its_own_names() -> None:
    brows = ["Brow_Raise_Inner_L", "Brow_Raise_Inner_R", "Brow_Drop_L", "Brow_Drop_R", "Cheek_Puff_L"]
    found = match({"Face": rigs.ARKIT, "Brows": brows})
    assert found.matched["Brows"] == {
        "BrowDownLeft": ("Brow_Drop_L",),
        "BrowDownRight": ("Brow_Drop_R",),
        "BrowInnerUp": ("Brow_Raise_Inner_L", "Brow_Raise_Inner_R"),
    }
    assert linked(found)["BrowInnerUp"] == ("browInnerUp", "Brow_Raise_Inner_L", "Brow_Raise_Inner_R")
    assert {name for _, name, _ in found.duplicates} == {"Cheek_Puff_L"}


def test_a_prefix_that_is_the_meshes_name_is_looked_through() -> None:
    names = ["Bob_Lashes_eyeBlinkLeft", "Bob_Lashes_eyeBlinkRight", "Bob_Lashes_eyeWideLeft"]
    assert match({"Bob_Lashes": names}).found == 3
    assert match({"Other": names}).found == 0


def test_correctives_for_two_shapes_are_no_prefix() -> None:
    correctives = [f"jawOpen_{name}" for name in rigs.ARKIT]
    assert match({"Face": correctives}).profile.links == ()


@given(st.lists(st.text(max_size=60), max_size=40))
def test_any_names_at_all_are_read_without_an_error(names: list[str]) -> None:
    found = match({"Mesh": names})
    assert {link.target for link in found.profile.links} <= set(names)
    assert found.lines()


def test_no_meshes_are_no_match() -> None:
    assert match({}).profile.links == ()
    assert match({"Mesh": []}).missing == SHAPES
