"""Qwen3-VL's architecture at the size of a laptop: real classes, few and narrow layers, a beginning that learns fast.

Trained from nothing with transformers' usual start a small vision part learns the mean face and little else. What helps
it: matrices drawn as wide as their sizes ask for (Glorot & Bengio, 2010), and a patch embedding that begins as the
whitened principal components of real patches. This module knows nothing of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from semanticface_training.chain.tokenizer import END, PICTURE, PICTURE_END, PICTURE_START, STOP, VIDEO
from semanticface_training.chain.vision import PATCH, patches
from semanticface_training.small_model import architecture
from semanticface_training.small_model.architecture import HEAD, decoder

_EMBEDDING = 0.1
"""Standard deviation of the first embedding; a short training can't lift rows from the usual 0.02."""
_GAIN, _FLOOR = 0.5, 0.02
"""Size of whitened patches, and the least deviation, as a part of the largest, that is whitened."""
_PATCH_PICTURES = 500


@dataclass(frozen=True, slots=True)
class Shape(architecture.Shape):
    """Besides, the pictures' `side` in pixels (a multiple of 32)."""

    hidden: int = 128
    layers: int = 2
    intermediate: int = 384
    vision_hidden: int = 128
    side: int = 96

    @property
    def tokens(self) -> int:
        """Tokens of a picture."""
        return (self.side // (2 * PATCH)) ** 2


def config(shape: Shape, vocabulary: dict[str, int]) -> Any:
    """The Qwen3VLConfig. `vocabulary`: the tokenizer's ids by token."""
    text = decoder(shape, len(vocabulary)) | {
        "bos_token_id": vocabulary[END],
        "eos_token_id": vocabulary[STOP],
        "pad_token_id": vocabulary[END],
    }
    vision = {
        "depth": shape.vision_layers,
        "hidden_size": shape.vision_hidden,
        "intermediate_size": 3 * shape.vision_hidden,
        "num_heads": shape.vision_hidden // HEAD,
        "out_hidden_size": shape.hidden,
        "deepstack_visual_indexes": [0],
        "num_position_embeddings": (shape.side // PATCH) ** 2,
    }
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        dtype="float32",
        image_token_id=vocabulary[PICTURE],
        video_token_id=vocabulary[VIDEO],
        vision_start_token_id=vocabulary[PICTURE_START],
        vision_end_token_id=vocabulary[PICTURE_END],
    )


def new_model(shape: Shape, vocabulary: dict[str, int], seed: int) -> Any:
    """A Qwen3VLForConditionalGeneration with seeded weights, float32, its vision part still without real patches."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(config(shape, vocabulary))
        for module in model.modules():
            if isinstance(module, nn.Linear) and module is not model.lm_head:
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(model.model.language_model.embed_tokens.weight, std=_EMBEDDING)
    return model


def whiten_patches(visual: Any, pictures: torch.Tensor, seed: int) -> None:
    """Let the patch embedding begin as the whitened principal components of patches of (N, 3, side, side) pictures."""
    draw = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(pictures), generator=draw)[:_PATCH_PICTURES]
    rows = patches(pictures[chosen]).flatten(0, 1)
    rows = rows - rows.mean(0)
    projection = visual.patch_embed.proj
    _, values, vectors = torch.linalg.svd(rows.T @ rows / len(rows))
    count = min(projection.weight.shape[0], len(values))
    deviations = values[:count].sqrt()
    whitened = vectors[:count] / (deviations + _FLOOR * deviations.max())[:, None] * _GAIN
    one = whitened.view(count, 3, 1, PATCH, PATCH) / 2  # half for each of the two equal moments
    with torch.no_grad():
        projection.weight[:count] = one
        projection.bias.zero_()
