"""Qwen3-VL-Embedding's features, by a model of its class with random weights, against transformers alone."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from semanticface.errors import AssetError
from semanticface_training.evaluation.retrieval.qwen_embedding import INSTRUCTION, QwenEmbedding

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def qwen_folder(qwen_tokenizer, tmp_path_factory):
    """A Qwen3-VL of random weights in the folder layout of the published embedding models."""
    from semanticface_training.small_model.architecture import random_model

    folder = tmp_path_factory.mktemp("qwen") / "Qwen3-VL-Embedding-Tiny"
    random_model(5).save_pretrained(folder)
    shutil.copy(qwen_tokenizer, folder / "tokenizer.json")
    return folder


def test_qwens_features_are_the_last_tokens_state_behind_its_own_chat_layout(qwen_folder):
    """Against transformers alone: one picture after another, no padding, its own layout written out."""
    from tokenizers import Tokenizer
    from transformers import Qwen2VLImageProcessor, Qwen3VLForConditionalGeneration

    provider = QwenEmbedding(qwen_folder, batch=2, device="cpu")
    wide = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    square = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    found = provider.features([wide, square, wide])
    assert found.shape == (3, provider.width) and found.dtype == np.float32
    assert found[0] == pytest.approx(found[2], abs=1e-5)  # alone or beside a longer one
    model = Qwen3VLForConditionalGeneration.from_pretrained(qwen_folder, local_files_only=True)
    tokenizer = Tokenizer.from_file(str(qwen_folder / "tokenizer.json"))
    look = Qwen2VLImageProcessor(patch_size=16, merge_size=2, temporal_patch_size=2, do_resize=False,
                                 image_mean=[0.5] * 3, image_std=[0.5] * 3)  # fmt: skip
    for picture, vector in ((wide, found[0]), (square, found[1])):
        seen = look(images=picture, return_tensors="pt")
        pads = "<|image_pad|>" * (int(seen["image_grid_thw"].prod()) // 4)
        text = (
            f"<|im_start|>system\n{INSTRUCTION}<|im_end|>\n<|im_start|>user\n<|vision_start|>{pads}<|vision_end|>"
            "<|im_end|>\n<|im_start|>assistant\n"
        )
        ids = torch.tensor([tokenizer.encode(text, add_special_tokens=False).ids])
        kinds = (ids == model.config.image_token_id).int()
        with torch.inference_mode():
            state = model.model(input_ids=ids, mm_token_type_ids=kinds, **seen).last_hidden_state[0, -1]
        assert vector == pytest.approx(torch.nn.functional.normalize(state, dim=0).numpy(), abs=1e-5)


def test_a_folder_that_is_no_qwen_or_lacks_weights_is_refused(qwen_folder, tmp_path):
    from safetensors.torch import load_file, save_file

    with pytest.raises(AssetError, match=r"no config\.json"):
        QwenEmbedding(tmp_path, device="cpu")
    lame = tmp_path / "lame"
    shutil.copytree(qwen_folder, lame)
    weights = load_file(lame / "model.safetensors")
    weights.pop(next(name for name in weights if name.endswith("layers.1.mlp.up_proj.weight")))
    save_file(weights, lame / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AssetError, match=r"lacks 1 of the model's weights"):
        QwenEmbedding(lame, device="cpu")


def test_what_decides_the_features_is_in_the_key(qwen_folder):
    first, other = (QwenEmbedding(qwen_folder, device="cpu", image_tokens=most) for most in ((4, 256), (4, 64)))
    assert first.key != other.key
    assert first.name == other.name == "Qwen3-VL-Embedding-Tiny"
