"""Is a folder of safetensors whole? Reads names, shapes and lengths out of the files' headers, never the weights.

A safetensors file opens with the header's length (8 bytes, little-endian) and the header, a JSON object that says for
each tensor its type, its shape and where its bytes lie (format description, huggingface/safetensors). Pickled weights
are refused by name: reading them runs code. Standard library only, so that lists and checks need no torch.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.errors import AssetError

MAX_HEADER = 100 << 20
"""The format's own bound on a header."""
MAX_JSON = 64 << 20
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a header says about one tensor: `kind` as the format names it (F32, BF16 ...) and `shape`."""

    kind: str
    shape: tuple[int, ...]


def read_json(path: Path, limit: int = MAX_JSON) -> Any:
    """A JSON file of bounded size. Raises AssetError that names it."""
    try:
        if path.stat().st_size > limit:
            raise AssetError(f"{path} is larger than {limit:,} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AssetError(f"{path} can't be read as JSON: {error}") from error


def read_header(path: Path) -> dict[str, Tensor]:
    """Names and shapes in one file. Raises AssetError when it is no safetensors file or ends before its last tensor."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(MAX_HEADER, size - 8):
                raise AssetError(f"{path} is no safetensors file, or only its beginning", _AGAIN)
            header = json.loads(file.read(length))
        return _tensors(path, header, size - 8 - length)
    except OSError as error:
        raise AssetError(f"{path} can't be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise AssetError(f"{path} is no safetensors file: its header is broken", _AGAIN) from error


_AGAIN = "copy or fetch the file again"


def _tensors(path: Path, header: Any, room: int) -> dict[str, Tensor]:
    if not isinstance(header, Mapping):
        raise ValueError("a header is an object")
    found, needed = {}, 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            kind, shape, (begin, end) = str(entry["dtype"]), tuple(map(int, entry["shape"])), entry["data_offsets"]
        except (KeyError, TypeError) as error:
            raise ValueError("an entry is incomplete") from error
        if not isinstance(begin, int) or not isinstance(end, int) or not 0 <= begin <= end:
            raise ValueError("offsets are numbers in order")
        needed = max(needed, end)
        found[name] = Tensor(kind, shape)
    if needed > room:
        message = f"{path} is cut off: its header speaks of {needed:,} bytes of tensors, {room:,} are there"
        raise AssetError(message, _AGAIN)
    return found


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model's folder, shards by its index. Raises AssetError that names what is missing."""
    single, index = folder / SINGLE, folder / INDEX
    if index.is_file():
        table = read_json(index)
        shards = table.get("weight_map") if isinstance(table, Mapping) else None
        if not isinstance(shards, Mapping) or not shards:
            raise AssetError(f"{index} names no shards", _AGAIN)
        names = sorted({str(name) for name in shards.values()})
        if any(Path(name).name != name for name in names):
            raise AssetError(f"{index} names a file outside of its folder")
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            few = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
            raise AssetError(
                f"{folder} lacks {len(missing)} of {len(names)} shards: {few}", "bring over the whole folder"
            )
        return tuple(folder / name for name in names)
    if single.is_file():
        return (single,)
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES) if folder.is_dir() else []
    if pickled:
        hint = "save the model as safetensors (save_pretrained does) and try again"
        raise AssetError(
            f"{folder} holds its weights as {pickled[0]}: pickles run code when read, so none is read", hint
        )
    raise AssetError(f"{folder} holds no {SINGLE} and no {INDEX}")


def check_weights(folder: Path) -> tuple[Path, ...]:
    """`weight_files` with each header read: no shard is missing or cut off."""
    files = weight_files(folder)
    for path in files:
        read_header(path)
    return files
