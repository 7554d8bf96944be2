"""Which files of a repository or folder are a base model, and which are an adapter. Pure; knows no disk and no network.

Pictures, papers and pickled weights are left where they are: nothing pickled is ever fetched or read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from semanticface.assets.haul import Choice
from semanticface.assets.hub import HubFile
from semanticface.engines.mllm.checkpoint import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from semanticface.engines.mllm.weights import INDEX, PICKLES, SINGLE
from semanticface.errors import AssetError

MOST_FILES = 200
_TEXTS = frozenset({"merges.txt", "LICENSE", "LICENSE.txt", "NOTICE"})
_SMALL = 64 << 20


def wanted_of_base(names: Iterable[str]) -> list[str]:
    """The files of a base model's folder that a run needs: weights, settings, tokenizer, chat templates, licence."""
    found = []
    for name in names:
        path = PurePosixPath(name)
        if len(path.parts) == 1 and (path.suffix in {".json", ".safetensors", ".jinja"} or name in _TEXTS):
            found.append(name)
    return sorted(found)


def choose_base(files: Sequence[HubFile]) -> Choice:
    """A base model's files. Raises AssetError when the repository holds no such model as safetensors."""
    names = wanted_of_base(file.path for file in files)
    for needed in ("config.json", "tokenizer.json"):
        if needed not in names:
            raise AssetError(f"the repository holds no {needed}")
    if SINGLE not in names and INDEX not in names:
        pickled = any(PurePosixPath(file.path).suffix in PICKLES for file in files)
        raise AssetError(f"the repository holds no safetensors{', only pickled weights' if pickled else ''}")
    return _choice({name: name for name in names}, files, "")


def wanted_of_adapter(names: Iterable[str]) -> tuple[dict[str, str], str]:
    """An adapter's files, place here to place there, and a remark when one of several had to be chosen.

    Training tools leave folders such as checkpoint-400; of several the one with the highest step is taken.
    """
    every = list(names)
    folders = [PurePosixPath(name).parent for name in every if PurePosixPath(name).name == ADAPTER_CONFIG]
    if not folders:
        raise AssetError(f"there is no {ADAPTER_CONFIG} in it")
    folder = max(folders, key=lambda path: (_step(path), -len(path.parts), path.as_posix()))
    remark = ""
    if len(folders) > 1:
        remark = f"{len(folders)} adapters are there; {_shown(folder)} is taken, the highest step"
    elif folder.parts:
        remark = f"the adapter lies in {_shown(folder)}"
    inside = [PurePosixPath(name) for name in every if PurePosixPath(name).parent == folder]
    if not any(path.name == ADAPTER_WEIGHTS for path in inside):
        pickled = any(path.suffix in PICKLES for path in inside)
        raise AssetError(
            f"{_shown(folder)} lacks {ADAPTER_WEIGHTS}{' and has only pickled weights' if pickled else ''}"
        )
    keep = {ADAPTER_CONFIG, ADAPTER_WEIGHTS, "additional_config.json", "args.json", *_TEXTS}
    return {path.name: path.as_posix() for path in inside if path.name in keep}, remark


def choose_adapter(files: Sequence[HubFile]) -> Choice:
    """An adapter's files. Raises AssetError when the repository holds none as safetensors."""
    wanted, remark = wanted_of_adapter(file.path for file in files)
    return _choice(wanted, files, remark)


def _step(folder: PurePosixPath) -> int:
    """The number at the end of a folder's name, -1 without one."""
    found = re.search(r"(\d{1,12})$", folder.name)
    return int(found[1]) if found else -1


def _shown(folder: PurePosixPath) -> str:
    return f"{folder}/" if folder.parts else "the top folder"


def _choice(wanted: dict[str, str], files: Sequence[HubFile], remark: str) -> Choice:
    by_path = {file.path: file for file in files}
    chosen = {here: by_path[there] for here, there in wanted.items()}
    if len(chosen) > MOST_FILES:
        raise AssetError(f"the repository holds {len(chosen)} model files, more than {MOST_FILES}")
    for here, file in chosen.items():
        if not here.endswith(".safetensors") and file.size > _SMALL:
            raise AssetError(f"{file.path} has {file.size:,} bytes, which is no settings file")
    return Choice(chosen, remark)
