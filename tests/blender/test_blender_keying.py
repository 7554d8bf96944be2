"""Curves in bulk: values, layout of Actions, what is kept, and the time it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semanticface.bench import keying

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


def test_one_take_is_one_action_where_actions_have_slots(blender: Run) -> None:
    seen = blender("targets_and_keys:layout")
    assert seen["actions"] == (["Take"] if seen["slots"] else ["Take", "Take.001"])
    assert all(seen["fake"])
    assert seen["group"] == "Rotation"
    assert seen["kinds"] == ["BEZIER", "BEZIER"]
    assert seen["handle"][0] == pytest.approx(1.5)  # a third of the way: handles were computed
    assert seen["shown"] == pytest.approx([0.75, 0.75])


def test_kept_animation_keeps_modifiers_handles_and_other_channels(blender: Run) -> None:
    kept = blender("targets_and_keys:kept_curves")
    assert kept["location"]["keys"] == [[1, 0.01], [10, 0.1], [20, 0.2], [30, 0.3]]
    assert kept["rotation_euler"]["keys"] == [[1, 0.01], [10, 1], [20.0, 2], [30, 0.3]]
    assert kept["rotation_euler"]["kinds"] == ["CONSTANT", "LINEAR", "LINEAR", "BEZIER"]
    for curve in kept.values():
        assert curve["modifiers"] == 1
        assert curve["handle"] == [3, 0.5]
        assert curve["same_group"]


def test_a_take_that_cannot_be_written_changes_nothing(blender: Run) -> None:
    seen = blender("targets_and_keys:failing_track")
    assert seen["error"]
    assert seen["actions"] == 0
    assert not seen["changed"]


def test_600_frames_are_keyed_from_disk_in_a_blink(blender: Run) -> None:
    seen = blender("targets_and_keys:many_frames")
    assert seen["shown"] == pytest.approx(599 / 600)
    assert seen["seconds"] < 2


def test_bulk_keys_equal_inserted_keys_and_take_a_fraction_of_the_time(bpy_python: str) -> None:
    figures = keying.run(frames=300, addon=ROOT, python=Path(bpy_python))
    assert figures["equal"]
    assert figures["channels"] == 61
    assert figures["ratio"] < 1 / 50  # the bench holds it to 1/100 on 600 frames; a busy test machine gets some room
