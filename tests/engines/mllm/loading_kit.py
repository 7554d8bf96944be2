"""A random Qwen3-VL with an adapter, saved as the hubs and the training tool save them, made in a second.

The tokenizer has a token for each byte, one for " -", and the chat's control tokens; it is small, and it spells
values as the real one does: a token for a sign, a token for a digit.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from semanticface.engines.mllm.profile import Profile

SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
TARGETS = r"^(model\.language_model(?=\.).*\.(down_proj|o_proj|k_proj|q_proj|gate_proj|up_proj|v_proj))$"
"""As ms-swift writes them for the language model of a Qwen3-VL."""


def tokenizer() -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pair = ("Ġ", "-")
    vocabulary = {letter: number for number, letter in enumerate([*letters, "".join(pair)])}
    made = Tokenizer(models.BPE(vocabulary, [pair]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIALS])
    return made


def configuration(
    hidden: int = 64,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    head: int = 16,
    intermediate: int = 128,
    vocabulary: int = 300,
    tied: bool = True,
    vision: dict | None = None,
):
    """A Qwen3VLConfig; `vision` overrides fields of the vision tower's."""
    from transformers import Qwen3VLConfig

    words = tokenizer()
    third = head // 6
    rope = {
        "rope_type": "default",
        "rope_theta": 5e6,
        "mrope_interleaved": True,
        "mrope_section": [head // 2 - 2 * third, third, third],
    }
    text = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head,
        "rope_parameters": rope,
        "tie_word_embeddings": tied,
    }
    eyes = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": hidden,
        "deepstack_visual_indexes": [0],
        "patch_size": 16,
        "num_position_embeddings": 64,
        **(vision or {}),
    }
    ids = {
        "image_token_id": words.token_to_id("<|image_pad|>"),
        "video_token_id": words.token_to_id("<|video_pad|>"),
        "vision_start_token_id": words.token_to_id("<|vision_start|>"),
        "vision_end_token_id": words.token_to_id("<|vision_end|>"),
    }
    return Qwen3VLConfig(text_config=text, vision_config=eyes, tie_word_embeddings=tied, **ids)


def build(seed: int = 0, **shape):
    """A random model in float32."""
    from transformers import Qwen3VLForConditionalGeneration

    torch.manual_seed(seed)
    config = configuration(**shape)
    config._attn_implementation = "sdpa"
    return Qwen3VLForConditionalGeneration(config).eval().requires_grad_(False)


def fond_of_digits(model):
    """Let a random model with a head of its own prefer digits to all else, so that it agrees to write values."""
    words = tokenizer()
    liked = [words.token_to_id(letter) for letter in ("0", "1")]
    some = [words.token_to_id(letter) for letter in ("2", "5", "7", "Ġ", "Ġ-")]
    with torch.no_grad():
        weight = model.lm_head.weight
        weight.mul_(0.1)
        weight[liked] = 40 * torch.randn(len(liked), weight.shape[1]) * weight.std()
        weight[some] = 30 * torch.randn(len(some), weight.shape[1]) * weight.std()
    return model


def opening_lists(model):
    """Let a random model follow the end of a chat's prompt by a list's bracket."""
    words = tokenizer()
    with torch.no_grad():
        torch.manual_seed(7)
        direction = torch.randn(model.lm_head.weight.shape[1])
        model.get_input_embeddings().weight[words.token_to_id("Ċ")] = 30 * direction
        model.lm_head.weight[words.token_to_id("[")] = 0.05 * direction
    return model


def save_base(folder: Path, model) -> Path:
    """As a hub's folder: weights, configuration, tokenizer."""
    words = tokenizer()
    model.generation_config.eos_token_id = [words.token_to_id("<|im_end|>"), words.token_to_id("<|endoftext|>")]
    model.save_pretrained(folder)
    words.save(str(folder / "tokenizer.json"))
    return folder


def save_adapter(folder: Path, base: Path, seed: int = 1, strength: float = 0.3) -> Path:
    """A random adapter on the saved base, as ms-swift leaves it: its regex, a foreign base's name, a side file."""
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen3VLForConditionalGeneration

    torch.manual_seed(seed)
    model = Qwen3VLForConditionalGeneration.from_pretrained(base)
    wrapped = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=TARGETS, task_type="CAUSAL_LM"))
    for name, weight in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=strength)
    wrapped.save_pretrained(folder)
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "/somewhere/else/Qwen3-VL-4B-Instruct"
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    (folder / "additional_config.json").write_text('{"lora_dtype": null, "lorap_lr_ratio": null}')
    return folder


def save_checkpoint(folder: Path, seed: int = 0, profile: Profile | None = None, digits: bool = False, **shape) -> Path:
    """A whole checkpoint folder: profile, base, adapter.

    `digits`: the model is fond of them. With seed 38 its values are plausible and differ from picture to picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (profile or Profile("tiny", "You look.", "What do you see?", image_tokens=(4, 16), analysis_tokens=24)).save(folder)
    model = build(seed, **shape, **({"tied": False} if digits else {}))
    save_base(folder / "base", fond_of_digits(model) if digits else model)
    save_adapter(folder / "adapter", folder / "base", strength=0.02 if digits else 0.3)
    return folder
