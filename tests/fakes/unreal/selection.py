"""What the user has selected: in the content browser, and of the level's actors. And the level's world."""

from __future__ import annotations

from typing import Any

from unreal_process import editor

from unreal.checking import faked, known


@faked
class EditorUtilityLibrary(known("BlueprintFunctionLibrary")):  # type: ignore[misc]
    """The content browser's side."""

    @classmethod
    def get_selected_assets(cls) -> list[Any]:
        return list(editor().desk.selected_assets)

    @classmethod
    def get_selected_assets_of_class(cls, asset_class: Any) -> list[Any]:
        wanted = asset_class._python if asset_class is not None else known("Object")
        return [asset for asset in editor().desk.selected_assets if isinstance(asset, wanted)]

    @classmethod
    def get_selected_asset_data(cls) -> list[Any]:
        return [
            known("EditorAssetLibrary").find_asset_data(asset.get_path_name()) for asset in cls.get_selected_assets()
        ]

    @classmethod
    def get_selected_folder_paths(cls) -> list[str]:
        return [f"/All{folder}" for folder in editor().desk.selected_folders]

    @classmethod
    def get_selected_path_view_folder_paths(cls) -> list[str]:
        return cls.get_selected_folder_paths()  # type: ignore[no-any-return]

    @classmethod
    def get_current_content_browser_path(cls) -> str | None:
        folders = editor().desk.selected_folders
        return folders[0] if folders else "/Game"

    @classmethod
    def get_selection_set(cls) -> list[Any]:
        return list(editor().desk.selected_actors)


@faked
class EditorActorSubsystem(known("EditorSubsystem")):  # type: ignore[misc]
    """The level's side."""

    def get_selected_level_actors(self) -> list[Any]:
        return list(editor().desk.selected_actors)

    def get_all_level_actors(self) -> list[Any]:
        return list(editor().desk.actors)

    def set_selected_level_actors(self, actors_to_select: Any) -> None:
        editor().desk.selected_actors = list(actors_to_select)

    def select_nothing(self) -> None:
        editor().desk.selected_actors = []


@faked
class UnrealEditorSubsystem(known("EditorSubsystem")):  # type: ignore[misc]
    """The editor has one world, and no game runs in it."""

    def get_editor_world(self) -> Any:
        return editor().desk.world

    def get_game_world(self) -> Any:
        return None


@faked
class LevelEditorSubsystem(known("EditorSubsystem")):  # type: ignore[misc]
    """Whether the level is being played."""

    def is_in_play_in_editor(self) -> bool:
        return bool(editor().desk.playing)
