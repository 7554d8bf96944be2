"""The vision part of a Qwen3-VL for many pictures of one size at once.

On a CPU transformers' own forward pass goes from picture to picture in each attention; here a batch is one product.
The numbers are the same (a test compares them), so that what is trained here is what the backend runs. This module
knows the vision part's layers and nothing of training.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as fn

PATCH, MERGE = 16, 2


class BatchedVision(nn.Module):  # type: ignore[misc]
    """Wraps `visual` (a Qwen3VLVisionModel with two moments a patch), whose weights it uses, for `side` x `side` px."""

    def __init__(self, visual: Any, side: int) -> None:
        super().__init__()
        from transformers.vision_utils import (
            get_vision_interpolation_indices_and_weights,
            get_vision_position_ids,
        )

        self.visual, self.grid = visual, side // PATCH
        grid = torch.tensor([[1, self.grid, self.grid]])
        self._places, self._shares = get_vision_interpolation_indices_and_weights(
            grid,
            num_grid_per_side=visual.num_grid_per_side,
            mode=visual.interpolation_mode,
            align_corners=visual.interpolation_align_corners,
            spatial_merge_size=MERGE,
            kwargs={},
        )
        turns = visual.rotary_pos_emb(torch.zeros(1), get_vision_position_ids(grid, MERGE, kwargs={}))
        self._cos, self._sin = (turn[:, None] for turn in turns)

    @property
    def tokens(self) -> int:
        """Picture tokens that the decoder gets."""
        return (self.grid // MERGE) ** 2

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """For (B, 3, side, side) float32 in [-1, 1]: (B, tokens, out) and the same from each deep-stack layer."""
        visual, batch = self.visual, len(pictures)
        weight = visual.patch_embed.proj.weight
        weight = (weight[:, :, 0] + weight[:, :, 1]).flatten(1)  # a still shows the same at both moments
        states = fn.linear(patches(pictures), weight, visual.patch_embed.proj.bias)
        states = states + (visual.pos_embed(self._places) * self._shares[:, :, None]).sum(1)
        deep = []
        for number, block in enumerate(visual.blocks):
            states = states + self._attention(block.attn, block.norm1(states))
            states = states + block.mlp(block.norm2(states))
            if number in visual.deepstack_visual_indexes:
                merger = visual.deepstack_merger_list[visual.deepstack_visual_indexes.index(number)]
                deep.append(merger(states.flatten(0, 1)).view(batch, self.tokens, -1))
        return visual.merger(states.flatten(0, 1)).view(batch, self.tokens, -1), deep

    def _attention(self, layer: Any, states: torch.Tensor) -> torch.Tensor:
        batch, count, _ = states.shape
        query, key, value = layer.qkv(states).view(batch, count, 3, layer.num_heads, -1).unbind(2)
        query, key = self._turned(query), self._turned(key)
        mixed = fn.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
        out: torch.Tensor = layer.proj(mixed.transpose(1, 2).reshape(batch, count, -1))
        return out

    def _turned(self, states: torch.Tensor) -> torch.Tensor:
        """Rotary positions: the second half of each head turned against the first."""
        first, second = states.chunk(2, dim=-1)
        return states * self._cos + torch.cat([-second, first], dim=-1) * self._sin


def patches(pictures: torch.Tensor) -> torch.Tensor:
    """(B, P, 768): patches of (B, 3, H, W) in the order in which `engines.mllm.picture` lays them, one moment each."""
    batch, colours, height, width = pictures.shape
    rows, columns = height // (PATCH * MERGE), width // (PATCH * MERGE)
    split = pictures.view(batch, colours, rows, MERGE, PATCH, columns, MERGE, PATCH)
    return split.permute(0, 2, 5, 3, 6, 1, 4, 7).reshape(batch, -1, colours * PATCH * PATCH)
