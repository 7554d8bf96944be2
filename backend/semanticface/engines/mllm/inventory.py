"""What is installed: checkpoints and base models with their sizes and faults; verifying and removing them.

Removes only what `pulling` or `importing` made, which a manifest shows, and only in the user's own folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from semanticface import assets, paths
from semanticface.assets.lock import locked
from semanticface.assets.manifest import MANIFEST, problems, read_manifest
from semanticface.engines.mllm import bases, checkpoint, released
from semanticface.engines.mllm.checkpoint import Checkpoint, checkpoint_folders
from semanticface.engines.mllm.profile import FILE_NAME
from semanticface.errors import AssetError

UNKNOWN_LICENCE = "see its source"


@dataclass(frozen=True, slots=True)
class Item:
    """One checkpoint or base. `size` in bytes; `path` None when it is not here; `problem` "" when it is whole."""

    kind: str
    name: str
    description: str
    licence: str
    size: int = 0
    path: Path | None = None
    problem: str = ""


def list_items() -> list[Item]:
    """The published checkpoint and its base, here or not, and everything else that is installed."""
    found = [_checkpoint_item(name, folder) for name, folder in sorted(checkpoint_folders().items())]
    found += [_base_item(name, folder) for name, folder in _base_folders()]
    names = {item.name for item in found}
    if released.NAME not in names:
        found.insert(0, Item("checkpoint", released.NAME, _RELEASED, UNKNOWN_LICENCE))
    if bases.RELEASED not in names:
        elsewhere = bases.find_base(bases.RELEASED)
        found.append(_base_item(bases.RELEASED, elsewhere) if elsewhere else _base_of(bases.RELEASED))
    return found


_RELEASED = "the released checkpoint: adapter and prompt for Qwen3-VL-4B-Instruct"


def _base_of(name: str) -> Item:
    licence = "Apache-2.0" if name == bases.RELEASED else UNKNOWN_LICENCE
    return Item("base", name, "base model", licence)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _fault(check: Callable[[], object]) -> str:
    try:
        check()
    except (AssetError, OSError) as error:
        return str(error)
    return ""


def _base_item(name: str, folder: Path) -> Item:
    return replace(_base_of(name), size=_size(folder), path=folder, problem=_fault(lambda: bases.check_base(folder)))


def _checkpoint_item(name: str, folder: Path) -> Item:
    problem = _fault(lambda: Checkpoint.at(folder, name))
    what = _RELEASED if name == released.NAME else "checkpoint"
    return Item("checkpoint", name, what, UNKNOWN_LICENCE, _size(folder), folder, problem)


def _base_folders() -> Iterator[tuple[str, Path]]:
    for root in assets.model_roots():
        folder = root / bases.FOLDER
        for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
            if entry.is_dir() and not entry.name.startswith("."):
                yield entry.name.replace("--", "/", 1), entry


def verify_items(name: str = "") -> Iterator[Item]:
    """Each installed checkpoint and base, or those of one name, with what a look at every byte finds."""
    for item in list_items():
        if item.path is not None and name in {"", item.name, item.path.name}:
            said = [item.problem] if item.problem else []
            try:
                manifest = read_manifest(item.path)
                said += problems(item.path, manifest.files) if manifest else []
            except AssetError as error:
                said.append(str(error))
            yield replace(item, problem="; ".join(said))


def find_removable(name: str) -> Item:
    """The checkpoint or base of that name, if this program made it in the user's own folder. Raises AssetError."""
    own = paths.models_dir()
    for item in list_items():
        if item.path is not None and name in {item.name, item.path.name}:
            if item.path.parent.parent != own:
                raise AssetError(f"{item.path} is not in your own models folder ({own}), so it stays")
            _check_ours(item.path)
            _check_unused(item)
            return item
    raise AssetError(f"no checkpoint or base model named {name!r} is here", "`semanticface models list` shows them")


def _check_ours(folder: Path) -> None:
    manifest = read_manifest(folder)
    if manifest is None or folder.is_symlink():
        raise AssetError(f"{folder} was not made by this program, so it stays", "remove it yourself if it is yours")
    ours = {entry.path for entry in manifest.files} | {MANIFEST, FILE_NAME}
    for path in sorted(folder.rglob("*")):
        if not path.is_dir() and path.relative_to(folder).as_posix() not in ours:
            raise AssetError(f"{path} is not from this program, so {folder} stays", "move it away and try again")


def _check_unused(item: Item) -> None:
    if item.kind == "base":
        users = [found.name for found in checkpoint.list_checkpoints() if found.base == item.path]
        if users:
            hint = f"run `semanticface models remove {users[0]}` first"
            raise AssetError(f"{item.name} is the base of {', '.join(users)}, so it stays", hint)


def remove(item: Item) -> None:
    """Delete what `find_removable` found. Raises AssetError when the disk refuses."""
    if item.path is None:
        return
    try:
        with locked(item.path.with_name(f".{item.path.name}.lock")):
            shutil.rmtree(item.path)
    except OSError as error:
        raise AssetError(f"can't remove {item.path}: {error.strerror or error}", "check the folder's rights") from error
