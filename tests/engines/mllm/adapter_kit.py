"""A tiny Qwen3-VL and adapters for it, saved by the libraries themselves, in a second; and hand-made faults of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from semanticface.engines.mllm.profile import Profile

TARGETS = r"^(model\.language_model(?=\.).*\.(down_proj|o_proj|k_proj|q_proj|gate_proj|up_proj|v_proj))$"
"""As ms-swift writes the targets in a language model that is trained alone."""
MATCHED = 2 * 2 * 7
"""Layers, tensors a module, modules a layer."""


def tiny_config(hidden: int = 32):
    from transformers import Qwen3VLConfig

    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_interleaved": True, "mrope_section": [4, 2, 2]}
    text = {
        "vocab_size": 128,
        "hidden_size": hidden,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "rope_parameters": rope,
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": hidden,
        "deepstack_visual_indexes": [0],
        "num_position_embeddings": 64,
    }
    ids = {"image_token_id": 120, "video_token_id": 121, "vision_start_token_id": 122, "vision_end_token_id": 123}
    return Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **ids)


def save_base(folder: Path, hidden: int = 32, shards: bool = False) -> Path:
    """A random model as `save_pretrained` writes it, with a tokenizer file beside."""
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(tiny_config(hidden))
    model.save_pretrained(folder, **({"max_shard_size": "100KB"} if shards else {}))
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    return folder


def save_adapter(folder: Path, base: Path, targets: str | list[str] = TARGETS, **more) -> Path:
    """A LoRA adapter as peft saves it, with the file that ms-swift puts beside it."""
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen3VLForConditionalGeneration

    model = Qwen3VLForConditionalGeneration.from_pretrained(base)
    settings = LoraConfig(r=4, lora_alpha=8, target_modules=targets, task_type="CAUSAL_LM", **more)
    get_peft_model(model, settings).save_pretrained(folder)
    edit_settings(folder, base_model_name_or_path="/cluster/models/Qwen3-VL-4B-Instruct", lora_dtype=None)
    extra = {"lora_dtype": None, "lorap_lr_ratio": None, "lorap_emb_lr": 1e-6}
    (folder / "additional_config.json").write_text(json.dumps(extra))
    return folder


def edit_settings(folder: Path, **changes: object) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rename_tensors(folder: Path, rename: Callable[[str], str]) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    save_file({rename(name): tensor for name, tensor in load_file(path).items()}, path)


def profile(**changes: object) -> Profile:
    return Profile(**{"name": "trained", "system": "s", "user": "u", "decimals": 3, **changes})
