"""Base models on this machine: where they lie, which folder is one, and whether it is whole.

A base lies as `bases/OWNER--NAME/` in the user's models folder or in a folder of SEMANTICFACE_MODELS, or in the cache
that the tools of Hugging Face or ModelScope fill, where it is used in place. Nothing is loaded, written or fetched.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from semanticface import assets
from semanticface.engines.mllm.weights import check_weights, read_json
from semanticface.errors import AssetError

MODEL_TYPE = "qwen3_vl"
RELEASED = "Qwen/Qwen3-VL-4B-Instruct"
FOLDER = "bases"
_SNAPSHOTS = "snapshots"


@dataclass(frozen=True, slots=True)
class Base:
    """One whole base model: its hub `name` (or what it was imported as) and its folder."""

    name: str
    folder: Path


def folder_name(name: str) -> str:
    """`OWNER/NAME` as one folder's name, the way Hugging Face's cache writes it."""
    return name.replace("/", "--")


def check_base(folder: Path) -> None:
    """Raises AssetError that says what keeps this folder from being a whole Qwen3-VL with its tokenizer."""
    config = folder / "config.json"
    if not config.is_file():
        raise AssetError(f"{folder} is no base model: it holds no config.json")
    check_kind(config)
    check_weights(folder)
    if not (folder / "tokenizer.json").is_file():
        raise AssetError(f"{folder} lacks tokenizer.json", "bring over the whole folder, tokenizer files included")


def check_kind(config: Path) -> None:
    """Raises AssetError unless this config.json describes a Qwen3-VL."""
    data = read_json(config)
    kind = data.get("model_type") if isinstance(data, Mapping) else None
    if kind != MODEL_TYPE:
        hint = f"the engine runs {MODEL_TYPE} models such as {RELEASED}"
        raise AssetError(f"{config} describes a model of type {kind!r}, not {MODEL_TYPE}", hint)


def is_whole(folder: Path) -> bool:
    """Whether `check_base` has nothing to say."""
    try:
        check_base(folder)
    except (AssetError, OSError):
        return False
    return True


def hub_cache() -> Path:
    """Where Hugging Face's tools keep what they fetched, by their own variables."""
    explicit = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if explicit:
        return Path(os.path.expandvars(explicit)).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(os.path.expandvars(home)).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface" / "hub"


def _in_hub_cache(name: str) -> Iterator[Path]:
    """Snapshots of a model, the one that `main` stands for first, then the newest."""
    repository = hub_cache() / f"models--{folder_name(name)}"
    main = repository / "refs" / "main"
    snapshots = repository / _SNAPSHOTS
    if not snapshots.is_dir():
        return
    wanted = main.read_text(encoding="utf-8").strip() if main.is_file() else ""
    folders = [folder for folder in snapshots.iterdir() if folder.is_dir()]
    yield from sorted(folders, key=lambda folder: (folder.name == wanted, folder.stat().st_mtime), reverse=True)


def _in_modelscope_cache(name: str) -> Path:
    """Where ModelScope's SDK puts a model; it writes dots in names as three underscores."""
    cache = os.environ.get("MODELSCOPE_CACHE")
    root = Path(cache).expanduser() if cache else Path.home() / ".cache" / "modelscope" / "hub"
    return root / "models" / name.replace(".", "___")


def places(name: str) -> Iterator[Path]:
    """Where a base of that name is looked for, in order; not all of them exist."""
    for root in assets.model_roots():
        yield root / FOLDER / folder_name(name)
    yield from _in_hub_cache(name)
    yield _in_modelscope_cache(name)


def find_base(name: str) -> Path | None:
    """The folder of the first whole base of that hub name, or None."""
    if not name or name.startswith((".", "/")) or "\\" in name or ".." in name:
        return None
    return next((folder for folder in places(name) if is_whole(folder)), None)


def installed_bases() -> list[Base]:
    """Whole bases in the models folders (those in the hubs' own caches are found by name alone)."""
    found: dict[str, Base] = {}
    for root in assets.model_roots():
        folder = root / FOLDER
        for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
            name = entry.name.replace("--", "/", 1)
            if not entry.name.startswith(".") and name not in found and is_whole(entry):
                found[name] = Base(name, entry)
    return list(found.values())
