"""What is said about memory is what the model's code holds: weights to the byte, peaks to a few percent."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import loading_kit as kit
import pytest
import torch
from memory_kit import Live
from transformers import DynamicCache, Qwen3VLConfig, Qwen3VLForConditionalGeneration

from semanticface.engines.mllm import memory
from semanticface.engines.mllm.memory import QWEN3_VL_4B, Quantization, Shape, needs, parameters, table, weight_bytes
from semanticface.errors import AssetError

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = 4_437_815_808
"""Parameters of Qwen3-VL-4B-Instruct as its makers' files hold them."""


def on_meta(config) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in Qwen3VLForConditionalGeneration(config).parameters())


def test_the_published_4b_model_is_counted_to_the_last_parameter():
    config = Qwen3VLConfig(
        **{key: dict(value) if isinstance(value, dict) else value for key, value in QWEN3_VL_4B.items()}
    )
    assert parameters(Shape.of(QWEN3_VL_4B)).total == on_meta(config) == PUBLISHED


@pytest.mark.parametrize("shape", [{}, {"tied": False}, {"hidden": 96, "layers": 3, "heads": 6, "kv_heads": 3}])
def test_a_model_is_counted_to_the_last_parameter_from_its_saved_configuration(shape, tmp_path):
    config = kit.configuration(**shape)
    config.save_pretrained(tmp_path)
    assert parameters(Shape.read(tmp_path)).total == on_meta(config)


def test_the_weights_of_a_loaded_model_take_the_stated_bytes(tmp_path):
    model = kit.build()
    kit.save_base(tmp_path, model)
    shape = Shape.read(tmp_path)
    held = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    assert weight_bytes(shape, 4, Quantization.NONE) == held
    assert weight_bytes(shape, 2, Quantization.NONE) * 2 == held


def wide(dtype, batch: int):
    """Four layers' worth of a model that is wide enough for its tensors to outweigh bookkeeping."""
    eyes = {"hidden_size": 128, "intermediate_size": 512, "num_heads": 2, "depth": 2, "deepstack_visual_indexes": [0]}
    model = kit.build(hidden=256, heads=8, kv_heads=2, head=32, intermediate=960, layers=2, vision=eyes).to(dtype)
    return model, Shape.of(model.config.to_dict())


def seen(model, work) -> int:
    counter = Live(model)
    with torch.no_grad(), counter:
        kept = work()
    del kept
    return counter.peak


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("batch", [1, 3])
def test_peaks_of_prompt_and_picture_are_the_stated_ones(dtype, batch):
    model, shape = wide(dtype, batch)
    side, prompt, width = 8, 300, dtype.itemsize
    patches = torch.randn(batch * side * side * 4, 1536)
    grid = torch.tensor([[1, 2 * side, 2 * side]] * batch)

    def look():
        moved = patches.clone()
        return moved, model.model.visual(moved.to(dtype), grid_thw=grid)

    peak = seen(model, look)
    assert peak == pytest.approx(memory._vision_peak(shape, width, batch * side * side), rel=0.15)

    vectors = torch.randn(batch, prompt, shape.hidden, dtype=dtype)
    mask = torch.ones(batch, prompt, dtype=torch.long)
    mask[0, :3] = 0
    cache = DynamicCache(config=model.config)
    places = torch.arange(prompt)[None, None].expand(3, batch, -1)
    whole = seen(
        model,
        lambda: model.model.language_model(
            inputs_embeds=vectors, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        ),
    )
    kept = 2 * shape.layers * shape.kv_heads * shape.head * width * batch * prompt
    pictures = batch * prompt * width * (1 + shape.deepstack) * shape.hidden
    assert whole - kept == pytest.approx(memory._text_peak(shape, width, batch, prompt) - pictures, rel=0.1)


def test_the_cache_grows_by_the_stated_bytes_a_token():
    model, shape = wide(torch.float32, 1)
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        model.model.language_model(input_ids=torch.ones(2, 30, dtype=torch.long), past_key_values=cache, use_cache=True)
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    need = needs(shape, width=4, batch=2, image_tokens=10, text_tokens=15, answer_tokens=5)
    assert need.cache == held


def test_each_coarser_quantization_needs_less_and_each_further_picture_more():
    shape = Shape.of(QWEN3_VL_4B)
    totals = [needs(shape, quantization=quantization).total for quantization in Quantization]
    assert totals == sorted(totals, reverse=True)
    assert len(set(totals)) == 3
    assert needs(shape, batch=2).total > needs(shape, batch=1).total
    assert needs(shape, adapter_rank=8) == needs(shape), "a merged adapter takes no room"


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
@pytest.mark.parametrize("quantization", [Quantization.INT8, Quantization.NF4])
def test_quantized_weights_take_the_stated_bytes(quantization, tmp_path):
    from semanticface.engines.mllm import loading

    folder = kit.save_base(tmp_path, kit.build(hidden=256, heads=8, kv_heads=2, head=32, intermediate=960, layers=3))
    device = replace(loading.choose_device("cpu"), dtype="float32")
    model = loading._base(folder, device, quantization)
    constants = 0
    for module in model.modules():
        state = getattr(getattr(module, "weight", None), "quant_state", None)
        if state is not None:
            constants += state.absmax.nbytes + state.state2.absmax.nbytes
        scale = getattr(getattr(module, "weight", None), "SCB", None)
        constants += 0 if scale is None else scale.nbytes
    held = sum(weight.nbytes for weight in model.parameters()) + constants
    assert held == pytest.approx(weight_bytes(Shape.read(folder), 4, quantization), rel=0.001)


def test_a_file_that_is_no_such_configuration_is_refused_by_name(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(AssetError, match=r"config\.json"):
        Shape.read(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(AssetError, match=r"config\.json"):
        Shape.read(tmp_path)


def test_the_documented_table_is_the_computed_one(capsys):
    memory.main([])
    printed = capsys.readouterr().out.strip()
    assert printed == table(Shape.of(QWEN3_VL_4B))
    assert printed in (ROOT / "docs" / "semanticface-engine.md").read_text(encoding="utf-8")
