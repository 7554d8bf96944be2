"""Does an adapter fit its base? Compares names and shapes before anything is loaded.

A LoRA adapter whose tensor names match nothing is silently without effect in most programs, and the unadapted base
then answers as if nothing had happened. The base is built on torch's meta device from its config.json: every module
with its shape, no weights. Needs the `mllm` extra; `checkpoint` finds checkpoints without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.engines.mllm.bases import check_kind
from semanticface.engines.mllm.checkpoint import ADAPTER_CONFIG, ADAPTER_WEIGHTS, check_adapter_files
from semanticface.engines.mllm.weights import read_header, read_json
from semanticface.errors import AssetError

_LEAD = "base_model.model."
_PART = re.compile(r"^(?P<module>.+?)\.(?P<part>lora_(embedding_)?[AB]|lora_magnitude_vector)(\.weight)?$")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """What an adapter that fits changes.

    `matched`: tensors, all of them. `modules`: how many of the base's modules they adapt. `rank` and `alpha` as its
    settings say, `targets`: the last names of the modules (q_proj ...), `trained_on`: the base that its settings name.
    """

    matched: int
    modules: int
    rank: int
    alpha: float
    targets: tuple[str, ...]
    trained_on: str


def check_adapter(base: Path, adapter: Path) -> AdapterReport:
    """The report when every tensor of the adapter has its place in the base; takes seconds and reads no weights.

    Raises AssetError when none or only some have, or when a shape differs.
    """
    check_adapter_files(adapter)
    settings = read_json(adapter / ADAPTER_CONFIG)
    tensors = {name: tensor.shape for name, tensor in read_header(adapter / ADAPTER_WEIGHTS).items()}
    if not tensors:
        raise AssetError(f"{adapter / ADAPTER_WEIGHTS} holds no tensors")
    parameters = base_parameters(base)
    found = {name: _place(name, parameters) for name in tensors}
    strangers = sorted(name for name, module in found.items() if not module)
    if strangers:
        raise _refusal(adapter, strangers, len(tensors), parameters)
    wrong = [
        text for name, shape in tensors.items() if (text := _misfit(name, shape, found[name], tensors, parameters))
    ]
    if wrong:
        hint = f"it was trained on {settings.get('base_model_name_or_path')!r}: give the base of the same size"
        raise AssetError(f"{adapter} does not fit {base}: {len(wrong)} shapes differ, e.g. {wrong[0]}", hint)
    modules = {module.removesuffix(".weight").removesuffix(".bias") for module in found.values()}
    targets = tuple(sorted({module.rpartition(".")[2] for module in modules}))
    rank, alpha = _number(settings, "r"), _number(settings, "lora_alpha")
    trained_on = str(settings.get("base_model_name_or_path") or "")
    return AdapterReport(len(tensors), len(modules), int(rank), alpha, targets, trained_on)


def _number(settings: Mapping[str, Any], name: str) -> float:
    value = settings.get(name)
    return value if isinstance(value, (int, float)) else 0


def base_parameters(base: Path) -> dict[str, Shape]:
    """Name and shape of every parameter of the base in a folder. Raises AssetError that names what is missing."""
    try:
        import torch
        from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
    except ImportError as error:
        hint = "pip install 'semanticface[mllm]' (torch, transformers, peft)"
        raise AssetError(f"checking an adapter needs a package that is not installed: {error}", hint) from error
    check_kind(base / "config.json")
    try:
        with torch.device("meta"):
            model = Qwen3VLForConditionalGeneration(Qwen3VLConfig.from_pretrained(base, local_files_only=True))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise AssetError(f"no model can be built from {base / 'config.json'}: {error}") from error
    return {name: tuple(tensor.shape) for name, tensor in model.named_parameters(remove_duplicate=False)}


def _place(name: str, parameters: Mapping[str, Shape]) -> str:
    """The base's parameter that this tensor changes or replaces, "" when there is none."""
    inner = name.removeprefix(_LEAD)
    part = _PART.match(inner)
    if part is None:
        inner = inner.replace(".modules_to_save.", ".").replace(".base_layer.", ".")
        return inner if inner in parameters else ""
    place = f"{part['module']}.weight"
    return place if place in parameters else ""


def _misfit(name: str, shape: Shape, place: str, tensors: Mapping[str, Shape], parameters: Mapping[str, Shape]) -> str:
    """What is wrong with this tensor's shape, "" when it fits the weight (outputs, inputs, ...) that it changes."""
    weight = parameters[place]
    part = _PART.match(name.removeprefix(_LEAD))
    if part is None:
        return "" if shape == weight else f"{name} is {shape}, the base's is {weight}"
    kind = part["part"]
    if kind == "lora_magnitude_vector":
        return "" if shape[-1:] in (weight[:1], weight[1:2]) else f"{name} is {shape} for a weight {weight}"
    other = name.replace("_A", "_B") if kind.endswith("_A") else name.replace("_B", "_A")
    if other not in tensors:
        return f"{name} has no counterpart"
    if kind == "lora_A":
        fits = len(shape) >= 2 and shape[1:] == weight[1:] and tensors[other][1:2] == shape[:1]
    elif kind == "lora_B":
        fits = len(shape) >= 2 and shape[0] == weight[0]
    elif kind == "lora_embedding_A":
        fits = len(shape) == 2 and shape[1] == weight[0] and tensors[other][1:2] == shape[:1]
    else:
        fits = len(shape) == 2 and shape[0] == weight[1]
    return "" if fits else f"{name} is {shape} for a weight {weight}"


def _refusal(adapter: Path, strangers: list[str], total: int, parameters: Mapping[str, Shape]) -> AssetError:
    """Both namings side by side and the likely cause."""
    theirs = strangers[0]
    every = len(strangers) == total
    leaf = theirs.removeprefix(_LEAD).split(".lora_")[0].rpartition(".")[2]
    ours = next((name for name in parameters if f".{leaf}." in name), next(iter(parameters)))
    share = f"none of its {total} tensors has a" if every else f"{len(strangers)} of its {total} tensors have no"
    message = f"the adapter {adapter} does not fit: {share} place in the base, e.g. {theirs}"
    message += f"; the base names its own like {ours}"
    return AssetError(message, _cause(theirs.removeprefix(_LEAD)))


def _cause(name: str) -> str:
    if name.startswith("model.layers."):
        older = "it uses the names of transformers before 4.52 or of the text model alone"
        return f"{older}; train or convert it for Qwen3VLForConditionalGeneration"
    if name.startswith(("language_model.", "visual.")):
        return "it was trained on the model without its head (AutoModel); train it on Qwen3VLForConditionalGeneration"
    if name.startswith(("base_model.", "module.", "_orig_mod.")):
        return "it was saved from a wrapped model; save it with save_pretrained of the adapter's own model"
    return "it was trained on another model; an adapter that works only in part is not what was trained"
