"""How the small models are trained: AdamW, or Muon for the matrices of layers; a rise and a cosine's fall.

Muon (momentum whose steps are made orthogonal, Jordan et al. 2024) takes fewer steps than AdamW where a model has to
learn a text by heart. Steps are counted, never seconds, so that a run gives the same model on a busy machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

_LEAST = 0.02
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Full rates of AdamW and of Muon (0: AdamW for all), weight decay, and the rise: so many steps, or a tenth of all
    where that is less."""

    adam: float = 2e-3
    muon: float = 0.0
    warmup: int = 40
    decay: float = 0.05


class Schedule:
    """Optimizers for named weights, and the rate of each step of `steps`."""

    def __init__(self, weights: Iterable[tuple[str, nn.Parameter]], rates: Rates, steps: int) -> None:
        named = list(weights)
        inner = [weight for name, weight in named if rates.muon and weight.ndim == 2 and _in_layer(name)]
        known = {id(weight) for weight in inner}
        rest = [weight for _, weight in named if id(weight) not in known]
        self._weights, self._rates, self._steps, self._step = [*inner, *rest], rates, steps, 0
        adam = torch.optim.AdamW(rest, lr=rates.adam, betas=(0.9, 0.98), weight_decay=rates.decay)
        self._optimizers: list[tuple[torch.optim.Optimizer, float]] = [(adam, rates.adam)]
        if inner:
            muon = torch.optim.Muon(inner, lr=rates.muon, weight_decay=rates.decay)
            self._optimizers.append((muon, rates.muon))

    def step(self, loss: torch.Tensor) -> None:
        """One step down this loss."""
        for optimizer, _ in self._optimizers:
            optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._weights, _LARGEST_GRADIENT)
        share = self.share(self._step)
        for optimizer, rate in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
        self._step += 1

    def share(self, step: int) -> float:
        """Of the full rate, at this step, counted from 0."""
        fall = 0.5 * (1 + math.cos(math.pi * step / max(1, self._steps)))
        rise = max(1, min(self._rates.warmup, self._steps // 10))
        return min(1.0, (step + 1) / rise) * max(_LEAST, fall)


def _in_layer(name: str) -> bool:
    return ".layers." in name or ".blocks." in name
