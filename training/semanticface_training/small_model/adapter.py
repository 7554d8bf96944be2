"""A LoRA adapter for a model that is trained already, and the base that needs it.

The adapter is random and fixed. What it adds is taken off the trained weights, so that base and adapter together are
the trained model, and the base alone is far from it. Written by peft, as ms-swift's adapters are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

RANK, ALPHA = 8, 32
TARGETS = (
    r"^(model\.language_model(?=\.).*\.(down_proj|o_proj|k_proj|q_proj|gate_proj|up_proj|v_proj))$"  # as ms-swift 4.6
)
SHARE = 0.5
"""How large the adapter's part is beside the weights it is taken off (ratio of their norms)."""
_BASE_NAME = "base-of-the-small-model"


def split(model: Any, seed: int) -> Any:
    """A peft model whose adapter is random and whose base is `model`, changed in place, less what the adapter adds."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        task_type="CAUSAL_LM",
        target_modules=TARGETS,
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.05,
        bias="none",
    )
    wrapped = get_peft_model(model, settings)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in wrapped.modules():
            if hasattr(layer, "lora_A") and hasattr(layer, "get_delta_weight"):
                weight, first, second = layer.weight, layer.lora_A["default"].weight, layer.lora_B["default"].weight
                first.normal_(0, first.shape[1] ** -0.5, generator=draw)
                second.normal_(0, 1, generator=draw)
                second.mul_(SHARE * weight.norm() / layer.get_delta_weight("default").norm())
                weight.sub_(layer.get_delta_weight("default"))
    return wrapped.eval()


def save_adapter(wrapped: Any, folder: Path) -> None:
    """The adapter's folder as ms-swift leaves it: config, tensors, and the small file of its own."""
    settings = wrapped.peft_config["default"]
    settings.base_model_name_or_path = _BASE_NAME
    # No embedding was trained; peft would ask the hub for the base's config to find out.
    wrapped.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    extra = {"lora_dtype": None, "lorap_lr_ratio": None, "lorap_emb_lr": 1e-06}
    (folder / "additional_config.json").write_text(json.dumps(extra), encoding="utf-8")
