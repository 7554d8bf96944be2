"""A retrieval evaluator on disk: what it was made from as JSON, its weights as safetensors; no pickle anywhere.

    EVALUATOR/
      evaluator.json        format, version, dataset and its digest, options, image side, epochs, hash of the weights
      weights.safetensors   both encoders; the Z-scores are among them

The folder is written under another name beside its place and put there in one step: it is whole or it isn't there.
This module knows nothing of how an evaluator is trained.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.actions import SCHEMA_ID
from semanticface.errors import InputError
from semanticface_training.evaluation.retrieval.options import Epoch, Options

if TYPE_CHECKING:
    import torch

FORMAT = "semanticface-evaluator"
VERSION = 1
HEADER_NAME = "evaluator.json"
WEIGHTS_NAME = "weights.safetensors"
MAX_HEADER = 16 << 20
_RETRAIN = "train it again: semanticface-train evaluator fit"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an evaluator was made from and how its training went.

    `dataset` is the folder's name (for people) and `digest` the dataset's; `images` says what the image side reads;
    `rows` per split; `constant` the coefficients that don't vary in the training split, which it ignores; `code` the
    version that trained it.
    """

    dataset: str
    digest: str
    options: Options
    images: Mapping[str, Any]
    rows: Mapping[str, int]
    constant: tuple[str, ...]
    epochs: tuple[Epoch, ...]
    code: str

    @property
    def best(self) -> Epoch:
        """The epoch whose weights these are."""
        return self.epochs[self.epochs[-1].best_epoch - 1]

    @property
    def key(self) -> str:
        """SHA-256 over everything that decides the weights."""
        return _key(self.digest, self.options, self.images)

    def same_training(self, digest: str, options: Options, images: Mapping[str, Any]) -> bool:
        """Whether that dataset, these options and that image side would make the same evaluator."""
        return self.key == _key(digest, options, images)

    def to_dict(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "digest": self.digest,
            "options": self.options.to_dict(),
            "images": dict(self.images),
            "rows": dict(self.rows),
            "constant": list(self.constant),
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "code": self.code,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str) -> Facts:
        """Raises InputError, KeyError, TypeError or ValueError for what no evaluator wrote."""
        epochs = tuple(Epoch(**epoch) for epoch in data["epochs"])
        if not epochs or not 1 <= epochs[-1].best_epoch <= len(epochs):
            raise ValueError("no best epoch")
        if data["images"]["kind"] not in ("pictures", "features"):
            raise ValueError(f"an image side {data['images']['kind']!r}")
        texts = {name: str(data[name]) for name in ("dataset", "digest", "code")}
        return cls(
            options=Options.from_dict(data["options"], where),
            images=dict(data["images"]),
            rows={str(split): int(count) for split, count in data["rows"].items()},
            constant=tuple(map(str, data["constant"])),
            epochs=epochs,
            **texts,
        )


def _key(digest: str, options: Options, images: Mapping[str, Any]) -> str:
    deciding = [digest, options.to_dict(), dict(images), SCHEMA_ID, VERSION]
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def write(folder: Path, facts: Facts, state: Mapping[str, torch.Tensor]) -> None:
    """Raises InputError when the folder is there and not empty, or can't be written."""
    from safetensors.torch import save

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} holds something already", "choose a new or an empty folder")
    weights = save({name: weight.contiguous() for name, weight in state.items()})
    header = {"format": FORMAT, "version": VERSION, "schema": SCHEMA_ID, "key": facts.key}
    header |= {"weights_sha256": hashlib.sha256(weights).hexdigest(), **facts.to_dict()}
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        (part / WEIGHTS_NAME).write_bytes(weights)
        text = json.dumps(header, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        (part / HEADER_NAME).write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rmdir()  # empty, as was seen above; Windows doesn't rename over it
        part.rename(folder)
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror or error}", "is the disk full?") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read_facts(folder: Path) -> Facts:
    """What an evaluator was made from, without its weights. Raises InputError that names the file."""
    return _read_header(folder)[0]


def read(folder: Path) -> tuple[Facts, dict[str, torch.Tensor]]:
    """Facts and weights by name. Raises InputError that names the file when it is missing, damaged or another kind."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    facts, wanted = _read_header(folder)
    file = folder / WEIGHTS_NAME
    try:
        data = file.read_bytes()
        if hashlib.sha256(data).hexdigest() != wanted:
            raise ValueError(f"it is not the file that {HEADER_NAME} speaks of")
        return facts, load(data)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{file} can't be read: {getattr(error, 'strerror', None) or error}", _RETRAIN) from error


def restore(image: Any, motion: Any, state: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Put the weights into the two encoders and leave them ready. Raises InputError when they don't fit."""
    try:
        for side, module in (("image", image), ("motion", motion)):
            own = {name.removeprefix(f"{side}."): w for name, w in state.items() if name.startswith(f"{side}.")}
            module.load_state_dict(own)
            module.eval()
    except RuntimeError as error:
        text = str(error).splitlines()[0][:200]
        raise InputError(f"{folder / WEIGHTS_NAME} holds other encoders than these: {text}", _RETRAIN) from error


def _read_header(folder: Path) -> tuple[Facts, str]:
    file = folder / HEADER_NAME
    try:
        if file.stat().st_size > MAX_HEADER:
            raise ValueError(f"more than {MAX_HEADER} bytes")
        header = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise ValueError(f'it doesn\'t say "format": "{FORMAT}"')
        if header.get("version") != VERSION or header.get("schema") != SCHEMA_ID:
            raise ValueError(f"version {header.get('version')!r} or its actions are not those of this program")
        return Facts.from_dict(header, str(file)), str(header["weights_sha256"])
    except FileNotFoundError as error:
        raise InputError(f"{folder} is not a retrieval evaluator: it has no {HEADER_NAME}", _RETRAIN) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is not the header of a retrieval evaluator: {error}", _RETRAIN) from error
