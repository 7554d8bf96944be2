"""The surroundings of a run: which of several processes this is, and a way to the base model without the network.

`accelerate launch` starts one process for each card and says so in the environment; without it there is one. Import
this before torch and transformers: `offline` works on what they read when they are imported. Knows nothing of training.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from semanticface.engines.mllm.bases import check_base, find_base, installed_bases
from semanticface.errors import AssetError

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "USE_HUB_KERNELS": "0",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Variables that keep the libraries from asking the hub, which transformers 5.23 does even for files that are here."""
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """`rank` of `world` processes; the one of rank 0 writes and speaks."""

    rank: int = 0
    world: int = 1

    @property
    def main(self) -> bool:
        return self.rank == 0

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Place:
        """As `accelerate launch` and torchrun say it."""
        try:
            return cls(int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1")))
        except ValueError:
            return cls()


@dataclass(frozen=True, slots=True)
class Base:
    """A base model's folder, and the name by which other machines know it, "" when it has none."""

    folder: Path
    name: str


def offline() -> None:
    """Keep this process off the network; what was set by the user stays."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)


def one_card(place: Place) -> bool:
    """Let a run of one process see one graphics card, the first; whether there were more.

    With several, transformers would cut batches among them by torch's DataParallel, which our batches don't take.
    Works only before torch has looked at the cards.
    """
    import torch

    if place.world > 1:
        return False
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is None:
        more = torch.cuda.device_count() > 1 if torch.backends.cuda.is_built() else False
        if more:
            os.environ["CUDA_VISIBLE_DEVICES"] = "0"
        return more
    first, *others = shown.split(",")
    os.environ["CUDA_VISIBLE_DEVICES"] = first
    return bool(others)


def sharded(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether no process holds the whole model, so that none can write freely by itself: FSDP, DeepSpeed's ZeRO-3."""
    fsdp = environment.get("ACCELERATE_USE_FSDP", "").lower() in ("true", "1", "yes")
    deepspeed = environment.get("ACCELERATE_USE_DEEPSPEED", "").lower() in ("true", "1", "yes")
    return fsdp or (deepspeed and environment.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3")


def find(base: str) -> Base:
    """The base of that folder or hub name. Raises AssetError that says how to bring it here."""
    folder = Path(base).expanduser()
    if folder.is_dir():
        check_base(folder)
        known = {found.folder.resolve(): found.name for found in installed_bases()}
        return Base(folder, known.get(folder.resolve(), ""))
    found = find_base(base)
    if found is not None:
        return Base(found, base)
    if not _HUB_NAME.fullmatch(base):
        raise AssetError(f"there is no folder {base}", "name the base's folder, or its name on the hub: owner/name")
    raise AssetError(
        f"the base model {base} is not on this machine",
        f"run `semanticface models pull {base}` (or `models import DIR`), or give its folder",
    )


def download(base: str) -> None:
    """Fetch a base from the hub into its own cache, for a user who asked for it. Raises AssetError."""
    if Path(base).expanduser().is_dir() or find_base(base) is not None:
        return
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(base, allow_patterns=["*.json", "*.safetensors", "*.jinja", "*.txt", "LICENSE*"])
    except Exception as error:  # the library raises what its own libraries raise
        raise AssetError(f"{base} can't be fetched: {type(error).__name__}: {str(error)[:200]}") from error
