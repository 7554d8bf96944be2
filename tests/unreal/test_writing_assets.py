"""Curves become an AnimSequence that holds just them, or nothing is changed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import unreal
from semanticface_unreal.curve_set import CurveSet, Unsolved
from semanticface_unreal.ports import STAMP, Existing
from semanticface_unreal.writing.sequence import common_multiple, seconds
from semanticface_unreal.writing.writer import AssetWriter, compare, read_curves, read_tags
from unreal_testing import FakeEditor
from writing_kit import (
    LEFT,
    PATH,
    RIGHT,
    curve,
    curves,
    face_mesh,
    keys_of,
    long_curves,
    on_disk,
    order,
    other_skeleton,
    rounded,
)

from semanticface.errors import InputError
from semanticface.steps import finished

RATES = ["24", "25", "30", "60", "12", "15", "24000/1001", "30000/1001", "60000/1001", "359/12", "1000000/33367"]


@pytest.mark.parametrize("rate", RATES)
def test_curves_come_back_by_name_frame_and_value_at_the_exact_rate(
    editor: FakeEditor, writer: AssetWriter, rate: str
) -> None:
    wanted = curves(rate=Fraction(rate))
    written = finished(writer.writing(wanted, order()))
    assert (written.asset, written.curves, written.keys, written.remarks) == (PATH, 2, 5, ())
    found = editor.sequence(PATH)
    assert rounded(found.curves) == keys_of(wanted)
    assert Fraction(found.rate) == wanted.rate
    assert found.frames == wanted.length
    assert on_disk(editor.project.root, PATH) is not None, "it is saved"
    assert not [*editor.logged("warning"), *editor.logged("error")]


def test_what_is_read_with_the_plugin_is_what_was_written(editor: FakeEditor, writer: AssetWriter) -> None:
    wanted = curves(rate=Fraction(30000, 1001), length=2000)
    finished(writer.writing(wanted, order()))
    found = read_curves(PATH)
    for one in wanted.curves:
        assert found[one.name].frames.tolist() == one.frames.tolist()
        np.testing.assert_allclose(found[one.name].values, one.values, rtol=2e-7, atol=1e-9)
    with pytest.raises(InputError):
        read_curves("/Game/Shots/AS_None")


def test_an_asset_can_be_compared_with_a_take_s_curves(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    assert compare(PATH, curves()) == ""
    assert f"in curve {LEFT} at frame 7, not 0.375" in compare(PATH, curves(gain=0.5))
    assert "lacks curve CTRL_expressions_jawOpen" in compare(PATH, curves(curve("CTRL_expressions_jawOpen", (1, 1.0))))


def test_an_hour_of_frames_stays_on_whole_frames(editor: FakeEditor, writer: AssetWriter) -> None:
    last = 3600 * 30
    made = curve("CTRL_expressions_jawOpen", *((frame, frame % 7 / 7) for frame in range(last - 50, last + 1)))
    finished(writer.writing(curves(made, rate=Fraction(30000, 1001), length=last), order()))
    assert read_curves(PATH)["CTRL_expressions_jawOpen"].frames.tolist() == list(range(last - 50, last + 1))


def test_one_frame_makes_an_animation_of_one_frame(editor: FakeEditor, writer: AssetWriter) -> None:
    shown = CurveSet(Fraction(25), 1, 5, (curve(LEFT, (0, 0.5)),), Unsolved.OMIT)
    finished(writer.writing(shown, order()))
    assert editor.sequence(PATH).frames == 1
    assert editor.sequence(PATH).curves == {LEFT: [(0, 0.5)]}


def test_a_curve_without_keys_is_left_out_and_told(editor: FakeEditor, writer: AssetWriter) -> None:
    written = finished(writer.writing(curves(curve("CTRL_expressions_jawOpen")), order()))
    assert set(editor.sequence(PATH).curves) == {LEFT, RIGHT}
    assert written.remarks == ("1 curves have no keys and were left out",)


def test_the_tags_tell_what_it_was_made_from_and_the_stamp(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order(tags={"SemanticFace.Source": "a.mp4"})))
    tags = read_tags(PATH)
    assert tags["SemanticFace.Source"] == "a.mp4"
    assert tags["SemanticFace.Rate"] == "24000/1001"
    assert tags["SemanticFace.UnsolvedFrames"] == "104"
    assert tags[STAMP] == writer.stamp(PATH) == "stamp-1"
    assert writer.stamp("/Game/Shots/AS_None") == ""
    saved = on_disk(editor.project.root, PATH)
    assert saved is not None
    assert saved["tags"][STAMP] == "stamp-1"


def test_overwriting_keeps_the_asset_and_leaves_nothing_of_the_old_curves(
    editor: FakeEditor, writer: AssetWriter
) -> None:
    finished(writer.writing(curves(curve("CTRL_expressions_old", (0, 1.0)), rate=Fraction(25), length=40), order()))
    asset = unreal.load_asset(PATH)
    unreal.EditorAssetLibrary.set_metadata_tag(asset, "Author", "me")
    unreal.EditorAssetLibrary.set_metadata_tag(asset, "SemanticFace.Old", "x")
    again = curves(rate=Fraction(30000, 1001), length=12, gain=0.5)
    finished(writer.writing(again, order(stamp="stamp-2")))
    assert unreal.load_asset(PATH) is asset, "what refers to it still does"
    found = editor.sequence(PATH)
    assert rounded(found.curves) == keys_of(again)
    assert (Fraction(found.rate), found.frames) == (Fraction(30000, 1001), 12)
    assert found.tags["Author"] == "me"
    assert "SemanticFace.Old" not in found.tags
    assert writer.stamp(PATH) == "stamp-2"


def test_a_unique_name_is_found_beside_the_one_that_is_there(editor: FakeEditor, writer: AssetWriter) -> None:
    first = finished(writer.writing(curves(), order(existing=Existing.UNIQUE)))
    second = finished(writer.writing(curves(gain=0.5), order(existing=Existing.UNIQUE, stamp="stamp-2")))
    assert first.asset == PATH
    assert second.asset == f"{PATH}_1"
    assert writer.stamp(PATH) == "stamp-1"
    assert writer.stamp(second.asset) == "stamp-2"


def test_a_foreign_animation_is_replaced_with_a_remark(editor: FakeEditor, writer: AssetWriter) -> None:
    asset = _foreign()
    written = finished(writer.writing(curves(), order()))
    assert "wasn't made by SemanticFace" in written.remarks[0]
    assert unreal.load_asset(PATH) is asset


def test_writing_is_one_step_of_undo(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(length=20), order()))
    finished(writer.writing(curves(rate=Fraction(25), length=12, gain=0.5), order(stamp="stamp-2")))
    editor.undo()
    found = editor.sequence(PATH)
    assert rounded(found.curves) == keys_of(curves(length=20))
    assert (Fraction(found.rate), found.frames) == (Fraction(24000, 1001), 20)


@pytest.mark.parametrize("there", [False, True])
def test_what_was_undone_is_not_taken_for_done(editor: FakeEditor, writer: AssetWriter, there: bool) -> None:
    if there:
        finished(writer.writing(curves(), order()))
    finished(writer.writing(curves(gain=0.5), order(stamp="stamp-2")))
    assert writer.stamp(PATH) == "stamp-2"
    editor.undo()
    assert read_tags(PATH)[STAMP] == "stamp-2", "undo leaves the tags"
    assert writer.stamp(PATH) == ""


def test_what_the_animator_changed_is_still_done(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    asset = unreal.load_asset(PATH)
    unreal.AnimationLibrary.add_float_curve_key(asset, LEFT, 3 * 1001 / 24000, 0.9)
    unreal.AnimationLibrary.remove_curve(asset, RIGHT)
    assert writer.stamp(PATH) == "stamp-1", "a later run must not write over it"


def test_the_same_curves_from_another_recipe_are_done(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    finished(writer.writing(curves(), order(stamp="stamp-2")))
    assert writer.stamp(PATH) == "stamp-2"


def test_the_mesh_that_shows_it_is_undone_with_the_curves(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    steps = len(editor.undo_history.steps)
    finished(writer.writing(curves(gain=0.5), order(preview_mesh=face_mesh())))
    assert editor.sequence(PATH).preview_mesh.startswith(face_mesh())
    assert len(editor.undo_history.steps) == steps + 1
    assert editor.undo() == "SemanticFace: write AS_Shot", "as the user reads it in the Edit menu"


def test_on_a_farm_nothing_is_kept_for_undo(editor: FakeEditor) -> None:
    finished(AssetWriter(transact=False).writing(curves(), order()))
    with pytest.raises(RuntimeError, match="nothing to undo"):
        editor.undo()


def test_each_curve_costs_two_calls_of_the_controller(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _counted(monkeypatch, ("add_curve", "set_curve_keys", "set_curve_key", "open_bracket", "close_bracket"))
    finished(writer.writing(long_curves(50, 200), order()))
    assert calls == {"add_curve": 50, "set_curve_keys": 50, "open_bracket": 1, "close_bracket": 1}


def test_preparing_yields_every_few_hundred_keys(editor: FakeEditor, writer: AssetWriter) -> None:
    steps = sum(1 for _ in writer.writing(long_curves(10, 1000), order()))
    assert steps >= 10 * 1000 / 200


def test_a_skeleton_without_a_face_is_written_for_with_a_warning(editor: FakeEditor, writer: AssetWriter) -> None:
    written = finished(writer.writing(curves(), order(skeleton=other_skeleton())))
    assert "no bones of a MetaHuman's face" in written.remarks[0]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("30", "24", "120"),
        ("30", "24000/1001", "24000"),
        ("30", "60", "60"),
        ("30", "15", "30"),
        ("30", "30000/1001", "30000"),
    ],
)
def test_the_way_to_a_rate_goes_over_one_of_which_both_are_parts(one: str, other: str, both: str) -> None:
    found = common_multiple(Fraction(one), Fraction(other))
    assert found == Fraction(both)
    assert (found / Fraction(one)).denominator == (found / Fraction(other)).denominator == 1


def test_two_hours_of_times_round_to_their_frames() -> None:
    for rate in (Fraction(24000, 1001), Fraction(60)):
        frames = np.arange(0, 7200 * 60, 7)
        kept = seconds(frames, rate).astype(np.float32).astype(np.float64) * float(rate)
        assert np.array_equal(np.rint(kept), frames)
        assert (np.abs(kept - frames) <= frames * 2.0**-23).all()


def _foreign() -> Any:
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = unreal.load_asset("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton")
    return unreal.AssetToolsHelpers.get_asset_tools().create_asset(
        "AS_Shot", "/Game/Shots", unreal.AnimSequence, factory
    )


def _counted(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> dict[str, int]:
    calls: dict[str, int] = {}

    def counting(name: str, real: Any) -> Any:
        def call(self: Any, *args: Any, **named: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            return real(self, *args, **named)

        return call

    for name in names:
        monkeypatch.setattr(
            unreal.AnimationDataController, name, counting(name, getattr(unreal.AnimationDataController, name))
        )
    return calls
