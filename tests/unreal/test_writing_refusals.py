"""What the writer refuses, takes back, or notices: nothing half is left, and nothing of others is touched."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import unreal
from semanticface_unreal.curve_set import CurveSet, Unsolved
from semanticface_unreal.ports import STAMP
from semanticface_unreal.writing.writer import AssetWriter
from unreal_testing import FakeEditor
from writing_kit import (
    LEFT,
    PATH,
    RIGHT,
    curve,
    curves,
    keys_of,
    on_disk,
    order,
    other_skeleton,
    rounded,
)

from semanticface.errors import EngineError, InputError, SemanticFaceError
from semanticface.steps import finished


def test_an_old_curve_that_the_editor_keeps_is_noticed(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(writer.writing(curves(curve("CTRL_expressions_old", (0, 1.0))), order()))
    real = unreal.AnimationDataController.remove_all_curves_of_type

    def forgetful(self: Any, kind: Any, should_transact: bool = True) -> None:
        real(self, kind, should_transact)
        identifier = unreal.AnimationCurveIdentifier()
        identifier.set_curve_identifier("CTRL_expressions_old", kind)
        self.add_curve(identifier, 4, should_transact)

    monkeypatch.setattr(unreal.AnimationDataController, "remove_all_curves_of_type", forgetful)
    with pytest.raises(EngineError, match="still has curve CTRL_expressions_old"):
        finished(writer.writing(curves(), order()))


@pytest.mark.parametrize("steps", range(1, 8))
@pytest.mark.parametrize("there", [False, True])
def test_a_cancelled_write_leaves_neither_bracket_nor_half_an_asset(
    editor: FakeEditor, writer: AssetWriter, steps: int, there: bool
) -> None:
    before = curves(rate=Fraction(25), length=30)
    if there:
        finished(writer.writing(before, order()))
    saved = on_disk(editor.project.root, PATH)
    work = writer.writing(curves(gain=0.5), order(stamp="stamp-2"))
    for _ in range(steps if there else steps - 2):
        next(work)
    work.close()
    assert editor.open_brackets == 0
    assert on_disk(editor.project.root, PATH) == saved
    if there:
        assert rounded(editor.sequence(PATH).curves) == keys_of(before)
        assert Fraction(editor.sequence(PATH).rate) == 25
        assert writer.stamp(PATH) == "stamp-1"
    else:
        assert not unreal.EditorAssetLibrary.does_asset_exist(PATH)


def test_a_save_that_fails_names_the_asset_and_puts_everything_back(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = curves(rate=Fraction(25), length=30)
    finished(writer.writing(before, order()))
    monkeypatch.setattr(editor.project, "save", lambda asset: False)
    with pytest.raises(InputError, match=PATH) as failure:
        finished(writer.writing(curves(gain=0.5), order(stamp="stamp-2")))
    assert "disk" in failure.value.hint
    assert rounded(editor.sequence(PATH).curves) == keys_of(before)
    assert (Fraction(editor.sequence(PATH).rate), editor.sequence(PATH).frames) == (25, 30)
    assert writer.stamp(PATH) == "stamp-1"
    with pytest.raises(InputError):
        finished(writer.writing(curves(), order(name="AS_New")))
    assert not unreal.EditorAssetLibrary.does_asset_exist("/Game/Shots/AS_New")


@pytest.mark.parametrize("spoil", ["value", "key", "curve"])
def test_what_the_editor_drops_without_a_word_is_noticed_and_not_saved(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    real = unreal.AnimationDataController.set_curve_keys

    def spoiling(self: Any, curve_id: Any, curve_keys: Any, should_transact: bool = True) -> bool:
        kept = list(curve_keys)
        if spoil == "value":
            kept[-1].value += 0.01
        if spoil == "key":
            del kept[-1]
        if spoil == "curve" and str(curve_id.get_name()).lower() == RIGHT.lower():
            self.remove_curve(curve_id, should_transact)
            return True
        return bool(real(self, curve_id, kept, should_transact))

    monkeypatch.setattr(unreal.AnimationDataController, "set_curve_keys", spoiling)
    with pytest.raises(EngineError, match="didn't keep what was written"):
        finished(writer.writing(curves(), order()))
    assert on_disk(editor.project.root, PATH) is None
    assert not unreal.EditorAssetLibrary.does_asset_exist(PATH)
    assert editor.open_brackets == 0


def test_tags_that_the_editor_drops_are_noticed(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreal.EditorAssetLibrary, "set_metadata_tag", lambda asset, tag, value: None)
    with pytest.raises(EngineError, match=f"tags of {PATH}"):
        finished(writer.writing(curves(), order()))
    assert on_disk(editor.project.root, PATH) is None


def test_a_controller_that_fails_within_the_bracket_leaves_it_closed(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = curves(rate=Fraction(25))
    finished(writer.writing(before, order()))
    real = unreal.AnimationDataController.add_curve
    calls: list[int] = []

    def failing(self: Any, *args: Any, **named: Any) -> bool:
        calls.append(1)
        return False if len(calls) == 2 else bool(real(self, *args, **named))

    monkeypatch.setattr(unreal.AnimationDataController, "add_curve", failing)
    with pytest.raises(EngineError, match=RIGHT):
        finished(writer.writing(curves(gain=0.5), order()))
    assert editor.open_brackets == 0
    assert rounded(editor.sequence(PATH).curves) == keys_of(before)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "AS Shot"}, "space"),
        ({"folder": "/NoSuchPlugin/Faces"}, "/NoSuchPlugin"),
        ({"skeleton": "/Game/No/Such"}, "/Game/No/Such"),
        ({"preview_mesh": "/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton"}, "Skeleton"),
        ({"level_sequence": True}, "mesh"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_before_the_analysis(
    editor: FakeEditor, writer: AssetWriter, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says) as refusal:
        writer.check(order(**changes))
    assert refusal.value.hint
    with pytest.raises(InputError, match=says):
        finished(writer.writing(curves(), order(**changes)))


def test_checking_writes_nothing(editor: FakeEditor, writer: AssetWriter) -> None:
    writer.check(order())
    assert not unreal.EditorAssetLibrary.does_asset_exist(PATH)
    assert not list((editor.project.root / "Content").rglob("AS_Shot*"))


def test_an_asset_of_another_class_under_that_name_is_kept(editor: FakeEditor, writer: AssetWriter) -> None:
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    tools.create_asset("AS_Shot", "/Game/Shots", unreal.LevelSequence, unreal.LevelSequenceFactoryNew())
    with pytest.raises(InputError, match="LevelSequence, not an AnimSequence"):
        writer.check(order())


def test_an_asset_that_was_moved_is_not_written_into_by_its_old_name(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(writer.writing(curves(), order(folder="/Game/Final")))
    moved = unreal.load_asset("/Game/Final/AS_Shot")
    library = unreal.EditorAssetLibrary
    exists, load = library.does_asset_exist, library.load_asset
    monkeypatch.setattr(library, "does_asset_exist", lambda path: path == PATH or exists(path))
    monkeypatch.setattr(library, "load_asset", lambda path: moved if path == PATH else load(path))
    with pytest.raises(InputError, match="moved to /Game/Final/AS_Shot"):
        writer.check(order())


def test_an_animation_of_another_skeleton_is_kept(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    other = other_skeleton()
    with pytest.raises(InputError, match="skeleton"):
        writer.check(order(skeleton=other))
    with pytest.raises(InputError, match="skeleton"):
        finished(writer.writing(curves(), order(skeleton=other)))
    assert rounded(editor.sequence(PATH).curves) == keys_of(curves())


def test_a_read_only_file_without_source_control_is_refused(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    file = editor.project.root / "Content" / "Shots" / "AS_Shot.uasset"
    file.chmod(0o444)
    with pytest.raises(InputError, match="read-only"):
        writer.check(order())
    with pytest.raises(InputError, match="read-only"):
        finished(writer.writing(curves(gain=0.5), order()))
    assert rounded(editor.sequence(PATH).curves) == keys_of(curves())


def test_every_error_on_the_way_is_one_of_ours(editor: FakeEditor, writer: AssetWriter) -> None:
    empty = CurveSet(Fraction(25), 5, 0, (curve(LEFT),), Unsolved.OMIT)
    with pytest.raises(SemanticFaceError, match="no key"):
        finished(writer.writing(empty, order()))
    assert not unreal.EditorAssetLibrary.does_asset_exist(PATH)


def test_source_control_is_asked_and_the_file_checked_out(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    file = editor.project.root / "Content" / "Shots" / "AS_Shot.uasset"
    file.chmod(0o444)
    editor.source_control = {file.name: "anna"}
    with pytest.raises(InputError, match="checked out by anna"):
        writer.check(order())
    editor.source_control = {file.name: ""}
    writer.check(order())
    assert not file.stat().st_mode & 0o200, "checking checks nothing out"
    finished(writer.writing(curves(gain=0.5), order(stamp="stamp-2")))
    saved = on_disk(editor.project.root, PATH)
    assert saved is not None
    assert saved["tags"][STAMP] == "stamp-2"


def test_a_file_that_source_control_does_not_know_is_refused(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order()))
    (editor.project.root / "Content" / "Shots" / "AS_Shot.uasset").chmod(0o444)
    editor.source_control = {}
    with pytest.raises(InputError, match="can't be checked out"):
        finished(writer.writing(curves(gain=0.5), order()))
    assert rounded(editor.sequence(PATH).curves) == keys_of(curves())
