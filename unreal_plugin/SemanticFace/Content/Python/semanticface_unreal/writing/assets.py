"""Assets as such: finding, creating, tagging, checking out, saving and deleting. Knows nothing of curves.

Unreal answers most failures with None or False and a line in the log; here they become errors with names in them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from semanticface.errors import EngineError, InputError
from semanticface_unreal.engine import unreal
from semanticface_unreal.ports import unique_paths
from semanticface_unreal.writing.names import check_content_path, root_of, split
from semanticface_unreal.writing.tags import PREFIX

Kind = TypeVar("Kind", bound=unreal.Object)

IN_LOG = "the Output Log says why"


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """What Unreal reports as an error is a RuntimeError in Python; here it becomes an EngineError about `what`."""
    try:
        yield
    except NotImplementedError:
        raise
    except RuntimeError as error:
        raise EngineError(f"{what}: the editor refused: {error}", IN_LOG) from error


def find(path: str, kind: type[Kind], what: str) -> Kind | None:
    """The asset, loaded; None where there is none. Raises InputError for one of another class."""
    if not path or not unreal.EditorAssetLibrary.does_asset_exist(path):
        return None
    asset = unreal.EditorAssetLibrary.load_asset(path)
    if asset is None:
        raise InputError(f"{path} can't be loaded", IN_LOG)
    if not isinstance(asset, kind):
        found = asset.get_class().get_name()
        raise InputError(f"{path} is of class {found}, not {what}", "choose another name or path")
    return asset


def find_here(path: str, kind: type[Kind], what: str) -> Kind | None:
    """As `find`, for an asset that is to be replaced. Raises InputError where it was moved and left a redirector."""
    asset = find(path, kind, what)
    if asset is not None and path_of(asset).lower() != path.lower():
        raise InputError(
            f"{path} was moved to {path_of(asset)}", "fix up the redirectors of its old folder, or write there"
        )
    return asset


def need(path: str, kind: type[Kind], what: str) -> Kind:
    """The asset, loaded. Raises InputError where there is none, or one of another class."""
    asset = find(path, kind, what)
    if asset is None:
        raise InputError(f"there is no {what} {path}", "copy its path from the Content Browser: Copy Reference")
    return asset


def check_place(folder: str, name: str) -> None:
    """Raises InputError for names that Unreal refuses, and for a mount point that isn't there."""
    check_content_path(folder, name)
    root = root_of(folder)
    if root != "/Game" and not unreal.EditorAssetLibrary.does_directory_exist(root):
        raise InputError(f"there is no content under {root}", "enable the plugin that brings it, or use /Game")


def check_writable(asset: unreal.Object) -> None:
    """Raises InputError for an asset whose file can't be written and can't be checked out either."""
    if not _locked(asset):
        return
    if not unreal.SourceControl.is_enabled():
        raise InputError(f"{path_of(asset)} is read-only", f"make {_file(asset)} writable, or connect source control")
    state = unreal.SourceControl.query_file_state(str(_file(asset)), True)
    if state.is_checked_out_other:
        raise InputError(f"{path_of(asset)} is checked out by {state.checked_out_other}", "ask them to check it in")


def check_out(asset: unreal.Object) -> None:
    """Makes an asset's file writable through source control, where it is not. Raises InputError where that fails."""
    if not _locked(asset):
        return
    check_writable(asset)
    unreal.EditorAssetLibrary.checkout_loaded_asset(asset)
    if _locked(asset):
        raise InputError(f"{path_of(asset)} is read-only and can't be checked out", IN_LOG)


def create(folder: str, name: str, kind: type[Kind], factory: unreal.Factory) -> Kind:
    """A new asset in memory. Raises EngineError where the editor makes none."""
    made = unreal.AssetToolsHelpers.get_asset_tools().create_asset(name, folder, kind.static_class(), factory)
    if not isinstance(made, kind):
        raise EngineError(f"the editor didn't create {folder}/{name}", IN_LOG)
    return made


def unique(folder: str, name: str) -> str:
    """The name, with a number after it if it is taken."""
    paths = unique_paths(f"{folder.rstrip('/')}/{name}")
    return split(next(path for path in paths if not unreal.EditorAssetLibrary.does_asset_exist(path)))[1]


def save(asset: unreal.Object) -> None:
    """Raises InputError, with the asset's name, where its file isn't written."""
    if not unreal.EditorAssetLibrary.save_loaded_asset(asset, False):
        raise InputError(
            f"{path_of(asset)} couldn't be saved", "look for a full disk, a read-only file, or a lock by source control"
        )


def forget(asset: unreal.Object) -> None:
    """Takes an asset away again that was never saved."""
    unreal.EditorAssetLibrary.delete_loaded_asset(asset)


def path_of(asset: unreal.Object) -> str:
    """`/Game/Faces/AS_Shot`, without the name of the object in the package."""
    folder, name = split(asset.get_path_name())
    return f"{folder}/{name}"


def tags(asset: unreal.Object) -> dict[str, str]:
    """All metadata tags of an asset."""
    found = unreal.EditorAssetLibrary.get_metadata_tag_values(asset)
    return {str(name): str(value) for name, value in found.items()}


def set_tags(asset: unreal.Object, wanted: Mapping[str, str]) -> None:
    """Makes these the product's tags of the asset; tags of others stay.

    Raises EngineError where they don't stay, as while a level is played, when the editor changes no asset.
    """
    for name in tags(asset):
        if name.startswith(PREFIX) and name not in wanted:
            unreal.EditorAssetLibrary.remove_metadata_tag(asset, name)
    for name, value in wanted.items():
        unreal.EditorAssetLibrary.set_metadata_tag(asset, name, value)
    found = {name.lower(): value for name, value in tags(asset).items()}
    if any(found.get(name.lower()) != value for name, value in wanted.items()):
        raise EngineError(f"the editor didn't keep the tags of {path_of(asset)}", IN_LOG)


def _file(asset: unreal.Object) -> Path:
    return Path(unreal.SystemLibrary.get_system_path(asset))


def _locked(asset: unreal.Object) -> bool:
    file = _file(asset)
    return file.is_file() and not (os.access(file, os.W_OK) and file.stat().st_mode & stat.S_IWRITE)
