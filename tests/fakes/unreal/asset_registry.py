"""The asset registry: what is known of assets without loading them."""

from __future__ import annotations

from typing import Any

from unreal_process import editor

from unreal.assets import Interface, Shared
from unreal.checking import faked, known
from unreal.objects import Object
from unreal.values import StructBase


def asset_data(path: str) -> Any:
    """What the registry knows of an asset, whether it is loaded or not; an invalid one where there is none."""
    project = editor().project
    data = known("AssetData")()
    if not project.exists(path):
        return data
    found = project.load(path)
    package = found._outer._name
    folder, name = package.rsplit("/", 1)
    values = {"package_name": package, "package_path": folder, "asset_name": name}
    for key, value in values.items():
        data._values[key] = known("Name")(value)
    data._values["asset_class_path"] = type(found).static_class().get_class_path_name()
    data._values["asset_class"] = known("Name")(type(found).__name__)
    return data


@faked
class AssetData(StructBase):
    """Metadata tags don't show up here unless the project lists them for the registry, which ours doesn't."""

    def is_valid(self) -> bool:
        return bool(str(self.package_name) != "None")

    def get_asset(self) -> Any:
        return editor().project.load(str(self.package_name)) if self.is_valid() else None

    def get_class(self) -> Any:
        found = self.get_asset()
        return found.get_class() if found is not None else None

    def get_full_name(self) -> str:
        return f"{self.asset_class_path.asset_name} {self.package_name}.{self.asset_name}"

    def is_asset_loaded(self) -> bool:
        return editor().project.loaded(str(self.package_name)) is not None

    def is_u_asset(self) -> bool:
        return self.is_valid()

    def to_soft_object_path(self) -> Any:
        return known("SoftObjectPath")(f"{self.package_name}.{self.asset_name}")

    def get_tag_value(self, tag_name: Any) -> Any:
        return None


@faked
class AssetRegistry(Interface):
    def get_assets_by_path(self, package_path: Any, recursive: bool, include_only_on_disk_assets: bool) -> Any:
        paths = Shared.list_assets(str(package_path), recursive, False)
        return [asset_data(path) for path in paths]

    def get_asset_by_object_path(self, object_path: Any, include_only_on_disk_assets: bool) -> Any:
        return asset_data(str(object_path))

    def get_assets_by_class(self, class_path_name: Any, search_sub_classes: bool) -> Any:
        found = [asset_data(path) for path in editor().project.paths()]
        return [data for data in found if data.asset_class_path == class_path_name]

    def has_assets(self, package_path: Any, recursive: bool) -> bool:
        return bool(Shared.list_assets(str(package_path), recursive, False))

    def is_loading_assets(self) -> bool:
        return bool(editor().desk.loading_assets)

    def scan_paths_synchronous(self, paths: Any, force_rescan: bool, ignore_deny_list_scan_filters: bool) -> None:
        return None

    def wait_for_completion(self) -> None:
        editor().desk.loading_assets = False


@faked
class AssetRegistryHelpers(Object):
    @classmethod
    def get_asset_registry(cls) -> Any:
        return editor().default_object(AssetRegistry)

    @classmethod
    def create_asset_data(cls, asset: Any, allow_blueprint_class: bool) -> Any:
        return asset_data(asset.get_path_name())
