"""The same answers at the cost of a far larger model: layers and MLP width that add nothing to what is computed.

What is added has random weights, so that it costs what such weights cost, but its output projections are zero: an
added layer hands on what it gets, added MLP width adds zeros. For measuring decoders on a model whose answers are
known. Nothing is trained, and the adapter still fits every layer.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from semanticface.engines.mllm.profile import load_profile
from semanticface.errors import AssetError, OptionsError
from semanticface_training.small_model.checkpoint_files import ADAPTER, BASE, save_base, save_checkpoints
from semanticface_training.small_model.examples import PROFILES
from semanticface_training.small_model.tokenizer import FILE_NAME
from semanticface_training.small_model.verify import load_plain

SEED = 5
_ADAPTER_FILE = "adapter_model.safetensors"
_PREFIX = "base_model.model.model.language_model.layers."
_WIDE_ROWS, _WIDE_COLUMNS = ("gate_proj", "up_proj"), ("down_proj",)


def widen(model: Any, layers: int, intermediate: int) -> Any:
    """A model with so many decoder layers and MLP units in all that computes what `model` does; float32.

    Raises OptionsError when `model` has more of them already.
    """
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    settings = Qwen3VLConfig.from_dict(model.config.to_dict())
    text = settings.text_config
    if layers < text.num_hidden_layers or intermediate < text.intermediate_size:
        raise OptionsError(f"the model has {text.num_hidden_layers} layers of {text.intermediate_size} units already")
    text.num_hidden_layers, text.intermediate_size = layers, intermediate
    with torch.device("meta"):
        wide = Qwen3VLForConditionalGeneration(settings)
    old, draw = model.state_dict(), torch.Generator().manual_seed(SEED)
    state = {name: _grown(name, old.get(name), target.shape, draw) for name, target in wide.state_dict().items()}
    wide.load_state_dict(state, assign=True)
    wide.tie_weights()
    for name, buffer in model.named_buffers():  # rotary frequencies, which no state holds
        owner, _, leaf = name.rpartition(".")
        wide.get_submodule(owner).register_buffer(leaf, buffer.clone(), persistent=False)
    return wide.eval()


def _grown(name: str, old: torch.Tensor | None, shape: torch.Size, draw: torch.Generator) -> torch.Tensor:
    """A weight of the wide model: the old one at its place, random around it, zeros where it would reach the output."""
    if old is not None and old.shape == shape:
        return old
    if "norm" in name:
        return torch.ones(shape)
    silent = name.endswith(("down_proj.weight", "o_proj.weight"))
    grown = torch.zeros(shape) if silent else torch.empty(shape).normal_(0, shape[-1] ** -0.5, generator=draw)
    if old is not None:
        grown[tuple(slice(size) for size in old.shape)] = old
    return grown


def widen_checkpoints(source: Path, out: Path, layers: int, intermediate: int) -> Path:
    """Checkpoint folders like `source`'s (a built small model), widened. Replaces `out`.

    Raises AssetError when `source` holds no checkpoint, OptionsError for sizes below the present ones.
    """
    first = source / next(iter(PROFILES))
    if not (first / BASE).is_dir():
        raise AssetError(f"{source} holds no small model", "build one first")
    profiles = {name: load_profile(source / name) for name in PROFILES}
    wide = widen(load_plain(first, adapter=False), layers, intermediate)
    scratch = out.with_name(f".{out.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    save_base(wide, scratch / "parts" / BASE, first / BASE / FILE_NAME)
    shutil.copytree(first / ADAPTER, scratch / "parts" / ADAPTER)
    path = scratch / "parts" / ADAPTER / _ADAPTER_FILE
    save_file(_grown_adapter(load_file(path), layers, intermediate), path, metadata={"format": "pt"})
    save_checkpoints(profiles, scratch, scratch / "parts" / BASE, scratch / "parts" / ADAPTER)
    shutil.copytree(source / "examples", scratch / "examples")
    shutil.rmtree(scratch / "parts")
    sizes = {"from": source.name, "layers": layers, "intermediate": intermediate}
    (scratch / "widened.json").write_text(json.dumps(sizes, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    scratch.replace(out)
    return out


def _grown_adapter(old: Mapping[str, torch.Tensor], layers: int, intermediate: int) -> dict[str, torch.Tensor]:
    """The adapter's tensors for the wide model. Added layers have a zero lora_B, added MLP width zeros."""
    grown = {}
    for name, weight in old.items():
        rows, columns = weight.shape
        if any(part in name for part in _WIDE_ROWS) and "lora_B" in name:
            rows = intermediate
        if any(part in name for part in _WIDE_COLUMNS) and "lora_A" in name:
            columns = intermediate
        grown[name] = torch.zeros(rows, columns)
        grown[name][: weight.shape[0], : weight.shape[1]] = weight
    present = 1 + max(int(name.removeprefix(_PREFIX).split(".")[0]) for name in grown)
    draw = torch.Generator().manual_seed(SEED)
    for name in [name for name in grown if name.startswith(f"{_PREFIX}0.")]:
        for layer in range(present, layers):
            copy = torch.zeros_like(grown[name])
            if "lora_A" in name:
                copy.normal_(0, copy.shape[1] ** -0.5, generator=draw)
            grown[name.replace(f"{_PREFIX}0.", f"{_PREFIX}{layer}.")] = copy
    return grown
