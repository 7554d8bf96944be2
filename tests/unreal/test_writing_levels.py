"""A Level Sequence plays the animation at the footage's exact rate; a Control Rig has its keys; CSVs are imported."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import unreal
from semanticface_unreal.ports import STAMP, Existing
from semanticface_unreal.writing.csv_import import IMPORTER, import_csv
from semanticface_unreal.writing.level import ANIMATION, level_name, tick_resolution
from semanticface_unreal.writing.targets import face_of, mesh_path_of
from semanticface_unreal.writing.writer import AssetWriter, read_tags
from unreal_testing import FakeEditor
from writing_kit import PATH, curves, face_mesh, on_disk, order

from semanticface.errors import EngineError, InputError
from semanticface.steps import finished

LEVEL = "/Game/Shots/LS_Shot"
RIG = "/Game/MetaHumans/Common/Face/Face_ControlBoard_CtrlRig"


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "25", "60"])
def test_the_level_sequence_plays_the_animation_frame_by_frame(
    editor: FakeEditor, writer: AssetWriter, rate: str
) -> None:
    wanted = curves(rate=Fraction(rate))
    written = finished(writer.writing(wanted, order(skeleton=face_mesh(), level_sequence=True)))
    assert written.others == (LEVEL,)
    level = unreal.load_asset(LEVEL)
    assert _rate(level.get_display_rate()) == wanted.rate
    assert (_rate(level.get_tick_resolution()) / wanted.rate).denominator == 1, "every frame begins on a tick"
    assert (level.get_playback_start(), level.get_playback_end()) == (0, wanted.length)
    section = _section(level)
    assert (section.get_start_frame(), section.get_end_frame()) == (0, wanted.length)
    assert section.params.animation is unreal.load_asset(PATH)
    assert on_disk(editor.project.root, LEVEL) is not None
    assert on_disk(editor.project.root, PATH)["tags"][STAMP] == "stamp-1"  # type: ignore[index]


def test_writing_anew_fits_the_section_and_keeps_what_the_user_added(editor: FakeEditor, writer: AssetWriter) -> None:
    wanted = order(skeleton=face_mesh(), level_sequence=True)
    finished(writer.writing(curves(), wanted))
    level = unreal.load_asset(LEVEL)
    added = level.add_spawnable_from_class(unreal.SkeletalMeshActor.static_class())
    added.set_name("Mine")
    finished(writer.writing(curves(rate=Fraction(30), length=12), order(skeleton=face_mesh(), level_sequence=True)))
    assert unreal.load_asset(LEVEL) is level
    assert len(level.get_bindings()) == 2
    assert _section(level).get_end_frame() == 12
    assert _rate(level.get_display_rate()) == 30


def test_an_actor_of_the_level_is_bound_by_its_face(editor: FakeEditor) -> None:
    actor = editor.place_actor("MetaHuman", Body="/Game/Mannequins/SKM_Mannequin", Face=face_mesh())
    writer = AssetWriter(actor=lambda: actor)
    finished(writer.writing(curves(), order(level_sequence=True)))
    level = unreal.load_asset(LEVEL)
    playing = [binding for binding in level.get_bindings() if binding.get_tracks()]
    assert len(playing) == 1
    assert playing[0].get_parent().is_valid()
    face = face_of(actor)
    assert face is not None
    assert playing[0].get_name() == face.get_name() == "Face"
    assert mesh_path_of(actor) == face_mesh()


def test_an_actor_without_that_face_is_left_alone(editor: FakeEditor) -> None:
    other = editor.place_actor("Extra", Mesh="/Game/Mannequins/SKM_Mannequin")
    writer = AssetWriter(actor=lambda: other)
    with pytest.raises(InputError, match="needs a mesh"):
        writer.check(order(level_sequence=True))
    finished(writer.writing(curves(), order(skeleton=face_mesh(), level_sequence=True)))
    assert not unreal.load_asset(LEVEL).get_possessables()


def test_a_level_sequence_of_somebody_else_is_not_touched(editor: FakeEditor, writer: AssetWriter) -> None:
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    tools.create_asset("LS_Shot", "/Game/Shots", unreal.LevelSequence, unreal.LevelSequenceFactoryNew())
    wanted = order(skeleton=face_mesh(), level_sequence=True)
    with pytest.raises(InputError, match="wasn't made by SemanticFace"):
        writer.check(wanted)
    with pytest.raises(InputError, match=LEVEL):
        finished(writer.writing(curves(), wanted))
    assert not unreal.EditorAssetLibrary.does_asset_exist(PATH)


def test_unique_names_go_together(editor: FakeEditor, writer: AssetWriter) -> None:
    wanted = order(skeleton=face_mesh(), level_sequence=True, existing=Existing.UNIQUE)
    finished(writer.writing(curves(), wanted))
    second = finished(writer.writing(curves(), wanted))
    assert second.others == (f"/Game/Shots/{level_name(second.asset.rpartition('/')[2])}",)


def test_a_unique_name_avoids_the_level_sequence_of_somebody_else(editor: FakeEditor, writer: AssetWriter) -> None:
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    tools.create_asset("LS_Shot", "/Game/Shots", unreal.LevelSequence, unreal.LevelSequenceFactoryNew())
    wanted = order(skeleton=face_mesh(), level_sequence=True, existing=Existing.UNIQUE)
    written = finished(writer.writing(curves(), wanted))
    assert (written.asset, *written.others) == (PATH, f"{LEVEL}_1")


def test_a_level_sequence_that_fails_leaves_the_animation_without_a_stamp(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = editor.project.save
    monkeypatch.setattr(
        editor.project, "save", lambda asset: not isinstance(asset, unreal.LevelSequence) and real(asset)
    )
    with pytest.raises(InputError, match=LEVEL):
        finished(writer.writing(curves(), order(skeleton=face_mesh(), level_sequence=True)))
    assert writer.stamp(PATH) == "", "a later run makes it anew"
    assert not unreal.EditorAssetLibrary.does_asset_exist(LEVEL)


def test_a_last_save_that_fails_leaves_no_stamp_either(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, saved = editor.project.save, []

    def save(asset: Any) -> bool:
        saved.append(asset)
        return len(saved) < 3 and real(asset)

    monkeypatch.setattr(editor.project, "save", save)
    with pytest.raises(InputError, match=PATH):
        finished(writer.writing(curves(), order(skeleton=face_mesh(), level_sequence=True)))
    assert len(saved) == 3
    assert writer.stamp(PATH) == ""


def test_the_control_rig_gets_the_keys_and_the_section_rests(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order(skeleton=face_mesh(), control_rig=RIG)))
    level = unreal.load_asset(LEVEL)
    assert len(unreal.ControlRigSequencerLibrary.get_control_rigs(level)) == 1
    assert not _section(level).is_active()
    assert unreal.LevelSequenceEditorBlueprintLibrary.get_current_level_sequence() is None, "closed again"


def test_a_missing_control_rig_is_refused_before_the_analysis(editor: FakeEditor, writer: AssetWriter) -> None:
    with pytest.raises(InputError, match="/Game/No/Rig"):
        writer.check(order(skeleton=face_mesh(), control_rig="/Game/No/Rig"))


def test_a_rig_that_takes_no_keys_is_an_error_and_leaves_no_stamp(
    editor: FakeEditor, writer: AssetWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*args: Any, **named: Any) -> bool:
        return False

    library = unreal.ControlRigSequencerLibrary
    monkeypatch.setattr(library, "load_anim_sequence_into_control_rig_section", refusing)
    with pytest.raises(EngineError, match="took no keys"):
        finished(writer.writing(curves(), order(skeleton=face_mesh(), control_rig=RIG)))
    assert writer.stamp(PATH) == ""


def test_control_rig_keys_are_refused_on_a_machine_without_a_window(tmp_path: Path) -> None:
    line = "UnrealEditor-Cmd /p/P.uproject -run=pythonscript"
    with FakeEditor(tmp_path / "Project", commandlet=True, unattended=True, command_line=line):
        with pytest.raises(InputError, match="window"):
            AssetWriter(transact=False).check(order(skeleton=face_mesh(), control_rig=RIG))
        AssetWriter(transact=False).check(order(skeleton=face_mesh(), level_sequence=True))


@pytest.mark.parametrize(
    ("rate", "ticks"), [("24", 24000), ("24000/1001", 24000), ("60", 24000), ("30000/1001", "24030000/1001")]
)
def test_every_frame_begins_on_a_whole_tick(rate: str, ticks: Any) -> None:
    assert tick_resolution(Fraction(rate)) == Fraction(ticks)


@pytest.mark.parametrize("rate", ["1000000/33367", "359/12", "23976/1000", "1/3"])
def test_unusual_rates_have_whole_ticks_too(rate: str) -> None:
    assert (tick_resolution(Fraction(rate)) / Fraction(rate)).denominator == 1


def test_a_csv_goes_through_epics_importer(tmp_path: Path) -> None:
    csv = tmp_path / "MySlate_1_iPhone.csv"
    csv.write_text("Timecode,BlendshapeCount,JawOpen\n00:00:00:00.000,61,0.5\n00:00:00:01.000,61,0.6\n")
    with FakeEditor(tmp_path / "Project", optional_plugins=[IMPORTER]):
        assert import_csv(str(csv), "/Game/Takes/") == "/Game/Takes/MySlate_1_iPhone"
        assert on_disk(tmp_path / "Project", "/Game/Takes/MySlate_1_iPhone") is not None, "it is saved"
        with pytest.raises(InputError, match="no such file"):
            import_csv(str(tmp_path / "none.csv"), "/Game/Takes")


def test_without_epics_importer_the_user_is_told_what_to_enable(tmp_path: Path) -> None:
    csv = tmp_path / "take.csv"
    csv.write_text("Timecode,BlendshapeCount,JawOpen\n")
    with FakeEditor(tmp_path / "Project"), pytest.raises(InputError) as refusal:
        import_csv(str(csv), "/Game/Takes")
    assert "Live Link Face Importer" in refusal.value.hint


def test_the_level_sequence_says_whose_it_is(editor: FakeEditor, writer: AssetWriter) -> None:
    finished(writer.writing(curves(), order(skeleton=face_mesh(), level_sequence=True)))
    assert unreal.EditorAssetLibrary.get_metadata_tag(unreal.load_asset(LEVEL), ANIMATION) == PATH
    assert read_tags(LEVEL) == {}, "only animations are read"


def _section(level: Any) -> Any:
    kind = unreal.MovieSceneSkeletalAnimationTrack.static_class()
    tracks = [track for binding in level.get_bindings() for track in binding.find_tracks_by_type(kind)]
    assert len(tracks) == 1
    return tracks[0].get_sections()[0]


def _rate(rate: Any) -> Fraction:
    return Fraction(rate.numerator, rate.denominator)
