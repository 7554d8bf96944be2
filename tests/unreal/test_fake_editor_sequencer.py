"""Level Sequences, Control Rigs and imports of the fake editor hold and refuse what the editor's do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import unreal
from unreal_testing import FakeEditor

FACE = "/Game/MetaHumans/Common/Face"
RIG = f"{FACE}/Face_ControlBoard_CtrlRig"


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[FakeEditor]:
    with FakeEditor(tmp_path) as opened:
        yield opened


def level(name: str = "LS") -> Any:
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    return tools.create_asset(name, "/Game/Shots", unreal.LevelSequence, unreal.LevelSequenceFactoryNew())


def animation(skeleton: str = f"{FACE}/Face_Archetype_Skeleton") -> Any:
    """Ten frames of one curve from 0 to 1."""
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = unreal.load_asset(skeleton)
    made = unreal.AssetToolsHelpers.get_asset_tools().create_asset("AS", "/Game/Shots", unreal.AnimSequence, factory)
    kind = unreal.RawCurveTrackTypes.RCT_FLOAT
    made.controller.set_number_of_frames(unreal.FrameNumber(10))
    for name in ("CTRL_expressions_jawOpen", "JawOpen"):
        found = unreal.AnimationCurveIdentifierExtensions.set_curve_identifier(
            unreal.AnimationCurveIdentifier(), name, kind
        )
        made.controller.add_curve(found)
        made.controller.set_curve_keys(
            found, [unreal.RichCurveKey(time=0.0, value=0.0), unreal.RichCurveKey(time=10 / 30, value=1.0)]
        )
    return made


def shown(sequence: Any, mesh: str = f"{FACE}/SKM_Face_Archetype") -> Any:
    """A binding that spawns an actor with this mesh."""
    binding = sequence.add_spawnable_from_class(unreal.SkeletalMeshActor.static_class())
    component = binding.get_object_template().skeletal_mesh_component
    component.set_skeletal_mesh_asset(unreal.load_asset(mesh))
    return binding


def rig_track(sequence: Any, binding: Any, kind: Any = None) -> Any:
    world = unreal.get_editor_subsystem(unreal.UnrealEditorSubsystem).get_editor_world()
    class_ = kind or unreal.load_asset(RIG).get_control_rig_class()
    return unreal.ControlRigSequencerLibrary.find_or_create_control_rig_track(world, sequence, class_, binding)


def component_of(sequence: Any, binding: Any) -> Any:
    bound = unreal.LevelSequenceEditorBlueprintLibrary.get_bound_objects(sequence.get_binding_id(binding))
    return bound[0].skeletal_mesh_component if bound else None


def load(section: Any, played: Any, component: Any) -> bool:
    return bool(
        unreal.ControlRigSequencerLibrary.load_anim_sequence_into_control_rig_section(
            section, played, component, unreal.FrameNumber(0), interpolation=unreal.MovieSceneKeyInterpolation.LINEAR
        )
    )


def test_a_new_sequence_has_the_projects_defaults(editor: FakeEditor) -> None:
    made = level()
    assert (made.get_display_rate(), made.get_tick_resolution()) == (
        unreal.FrameRate(30, 1),
        unreal.FrameRate(24000, 1),
    )
    assert (made.get_playback_start(), made.get_playback_end()) == (0, 150)


def test_ranges_are_kept_in_ticks(editor: FakeEditor) -> None:
    made = level()
    made.set_display_rate(unreal.FrameRate(30000, 1001))
    made.set_playback_end(100)
    assert made.get_playback_end() == 100
    assert made.get_playback_end_seconds() == pytest.approx(80080 / 24000)
    made.set_display_rate(unreal.FrameRate(60, 1))
    assert made.get_playback_end() == 200, "the time stays, not the frame number"


def test_ticks_that_do_not_go_into_a_rate_lose_part_of_a_frame(editor: FakeEditor) -> None:
    made = level()
    made.set_tick_resolution(unreal.FrameRate(25, 1))
    made.set_display_rate(unreal.FrameRate(30000, 1001))
    made.set_playback_end(101)
    assert made.get_playback_end() == 100


def test_a_rate_that_is_none_changes_nothing(editor: FakeEditor) -> None:
    made = level()
    made.set_display_rate(unreal.FrameRate(0, 1))
    assert made.get_display_rate() == unreal.FrameRate(30, 1)


def test_a_section_outlives_the_process_with_what_it_plays(tmp_path: Path) -> None:
    with FakeEditor(tmp_path):
        made, played = level(), animation()
        section = shown(made).add_track(unreal.MovieSceneSkeletalAnimationTrack.static_class()).add_section()
        section.params.animation = played
        assert section.params.animation is None, "structs are copies"
        params = section.params
        params.animation = played
        section.params = params
        section.set_range(0, 10)
        assert unreal.EditorAssetLibrary.save_loaded_asset(played)
        assert unreal.EditorAssetLibrary.save_loaded_asset(made)
    with FakeEditor(tmp_path):
        (binding,) = unreal.load_asset("/Game/Shots/LS").get_bindings()
        (track,) = binding.get_tracks()
        (section,) = track.get_sections()
        assert section.params.animation.get_name() == "AS"
        assert str(section.params.slot_name) == "DefaultSlot"
        assert (section.get_start_frame(), section.get_end_frame()) == (0, 10)
        mesh = binding.get_object_template().skeletal_mesh_component.get_skeletal_mesh_asset()
        assert mesh.get_name() == "SKM_Face_Archetype"


def test_a_range_that_ends_before_it_begins_is_refused(editor: FakeEditor) -> None:
    section = shown(level()).add_track(unreal.MovieSceneSkeletalAnimationTrack.static_class()).add_section()
    section.set_range(0, 10)
    section.set_range(10, 5)
    assert section.get_end_frame() == 10
    assert "Invalid range specified" in editor.logged("error")


def test_bindings_are_found_by_name_and_an_unknown_one_is_invalid(editor: FakeEditor) -> None:
    made = level()
    actor = editor.place_actor("BP_Ada", Face=f"{FACE}/SKM_Face_Archetype")
    owner, child = made.add_possessable(actor), made.add_possessable(actor.get_components_by_class()[0])
    child.set_parent(owner)
    assert made.find_binding_by_name("BP_Ada").get_child_possessables() == [child]
    missing = made.find_binding_by_name("BP_Eve")
    assert not missing.is_valid()
    assert missing.add_track(unreal.MovieSceneSkeletalAnimationTrack.static_class()) is None


def test_functions_of_extensions_are_the_methods(editor: FakeEditor) -> None:
    made = level()
    unreal.MovieSceneSequenceExtensions.set_playback_end(made, 12)
    assert made.get_playback_end() == 12
    with pytest.raises(Exception, match="null"):
        unreal.MovieSceneSequenceExtensions.set_playback_end(None, 12)


def test_undo_takes_a_sequences_changes_back(editor: FakeEditor) -> None:
    made = level()
    with unreal.ScopedEditorTransaction("Change"):
        made.set_playback_end(12)
        shown(made)
    editor.undo()
    assert (made.get_playback_end(), made.get_bindings()) == (150, [])


def test_a_rig_takes_keys_from_the_faces_curves(editor: FakeEditor) -> None:
    made, played = level(), animation()
    binding = shown(made)
    unreal.LevelSequenceEditorBlueprintLibrary.open_level_sequence(made)
    section = rig_track(made, binding).get_section_to_key()
    assert load(section, played, component_of(made, binding))
    assert [str(name) for name in section.get_parameter_names()] == ["CTRL_expressions_jawOpen"]
    keys = section.get_channel("CTRL_expressions_jawOpen").get_keys()
    assert [key.get_time().frame_number.value for key in keys] == list(range(11))
    assert [round(key.get_value(), 5) for key in keys] == [round(frame / 10, 5) for frame in range(11)]
    assert rig_track(made, binding).get_section_to_key() is section, "found, not made anew"


def test_a_rig_is_bound_in_an_open_sequence_alone(editor: FakeEditor) -> None:
    made, played = level(), animation()
    binding = shown(made)
    assert component_of(made, binding) is None
    template = binding.get_object_template().skeletal_mesh_component
    assert not load(rig_track(made, binding).get_section_to_key(), played, template)


@pytest.mark.parametrize("without", ["animation", "component", "skeleton"])
def test_a_rig_refuses_what_does_not_belong_together(editor: FakeEditor, without: str) -> None:
    other = "/Game/Mannequins/SK_Mannequin_Skeleton"
    made, played = level(), animation(other) if without == "skeleton" else animation()
    binding = shown(made)
    unreal.LevelSequenceEditorBlueprintLibrary.open_level_sequence(made)
    section = rig_track(made, binding).get_section_to_key()
    component = None if without == "component" else component_of(made, binding)
    assert not load(section, None if without == "animation" else played, component)


def test_a_track_needs_a_class_of_rigs(editor: FakeEditor) -> None:
    made = level()
    assert rig_track(made, shown(made), unreal.Actor.static_class()) is None


def test_a_commandlet_opens_no_sequencer(tmp_path: Path) -> None:
    with FakeEditor(tmp_path, commandlet=True):
        assert not unreal.LevelSequenceEditorBlueprintLibrary.open_level_sequence(level())
        assert unreal.LevelSequenceEditorBlueprintLibrary.get_current_level_sequence() is None


def test_the_importer_is_there_with_its_plugin_alone(tmp_path: Path) -> None:
    with FakeEditor(tmp_path):
        assert not hasattr(unreal, "LiveLinkFaceImporterFactory")
    with FakeEditor(tmp_path, optional_plugins={"LiveLinkFaceImporterFactory"}):
        assert hasattr(unreal, "LiveLinkFaceImporterFactory")


@pytest.mark.parametrize(
    ("text", "made", "said"),
    [
        ("Timecode,BlendshapeCount,JawLeft\n00:00:00:00.000,61,0.5\n00:00:01:00.000,61,0\n", True, ""),
        ("Timecode,BlendshapeCount,JawLeft\n00:00:00:00.000,61,\n", True, "Aborting!"),
        ("Frame,JawLeft\n0,0.5\n", False, "more than 2 columns"),
    ],
)
def test_a_recording_becomes_a_level_sequence(tmp_path: Path, text: str, made: bool, said: str) -> None:
    file = tmp_path / "MySlate_1_iPhone_cal.csv"
    file.write_text(text)
    with FakeEditor(tmp_path, optional_plugins={"LiveLinkFaceImporterFactory"}) as editor:
        task = unreal.AssetImportTask()
        task.filename, task.destination_path = str(file), "/Game/Takes"
        task.automated = task.save = task.replace_existing = True
        task.factory = unreal.LiveLinkFaceImporterFactory()
        unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
        assert bool(task.imported_object_paths) is made
        assert any(said in line for line in [*editor.logged("error"), ""])
        if made:
            found = unreal.load_asset("/Game/Takes/MySlate_1_iPhone_cal")
            assert editor.live_link("/Game/Takes/MySlate_1_iPhone_cal").subject == "MySlate_1_iPhone"
            assert isinstance(found, unreal.LevelSequence) and editor.saved("/Game/Takes/MySlate_1_iPhone_cal")
