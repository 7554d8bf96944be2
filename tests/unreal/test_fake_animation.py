"""What the fake's animation data survives, refuses and dies of, and what undo and a restart leave of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import unreal
from unreal_testing import EditorCrash, FakeEditor

PATH = "/Game/Shots/AS_Shot"
JAW = "CTRL_expressions_jawOpen"
LIBRARY = unreal.AnimationLibrary
FLOAT = unreal.RawCurveTrackTypes.RCT_FLOAT


@pytest.fixture
def shot(editor: FakeEditor) -> Any:
    """A new sequence on the face's skeleton, 10 frames at 30 a second, with a curve and no key."""
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = unreal.load_asset("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton")
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    made = tools.create_asset("AS_Shot", "/Game/Shots", unreal.AnimSequence, factory)
    made.controller.set_number_of_frames(unreal.FrameNumber(10))
    assert made.controller.add_curve(identifier(JAW))
    return made


def identifier(name: str) -> Any:
    return unreal.AnimationCurveIdentifierExtensions.set_curve_identifier(
        unreal.AnimationCurveIdentifier(), name, FLOAT
    )


def keyed(shot: Any, *times: float) -> bool:
    keys = [unreal.RichCurveKey(time=time, value=0.5) for time in times]
    return bool(shot.controller.set_curve_keys(identifier(JAW), keys))


@contextmanager
def bracket(shot: Any, title: str = "Write") -> Iterator[Any]:
    shot.controller.open_bracket(title)
    try:
        yield shot.controller
    finally:
        shot.controller.close_bracket()


DEADLY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "two keys on one frame": (lambda shot: keyed(shot, 0.1, 0.1), "two keys on frame 3"),
    "two keys that round to one frame": (lambda shot: keyed(shot, 0.1, 0.1 + 1e-6), "two keys on frame 3"),
    "a key between frames": (lambda shot: keyed(shot, 0.05), "off whole frames"),
    "a key a thousandth of a frame beside": (lambda shot: keyed(shot, 0.1 + 1e-3 / 30), "off whole frames"),
    "keys out of order": (lambda shot: keyed(shot, 0.2, 0.1), "out of order"),
    "a key before the first frame": (lambda shot: keyed(shot, -1 / 30), "outside of 0 to 10"),
    "a key after the last frame": (lambda shot: keyed(shot, 11 / 30), "outside of 0 to 10"),
    "a value that is no number": (
        lambda shot: shot.controller.set_curve_keys(identifier(JAW), [unreal.RichCurveKey(value=float("nan"))]),
        "isn't finite",
    ),
    "one key at a time on one frame": (
        lambda shot: LIBRARY.add_float_curve_keys(shot, JAW, [0.1, 0.1 + 1e-6], [0, 1]),
        "two keys on frame 3",
    ),
    "a bracket closed that nobody opened": (lambda shot: shot.controller.close_bracket(), "not previously opened"),
}


@pytest.mark.parametrize("claim", DEADLY)
def test_the_editor_dies_of(claim: str, shot: Any, editor: FakeEditor) -> None:
    deed, words = DEADLY[claim]
    with pytest.raises(EditorCrash, match=words):
        deed(shot)
    assert editor.crashed and editor.logged("fatal")
    with pytest.raises(EditorCrash, match="after the editor died"):
        unreal.log("still there?")


def test_an_hour_at_23_976_lies_on_whole_frames(shot: Any, editor: FakeEditor) -> None:
    """32-bit seconds are a hundredth of a frame coarse by then; that is no fault of the keys."""
    rate, frames = Fraction(24000, 1001), 86313
    for numerator, denominator in ((24000, 1), (24000, 1001)):
        shot.controller.set_frame_rate(unreal.FrameRate(numerator, denominator))
    shot.controller.set_number_of_frames(unreal.FrameNumber(frames))
    assert keyed(shot, *(float(frame / rate) for frame in (0, 1, 70001, frames)))
    assert [frame for frame, _ in editor.sequence(PATH).curves[JAW]] == [0, 1, 70001, frames]


def test_a_rate_that_is_no_multiple_or_factor_is_refused(shot: Any, editor: FakeEditor) -> None:
    with pytest.raises(RuntimeError, match="24 fps not a multiple or factor of 30 fps"):
        shot.controller.set_frame_rate(unreal.FrameRate(24, 1))
    assert editor.sequence(PATH).rate == 30
    shot.controller.set_frame_rate(unreal.FrameRate(120, 1))
    shot.controller.set_frame_rate(unreal.FrameRate(24, 1))
    assert editor.sequence(PATH).rate == 24
    assert editor.sequence(PATH).frames == 8  # ten frames of 30 are a third of a second


@pytest.mark.parametrize("rate", [(0, 1), (24, 0), (-24, 1)])
def test_a_rate_that_is_none_is_refused(shot: Any, rate: tuple[int, int]) -> None:
    with pytest.raises(RuntimeError, match="Invalid frame rate"):
        shot.controller.set_frame_rate(unreal.FrameRate(*rate))


@pytest.mark.parametrize("frames", [0, -3])
def test_a_length_below_one_frame_is_refused(shot: Any, editor: FakeEditor, frames: int) -> None:
    with pytest.raises(RuntimeError, match=f"Invalid play length value provided: {frames} frames"):
        shot.controller.set_number_of_frames(unreal.FrameNumber(frames))
    assert editor.sequence(PATH).frames == 10


def test_keys_for_a_curve_that_is_missing_are_refused_by_the_controller(shot: Any) -> None:
    with pytest.raises(RuntimeError, match="Unable to find rich curve: curve name jaw"):
        shot.controller.set_curve_keys(identifier("jaw"), [])


def test_keys_for_a_curve_that_is_missing_are_lost_silently_by_the_library(shot: Any, editor: FakeEditor) -> None:
    before = editor.log
    LIBRARY.add_float_curve_keys(shot, "jaw", [0.0], [1.0])
    assert list(editor.sequence(PATH).curves) == [JAW]
    assert editor.log == before


def test_times_and_values_of_different_numbers_write_nothing(shot: Any, editor: FakeEditor) -> None:
    LIBRARY.add_float_curve_keys(shot, JAW, [0.0, 0.1], [1.0])
    assert editor.sequence(PATH).curves[JAW] == []
    assert "does not match" in editor.logged("warning")[-1]


def test_a_curve_that_differs_by_case_alone_is_the_same(shot: Any, editor: FakeEditor) -> None:
    assert shot.controller.add_curve(identifier(JAW.upper())) is False
    assert "already exists" in editor.logged("warning")[-1]
    assert LIBRARY.does_curve_exist(shot, JAW.lower(), FLOAT)


def test_keys_replace_those_before(shot: Any, editor: FakeEditor) -> None:
    assert keyed(shot, 0.0, 0.1, 0.2)
    assert keyed(shot, 1 / 30)
    assert editor.sequence(PATH).curves[JAW] == [(1, 0.5)]


def test_what_is_read_back_are_32_bit_times_and_values(shot: Any) -> None:
    keyed(shot, 0.1)
    times, values = LIBRARY.get_float_keys(shot, JAW.lower())
    assert (list(times), list(values)) == ([0.10000000149011612], [0.5])
    assert LIBRARY.get_float_value_at_time(shot, JAW, 0.3) == 0.5


def test_a_bracket_is_one_step_of_undo(shot: Any, editor: FakeEditor) -> None:
    keyed(shot, 0.0)
    before = editor.sequence(PATH)
    with bracket(shot, "Write the shot") as controller:
        controller.set_number_of_frames(unreal.FrameNumber(20))
        controller.remove_all_curves_of_type(FLOAT)
        controller.add_curve(identifier("other"))
    assert list(editor.sequence(PATH).curves) == ["other"]
    assert editor.undo() == "Write the shot"
    assert editor.sequence(PATH) == before


def test_a_bracket_inside_a_transaction_is_part_of_it(shot: Any, editor: FakeEditor) -> None:
    steps = len(editor.undo_history.steps)
    with unreal.ScopedEditorTransaction("Everything"):
        with bracket(shot):
            keyed(shot, 0.0)
        unreal.EditorAssetLibrary.set_metadata_tag(shot, "SemanticFace.Key", "1")
    assert len(editor.undo_history.steps) == steps + 1
    assert editor.undo() == "Everything"
    assert editor.sequence(PATH).curves[JAW] == []
    assert editor.sequence(PATH).tags == {"SemanticFace.Key": "1"}, "metadata is no part of undo"


def test_what_is_left_open_is_seen(shot: Any, editor: FakeEditor) -> None:
    shot.controller.open_bracket("one")
    shot.controller.open_bracket("two")
    assert (editor.open_brackets, editor.open_transactions) == (2, 1)
    shot.controller.close_bracket()
    shot.controller.close_bracket()
    assert (editor.open_brackets, editor.open_transactions) == (0, 0)


def test_a_cancelled_transaction_keeps_the_change_and_forgets_the_undo(shot: Any, editor: FakeEditor) -> None:
    steps = len(editor.undo_history.steps)
    with unreal.ScopedEditorTransaction("Half") as transaction:
        keyed(shot, 0.0)
        transaction.cancel()
    assert editor.sequence(PATH).curves[JAW] == [(0, 0.5)]
    assert len(editor.undo_history.steps) == steps


def test_a_saved_sequence_is_there_after_a_restart(tmp_path: Path) -> None:
    with FakeEditor(tmp_path) as editor:
        factory = unreal.AnimSequenceFactory()
        factory.target_skeleton = unreal.load_asset("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton")
        tools = unreal.AssetToolsHelpers.get_asset_tools()
        for name in ("AS_Saved", "AS_Lost"):
            made = tools.create_asset(name, "/Game/Shots", unreal.AnimSequence, factory)
            made.controller.add_curve(identifier(JAW))
            keyed(made, 1 / 30)
            unreal.EditorAssetLibrary.set_metadata_tag(made, "SemanticFace.Key", "abc")
            if name == "AS_Saved":
                assert unreal.EditorAssetLibrary.save_loaded_asset(made)
        before = editor.sequence("/Game/Shots/AS_Saved")
        assert editor.saved("/Game/Shots/AS_Saved") and not editor.saved("/Game/Shots/AS_Lost")
    with FakeEditor(tmp_path) as editor:
        assert editor.sequence("/Game/Shots/AS_Saved") == before
        assert before.skeleton.endswith("Face_Archetype_Skeleton") and before.tags == {"SemanticFace.Key": "abc"}
        assert not unreal.EditorAssetLibrary.does_asset_exist("/Game/Shots/AS_Lost")
