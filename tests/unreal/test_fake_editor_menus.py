"""Menus of the fake editor show what the editor would, and run of Python's classes what is declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import unreal
from unreal_testing import FakeEditor, NotClickable

MAIN = "LevelEditor.MainMenu"
FACE = "/Game/MetaHumans/Common/Face"


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[FakeEditor]:
    with FakeEditor(tmp_path) as opened:
        yield opened


@unreal.uclass()
class Counted(unreal.ToolMenuEntryScript):
    """Counts its clicks, says so in its label, and can be clicked twice."""

    clicks = unreal.uproperty(int)

    @unreal.ufunction(override=True)
    def execute(self, context: Any) -> None:
        self.clicks += 1

    @unreal.ufunction(override=True)
    def can_execute(self, context: Any) -> bool:
        return bool(self.clicks < 2)

    @unreal.ufunction(override=True)
    def get_label(self, context: Any) -> Any:
        return unreal.Text(f"Clicked {self.clicks}")


def added(menu: str, kind: Any = Counted, name: str = "Count") -> Any:
    script = kind()
    script.init_entry("Owner", menu, "Section", name, "Label", "Tip")
    assert unreal.ToolMenus.add_menu_entry_object(script)
    return script


def sub_menu(name: str = "Mine") -> str:
    unreal.ToolMenus.get().find_menu(MAIN).add_sub_menu("Owner", "Section", name, name)
    return f"{MAIN}.{name}"


def test_an_entry_runs_its_overrides(editor: FakeEditor) -> None:
    script = added(sub_menu())
    editor.click("Count")
    assert script.clicks == 1
    assert editor.label("Count") == "Clicked 1"
    editor.click("Clicked 1")
    with pytest.raises(NotClickable, match="greyed out"):
        editor.click("Count")


def test_an_entry_is_seen_where_its_menu_is_shown(editor: FakeEditor) -> None:
    added("LevelEditor.MainMenu.Unknown")
    added(f"{MAIN}.Tools", name="InTools")
    added(MAIN, name="InBar")
    assert list(editor.entries()) == [f"{MAIN}.Tools.InTools"], "a menu bar shows menus, and no entries"


def test_what_is_not_declared_overrides_nothing(editor: FakeEditor) -> None:
    @unreal.uclass()
    class Undeclared(unreal.ToolMenuEntryScript):
        def execute(self, context: Any) -> None:
            pytest.fail("the engine can't know of this method")

        def get_label(self, context: Any) -> Any:
            return unreal.Text("Mine")

    added(sub_menu(), Undeclared)
    editor.click("Count")
    assert editor.label("Count") == "Label"


def test_an_exception_in_an_entry_is_logged(editor: FakeEditor) -> None:
    @unreal.uclass()
    class Broken(unreal.ToolMenuEntryScript):
        @unreal.ufunction(override=True)
        def execute(self, context: Any) -> None:
            raise ValueError("broken")

    added(sub_menu(), Broken)
    editor.click("Count")
    assert any("ValueError: broken" in line for line in editor.logged("error"))


def test_an_override_gives_what_the_function_gives(editor: FakeEditor) -> None:
    @unreal.uclass()
    class Wrong(unreal.ToolMenuEntryScript):
        @unreal.ufunction(override=True)
        def can_execute(self, context: Any) -> Any:
            return "yes"

    added(sub_menu(), Wrong)
    with pytest.raises(TypeError, match="can_execute"):
        editor.can_click("Count")


def test_a_string_command_is_run_as_python(editor: FakeEditor) -> None:
    entry = unreal.ToolMenuEntry(name="Say", type=unreal.MultiBlockType.MENU_ENTRY)
    entry.set_label("Say It")
    entry.set_string_command(unreal.ToolMenuStringCommandType.PYTHON, "", "unreal.log('said')")
    unreal.ToolMenus.get().extend_menu(sub_menu()).add_menu_entry("Section", entry)
    editor.click("Say It")
    assert ("log", "said") in editor.log


def test_an_entry_without_a_type_does_not_show(editor: FakeEditor) -> None:
    unreal.ToolMenus.get().extend_menu(sub_menu()).add_menu_entry("Section", unreal.ToolMenuEntry(name="Say"))
    with pytest.raises(NotClickable, match="no entry"):
        editor.click("Say")


def test_an_entry_is_copied_into_the_menu(editor: FakeEditor) -> None:
    entry = unreal.ToolMenuEntry(name="Say", type=unreal.MultiBlockType.MENU_ENTRY)
    entry.set_label("Before")
    unreal.ToolMenus.get().extend_menu(sub_menu()).add_menu_entry("Section", entry)
    entry.set_label("After")
    assert editor.label("Say") == "Before"


def test_a_second_entry_of_a_name_takes_the_first_ones_place(editor: FakeEditor) -> None:
    menu = sub_menu()
    added(menu)
    second = added(menu)
    editor.click("Count")
    assert second.clicks == 1


def test_an_owners_entries_go_together(editor: FakeEditor) -> None:
    added(sub_menu())
    unreal.ToolMenus.get().unregister_owner_by_name("owner")
    assert editor.entries() == {}


def test_menus_of_the_content_browser_are_found_when_they_are_extended(editor: FakeEditor) -> None:
    menus = unreal.ToolMenus.get()
    name = "ContentBrowser.AssetContextMenu.Skeleton"
    assert menus.find_menu(name) is None
    assert menus.extend_menu(name) is menus.find_menu(name)


def test_an_asset_action_shows_on_assets_of_its_class_alone(editor: FakeEditor) -> None:
    @unreal.uclass()
    class Named(unreal.ToolMenuEntryScript):
        @unreal.ufunction(override=True)
        def execute(self, context: Any) -> None:
            found = context.find_by_class(unreal.ContentBrowserAssetContextMenuContext)
            for thing in found.load_selected_objects_if_needed():
                unreal.log(thing.get_name())

    added("ContentBrowser.AssetContextMenu.Skeleton", Named)
    editor.select_assets([f"{FACE}/SKM_Face_Archetype"])
    with pytest.raises(NotClickable):
        editor.click("Count")
    editor.select_assets([f"{FACE}/Face_Archetype_Skeleton"])
    editor.click("Count")
    assert ("log", "Face_Archetype_Skeleton") in editor.log


def test_a_commandlet_has_no_menus(tmp_path: Path) -> None:
    with FakeEditor(tmp_path, commandlet=True) as editor:
        assert unreal.ToolMenus.get().find_menu(MAIN) is None
        added(MAIN)
        assert editor.entries() == {}


def test_what_is_selected_is_given_by_class(editor: FakeEditor) -> None:
    editor.select_assets([f"{FACE}/SKM_Face_Archetype", f"{FACE}/Face_Archetype_Skeleton"])
    library = unreal.EditorUtilityLibrary
    assert len(library.get_selected_assets()) == 2
    assert [found.get_name() for found in library.get_selected_assets_of_class(unreal.Skeleton)] == [
        "Face_Archetype_Skeleton"
    ]
    with pytest.raises(KeyError):
        editor.select_assets(["/Game/Nothing"])


def test_a_selected_actor_has_its_face(editor: FakeEditor) -> None:
    actor = editor.place_actor("BP_Ada", Body="/Game/Mannequins/SKM_Mannequin", Face=f"{FACE}/SKM_Face_Archetype")
    editor.select_actors([actor])
    (found,) = unreal.get_editor_subsystem(unreal.EditorActorSubsystem).get_selected_level_actors()
    components = found.get_components_by_class(unreal.SkeletalMeshComponent)
    assert found.get_actor_label() == "BP_Ada"
    assert [component.get_skeletal_mesh_asset().get_name() for component in components] == [
        "SKM_Mannequin",
        "SKM_Face_Archetype",
    ]
