"""Creating, finding, saving and tagging assets: AssetTools, EditorAssetLibrary, EditorAssetSubsystem, the registry."""

from __future__ import annotations

import inspect
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known
from unreal.objects import Object, python_of
from unreal.project import INVALID, ROOT, package_path


@faked
class Interface(Object):
    pass


@faked
class Factory(Object):
    """`_supported` is what a factory makes by default; `_create(path)` makes it."""

    _supported = ""

    def _get_supported_class(self) -> Any:
        return self._values.get("supported_class") or (known(self._supported) if self._supported else None)

    def _create(self, path: str, class_: Any) -> Any:
        return editor().project.add(path, class_)


@faked
class AssetTools(Interface):
    def create_asset(
        self, asset_name: str, package_path: str, asset_class: Any, factory: Any, calling_context: Any
    ) -> Any:
        """None where the name is taken or impossible, with a line in the log."""
        path = f"{package_path.rstrip('/')}/{asset_name}"
        supported = factory.get_editor_property("supported_class") if factory is not None else None
        wanted = asset_class or supported
        why = refusal(asset_name, path)
        if wanted is None:
            why = why or "neither a class nor a factory was given"
        elif supported is not None and not issubclass(python_of(wanted), python_of(supported)):
            why = why or f"{type(factory).__name__} doesn't make {python_of(wanted).__name__}"
        if why:
            editor().log_file.write("warning", f"LogAssetTools: Failed to create asset {path}: {why}")
            return None
        made = factory._create(path, python_of(wanted)) if factory else editor().project.add(path, python_of(wanted))
        made.get_package()._dirty = True
        return made

    def create_unique_asset_name(self, base_package_name: str, suffix: str) -> Any:
        """`/Game/X/AS`, then `/Game/X/AS1` and so on; a number at the end is counted on: `AS_010`, then `AS_011`."""
        path = f"{package_path(base_package_name)}{suffix}"
        base = path.rstrip("0123456789")
        width, number = len(path) - len(base), int(path[len(base) :] or 0)
        while editor().project.exists(path):
            number += 1
            path = f"{base}{number:0{width}d}"
        return path, path.rsplit("/", 1)[1]

    def duplicate_asset(self, asset_name: str, package_path: str, original_object: Any) -> Any:
        return duplicate(original_object, f"{package_path.rstrip('/')}/{asset_name}")

    def import_asset_tasks(self, import_tasks: Any) -> None:
        for task in import_tasks:
            editor().import_task(task)


@faked
class AssetToolsHelpers(Object):
    @classmethod
    def get_asset_tools(cls) -> Any:
        return editor().default_object(AssetTools)


def refusal(name: str, path: str) -> str:
    """Why no asset can be made there; "" where it can."""
    if not name or set(name) & INVALID:
        return f"{name!r} isn't a valid name"
    if not editor().project.inside(path):
        return f"{path} isn't below {ROOT}"
    return "an asset of this name exists already" if editor().project.exists(path) else ""


def duplicate(original: Any, path: str) -> Any:
    """A copy under another path, not saved; None where that can't be."""
    name = path.rsplit("/", 1)[1]
    if original is None or refusal(name, path):
        return None
    made = editor().project.add(path, type(original))
    made._load(original._dump())
    made.get_package()._tags = dict(original.get_package()._tags)
    return made


@faked
class BlueprintFunctionLibrary(Object):
    pass


def _complain(what: str, path: str) -> None:
    message = f"{what} failed: The AssetData '{path}' could not be found in the Asset Registry."
    editor().log_file.write("error", f"LogEditorAssetSubsystem: {message}")


class Shared:
    """What the library (methods of the class) and the subsystem (of the instance) do alike."""

    @staticmethod
    def load_asset(asset_path: str) -> Any:
        found = editor().project.load(asset_path)
        if found is None:
            _complain("LoadAsset", asset_path)
        return found

    @staticmethod
    def does_asset_exist(asset_path: str) -> bool:
        return bool(editor().project.exists(asset_path))

    @staticmethod
    def do_assets_exist(asset_paths: Any) -> bool:
        return all(editor().project.exists(path) for path in asset_paths)

    @staticmethod
    def find_asset_data(asset_path: str) -> Any:
        from unreal.asset_registry import asset_data

        return asset_data(asset_path)

    @staticmethod
    def save_loaded_asset(asset_to_save: Any, only_if_is_dirty: bool) -> bool:
        project = editor().project
        if asset_to_save is None or project.content_of(asset_to_save) is None:
            editor().log_file.write("error", "LogEditorAssetSubsystem: SaveLoadedAsset failed: not an asset")
            return False
        if only_if_is_dirty and not asset_to_save.get_package()._dirty:
            return True
        with editor().desk.slow_task("Saving packages..."):
            return bool(project.save(asset_to_save))

    @staticmethod
    def save_loaded_assets(assets_to_save: Any, only_if_is_dirty: bool) -> bool:
        return all([Shared.save_loaded_asset(asset, only_if_is_dirty) for asset in assets_to_save])

    @staticmethod
    def save_asset(asset_to_save: str, only_if_is_dirty: bool) -> bool:
        found = Shared.load_asset(asset_to_save)
        return found is not None and Shared.save_loaded_asset(found, only_if_is_dirty)

    @staticmethod
    def delete_asset(asset_path_to_delete: str) -> bool:
        return bool(editor().project.remove(asset_path_to_delete))

    @staticmethod
    def delete_loaded_asset(asset_to_delete: Any) -> bool:
        return asset_to_delete is not None and editor().project.remove(asset_to_delete.get_path_name())

    @staticmethod
    def duplicate_asset(source_asset_path: str, destination_asset_path: str) -> Any:
        return duplicate(Shared.load_asset(source_asset_path), package_path(destination_asset_path))

    @staticmethod
    def duplicate_loaded_asset(source_asset: Any, destination_asset_path: str) -> Any:
        return duplicate(source_asset, package_path(destination_asset_path))

    @staticmethod
    def rename_asset(source_asset_path: str, destination_asset_path: str) -> bool:
        return Shared.rename_loaded_asset(Shared.load_asset(source_asset_path), destination_asset_path)

    @staticmethod
    def rename_loaded_asset(source_asset: Any, destination_asset_path: str) -> bool:
        made = duplicate(source_asset, package_path(destination_asset_path))
        return made is not None and editor().project.remove(source_asset.get_path_name())

    @staticmethod
    def make_directory(directory_path: str) -> bool:
        project = editor().project
        if not project.inside(f"{directory_path}/x"):
            return False
        (project.root / "Content" / directory_path[len(ROOT) :].strip("/")).mkdir(parents=True, exist_ok=True)
        return True

    @staticmethod
    def does_directory_exist(directory_path: str) -> bool:
        project = editor().project
        folder = project.root / "Content" / directory_path[len(ROOT) :].strip("/")
        prefix = directory_path.rstrip("/").lower() + "/"
        return project.inside(f"{directory_path}/x") and (
            folder.is_dir() or any(path.lower().startswith(prefix) for path in project.paths())
        )

    @staticmethod
    def list_assets(directory_path: str, recursive: bool, include_folder: bool) -> Any:
        prefix = directory_path.rstrip("/").lower() + "/"
        found = [path for path in editor().project.paths() if path.lower().startswith(prefix)]
        found = [path for path in found if recursive or "/" not in path[len(prefix) :]]
        return [f"{path}.{path.rsplit('/', 1)[1]}" for path in found]

    @staticmethod
    def checkout_loaded_asset(asset_to_checkout: Any) -> bool:
        """Without source control there is nothing to check out, and the editor says False."""
        if editor().source_control is None:
            editor().log_file.write("error", "LogEditorAssetSubsystem: source control isn't enabled")
            return False
        from unreal.source_control import check_out

        return check_out(editor().project.file(asset_to_checkout.get_path_name()))

    @staticmethod
    def get_path_name_for_loaded_asset(loaded_asset: Any) -> str:
        return str(loaded_asset.get_path_name()) if loaded_asset is not None else ""

    @staticmethod
    def sync_browser_to_objects(asset_paths: Any) -> None:
        """Selects them in the content browser; paths where nothing is are passed over."""
        found = [editor().project.load(path.split(".", 1)[0]) for path in asset_paths]
        editor().desk.selected_assets = [asset for asset in found if asset is not None]

    @staticmethod
    def get_metadata_tag(object: Any, tag: Any) -> str:
        tags = tags_of(object)
        return tags.get(spelling(tags, tag), "")

    @staticmethod
    def get_metadata_tag_values(object: Any) -> Any:
        return dict(tags_of(object))

    @staticmethod
    def set_metadata_tag(object: Any, tag: Any, value: str) -> None:
        tags = tags_of(object)
        editor().undo_history.touch(object)
        tags[spelling(tags, tag)] = value
        editor().project.mark_dirty(object)

    @staticmethod
    def remove_metadata_tag(object: Any, tag: Any) -> None:
        tags = tags_of(object)
        tags.pop(spelling(tags, tag), None)
        editor().project.mark_dirty(object)


def tags_of(thing: Any) -> dict[str, str]:
    """The metadata tags of an asset. Raises Exception for what is none."""
    if thing is None or editor().project.content_of(thing) is None:
        raise Exception("the object isn't an asset")
    tags: dict[str, str] = thing.get_package()._tags
    return tags


def spelling(tags: dict[str, str], tag: Any) -> str:
    """A tag as it stands there already, as names know no case; else as it is given."""
    return next((found for found in tags if found.lower() == str(tag).lower()), str(tag))


def _library(name: str, base: Any, on_class: bool) -> Any:
    """The class with those of the shared functions that Epic's class has, under its argument names."""
    entry = known_signatures(name, on_class)
    body: dict[str, Any] = {}
    for function, wanted in entry.items():
        shared = vars(Shared).get(function)
        if shared is None:
            continue
        plain = shared.__func__
        if list(inspect.signature(plain).parameters) != wanted:
            raise TypeError(f"{name}.{function} takes {wanted}")
        body[function] = classmethod(_behind(plain, wanted)) if on_class else _behind(plain, wanted)
    return faked(type(name, (base,), body))


CLOSED: dict[str, Any] = {
    "checkout_asset": False, "checkout_loaded_asset": False, "delete_asset": False, "delete_loaded_asset": False,
    "does_asset_exist": False, "do_assets_exist": False, "does_directory_exist": False, "duplicate_asset": None,
    "list_assets": (), "load_asset": None, "make_directory": False, "rename_asset": False, "save_asset": False,
    "save_loaded_asset": False,
}  # fmt: skip
"""What they give while the level is played or assets are still looked for: nothing is done, and a line logged."""


def _behind(plain: Any, names: list[str]) -> Any:
    """`plain` as a method, whose first argument it doesn't need."""

    def call(on: Any, *args: Any) -> Any:
        desk = editor().desk
        if plain.__name__ in CLOSED and (desk.playing or desk.loading_assets):
            why = "Editor is currently in a play mode" if desk.playing else "AssetRegistry is currently loading"
            editor().log_file.write("error", f"LogUtils: The {why}.")
            return CLOSED[plain.__name__]
        return plain(*args)

    kinds = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("on", *names)]
    call.__signature__ = inspect.Signature(kinds)  # type: ignore[attr-defined]
    return call


def known_signatures(name: str, on_class: bool) -> dict[str, list[str]]:
    from unreal.signatures import described

    found = described(name).class_methods if on_class else described(name).methods
    return {key: [argument.name for argument in signature.arguments] for key, signature in found.items()}


@faked
class Subsystem(Object):
    pass


@faked
class DynamicSubsystem(Subsystem):
    pass


@faked
class EditorSubsystem(DynamicSubsystem):
    pass


EditorAssetLibrary = _library("EditorAssetLibrary", BlueprintFunctionLibrary, True)
EditorAssetSubsystem = _library("EditorAssetSubsystem", EditorSubsystem, False)


@faked
class EditorLoadingAndSavingUtils(Object):
    @classmethod
    def save_dirty_packages(cls, save_map_packages: bool, save_content_packages: bool) -> bool:
        dirty = [asset for asset in editor().project.assets.values() if asset.get_package()._dirty]
        return all([editor().project.save(asset) for asset in dirty]) if save_content_packages else True

    @classmethod
    def get_dirty_content_packages(cls) -> Any:
        return [asset.get_package() for asset in editor().project.assets.values() if asset.get_package()._dirty]
