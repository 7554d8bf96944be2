"""Files of a folder on this machine into a folder of ours: copied or linked, read back and compared.

Knows nothing of what the files are for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from semanticface.assets.haul import check_space
from semanticface.assets.lock import locked
from semanticface.assets.manifest import recorded_digests
from semanticface.assets.store import sha256_of
from semanticface.errors import AssetError


@contextlib.contextmanager
def filling(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` for one process alone; gone afterwards unless it was given its name."""
    staging = target.with_name(f".{target.name}.import")
    with locked(target.with_name(f".{target.name}.lock")):
        shutil.rmtree(staging, ignore_errors=True)
        try:
            staging.mkdir(parents=True)
            yield staging
        except OSError as error:
            raise AssetError(f"can't write {staging}: {error.strerror or error}", "check rights and space") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def copy_files(source: Path, target: Path, names: Mapping[str, str], *, link: bool) -> dict[str, str]:
    """Bring files over, `names` being place in `target` to place in `source`; returns the SHA-256 of each by its place.

    With `link` they are hard links, which take no room and change when somebody writes to the original. A manifest
    beside the originals is held against them. Raises AssetError that names the file.
    """
    if not link:
        check_space(target, sum((source / name).stat().st_size for name in names.values()))
    digests = {}
    for here, there in names.items():
        original, copy = source / there, target / here
        copy.parent.mkdir(parents=True, exist_ok=True)
        digests[here] = _link(original, copy) if link else _copy(original, copy)
        size, recorded = recorded_digests(original.parent).get(original.name, (0, ""))
        if recorded and recorded != digests[here]:
            message = f"{original} is not the file that its manifest records ({size:,} bytes, SHA-256 {recorded})"
            raise AssetError(message, "copy the folder again from where it is whole")
    return digests


def _link(original: Path, copy: Path) -> str:
    try:
        os.link(original.resolve(), copy)
    except OSError as error:
        hint = "leave out --link: hard links need one disk and a file system that has them"
        raise AssetError(f"can't link {original} to {copy}: {error.strerror or error}", hint) from error
    return sha256_of(copy)


def _copy(original: Path, copy: Path) -> str:
    try:
        before = sha256_of(original)
        shutil.copyfile(original, copy)
        after = sha256_of(copy)
    except OSError as error:
        raise AssetError(
            f"can't copy {original} to {copy}: {error.strerror or error}", "check rights and space"
        ) from error
    if before != after:
        raise AssetError(f"{copy} differs from {original} after copying", "check both disks and try again")
    return after
