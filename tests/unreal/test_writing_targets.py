"""Whose face an animation is written for: what the order names, else the MetaHuman archetype, wherever it lies."""

from __future__ import annotations

import pytest
import unreal
from semanticface_unreal.writing.assets import path_of
from semanticface_unreal.writing.targets import ARCHETYPE, face_of, mesh_path_of, moves_faces, target_of
from unreal_testing import FakeEditor
from writing_kit import face_mesh, order

from semanticface.errors import InputError

BODY_MESH = "/Game/Mannequins/SKM_Mannequin"
BODY = "/Game/Mannequins/SK_Mannequin_Skeleton"
ELSEWHERE = "/Game/Heroes/Ada/Face_Archetype_Skeleton"


def test_without_a_name_it_is_the_archetype(editor: FakeEditor) -> None:
    target = target_of(order())
    assert path_of(target.skeleton) == ARCHETYPE
    assert target.mesh is None
    assert moves_faces(target.skeleton)


def test_an_archetype_that_lies_elsewhere_is_found_by_its_name(editor: FakeEditor) -> None:
    assert unreal.EditorAssetLibrary.duplicate_asset(ARCHETYPE, ELSEWHERE)
    assert path_of(target_of(order()).skeleton) == ARCHETYPE, "the usual one wins"
    unreal.EditorAssetLibrary.delete_asset(ARCHETYPE)
    assert path_of(target_of(order()).skeleton) == ELSEWHERE


def test_of_several_archetypes_none_is_guessed(editor: FakeEditor) -> None:
    other = ELSEWHERE.replace("Ada", "Bea")
    for place in (ELSEWHERE, other):
        assert unreal.EditorAssetLibrary.duplicate_asset(ARCHETYPE, place)
    unreal.EditorAssetLibrary.delete_asset(ARCHETYPE)
    with pytest.raises(InputError, match=f"{ELSEWHERE}, {other}"):
        target_of(order())


def test_a_project_without_a_metahuman_is_told_what_to_do(editor: FakeEditor) -> None:
    unreal.EditorAssetLibrary.delete_asset(ARCHETYPE)
    with pytest.raises(InputError, match="no MetaHuman face skeleton") as refusal:
        target_of(order())
    assert "add a MetaHuman" in refusal.value.hint


def test_a_mesh_stands_for_its_skeleton_under_either_name(editor: FakeEditor) -> None:
    for target in (target_of(order(skeleton=BODY_MESH)), target_of(order(preview_mesh=BODY_MESH))):
        assert path_of(target.skeleton) == BODY
        assert target.mesh is not None
        assert path_of(target.mesh) == BODY_MESH
        assert not moves_faces(target.skeleton)


def test_a_reference_as_the_content_browser_copies_it_is_understood(editor: FakeEditor) -> None:
    assert path_of(target_of(order(skeleton=f"Skeleton'{BODY}.SK_Mannequin_Skeleton'")).skeleton) == BODY


def test_a_mesh_of_another_skeleton_is_refused(editor: FakeEditor) -> None:
    with pytest.raises(InputError, match=f"{BODY_MESH} has skeleton {BODY}, not {ARCHETYPE}"):
        target_of(order(skeleton=ARCHETYPE, preview_mesh=BODY_MESH))


def test_what_is_neither_skeleton_nor_mesh_is_refused(editor: FakeEditor) -> None:
    with pytest.raises(InputError, match="ControlRigBlueprint, not skeleton"):
        target_of(order(skeleton="/Game/MetaHumans/Common/Face/Face_ControlBoard_CtrlRig"))


def test_the_face_of_a_metahuman_is_found_among_its_components(editor: FakeEditor) -> None:
    metahuman = editor.place_actor("MetaHuman", Body=BODY_MESH, Face=face_mesh(), Legs=BODY_MESH)
    assert mesh_path_of(metahuman) == face_mesh()
    assert mesh_path_of(editor.place_actor("One", Whatever=face_mesh())) == face_mesh()
    assert face_of(editor.place_actor("Two", Left=face_mesh(), Right=face_mesh())) is None
    assert mesh_path_of(editor.place_actor("Light")) == ""
