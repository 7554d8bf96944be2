"""Keys in bulk: what Blender draws, what is kept, what is one undo step, and the time it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semanticface.bench import keying

Run = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
CARRIED = ("interpolation", "easing", "amplitude", "period", "back")
"""What a new key takes over from the key before it."""


def test_blender_draws_the_curve_that_is_meant(blender: Run) -> None:
    worst = blender("keys:drawn")
    assert len(worst) == 8
    assert max(worst.values()) < 1e-4


def test_one_take_is_one_action_where_actions_have_slots(blender: Run) -> None:
    seen = blender("keys:layout")
    assert seen["actions"] == (["Take"] if seen["slots"] else ["Take", "Take.001"])
    assert all(seen["fake"])
    assert seen["group"] == "Group"
    assert seen["kinds"] == ["LINEAR", "LINEAR"]
    assert seen["shown"] == pytest.approx([0.75, 0.75])


@pytest.mark.parametrize("more", [0, 100], ids=["short curve", "long curve"])
def test_keys_go_between_others_without_touching_them(blender: Run, more: int) -> None:
    seen = blender("keys:inserted", more=more)
    before, after = seen["before"], seen["after"]
    assert [row["co"][0] for row in after] == [1, 10, 15, 20, 30, 40, *range(100, 100 + more)]
    assert [after[0], after[3], after[4], *after[6:]] == [before[0], *before[2:]]
    moved = {name: value for name, value in before[1].items() if after[1][name] != value}
    assert set(moved) == {"co", "handle_left", "handle_right"}  # the key that stood there, with its handles
    assert after[1]["co"] == [10, 4]
    for name in ("handle_left", "handle_right"):
        assert after[1][name] == pytest.approx([before[1][name][0], before[1][name][1] + 1])
    for new, old in ((after[2], before[1]), (after[5], before[3])):
        assert [new[name] for name in CARRIED] == pytest.approx([old[name] for name in CARRIED])
        assert not new["select_control_point"]
    assert seen["drawn"] == pytest.approx([4, 0.5, 2], abs=0.5)  # the curve has a modifier of noise
    assert seen["new"] == [pytest.approx([frame, value]) for frame, value in ((10.0005, 4), (15, 0.5), (40, 2))]
    assert seen["new kinds"] == ["BEZIER"] * 3
    assert seen["actions"] == [1, 1]
    assert seen["curve"] == [1, "LINEAR", [0.1, 0.2, 0.3]]


@pytest.mark.parametrize("more", [0, 100], ids=["short curve", "long curve"])
def test_a_range_is_replaced_and_everything_else_stays(blender: Run, more: int) -> None:
    seen = blender("keys:replaced", more=more)
    before, after = seen["before"], seen["after"]
    assert after["location"] == before["location"]
    turned, old = after["rotation_euler"], before["rotation_euler"]
    assert [row["co"] for row in turned[:5]] == [old[0]["co"], [9, 1], [12, 2], [24, 3], old[3]["co"]]
    assert [turned[0], *turned[4:]] == [old[0], *old[3:]]
    assert seen["off"] < 1e-4


def test_an_old_action_is_pushed_down_where_it_stands(blender: Run) -> None:
    seen = blender("keys:pushed")
    first, hand = seen["strips"]["First"], seen["strips"]["By Hand"]
    for strip, name in ((first, "First"), (hand, "By Hand")):
        assert strip["action"] == strip["track"] == name
        assert strip["muted"]
        assert strip["slot"]
        assert strip["scale"] == 1
        assert strip["now"].startswith("Second")
    assert (first["start"], first["length"]) == (3.5, 5.75)
    assert (hand["start"], hand["length"]) == (-7, 1)
    assert seen["shown"] == 1  # what is pushed down is muted


def test_a_take_that_cannot_be_written_changes_nothing(blender: Run) -> None:
    seen = blender("keys:failing_track")
    assert seen["error"]
    assert seen["actions"] == 0
    assert not seen["changed"]


def test_refilled_curves_show_at_once_and_missing_ones_are_named(blender: Run) -> None:
    seen = blender("keys:refilled")
    assert seen["shown"] == 0.5
    assert seen["other"] == [[1, 0], [5, 0], [9, 0]]
    assert "has no curve of 2 keys" in seen["errors"][0]
    assert "on nothing" in seen["errors"][1]


@pytest.mark.clock
def test_600_frames_are_keyed_from_disk_in_a_blink(blender: Run) -> None:
    seen = blender("keys:many_frames")
    assert seen["shown"] == pytest.approx(599 / 600)
    assert seen["seconds"] < 2


@pytest.mark.clock
def test_bulk_keys_equal_inserted_keys_and_take_a_fraction_of_the_time(bpy_python: str) -> None:
    if Path(bpy_python).name.startswith("blender"):
        pytest.skip("the bench runs in a Python that has bpy")
    figures = keying.run(frames=300, addon=ROOT, python=Path(bpy_python))
    assert figures["equal"]
    assert figures["channels"] == 61
    assert figures["ratio"] < 1 / 50  # the bench holds it to 1/100 on 600 frames; a busy test machine gets some room


@pytest.mark.clock
def test_a_whole_take_on_three_meshes_is_measured_stage_by_stage(bpy_python: str) -> None:
    if Path(bpy_python).name.startswith("blender"):
        pytest.skip("the bench runs in a Python that has bpy")
    figures = keying.run_take(frames=60, addon=ROOT, python=Path(bpy_python))
    for recipe in ("standard", "raw"):
        assert figures[recipe]["channels"] == 3 * 52 + 9
        assert figures[recipe]["values"] == 60 * 165
        assert sum(figures[recipe]["stages"].values()) == pytest.approx(figures[recipe]["seconds"], rel=0.5)
    assert figures["standard"]["keys"] < figures["raw"]["keys"] == 60 * 165
    assert figures["standard"]["stages"]["reduction"] > figures["raw"]["stages"]["reduction"] == 0
    assert figures["met"] == (max(figures[recipe]["seconds"] for recipe in ("standard", "raw")) < 0.3)
