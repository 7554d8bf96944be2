"""Training of the two encoders: symmetric InfoNCE over batches, and an early stop by R@1 on the validation split.

A run is decided by its options and its data: with the same seed the same weights come out on the same machine. This
module knows nothing of datasets and files, and nothing of what the inputs of the image side are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from semanticface.errors import EngineError
from semanticface_training.evaluation.retrieval.options import Epoch, Options, Tell

if TYPE_CHECKING:
    from torch import nn

Prepare = Callable[[torch.Tensor, torch.Tensor, torch.Generator | None], tuple[torch.Tensor, torch.Tensor]]
"""Inputs of a batch as they are stored, and their values, to what the encoders take; a generator where it may vary."""
Judge = Callable[[torch.Tensor, torch.Tensor], float]
"""R@1 of image and motion embeddings."""
_CHUNK = 256


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One split: `inputs` of the image side (N, ...) as they are stored, `values` (N, 61) float32."""

    inputs: torch.Tensor
    values: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Encoders:
    """The image side's encoder, the motions' encoder, and how stored inputs become the former's."""

    image: nn.Module
    motion: nn.Module
    prepare: Prepare


def symmetric_info_nce(images: torch.Tensor, motions: torch.Tensor, temperature: float) -> torch.Tensor:
    """Mean of both directions' cross-entropies over (B, D) unit vectors, in nats (paper, appendix A.3)."""
    scores = images @ motions.T / temperature  # (B, B)
    right = torch.arange(len(scores), device=scores.device)
    both = torch.nn.functional.cross_entropy(scores, right) + torch.nn.functional.cross_entropy(scores.T, right)
    return both / 2


def embed_images(encoders: Encoders, inputs: torch.Tensor) -> torch.Tensor:
    """(N, width) unit vectors; each is what it would be alone."""
    encoders.image.eval()
    none = torch.empty(0, 0)
    with torch.inference_mode():
        parts = [encoders.image(encoders.prepare(part, none, None)[0]) for part in inputs.split(_CHUNK)]
    return torch.cat(parts)


def embed_motions(encoders: Encoders, values: torch.Tensor) -> torch.Tensor:
    """(N, width) unit vectors."""
    encoders.motion.eval()
    with torch.inference_mode():
        return torch.cat([encoders.motion(part) for part in values.split(_CHUNK * 16)])


def train(encoders: Encoders, learn: Pairs, check: Pairs, options: Options, judge: Judge, tell: Tell) -> list[Epoch]:
    """Train in place and leave the encoders as they were in the best epoch; returns every epoch.

    Raises EngineError when the loss is no longer a number.
    """
    optimizer = torch.optim.AdamW(_groups(encoders, options.decay), lr=options.rate)
    draw = torch.Generator().manual_seed(options.seed)
    steps = len(learn.values) // options.batch
    best: tuple[float, int, list[dict[str, Any]]] = (-1.0, 0, [])
    epochs: list[Epoch] = []
    began = time.monotonic()
    for number in range(1, options.epochs + 1):
        _anneal(optimizer, options, number)
        loss = _epoch(encoders, learn, optimizer, options, draw, steps)
        r1 = judge(embed_images(encoders, check.inputs), embed_motions(encoders, check.values))
        if r1 > best[0]:
            best = (r1, number, [_copy(encoders.image), _copy(encoders.motion)])
        epochs.append(Epoch(number, loss, r1, best[0], best[1], time.monotonic() - began))
        tell(epochs[-1])
        if number - best[1] >= options.patience:
            break
    encoders.image.load_state_dict(best[2][0])
    encoders.motion.load_state_dict(best[2][1])
    encoders.image.eval()
    encoders.motion.eval()
    return epochs


def _epoch(
    encoders: Encoders, learn: Pairs, optimizer: Any, options: Options, draw: torch.Generator, steps: int
) -> float:
    """Mean loss of one pass; rows that don't fill a last batch wait for the next."""
    encoders.image.train()
    encoders.motion.train()
    order = torch.randperm(len(learn.values), generator=draw)
    total = 0.0
    for step in range(steps):
        places = order[step * options.batch : (step + 1) * options.batch]
        varied = draw if options.augment else None
        inputs, values = encoders.prepare(learn.inputs[places], learn.values[places], varied)
        loss = symmetric_info_nce(encoders.image(inputs), encoders.motion(values), options.temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += float(loss.detach())
    if not math.isfinite(total):
        raise EngineError("the evaluator's loss is no longer a number", "train with a smaller rate")
    return total / steps


def _anneal(optimizer: Any, options: Options, number: int) -> None:
    """Cosine from the full rate in the first epoch towards 0 after the last (Loshchilov & Hutter 2017)."""
    share = (1 + math.cos(math.pi * (number - 1) / options.epochs)) / 2
    for group in optimizer.param_groups:
        group["lr"] = options.rate * share


def _groups(encoders: Encoders, decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and the scales of normalisations don't."""
    weights = [*encoders.image.parameters(), *encoders.motion.parameters()]
    matrices = [weight for weight in weights if weight.ndim > 1]
    return [
        {"params": matrices, "weight_decay": decay},
        {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
    ]


def _copy(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in module.state_dict().items()}
