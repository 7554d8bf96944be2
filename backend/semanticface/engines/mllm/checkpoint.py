"""Checkpoints on this machine: a base model, an adapter and a profile, found by name and known to be whole.

A checkpoint lies as `checkpoints/NAME/` in the user's models folder or in a folder of SEMANTICFACE_MODELS (searched
first, never written): `profile.json`, `adapter/` unless the base itself was trained, and `base/` where the profile
names no base. `pulling` and `importing` bring them here. Reads a few small files and no weights; knows no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from semanticface import assets
from semanticface.engines.mllm.bases import check_base, find_base
from semanticface.engines.mllm.profile import FILE_NAME, Profile, load_profile
from semanticface.engines.mllm.weights import PICKLES, read_header, read_json
from semanticface.errors import AssetError

FOLDER = "checkpoints"
DEFAULT = "semanticface"
"""The released checkpoint's name."""
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One whole checkpoint. `adapter` is None when the base itself was trained."""

    name: str
    folder: Path
    profile: Profile
    base: Path
    adapter: Path | None

    @classmethod
    def at(cls, folder: Path, name: str = "") -> Checkpoint:
        """The checkpoint in this folder, called like it. Raises AssetError that says what is missing or broken."""
        profile = load_profile(folder)
        adapter = folder / "adapter" if profile.adapter else None
        if adapter is not None:
            check_adapter_files(adapter)
        base = find_base(profile.base) if profile.base else folder / "base"
        if base is None:
            hint = f"run `semanticface models pull {profile.base}`, or `semanticface models import DIR` with its folder"
            raise AssetError(f"the checkpoint {folder} needs the base model {profile.base}, which is not here", hint)
        if not profile.base:
            check_base(base)
        return cls(name or folder.name, folder, profile, base, adapter)

    def identity(self) -> str:
        """`NAME` and 12 digits of a hash over profile, adapter and base: the same only where the same answers come.

        Digests come from the manifests written when the files were fetched; a file without one counts with its size
        and its time of change, since reading 9 GB at each start would take a minute.
        """
        digest = hashlib.sha256(self.profile.to_json().encode())
        for folder in filter(None, (self.adapter, self.base)):
            digest.update(json.dumps(sorted(_marks(folder))).encode())
        return f"{self.name} {digest.hexdigest()[:12]}"


def _marks(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Name, size and digest (else time of change) of each file that decides what a model answers."""
    known = assets.recorded_digests(folder)
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".json", ".safetensors", ".txt", ".jinja"} or path.name == assets.MANIFEST:
            continue
        status = path.stat()
        size, digest = known.get(path.name, (-1, ""))
        yield path.name, status.st_size, digest if size == status.st_size else f"changed {status.st_mtime_ns}"


def check_adapter_files(folder: Path) -> None:
    """Raises AssetError unless the folder holds a LoRA adapter's settings and its weights, whole."""
    settings, weights = folder / ADAPTER_CONFIG, folder / ADAPTER_WEIGHTS
    if not settings.is_file():
        raise AssetError(f"{folder} is no adapter: it holds no {ADAPTER_CONFIG}")
    data = read_json(settings)
    kind = data.get("peft_type") if isinstance(data, Mapping) else None
    if kind != "LORA":
        raise AssetError(f"{settings} describes an adapter of type {kind!r}", "only LoRA adapters are supported")
    if weights.is_file():
        read_header(weights)
        return
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickled:
        hint = "save the adapter as safetensors (save_pretrained does) and try again"
        raise AssetError(f"{folder} holds its weights as {pickled[0]}: pickles run code when read", hint)
    raise AssetError(f"{folder} lacks {ADAPTER_WEIGHTS}", "bring over the whole folder")


def checkpoint_folders() -> dict[str, Path]:
    """Every folder that holds a profile, whole or not, by name; the first place that has a name wins."""
    found: dict[str, Path] = {}
    for root in assets.model_roots():
        folder = root / FOLDER
        for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
            if not entry.name.startswith(".") and (entry / FILE_NAME).is_file():
                found.setdefault(entry.name, entry)
    return found


def list_checkpoints() -> list[Checkpoint]:
    """The whole ones, the released one first, the others by name."""
    whole = []
    for name, folder in sorted(checkpoint_folders().items(), key=lambda item: (item[0] != DEFAULT, item[0])):
        try:
            whole.append(Checkpoint.at(folder, name))
        except AssetError:
            continue  # `models list` says what is wrong with it
    return whole


def find_checkpoint(name: str = "") -> Checkpoint:
    """The installed checkpoint of that name; without one the released checkpoint, else the first of the others.

    Raises AssetError that says what to fetch, or what is wrong with the one that was named.
    """
    if not name:
        whole = list_checkpoints()
        if whole:
            return whole[0]
        name = DEFAULT
    folders = checkpoint_folders()
    if name in folders:
        return Checkpoint.at(folders[name], name)
    hint = f"run `semanticface models pull {DEFAULT}`, or `semanticface models import DIR` without a network"
    if folders:
        hint = f"known are: {', '.join(sorted(folders))}; or {hint}"
    raise AssetError(f"the checkpoint {name!r} is not on this machine", hint)
