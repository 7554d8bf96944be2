"""The map from source frames to scene frames, and what is said of it; needs no Blender."""

from __future__ import annotations

import importlib
import json
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semanticface.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])


@pytest.fixture(scope="module")
def timing() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return importlib.import_module("blender_addon.footage.timing")


def test_29_97_footage_does_not_drift_over_an_hour(timing: ModuleType) -> None:
    clock = timing.TimeMap(0, 1.0, Fraction(30000, 1001), Fraction(24))
    frame = 107_892  # one hour of drop-frame timecode
    assert clock.to_scene(frame) == pytest.approx(1 + frame * 1001 / 30000 * 24, abs=1e-9)
    assert clock.to_scene(frame) == pytest.approx(1 + 3600 * 24, abs=0.1)


def test_variable_rate_footage_follows_its_own_times(timing: ModuleType) -> None:
    clock = timing.TimeMap(10, 101.0, Fraction(30), Fraction(24))
    assert clock.to_scene(11, time=0.5 + 0.4, anchor_time=0.4) == pytest.approx(101 + 12)


@given(
    source=RATES, scene=RATES, frame=st.integers(0, 200_000), anchor=st.integers(0, 1000), start=st.integers(-500, 500)
)
def test_a_scene_frame_leads_back_to_its_source_frame(
    timing: ModuleType, source: Fraction, scene: Fraction, frame: int, anchor: int, start: int
) -> None:
    for kind in timing.Timing:
        clock = timing.TimeMap(anchor, float(start), source, scene, kind)
        assert clock.to_source(clock.to_scene(frame)) == frame


def test_a_map_goes_through_json_unchanged(timing: ModuleType) -> None:
    clock = timing.TimeMap(3, 1.5, Fraction(30000, 1001), Fraction(24000, 1001), timing.Timing.PER_FRAME, True)
    assert timing.TimeMap.from_dict(clock.to_dict()) == clock


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (29.970029, "30000/1001"),
        (23.976024, "24000/1001"),
        (25.0, "25"),
        (24.0, "24"),
        (59.94, "60000/1001"),
        (12.5, "25/2"),
    ],
)
def test_rounded_rates_stand_for_exact_ones(timing: ModuleType, fps: float, rate: str) -> None:
    assert timing.near_rate(fps) == Fraction(rate)


def test_a_scene_rate_of_23_976_is_exact(timing: ModuleType) -> None:
    assert timing.exact_rate(24, 1.0010000467300415) == Fraction(24000, 1001)
    assert timing.exact_rate(30, 1.0) == 30
    assert timing.near_rate(0.0) is None


# What the panel says before anything is analyzed: pure, too.


@pytest.fixture(scope="module")
def rooms() -> tuple[ModuleType, ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        names = ("selection", "lines")
        selection, lines = (importlib.import_module(f"blender_addon.footage.{name}") for name in names)
        return selection, lines


def described(
    rooms: tuple[ModuleType, ModuleType], info: dict[str, Any], footage: dict[str, Any], **chosen: Any
) -> Any:
    selection, lines = rooms
    made = selection.Footage(
        **{"media": {}, "label": "clip", "rate": None, "anchor": None, "anchor_scene": 1.0} | footage
    )
    return lines.describe(made, selection.Selection(**{"frames": "ALL", "scene_rate": Fraction(24)} | chosen), info)


def test_source_and_scene_rates_and_both_ends_are_said(rooms: Any) -> None:
    said = described(rooms, {"rate": "25/1", "frame_count": 50}, {})
    assert said.plain == (
        "25 fps in 24 fps, in real time",
        "Source frames 0 to 49 at scene frames 1 to 48.04: 50 frames",
    )
    assert not said.warnings and not said.refusal


def test_another_speed_is_warned_of_only_where_there_is_one(rooms: Any, timing: ModuleType) -> None:
    by_frame = timing.Timing.PER_FRAME
    info = {"rate": "30/1", "frame_count": 50}
    (warning,) = described(rooms, info, {}, timing=by_frame).warnings
    assert "30 fps and the scene 24" in warning and "20% slower" in warning and "choose Real Time" in warning
    (warning,) = described(rooms, info, {"timing": by_frame}).warnings
    assert "Follow Strip" in warning, "a strip's own way of playing isn't the panel's to choose"
    assert not described(rooms, {"rate": "24/1", "frame_count": 50}, {}, timing=by_frame).warnings
    assert not described(rooms, {"frame_count": 50}, {}, timing=by_frame).warnings, "nobody knows the rate yet"
    (near,) = described(rooms, {"rate": "24000/1001", "frame_count": 50}, {}, timing=by_frame).warnings
    assert "23.98 fps" in near and "a little off" in near


def test_what_a_probe_says_goes_before_a_guess(rooms: Any) -> None:
    guess = {"rate": Fraction(30), "count": 10}
    assert "Source frames 0 to 9 at" in described(rooms, {}, guess).plain[1]
    said = described(rooms, {"rate": "30000/1001", "frame_count": 12}, guess)
    assert said.plain[0].startswith("29.97 fps") and "Source frames 0 to 11 at" in said.plain[1]


def test_holes_within_the_choice_are_named_by_file_and_by_source_frame(rooms: Any) -> None:
    info = {"rate": "24/1", "frame_count": 20, "first_number": 1001, "missing": [1003, 1004, 1009, 1015]}
    said = described(rooms, info, {}, frames="RANGE", first=2, last=10)
    assert said.warnings == ("No file for 1003-1004, 1009: source frames 2-3, 8",)


def test_frames_with_places_of_their_own_stand_there_and_others_by_the_rule(timing: ModuleType) -> None:
    clock = timing.TimeMap(0, 1.0, Fraction(25), Fraction(25), whole=True).pinned(((4, 90.5), (4, 10.0), (7, 3.25)))
    assert clock.places(4) == (10.0, 90.5), "a source frame may be shown at several scene frames"
    assert clock.to_scene(7, time=0.28, anchor_time=0.0) == 3.25, "whole frames and times have no say"
    assert clock.places(5) == (6.0,) and clock.to_scene(5) == 6.0
    assert [clock.to_source(where) for where in (0.0, 9.0, 300.0)] == [7, 4, 4]
    assert timing.TimeMap.from_dict(json.loads(json.dumps(clock.to_dict()))) == clock


@given(
    start=st.integers(-10, 80), length=st.integers(0, 60), source=st.one_of(RATES, st.just(Fraction(240))),
    scene=RATES, anchor=st.integers(0, 50), count=st.integers(1, 300), whole=st.booleans(),
)  # fmt: skip
@example(start=20, length=5, source=Fraction(240), scene=Fraction(24), anchor=0, count=300, whole=True)
def test_a_scene_range_holds_exactly_the_frames_that_lie_in_it(
    rooms: Any, start: int, length: int, source: Fraction, scene: Fraction, anchor: int, count: int, whole: bool
) -> None:
    selection, _ = rooms
    footage = selection.Footage({}, "clip", source, anchor, 11.0, count)
    chosen = selection.Selection("SCENE", scene, span=(float(start), float(start + length)), whole=whole)
    time = selection.time_map(footage, chosen, 0)
    inside = [frame for frame in range(count) if start - 1e-6 <= time.to_scene(frame) <= start + length + 1e-6]
    try:
        assert list(selection.choose_frames(footage, {}, chosen).frames) == inside
    except InputError:
        assert not inside


def test_a_looker_never_makes_its_caller_wait(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        disk = importlib.import_module("blender_addon.footage.disk")
    (tmp_path / "face_07.png").write_bytes(b"one")
    (tmp_path / "face_09.png").write_bytes(b"two")
    looker, path = disk.Looker(), str(tmp_path / "face_07.png")
    redrawn: list[bool] = []
    host = SimpleNamespace(redraw=lambda: redrawn.append(True), job="an analysis")
    assert looker.lately(path, True) is None, "nothing is known yet, and nobody waits"
    assert not looker.tick(host, (), 0.0) and redrawn == [], "no disk is looked at while an analysis runs"
    host.job = None
    assert looker.lately(path, True) is None
    assert not looker.tick(host, (), 0.0)
    assert redrawn == [True]
    seen = looker.lately(path, True)
    assert seen.numbers == {7, 9} and seen.reference.pattern == "face_%d.png" and not looker.looking
    (tmp_path / "face_07.png").unlink()
    assert looker.lately(path, True).numbers == {7, 9}, "believed for a while"
    assert looker.now(path, True).numbers == {9}, "an operator looks itself; its file may be a hole"
    assert "no such file" in str(looker.now(path, False).error)


def test_the_rest_is_foretold_from_the_pace_of_the_last_frames() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        progress = importlib.import_module("blender_addon.analysis.progress")
    pace = progress.Pace()
    assert pace.left(0, 100) == ""
    for done in range(1, 11):
        pace.note(done, 60.0 + done)  # the engine took a minute to load, then a frame a second
    assert pace.left(10, 100) == "2 min left"
    assert pace.left(10, 50) == "40 s left"
    assert pace.left(100, 100) == ""
    assert [progress.duration(seconds) for seconds in (0.2, 7.4, 43, 100, 4900)] == [
        "1 s", "7 s", "45 s", "2 min", "1 h 22 min",
    ]  # fmt: skip
