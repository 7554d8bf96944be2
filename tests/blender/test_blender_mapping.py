"""Several meshes in the usual conventions, the user's own mapping, stored profiles, and the axes of controls."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter

sys.path.insert(0, str(Path(__file__).parents[1] / "retarget"))
import rig_names as rigs

Run = Callable[..., Any]
FRAMES = 4


def value(action: str, frame: int) -> float:
    """A number of its own for each action and frame, so that no mixing up goes unseen."""
    return round((CSV_ORDER.index(action) + 1) / 100 + frame / 1000, 6)


@pytest.fixture
def take(tmp_path: Path) -> Path:
    header = TakeHeader({"path": "shot.mp4"}, Fraction(24), {}, {}, key="k")
    with TakeWriter(tmp_path / "shot-1", header) as writer:
        for frame in range(FRAMES):
            values = {name: value(name, frame) for name in CSV_ORDER}
            writer.append(FrameResult(frame, frame / 24, Status.OK, values))
    return tmp_path / "shot-1"


def flat(rig: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [name for names in rig.values() for name in names]


def values_of(keys: Sequence[Sequence[float]]) -> list[float]:
    return [key[1] for key in keys]


def test_each_convention_is_keyed_in_full_and_nothing_beside_it(blender: Run, take: Path, tmp_path: Path) -> None:
    others = {"Ready Player Me": rigs.READY_PLAYER_ME_OTHERS, "Character Creator 4 Extended": rigs.CC4_OTHERS}
    styles = rigs.styles()
    chosen = [
        "Pascal, VRM Perfect Sync", "_L and _R (Face Cap, Maya)", ".L and .R (Blender)", "words", "blendShape1.",
        "VRoid mesh prefix", "Character Creator ExPlus", "Character Creator 4 Extended",
    ]  # fmt: skip
    wanted = {name: styles[name] for name in chosen}
    wanted["Ready Player Me"] = styles["ARKit, Faceit, Ready Player Me"]
    part = {"EyeBlinkLeft", "EyeBlinkRight", "EyeSquintLeft", "JawOpen", "BrowInnerUp", "MouthPucker"}
    meshes = {
        name: {
            "Face": ["Basis", *flat(rig), *others.get(name, [])],
            "Parts": [shape for action in part for shape in rig[action]],
        }
        for name, rig in wanted.items()
    }
    file = tmp_path / "rigs.json"
    file.write_text(json.dumps(meshes))
    seen = blender("mapping:conventions", rigs=str(file), directory=str(take))
    for name, rig in wanted.items():
        got = seen[name]
        assert got["error"] == "", name
        assert sorted(got["meshes"]) == ["Face", "Parts"]
        assert not got["bystander"]
        assert set(got["keys"]["Face"]) == set(flat(rig)), name
        assert set(got["keys"]["Parts"]) == {shape for action in part for shape in rig[action]}, name
        for mesh, keyed in got["keys"].items():
            for action, shapes in rig.items():
                for shape in shapes:
                    if shape in keyed:
                        expected = [value(action, frame) for frame in range(FRAMES)]
                        assert values_of(keyed[shape]) == pytest.approx(expected, abs=1e-6), (name, mesh, shape)


def test_ones_own_links_hold_and_nothing_else(blender: Run, take: Path) -> None:
    seen = blender("mapping:own_mapping", directory=str(take))
    assert seen["error"] == ""
    assert seen["before"] == [False, 4]
    assert seen["copied"] == ["JawOpen", "jawOpen", True]
    face, teeth = seen["keys"]["Face"], seen["keys"]["Teeth"]
    assert set(face) - {"untouched"} == {"jawOpen", "smile"}
    frames = range(FRAMES)
    jaw = [min(0.5 * value("JawOpen", frame) + 0.1, 0.3) for frame in frames]
    assert values_of(face["jawOpen"]) == pytest.approx(jaw, abs=1e-6)
    both = [a + min(0.25 * value("JawOpen", frame), 0.3) for frame, a in zip(frames, jaw, strict=True)]
    assert values_of(teeth["jawOpen"]) == pytest.approx(both, abs=1e-6)
    smile = [value("MouthSmileLeft", frame) + value("MouthSmileRight", frame) for frame in frames]
    assert values_of(face["smile"]) == pytest.approx(smile, abs=1e-6)
    assert seen["match"].count(True) == 2
    assert "label Your own: 4 of 5 links in use" in seen["drawn"]
    assert seen["after"] == [False, 0, 4]


def test_links_are_added_and_removed_one_by_one(blender: Run) -> None:
    seen = blender("mapping:links_of_all_kinds")
    assert seen["polls"] == [False, False]
    assert seen["added"] == [True, 4, 3, ""]
    assert seen["empty"] == 3  # a link without a target is none yet
    assert seen["kinds"] == ["property", "HeadYaw"]
    assert seen["left"] == seen["nothing"] == 0
    assert "poll() failed" in seen["refused"]


def test_profiles_go_from_file_to_file(blender: Run, take: Path) -> None:
    seen = blender("mapping:presets", directory=str(take))
    errors = seen["errors"]
    assert errors["save"] == errors["export"] == errors["load"] == errors["import"] == errors["remove"] == ""
    assert "a profile needs a name" in errors["no name"]
    assert 'no retarget profile is stored as "nobody"' in errors["none"]
    assert "'Nod' is no facial action" in errors["rubbish"]
    saved = seen["saved"]
    assert seen["exported"] == saved
    assert [link["gain"] for link in saved["links"]] == [0.7, 1.0, 1.0, pytest.approx(2 * 57.29578)]
    assert [control["owner"] for control in saved["controls"]] == ["Head", "EyeR"]
    for kind in ("loaded", "imported"):
        assert seen[kind]["links"] == saved["links"]
        assert seen[kind]["controls"] == saved["controls"][:1]  # the other file has no such eye
    assert seen["unmet"] == ["eyeBlinkLeft", "mouthClose"]
    assert "label No chosen mesh has: eyeBlinkLeft," in " ".join(seen["drawn"])
    assert seen["kept"] == 4
    assert seen["stored"] == []


def test_properties_of_objects_and_bones_are_keyed_in_their_unit(blender: Run, take: Path) -> None:
    seen = blender("mapping:properties_keyed", directory=str(take))
    errors = seen["errors"]
    assert errors["keyed"] == ""
    frames = range(FRAMES)
    degrees = [57.29577951 * value("HeadYaw", frame) for frame in frames]
    assert values_of(seen["keys"]['["head_yaw"][0]']) == pytest.approx(degrees, abs=1e-4)
    look = [-value("LeftEyePitch", frame) for frame in frames]
    assert values_of(seen["keys"]['pose.bones["eyes"]["look"][0]']) == pytest.approx(look, abs=1e-6)
    assert seen["without"] == "HeadYaw"
    assert 'no custom property "gone"' in errors["gone"]
    assert "is not a number" in errors["text"]
    assert 'no bone "no bone"' in errors["bone"]
    assert '"Nobody" is not in this file' in errors["owner"]
    assert "has no object" in errors["empty"]
    assert "a driver holds" in errors["driven"]


def test_the_meshes_of_a_character_are_found_and_no_others(blender: Run) -> None:
    seen = blender("mapping:meshes_found")
    assert seen["alone"] == [True, False, False, False, False]
    assert seen["rig"] == ["Face", "Lashes", "Tongue"]
    assert seen["again"] == "cancelled"
    assert set(seen["selected"]) == {"Face", "Lashes", "Tongue", "Stranger", "Shirt"}
    assert len(seen["removed"]) == 4
    assert seen["off"] == []
    assert seen["collection"] == ["Head", "Teeth"]
    assert seen["nothing"] == [False, "cancelled"]


def test_guessed_axes_turn_controls_the_way_the_face_turns(blender: Run) -> None:
    seen = blender("mapping:axes_guessed")
    assert seen["wrong"] == []
    assert seen["guesses"]["Upright"] == [["-Z", "X", "Y"], 0.0]
    assert seen["guesses"]["up"][0] == ["-Y", "X", "-Z"]
    assert seen["guesses"]["down"][1] > 0.05
    assert seen["settings"] == [seen["guesses"][bone][0] for bone in ("forward", "up", "left")]
    assert seen["differs"] and not seen["same"]
    assert seen["plan"] == seen["settings"]
    assert "prop right_eye_yaw" in seen["drawn"]
    assert seen["errors"][0] == "" and 'has no bone "nowhere"' in seen["errors"][1]
    assert seen["polls"] == [False, True]


def test_driven_shape_keys_are_left_to_their_drivers(blender: Run, take: Path) -> None:
    seen = blender("mapping:driven_shapes", directory=str(take))
    assert seen["error"] == ""
    assert set(seen["keys"]["Face"]) == {"mouthClose", "eyeBlinkLeft", "browInnerUp"}
    assert set(seen["free"]) == {"mouthClose", "eyeBlinkLeft", "browInnerUp"}
    assert any("Left to their drivers: jawOpen" in line for line in seen["drawn"])


def test_a_redraw_with_three_full_meshes_is_cheap(blender: Run, tmp_path: Path) -> None:
    file = tmp_path / "rigs.json"
    file.write_text(json.dumps({name: rigs.ARKIT for name in ("Face", "Lashes", "Brows")}))
    took = blender("mapping:redraws", rigs=str(file))
    assert took["automatic"] < 10 and took["own"] < 20  # the recording layout of the test included
    assert len(SHAPES) == len(rigs.ARKIT)
