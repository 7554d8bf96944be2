"""The yardstick of `bench decoding`: `generate` of transformers on the same weights and prompts, greedy.

Both ways are timed with the same clock: hooks on the model's forward tell the first call, which reads prompt and
picture, from the rest. This module knows nothing of how we decode.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from semanticface.engines.mllm.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Timed:
    """One run: the answers' texts, seconds in all, seconds of the first forward, and the number of forwards."""

    texts: tuple[str, ...]
    total: float
    prefill: float
    forwards: int

    @property
    def rest(self) -> float:
        """Seconds without the first forward, which both ways need alike."""
        return self.total - self.prefill


def timed(model: Any, work: Callable[[], Sequence[str]]) -> Timed:
    """Run `work`, which returns texts, and time the forwards of `model.model` in it."""
    spans: list[float] = []
    started: list[float] = []
    before = model.model.register_forward_pre_hook(lambda *_: started.append(time.perf_counter()))
    after = model.model.register_forward_hook(lambda *_: spans.append(time.perf_counter() - started[-1]))
    try:
        start = time.perf_counter()
        texts = tuple(work())
        total = time.perf_counter() - start
    finally:
        before.remove()
        after.remove()
    return Timed(texts, total, spans[0], len(spans))


def model_inputs(prompts: Sequence[Prompt], pad: int, image: int) -> dict[str, torch.Tensor]:
    """Left-padded inputs of Qwen3-VL: ids and mask (B, S), patches (P, 1536), grids (B, 3)."""
    longest = max(len(prompt.ids) for prompt in prompts)
    ids = torch.full((len(prompts), longest), pad)
    mask = torch.zeros((len(prompts), longest), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt.ids) :] = torch.tensor(prompt.ids)
        mask[row, longest - len(prompt.ids) :] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "mm_token_type_ids": (ids == image).int(),
        "pixel_values": torch.cat([torch.as_tensor(prompt.patches) for prompt in prompts]),
        "image_grid_thw": torch.tensor([prompt.grid for prompt in prompts]),
    }


class Generate:
    """`generate` with a model and its tokenizer; `stop_ids` end an answer."""

    def __init__(self, model: Any, tokenizer: Any, stop_ids: Sequence[int], most_tokens: int = 1600) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._stop_ids = list(stop_ids)
        self._most_tokens = most_tokens

    def run(self, prompts: Sequence[Prompt]) -> Timed:
        """The greedy answers to these prompts in one batch."""
        return timed(self._model, lambda: self._texts(prompts))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _texts(self, prompts: Sequence[Prompt]) -> list[str]:
        model = self._model
        model.model.rope_deltas = None
        pad = self._stop_ids[0]
        inputs = model_inputs(prompts, pad, model.config.image_token_id)
        inputs = {name: tensor.to(model.device) for name, tensor in inputs.items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
        out = model.generate(
            **inputs,
            max_new_tokens=self._most_tokens,
            do_sample=False,
            eos_token_id=self._stop_ids,
            pad_token_id=pad,
        )
        rows = out[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._tokenizer.decode(_until(row, self._stop_ids)) for row in rows]


def _until(ids: list[int], stops: Sequence[int]) -> list[int]:
    """The ids before the first of `stops`."""
    ends = [place for place, token in enumerate(ids) if token in stops]
    return ids[: ends[0]] if ends else ids
