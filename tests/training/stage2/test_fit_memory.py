"""What is said about a training step's memory is what live tensors take, in small and at the real model's size."""

from __future__ import annotations

import pytest
import torch
from memory_kit import Live
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from semanticface.engines.mllm.memory import QWEN3_VL_4B, Shape, parameters
from semanticface_training.small_model.architecture import special_ids
from semanticface_training.stage2.config import LoraSettings
from semanticface_training.stage2.lora import attach, learning
from semanticface_training.stage2.memory import Load, Way, lora_parameters, table, training_needs

FOUR_B = Shape.of(QWEN3_VL_4B)


def configuration(layers, hidden, heads, kv, intermediate, vocabulary):
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_interleaved": True, "mrope_section": [12, 10, 10]}
    text = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "head_dim": 64,
        "rope_parameters": rope,
        "tie_word_embeddings": True,
    }
    vision = {"depth": 1, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": hidden}
    vision |= {"deepstack_visual_indexes": [0]}
    return Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **special_ids(vocabulary))


def counted(config, tokens, labels, checkpointing):
    """Bytes at the peak of one step of LoRA in bfloat16, apart from the base's weights."""
    model = Qwen3VLForConditionalGeneration(config).bfloat16()
    wrapped = attach(model, LoraSettings(rank=8, dropout=0.0), "").train()
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    ids = torch.randint(0, 100, (1, tokens))
    ids[:, 5:9] = config.image_token_id
    batch = {
        "input_ids": ids,
        "mm_token_type_ids": (ids == config.image_token_id).int(),
        "pixel_values": torch.randn(16, 1536),
        "image_grid_thw": torch.tensor([[1, 4, 4]]),
        "logits_to_keep": torch.arange(tokens - labels, tokens),
    }
    live = Live(wrapped)
    with live:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = wrapped(**batch, use_cache=False).logits
        asked = logits[torch.ones(1, labels, dtype=torch.bool)].float()
        loss = torch.nn.functional.cross_entropy(asked, torch.randint(0, 100, (labels,)))
        del asked
        loss.backward()
    return live.peak


@pytest.mark.parametrize("checkpointing", [False, True], ids=["all kept", "checkpointing"])
@pytest.mark.parametrize("labels", [4, 250], ids=["layers decide", "logits decide"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_steps_peak_is_the_stated_one(checkpointing, labels):
    sizes = (3, 256, 8, 2, 768, 900) if labels == 4 else (1, 128, 2, 1, 256, 20_000)
    config = configuration(*sizes)
    shape, tokens = Shape.of(config.to_dict()), 300
    need = training_needs(shape, Load(1, tokens, 4, labels), Way(8, False, True, checkpointing))
    learns = lora_parameters(shape, 8)
    stated = need.kept + need.working - 2 * learns  # copies in 16 bit are counted with the working part
    peak = counted(config, tokens, labels, checkpointing) - (4 + 2) * learns  # gradients, and the copies
    assert stated == pytest.approx(peak, rel=0.15)


def test_the_real_models_adapter_and_frozen_parts_are_counted_to_the_last_number():
    """The published 4B configuration on the meta device: every tensor with its shape, no weight."""
    with torch.device("meta"):
        config = Qwen3VLConfig(**{name: dict(part) if isinstance(part, dict) else part
                                  for name, part in QWEN3_VL_4B.items()})  # fmt: skip
        model = attach(Qwen3VLForConditionalGeneration(config), LoraSettings(rank=8), "")
    found = learning(model)
    assert found.trainable == lora_parameters(FOUR_B, 8) == 16_515_072
    assert found.total - found.trainable == parameters(FOUR_B).total
    assert found.tensors == 2 * 7 * 36
    learns = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert all(".language_model.layers." in name and ".lora_" in name for name in learns)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_one_step_of_the_real_models_language_part_keeps_what_is_stated():
    """All 36 layers at their true width on the meta device, forth and back, no checkpointing.

    With few tokens: on this device attention keeps a matrix of tokens by tokens, which cards don't.
    """
    with torch.device("meta"):
        config = Qwen3VLConfig(**{name: dict(part) if isinstance(part, dict) else part
                                  for name, part in QWEN3_VL_4B.items()})  # fmt: skip
        model = Qwen3VLForConditionalGeneration(config).bfloat16()
        wrapped = attach(model, LoraSettings(rank=8, dropout=0.0), "").train()
        for weight in wrapped.parameters():
            if weight.requires_grad:
                weight.data = weight.data.bfloat16()  # autocast doesn't work on this device
        vectors = torch.randn(1, 48, 2560, dtype=torch.bfloat16)
        places = torch.arange(48)[None, None].expand(3, 1, -1)
    live = Live(wrapped)
    with live, torch.device("meta"):
        states = model.model.language_model(inputs_embeds=vectors, position_ids=places, use_cache=False)
        kept = live.now
        states.last_hidden_state.float().sum().backward()
    adapted = [weight for weight in wrapped.parameters() if weight.requires_grad]
    assert all(weight.grad is not None for weight in adapted)
    need = training_needs(FOUR_B, Load(1, 48, 4, 4), Way(8, False, True, checkpointing=False))
    assert need.kept == pytest.approx(kept, rel=0.15)


def test_the_paper_on_one_card_of_24_gb_and_on_one_of_80():
    one, four = Load(1, 2000, 196, 1050), Load(4, 2000, 196, 1050)
    assert training_needs(FOUR_B, one, Way()).total < 16e9
    assert 24e9 < training_needs(FOUR_B, one, Way(checkpointing=False)).total < 40e9
    assert training_needs(FOUR_B, four, Way()).total < 24e9
    assert training_needs(FOUR_B, one, Way(rank=0)).total > 70e9
    assert training_needs(FOUR_B, one, Way(shards=8)).weights == training_needs(FOUR_B, one, Way()).weights // 8
    assert len(table(FOUR_B).splitlines()) == 2 + 5
