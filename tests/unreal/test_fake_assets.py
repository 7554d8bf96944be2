"""Assets in the fake: what is created, found, saved and lost, and what is refused without a word."""

from __future__ import annotations

from typing import Any

import pytest
import unreal
from unreal_testing import FakeEditor

ASSETS = unreal.EditorAssetLibrary
pytestmark = pytest.mark.usefixtures("editor")


def create(name: str = "AS_Shot", folder: str = "/Game/Shots", class_: Any = None, factory: Any = None) -> Any:
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    made = factory or unreal.AnimSequenceFactory()
    return tools.create_asset(name, folder, class_ or unreal.AnimSequence, made)


def test_a_name_that_is_taken_gives_none(editor: FakeEditor) -> None:
    assert create() is not None
    assert create() is None
    assert create("as_SHOT") is None  # names know no case
    assert "exists already" in editor.logged("warning")[-1]


@pytest.mark.parametrize("name", ["", "AS.Shot", "AS Shot", "AS/Shot", "AS:Shot"])
def test_a_name_that_no_object_can_have_gives_none(name: str) -> None:
    assert create(name) is None


def test_a_folder_outside_of_the_content_gives_none() -> None:
    assert create(folder="/Somewhere") is None


def test_a_factory_of_another_class_gives_none() -> None:
    assert create(class_=unreal.LevelSequence) is None


def test_unique_names_count_up() -> None:
    tools = unreal.AssetToolsHelpers.get_asset_tools()
    found = []
    for _ in range(3):
        path, name = tools.create_unique_asset_name("/Game/Shots/AS_Shot", "")
        assert create(name) is not None
        found.append(path)
    assert found == ["/Game/Shots/AS_Shot", "/Game/Shots/AS_Shot1", "/Game/Shots/AS_Shot2"]
    assert create("AS_sh010") is not None
    assert tools.create_unique_asset_name("/Game/Shots/AS_sh010", "")[1] == "AS_sh011"


@pytest.mark.parametrize(
    "path", ["/Game/Shots/AS_Shot", "/Game/Shots/AS_Shot.AS_Shot", "AnimSequence'/Game/Shots/AS_Shot.AS_Shot'"]
)
def test_an_asset_is_found_by_each_of_its_paths(path: str) -> None:
    made = create()
    assert ASSETS.load_asset(path) is made
    assert unreal.load_asset(path) is made
    assert ASSETS.find_asset_data(path).get_asset() is made


def test_loading_what_is_missing_gives_none_and_an_error_in_the_log(editor: FakeEditor) -> None:
    assert ASSETS.load_asset("/Game/Nothing") is None
    assert "could not be found in the Asset Registry" in editor.logged("error")[-1]
    assert not ASSETS.find_asset_data("/Game/Nothing").is_valid()


def test_the_subsystem_does_as_the_library() -> None:
    made = create()
    subsystem = unreal.get_editor_subsystem(unreal.EditorAssetSubsystem)
    assert subsystem.load_asset("/Game/Shots/AS_Shot") is made
    assert subsystem.save_loaded_asset(made)
    subsystem.set_metadata_tag(made, "SemanticFace.Key", "1")
    assert ASSETS.get_metadata_tag(made, "semanticface.KEY") == "1"


def test_a_file_that_is_read_only_is_not_written(editor: FakeEditor) -> None:
    made = create()
    assert ASSETS.save_loaded_asset(made)
    file = editor.project.file("/Game/Shots/AS_Shot")
    before = file.read_bytes()
    file.chmod(0o444)
    ASSETS.set_metadata_tag(made, "SemanticFace.Key", "1")
    assert not ASSETS.save_loaded_asset(made)
    assert file.read_bytes() == before and not editor.saved("/Game/Shots/AS_Shot")


def test_only_what_has_changed_is_saved(editor: FakeEditor) -> None:
    made = create()
    assert ASSETS.save_loaded_asset(made)
    file = editor.project.file("/Game/Shots/AS_Shot")
    file.unlink()
    assert ASSETS.save_loaded_asset(made) and not file.exists()
    assert ASSETS.save_loaded_asset(made, only_if_is_dirty=False) and file.exists()


def test_metadata_tags_are_of_the_asset_and_not_of_the_registry() -> None:
    made = create()
    assert ASSETS.get_metadata_tag(made, "SemanticFace.Key") == ""
    ASSETS.set_metadata_tag(made, "SemanticFace.Key", "1")
    assert ASSETS.find_asset_data("/Game/Shots/AS_Shot").get_tag_value("SemanticFace.Key") is None


def test_a_deleted_asset_is_gone_from_disk_too(editor: FakeEditor) -> None:
    ASSETS.save_loaded_asset(create())
    file = editor.project.file("/Game/Shots/AS_Shot")
    assert ASSETS.delete_asset("/Game/Shots/AS_Shot")
    assert not file.exists() and not ASSETS.does_asset_exist("/Game/Shots/AS_Shot")
    assert not ASSETS.delete_asset("/Game/Shots/AS_Shot")


def test_a_copy_holds_the_same_and_is_another() -> None:
    made = create()
    ASSETS.set_metadata_tag(made, "SemanticFace.Key", "1")
    copied = ASSETS.duplicate_asset("/Game/Shots/AS_Shot", "/Game/Shots/AS_Copy")
    ASSETS.set_metadata_tag(copied, "SemanticFace.Key", "2")
    assert (ASSETS.get_metadata_tag(made, "SemanticFace.Key"), copied.get_name()) == ("1", "AS_Copy")


def test_assets_of_a_folder_are_listed() -> None:
    create("AS_One")
    create("AS_Two", "/Game/Shots/Sub")
    assert list(ASSETS.list_assets("/Game/Shots", recursive=False)) == ["/Game/Shots/AS_One.AS_One"]
    assert len(ASSETS.list_assets("/Game/Shots")) == 2
    assert ASSETS.does_directory_exist("/Game/Shots/Sub") and not ASSETS.does_directory_exist("/Game/Other")


def test_a_project_starts_with_a_metahuman_face_and_something_that_is_none() -> None:
    mesh = unreal.load_asset("/Game/MetaHumans/Common/Face/SKM_Face_Archetype")
    assert mesh.skeleton is unreal.load_asset("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton")
    rig = unreal.load_asset("/Game/MetaHumans/Common/Face/Face_ControlBoard_CtrlRig")
    assert isinstance(rig, unreal.ControlRigBlueprint)
    assert unreal.load_asset("/Game/Mannequins/SKM_Mannequin").skeleton is not mesh.skeleton
