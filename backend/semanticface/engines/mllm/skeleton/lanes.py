"""The model with the memory of several rows side by side: feed a few tokens to each, take back those that were wrong.

Rows have different lengths, the model's memory (the key and value cache) has one: where a row has no token in a
column there is a *hole*, which the attention mask hides. Positions count a row's own tokens and know nothing of holes.
Holes that all rows share at the end are cut off, and `gather` writes the rest without any. This module knows tensors
and nothing of what the tokens mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from semanticface.engines.mllm.prompt import Prompt


class Lanes:
    """Rows in the model's memory. `mask` (B, L) is 1 where a row has a token; `used` counts these per row."""

    def __init__(self, model: Any, cache: DynamicCache, mask: torch.Tensor, delta: list[int], used: list[int]) -> None:
        self.model = model
        self.cache = cache
        self.mask = mask
        self.delta = delta
        self.used = used

    @classmethod
    def prefill(cls, model: Any, prompts: Sequence[Prompt]) -> tuple[Lanes, torch.Tensor]:
        """Read the prompts, left-padded to one length. Returns the lanes and the last hidden states, (B, hidden).

        `rope_deltas` is state that the model keeps from its last prompt: it is reset before, and each row's own shift
        of positions behind the picture is kept here.
        """
        device = model.get_input_embeddings().weight.device
        used = [len(prompt.ids) for prompt in prompts]
        ids = torch.tensor([[0] * (max(used) - len(prompt.ids)) + prompt.ids for prompt in prompts])
        mask = torch.tensor([[0] * (max(used) - count) + [1] * count for count in used])
        pictures = (ids == model.config.image_token_id) & (mask == 1)
        cache = DynamicCache(config=model.config)
        model.model.rope_deltas = None
        out = model.model(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            mm_token_type_ids=pictures.int().to(device),
            pixel_values=torch.cat([prompt.patches for prompt in prompts]).to(device),
            image_grid_thw=torch.tensor([prompt.grid for prompt in prompts]).to(device),
            past_key_values=cache,
            use_cache=True,
        )
        delta = [int(shift) for shift in model.model.rope_deltas.flatten().tolist()]
        return cls(model, cache, mask.to(device), delta, used), out.last_hidden_state[:, -1]

    @property
    def rows(self) -> int:
        return len(self.used)

    def forward(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append each row's tokens (some may have none). Returns hidden states (B, S, hidden), holes at the end."""
        device = self.mask.device
        width = max(map(len, tokens))
        holes = [width - len(row) for row in tokens]
        ids = torch.tensor([[*row, *[0] * hole] for row, hole in zip(tokens, holes, strict=True)])
        new = torch.tensor([[1] * len(row) + [0] * hole for row, hole in zip(tokens, holes, strict=True)])
        first = torch.tensor([count + shift for count, shift in zip(self.used, self.delta, strict=True)])
        positions = first[:, None] + torch.arange(width)
        self.mask = torch.cat([self.mask, new.to(device)], 1)
        self.used = [count + len(row) for count, row in zip(self.used, tokens, strict=True)]
        out = self.model.model(
            input_ids=ids.to(device),
            attention_mask=self.mask,
            position_ids=positions.expand(3, -1, -1).to(device),
            past_key_values=self.cache,
            use_cache=True,
        )
        hidden: torch.Tensor = out.last_hidden_state
        return hidden

    def keep(self, fed: Sequence[int], kept: Sequence[int]) -> None:
        """After a `forward` of `fed` tokens per row: the first `kept` of each stay, the others become holes."""
        width = max(fed)
        cut = width - max(kept)
        if cut:
            self.cache.crop(-cut)
            self.mask = self.mask[:, :-cut]
        end = self.mask.shape[1]
        for row, (sent, right) in enumerate(zip(fed, kept, strict=True)):
            self.used[row] -= sent - right
            if right < min(sent, width - cut):
                self.mask[row, end - (width - cut) + right :] = 0

    @property
    def wasted(self) -> float:
        """The part of the memory's length that no row needs."""
        return 1 - max(self.used) / int(self.mask.shape[1])

    def gather(self, rows: Sequence[int]) -> Lanes:
        """Some of the rows, in new memory, without the holes that they can do without."""
        used = [self.used[row] for row in rows]
        length = max(used)
        slots = torch.zeros(len(rows), length, dtype=torch.long)
        mask = torch.zeros(len(rows), length, dtype=torch.long)
        for out, (row, count) in enumerate(zip(rows, used, strict=True)):
            slots[out, length - count :] = self.mask[row].nonzero()[:, 0]
            mask[out, length - count :] = 1
        at = torch.tensor(list(rows))
        layers = [(_pick(layer.keys, at, slots), _pick(layer.values, at, slots)) for layer in self.cache.layers]
        delta = [self.delta[row] for row in rows]
        return Lanes(self.model, _cache(self.model, layers), mask.to(self.mask.device), delta, used)

    @classmethod
    def join(cls, parts: Sequence[Lanes]) -> Lanes:
        """Several lanes as one, in order, padded on the left to one length."""
        if len(parts) == 1:
            return parts[0]
        length = max(part.mask.shape[1] for part in parts)
        pads = [length - part.mask.shape[1] for part in parts]
        layers = [
            (
                torch.cat([_pad(layer.keys, pad) for layer, pad in zip(column, pads, strict=True)]),
                torch.cat([_pad(layer.values, pad) for layer, pad in zip(column, pads, strict=True)]),
            )
            for column in zip(*(part.cache.layers for part in parts), strict=True)
        ]
        masks = [torch.nn.functional.pad(part.mask, (pad, 0)) for part, pad in zip(parts, pads, strict=True)]
        model = parts[0].model
        delta = [shift for part in parts for shift in part.delta]
        used = [count for part in parts for count in part.used]
        return cls(model, _cache(model, layers), torch.cat(masks), delta, used)


def _pick(states: torch.Tensor, rows: torch.Tensor, slots: torch.Tensor) -> torch.Tensor:
    """Of (B, heads, L, width) the given rows, and of each row the given slots (R, M)."""
    device = states.device
    picked = states[rows.to(device)]
    index = slots.to(device)[:, None, :, None].expand(-1, states.shape[1], -1, states.shape[3])
    return picked.gather(2, index)


def _pad(states: torch.Tensor, count: int) -> torch.Tensor:
    return torch.nn.functional.pad(states, (0, 0, count, 0))


def _cache(model: Any, layers: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> DynamicCache:
    cache = DynamicCache(config=model.config)
    for index, (keys, values) in enumerate(layers):
        cache.update(keys, values, index)
    return cache
