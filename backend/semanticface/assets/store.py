"""Model files on this machine: where copies lie, whether they are right, and import without a network.

A studio may point SEMANTICFACE_MODELS to a folder that everybody can read; it is searched first and never
written. Otherwise a file lies in the user's models folder, one folder a model. Knows nothing of addresses.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semanticface import paths
from semanticface.assets.registry import Asset, list_assets
from semanticface.errors import AssetError

MODELS_VARIABLE = "SEMANTICFACE_MODELS"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copy:
    """One file that carries an asset's name; `problem` says what is wrong with it, "" when it is the pinned file."""

    path: Path
    problem: str


def home_of(asset: Asset) -> Path:
    """Where `pull` and `import_file` put the file."""
    return paths.models_dir() / asset.name / asset.file_name


def model_roots() -> list[Path]:
    """Where models lie, in the order of search: the read-only folders of SEMANTICFACE_MODELS, then the user's own."""
    shared = filter(None, os.environ.get(MODELS_VARIABLE, "").split(os.pathsep))
    return [*map(Path, shared), paths.models_dir()]


def _places(asset: Asset) -> Iterator[Path]:
    *shared, own = model_roots()
    for folder in shared:
        yield folder / asset.file_name
        yield folder / asset.name / asset.file_name
    yield own / asset.name / asset.file_name


def sha256_of(path: Path) -> str:
    """Lower-case hexadecimal digest of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def problem_with(asset: Asset, path: Path) -> str:
    """What keeps this file from being the pinned one, "" when it is."""
    try:
        size = path.stat().st_size
        if size != asset.size:
            return f"it has {size:,} bytes instead of {asset.size:,}"
        found = sha256_of(path)
    except OSError as error:
        return f"it can't be read: {error.strerror or error}"
    return "" if found == asset.sha256 else f"its SHA-256 is {found} instead of {asset.sha256}"


def copies(asset: Asset) -> list[Copy]:
    """Every file under this asset's name in the places that are searched, in their order, each checked."""
    return [Copy(path, problem_with(asset, path)) for path in _places(asset) if path.is_file()]


def locate(asset: Asset) -> Path | None:
    """The first copy that is the pinned file, byte for byte, or None."""
    for path in _places(asset):
        if path.is_file() and not problem_with(asset, path):
            return path
    return None


def verify(asset: Asset) -> Path:
    """The path of the right copy. Raises AssetError that says what is missing or wrong."""
    found = copies(asset)
    for copy in found:
        if not copy.problem:
            return copy.path
    hint = f"run `semanticface models pull {asset.name}`, or `semanticface models import FILE` without a network"
    if found:
        raise AssetError(f"{found[0].path} is not {asset.name} {asset.version}: {found[0].problem}", hint)
    raise AssetError(f"the model file {asset.file_name} is not on this machine", hint)


def install(asset: Asset, candidate: Path) -> Path:
    """Move a verified file into its place in one step. Raises AssetError when it is not the pinned file."""
    problem = problem_with(asset, candidate)
    if problem:
        raise AssetError(f"{candidate.name} is not {asset.name} {asset.version}: {problem}")
    target = home_of(asset)
    candidate.replace(target)
    return target


def import_file(path: Path) -> list[Path]:
    """Install model files from a file, or from all files directly in a folder and in its folders named like models.

    Files are recognised by content, so their names don't matter. Returns the installed paths; raises
    AssetError when nothing fits or the file can't be read.
    """
    if not path.exists():
        raise AssetError(f"{path} does not exist")
    fits = [(asset, file) for file in _candidates(path) for asset in list_assets() if not problem_with(asset, file)]
    installed = [_copy_in(asset, file) for asset, file in fits]
    if not installed:
        wanted = "; ".join(f"{a.file_name}, {a.size:,} bytes, SHA-256 {a.sha256}" for a in list_assets())
        raise AssetError(f"{path} holds none of the known model files", f"known are: {wanted}")
    return installed


def _candidates(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    folders = [path, *(path / asset.name for asset in list_assets())]
    return [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir()) if file.is_file()]


def _copy_in(asset: Asset, candidate: Path) -> Path:
    target = home_of(asset)
    if target.is_file() and candidate.samefile(target):
        return target
    part = target.with_name(f"{target.name}.import")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(candidate, part)
        return install(asset, part)
    except OSError as error:
        raise AssetError(f"can't write {target}: {error.strerror or error}", "check the folder's rights") from error
    finally:
        part.unlink(missing_ok=True)
