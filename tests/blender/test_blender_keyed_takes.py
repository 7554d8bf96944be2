"""Whole takes keyed by plans: what is keyed, what is refused, what stays as it was, and what Actions remember."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
KEYED = re.compile(
    r"shape(s of)? (Face|Lashes|Teeth)$|value (Face|Lashes|Teeth) (jawOpen|mouthSmile(Left|Right)|drop)$|turn Head$"
    r"|blink Rig$|bone Rig neck$|animation (Head|Rig)$|action (By Hand|Nod|shot-1[.\d]*)$"
    r'|curve [^"\[]*(key_blocks\["(jawOpen|mouthSmile(Left|Right)|drop)"\]\.value\[0\]|rotation_euler\[[012]\]'
    r'|\["blink"\]\[0\]|pose\.bones\["neck"\]\["turn"\]\[0\])$'
)
"""All that a plan for the test's character may change, in words of `file_state`."""


def test_a_recipe_is_keyed_on_meshes_controls_and_properties(blender: Run) -> None:
    seen = blender("keyed_takes:recipe_and_mapping")
    assert max(seen["off"]) <= 0.01 + 1e-5
    assert seen["shown"][0] == pytest.approx(seen["shown"][1], abs=0.01)
    assert seen["same"], "meshes with the same shape keys have the same curves"
    channels, keys, values, keyed = seen["counts"]
    assert (channels, values, keyed) == (12, 2400, 200)
    assert keys < 0.15 * values
    assert f"{keys} of 2,400 keys are enough" in seen["lines"]
    assert seen["groups"] == ["Face", "Properties", "neck"]
    assert len(seen["actions"]) == (1 if seen["slots"] else 5)


def test_keying_is_one_undo_step_and_touches_nothing_outside_the_mapping(blender: Run) -> None:
    steps = blender("keyed_takes:one_step")
    assert len(steps) == 8
    for seen in steps:
        mode = seen["mode"]
        assert seen["notes"][0].startswith("Keyed 24 frames on 12 channels")
        assert [name for name in seen["changed"] if not KEYED.fullmatch(name)] == []
        assert any(name.startswith("curve shot-1") for name in seen["changed"])
        assert seen["undone"] == [], mode
        assert seen["redone"] == [], mode
        action, _, tracks, drivers, _ = seen["animation"]
        assert drivers == [['key_blocks["driven"].value', "0.5"]]
        if mode == "NEW":
            assert seen["jaw"] == [-5, 10, 500]
            assert not [name for name in seen["changed"] if name.startswith(("curve By Hand", "curve Nod"))]
            assert action.startswith("shot-1")
            assert [track[:2] for track in tracks] == ([["By Hand", True]] if seen["push"] else [])
        else:
            assert action == "By Hand"
            assert tracks == []
            before, *inside, after = seen["jaw"]
            assert (before, after) == (-5, 500)
            assert inside == list(range(1, 25)) if mode == "INSERT" else (inside[0], inside[-1]) == (1, 24)


def test_channels_that_cannot_be_keyed_are_refused_by_name(blender: Run) -> None:
    errors = blender("keyed_takes:refusals")
    reasons = {
        "curve": 'the curve of the shape key "jawOpen" on "Face" is locked',
        "group": 'the group "Mouth", in which the shape key "jawOpen" on "Face" is, is locked',
        "baked": 'the curve of the shape key "jawOpen" on "Face" is baked to samples',
        "rotation": 'the rotation of "Head" is locked on Y',
        "bone": 'the rotation of the bone "neck" of "Rig" is locked on X, Z',
        "property": '"Rig" has no custom property "blink"',
        "no owner": 'the property "x"',
        "text": 'the property "note" of "Rig" is not a number',
        "no bone": '"Rig" has no bone "tail"',
        "linked": 'the Action "By Hand" of "Face" is linked from',
    }
    for name, reason in reasons.items():
        assert reason in errors.pop(name)
        assert "CHANGED" not in reason
    assert errors.pop("shape") == "", "the lock of a shape key guards its form, not its value"
    assert errors == {"curve NEW": "", "linked NEW": ""}, "a new Action leaves the old one alone"


def test_tweak_mode_is_refused(blender: Run) -> None:
    seen = blender("keyed_takes:tweaked")
    assert seen["tweaking"]
    assert 'an NLA strip of "Head" is being tweaked' in seen["error"]


def test_frames_without_a_result_are_named_and_filled_only_when_asked(blender: Run) -> None:
    seen = blender("keyed_takes:gaps")
    given = [[frame + 1.0, round(0.1 * frame, 4)] for frame in (0, 1, 4, 5, 7)]
    assert seen["leave"] == given
    assert "No key, no face: source frames 2-3" in seen["leave report"]
    assert "No key, failed: source frames 6" in seen["leave report"]
    assert seen["hold"] == [[1, 0], [2, 0.1], [3, 0.1], [4, 0.1], [5, 0.4], [6, 0.5], [7, 0.5], [8, 0.7]]
    assert "Filled from their neighbours: source frames 2-3, 6" in seen["hold report"]
    assert not [line for line in seen["hold report"] if line.startswith("No key")]
    assert seen["few"] == given, "a key on either side of each gap"


def test_single_poses_get_the_recipe_of_a_pose_and_none_of_time(blender: Run) -> None:
    keys = blender("keyed_takes:single_pose")["keys"]
    values = (0.2, 0.41, 0.6, 0.79, 1.0)
    assert [key[0] for key in keys] == [6, 7, 8, 9, 10]
    assert [key[1] for key in keys] == pytest.approx([0.5 * (value - 0.2) / 0.8 for value in values], abs=1e-6)


def test_still_curves_are_left_out_of_a_new_action_on_request(blender: Run) -> None:
    seen = blender("keyed_takes:pruned")
    assert seen["NEW"] == ["jawOpen", "mouthSmileRight"]  # which has an offset
    assert seen["REPLACE"] == ["jawOpen", "mouthSmileLeft", "mouthSmileRight"]
    assert "All curves are zero throughout" in seen["nothing"][1]


def test_drivers_keep_what_they_hold_and_what_hides_the_keys_is_said(blender: Run) -> None:
    seen = blender("keyed_takes:drivers")
    assert seen["face"] == ["mouthSmileLeft", "mouthSmileRight"]
    assert seen["head"] == ["rotation_euler[0]", "rotation_euler[2]"]
    assert seen["driven"] == ["jawOpen", "the rotation of Head"]
    assert any('"Head" was animated by NLA tracks alone ("' in note for note in seen["notes"])
    assert any('the Action of "Rig" at 50%' in note for note in seen["notes"])
    assert seen["absent"] == 48
    assert set(seen["notes"]) <= set(seen["lines"])


def test_an_action_remembers_its_takes_and_the_later_frame_wins(blender: Run) -> None:
    seen = blender("keyed_takes:signatures")
    assert seen["origins"] == ["shot-1", "other-1", "shot-2"]  # a take without a face leaves no trace
    assert seen["groups"] == [[1, "INSERT", True], [20, "NEW", True]]
    assert seen["again"] == 0.9
    assert seen["key"] == pytest.approx(0.9)
    assert seen["without"] == "ok"
    assert seen["round trip"]


def test_what_an_action_remembers_stays_short(blender: Run) -> None:
    seen = blender("keyed_takes:bounded")
    assert seen["shared"][0] < seen["most"]
    assert seen["shared"][1] == 200, "takes that share a profile keep it once"
    assert seen["own"][0] < seen["most"]
    assert seen["own"][2] == "take-49", "the newest is never forgotten"
    assert seen["damaged"] == [0] * 6
    assert seen["old"] == ["old-1", ["Face"], 52]
