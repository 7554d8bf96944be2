"""What learns and what is frozen: low-rank matrices beside those of the language layers, and nothing else.

Vision tower, merger, embeddings, norms and head stay as they are, as in ms-swift's defaults and in the released
adapter. Knows nothing of data or files of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.errors import AssetError
from semanticface_training.stage2.config import LoraSettings, Trainable

TARGETS = (
    r"^(model\.language_model(?=\.).*\.(down_proj|o_proj|k_proj|q_proj|gate_proj|up_proj|v_proj))$"  # as ms-swift 4.6
)
"""The seven matrices of each language layer, by their names in the base."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How many numbers learn and how many there are, and in how many tensors the former lie."""

    trainable: int
    total: int
    tensors: int


def attach(model: Any, settings: LoraSettings, base_name: str) -> Any:
    """The model with a fresh adapter that changes nothing yet (B is 0), in float32; all else frozen.

    `base_name` goes into the adapter's settings, where importing programs look for the base.
    """
    from peft import LoraConfig, get_peft_model

    wanted = LoraConfig(
        task_type="CAUSAL_LM",
        target_modules=TARGETS,
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        bias="none",
    )
    wrapped = get_peft_model(model, wanted)
    wrapped.peft_config["default"].base_model_name_or_path = base_name
    return wrapped


def go_on(model: Any, adapter: Path, base_name: str) -> Any:
    """The model with the adapter in this folder, which learns on. Raises AssetError when it doesn't fit."""
    from peft import PeftModel

    wrapped = PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
    strange = [name for name, weight in wrapped.named_parameters() if weight.requires_grad and not is_lora(name)]
    if strange or not learning(wrapped).trainable:
        what = f"it would train {strange[0]}" if strange else "nothing of it would learn"
        raise AssetError(f"{adapter} can't be gone on with: {what}", "take an adapter of the language layers alone")
    wrapped.peft_config["default"].base_model_name_or_path = base_name
    return wrapped


def prepare(model: Any, trainable: Trainable, settings: LoraSettings, base_name: str, adapter: Path | None) -> Any:
    """The model as it is to learn."""
    if trainable is Trainable.ALL:
        model.requires_grad_(True)
        return model
    return go_on(model, adapter, base_name) if adapter else attach(model, settings, base_name)


def is_lora(name: str) -> bool:
    """Whether a parameter of a wrapped model is one of the adapter's."""
    return ".lora_A." in name or ".lora_B." in name


def learning(model: Any) -> Learning:
    weights = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    return Learning(
        sum(count for count, learns in weights if learns),
        sum(count for count, _ in weights),
        sum(learns for _, learns in weights),
    )


def layers(model: Any) -> Iterator[Any]:
    """The blocks of vision tower and language model, wrapped or not."""
    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    yield from inner.model.visual.blocks
    yield from inner.model.language_model.layers
