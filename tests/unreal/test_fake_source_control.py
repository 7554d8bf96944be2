"""The fake's source control, bones and files: as little as the writer asks of the editor, and no kinder than it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import unreal
from unreal_testing import FakeEditor
from writing_kit import PATH


@pytest.fixture
def asset(editor: FakeEditor) -> Any:
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = unreal.load_asset("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton")
    folder, name = PATH.rsplit("/", 1)
    return unreal.AssetToolsHelpers.get_asset_tools().create_asset(name, folder, unreal.AnimSequence, factory)


def test_source_control_is_off_until_it_is_connected(editor: FakeEditor, asset: Any) -> None:
    assert not unreal.SourceControl.is_enabled()
    assert not unreal.SourceControl.query_file_state("AS_Shot.uasset").is_valid
    assert not unreal.EditorAssetLibrary.checkout_loaded_asset(asset)
    assert "source control isn't enabled" in editor.logged("error")[-1]


def test_what_nobody_has_can_be_checked_out_and_is_writable_then(editor: FakeEditor, asset: Any) -> None:
    assert unreal.EditorAssetLibrary.save_loaded_asset(asset)
    file = Path(unreal.SystemLibrary.get_system_path(asset))
    file.chmod(0o444)
    assert not unreal.EditorAssetLibrary.save_loaded_asset(asset, False), "read-only files aren't written"
    editor.source_control = {file.name: ""}
    assert unreal.SourceControl.query_file_state(str(file)).can_check_out
    assert unreal.EditorAssetLibrary.checkout_loaded_asset(asset)
    assert unreal.EditorAssetLibrary.save_loaded_asset(asset, False)


def test_what_somebody_else_has_cannot_be_checked_out(editor: FakeEditor, asset: Any) -> None:
    unreal.EditorAssetLibrary.save_loaded_asset(asset)
    file = Path(unreal.SystemLibrary.get_system_path(asset))
    editor.source_control = {file.name: "anna"}
    state = unreal.SourceControl.query_file_state(str(file))
    assert (state.is_checked_out_other, state.checked_out_other, state.can_check_out) == (True, "anna", False)
    assert not unreal.EditorAssetLibrary.checkout_loaded_asset(asset)


def test_an_asset_that_was_never_saved_has_no_file(editor: FakeEditor, asset: Any) -> None:
    assert unreal.SystemLibrary.get_system_path(asset) == ""


def test_a_face_has_bones_that_a_body_has_not(editor: FakeEditor) -> None:
    face, body = ("/Game/MetaHumans/Common/Face/Face_Archetype_Skeleton", "/Game/Mannequins/SK_Mannequin_Skeleton")
    names = [str(name) for name in unreal.load_asset(face).get_reference_pose().get_bone_names()]
    assert "FACIAL_C_FacialRoot" in names
    assert "FACIAL_C_FacialRoot" not in unreal.load_asset(body).get_reference_pose().get_bone_names()
