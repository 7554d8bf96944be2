"""A model in training as a checkpoint folder that `semanticface models import` takes as it is.

    FOLDER/
      profile.json    how it is asked and read
      adapter/        what learned, where it was trained by LoRA; else base/ holds the whole model
      base/           also where the base has no name by which another machine would find it
      README.md       the model card
      training.json   settings, data, libraries, and how it was judged

The folder is written beside its place and then takes it, so that a reader finds the old one or the new one.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface import __version__
from semanticface.engines.mllm.choosing import wanted_of_base
from semanticface.engines.mllm.profile import Profile
from semanticface.take import write_atomic
from semanticface_training.stage2.config import FitConfig, Trainable
from semanticface_training.stage2.validate import Validation

ADAPTER_NAME, BASE_NAME = "adapter", "base"
LIBRARIES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")
_WEIGHTS = (".safetensors", ".safetensors.index.json")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a checkpoint is made from: the base's folder and hub name ("" without), the dataset's facts."""

    config: FitConfig
    profile: Profile
    base: Path
    base_name: str
    data: Mapping[str, Any]


def libraries() -> dict[str, str]:
    """Versions of what computes, and of this program."""
    return {"semanticface": __version__, **{name: importlib.metadata.version(name) for name in LIBRARIES}}


def export(model: Any, folder: Path, origin: Origin, step: int, found: Validation | None, state: Any = None) -> Path:
    """Write the checkpoint folder, in place of an older one; `model` as it is in training, unwrapped.

    `state`: the weights by name, where the model itself holds only a share of them.
    """
    part = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    origin.profile.save(part)
    if origin.config.trainable is Trainable.LORA:
        model.save_pretrained(str(part / ADAPTER_NAME), save_embedding_layers=False, state_dict=state)
        (part / ADAPTER_NAME / "README.md").unlink(missing_ok=True)  # peft's card is empty; ours is beside
        _plain_permissions(part / ADAPTER_NAME)
        if not origin.base_name:
            _link_base(origin.base, part / BASE_NAME, weights=True)
    else:
        _link_base(origin.base, part / BASE_NAME, weights=False)
        model.save_pretrained(str(part / BASE_NAME), max_shard_size="100GB", state_dict=state)
        _plain_permissions(part / BASE_NAME)
    facts = {
        "format": "semanticface-training",
        "version": 1,
        "step": step,
        "config": _without_places(origin.config),
        "data": dict(origin.data),
        "base": origin.base_name,
        "validation": None if found is None else found.to_dict(),
        "libraries": libraries(),
    }
    write_atomic(part / "training.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    write_atomic(part / "README.md", card(origin, step, found))
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder


def _without_places(config: FitConfig) -> dict[str, Any]:
    """The settings without folders of this machine."""
    out = config.to_dict()
    for name in ("dataset", "base", "out", "adapter", "descriptions"):
        out[name] = Path(str(out[name])).name if out[name] else out[name]
    return out


def _link_base(source: Path, target: Path, weights: bool) -> None:
    """The base's files, linked where the disk allows it."""
    target.mkdir(parents=True, exist_ok=True)
    for name in wanted_of_base(entry.name for entry in source.iterdir() if entry.is_file()):
        if not weights and name.endswith(_WEIGHTS):
            continue
        try:
            os.link((source / name).resolve(), target / name)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source / name, target / name)


def _plain_permissions(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes files for their owner alone


def card(origin: Origin, step: int, found: Validation | None) -> str:
    """The model card, as Markdown."""
    config, form = origin.config, origin.config.form
    schedule = config.schedule
    what = f"LoRA of rank {config.lora.rank} (alpha {config.lora.alpha:g}) on the language layers"
    if config.trainable is Trainable.ALL:
        what = "all weights"
    lines = [
        f"# {config.name}",
        "",
        "Reads a face in a picture: ARKit coefficients and head and eye angles. Made with `semanticface-train fit`; "
        "`semanticface models import FOLDER` installs it.",
        "",
        f"- Base: {origin.base_name or 'in `base/`'}; trained: {what}",
        f"- Answer: {form.target.value.upper()}, layout {form.layout_name}, decimals: {form.decimals}, "
        f"actions: {len(form.actions)}",
        f"- Data: {origin.data['rows']:,} rows, subjects: {origin.data['subjects']:,}, digest "
        f"`{str(origin.data['digest'])[:16]}`; descriptions: {Path(config.descriptions).stem}",
        f"- Training: step {step}, {schedule.global_batch} rows a step, rate {schedule.learning_rate:g}, "
        f"mirrored {config.flips:.0%}, seed {config.seed}",
    ]
    if found is not None:
        lines += ["", *_judgement(found)]
    lines += [
        "",
        "The licence of the base model and the consent of those who were recorded bind whoever passes this on.",
        "",
    ]
    return "\n".join(lines)


def _judgement(found: Validation) -> list[str]:
    lines = [f"Validation by free writing: {found.read} of {found.rows} rows could be read."]
    if found.mse is not None and found.expectation is not None:
        lines.append(
            f"Mean squared error {found.mse:.5f} (by expectation {found.expectation:.5f}); the training rows' mean "
            f"has {found.mean:.5f}."
        )
    return lines
