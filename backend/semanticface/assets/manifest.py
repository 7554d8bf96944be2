"""What a fetched or imported folder is made of: `manifest.json` beside the files, with the digest of each.

Written once, when every file has been checked; read when a folder is verified and when a checkpoint names itself.
Knows nothing of where files come from or what they are for.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from semanticface.assets.store import sha256_of
from semanticface.errors import AssetError

MANIFEST = "manifest.json"
FORMAT = "semanticface-folder"
MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: `path` relative to the folder with `/`, `size` in bytes, `sha256` in lower-case hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A folder's files and where they came from: `source` is an address or a folder, `revision` "" where none is."""

    source: str
    revision: str
    date: str
    files: tuple[Entry, ...]


def safe_path(path: object) -> bool:
    """Whether a path from outside stays inside the folder that it is relative to, on every operating system."""
    if not isinstance(path, str) or not 0 < len(path) <= 400 or path != path.strip() or set(path) & set('\\:*?"<>|\0'):
        return False
    parts = PurePosixPath(path).parts
    return path == "/".join(parts) and not path.startswith("/") and all(part.strip(". ") for part in parts)


def make_manifest(folder: Path, digests: Mapping[str, str], source: str, revision: str = "") -> Manifest:
    """The manifest of the files in `digests` (path below the folder to SHA-256), which have just been checked."""
    entries = tuple(Entry(path, (folder / path).stat().st_size, digests[path]) for path in sorted(digests))
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Manifest(source, revision, now, entries)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put `manifest.json` into the folder, in one step."""
    new = folder / f"{MANIFEST}.new"
    new.write_text(json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1) + "\n", encoding="utf-8")
    new.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest, None where there is none. Raises AssetError when it can't be trusted."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("it is too large")
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AssetError(f"{path} can't be read: {error}", "fetch or import the model again") from error


def _parse(data: Any) -> Manifest:
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise ValueError("it is no manifest of SemanticFace")
    entries = tuple(Entry(str(item["path"]), int(item["size"]), str(item["sha256"])) for item in data["files"])
    for entry in entries:
        if not safe_path(entry.path):
            raise ValueError(f"it names {entry.path!r}, which is outside of its folder")
    return Manifest(str(data.get("source", "")), str(data.get("revision", "")), str(data.get("date", "")), entries)


def recorded_digests(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 by path as recorded; empty without a readable manifest.

    A checkpoint's manifest stands one folder above its `adapter/` and `base/` and records them with their folder.
    """
    try:
        own = read_manifest(folder)
        above = None if own else read_manifest(folder.parent)
    except AssetError:
        return {}
    if own is not None:
        return {entry.path: (entry.size, entry.sha256) for entry in own.files}
    if above is None:
        return {}
    lead = f"{folder.name}/"
    found = (entry for entry in above.files if entry.path.startswith(lead))
    return {entry.path.removeprefix(lead): (entry.size, entry.sha256) for entry in found}


def problems(folder: Path, files: Sequence[Entry]) -> list[str]:
    """What differs from the recorded files, one sentence each; reads every byte."""
    said = []
    for entry in files:
        path = folder / entry.path
        try:
            if path.stat().st_size != entry.size:
                said.append(f"{entry.path} has {path.stat().st_size:,} bytes instead of {entry.size:,}")
            elif sha256_of(path) != entry.sha256:
                said.append(f"{entry.path} has another SHA-256 than recorded")
        except OSError as error:
            said.append(f"{entry.path} can't be read: {error.strerror or error}")
    return said
