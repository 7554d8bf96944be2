"""What may be keyed and what is refused with its reason, before any work is begun."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from semanticface.mock_script import Script, make_result, motion
from semanticface.take import TakeHeader, TakeWriter

Run = Callable[..., Any]


def test_meshes_and_footage_that_cannot_be_used_are_refused_with_the_reason(blender: Run) -> None:
    errors = blender("targets_and_keys:refused_meshes")
    reasons = {
        "no keys": '"Plain" has no shape keys',
        "no names": 'no shape key of "Alien" is matched to a facial action',
        "absolute": "are absolute",
        "driven": 'drivers hold every ARKit shape key of "Driven"',
        "nothing": "there is nothing to key",
        "no file": "no such file",
        "no clip": "no footage is chosen",
    }
    assert set(errors) == set(reasons)
    for name, reason in reasons.items():
        assert reason in errors[name]
        assert "BEGUN" not in errors[name]


def test_linked_and_overridden_targets_are_refused(blender: Run) -> None:
    errors = blender("targets_and_keys:refused_links")
    assert '"Linked" is linked from' in errors["linked"]
    assert "is a library override" in errors["override"]
    assert '"LinkedHead" is linked from' in errors["linked head"]
    assert "BEGUN" not in "".join(errors.values())


def test_controls_without_euler_angles_or_axes_are_refused(blender: Run) -> None:
    errors = blender("targets_and_keys:refused_controls")
    assert 'the rotation mode of "Head" is quaternion' in errors["quaternion"]
    assert "need three different axes" in errors["axes"]
    assert 'no bone "no such bone"' in errors["bone"]
    assert "BEGUN" not in "".join(errors.values())


def test_shape_keys_match_in_any_case_and_driven_ones_are_left_alone(blender: Run) -> None:
    seen = blender("targets_and_keys:matches")
    assert seen["both"] == {"JawOpen": ["jawOpen"]}
    assert seen["absent"] == 51
    assert seen["free"] == {"MouthClose": ["mouthClose"]}
    assert seen["names"] == [["mouthClose"], ["jawOpen"]]
    assert seen["driven"] == ["jawOpen"]


def test_bones_turn_about_their_own_axes(blender: Run) -> None:
    seen = blender(
        "targets_and_keys:bones",
        mock={"frames": 1, "values": {"0": {"HeadYaw": 0.4, "HeadPitch": 0.0, "HeadRoll": 0.0}}},
    )
    assert seen["error"] == ""
    assert len(seen["keys"]) == 6
    values = [seen["keys"][f'pose.bones["head"].rotation_euler[{index}]'][0][1] for index in range(3)]
    assert values == pytest.approx([0.0, -0.4, 0.0], abs=1e-6)


def test_every_euler_order_shows_the_same_rotation(blender: Run) -> None:
    worst = blender("targets_and_keys:rotations")
    assert worst.pop("largest step") < 0.2  # no jump where the yaw passes half a turn
    assert max(worst.values()) < 1e-3


def test_a_take_is_keyed_from_disk_without_a_backend(blender: Run, tmp_path: Path) -> None:
    header = TakeHeader({"path": "shot.mp4"}, Fraction(25), {}, {}, key="k")
    with TakeWriter(tmp_path / "shot-1", header) as writer:
        for frame in (10, 11, 12):
            writer.append(make_result(Script(), frame, frame / 25))
    seen = blender("targets_and_keys:take_from_disk", directory=str(tmp_path / "shot-1"))
    assert seen["error"] == seen["again"] == ""
    assert seen["link"] == "off"
    assert [key[0] for key in seen["shapes"]["jawOpen"]] == pytest.approx([50, 50.96, 51.92])
    assert [key[1] for key in seen["shapes"]["jawOpen"]] == pytest.approx([motion(n)["JawOpen"] for n in (10, 11, 12)])
    assert "Nothing was keyed" in seen["missing"]
