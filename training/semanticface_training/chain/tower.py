"""The vision part learns to see before there is a language to say it in: it estimates all coefficients by itself.

A decoder that learns to write from a vision part that sees nothing learns to write the mean. Pretraining costs three
minutes and is shared by all models that are compared. What comes out is a vision part, and the head that reads it,
which keeps it on its course while the whole model is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

from semanticface_training.chain.augment import mirrored_values, varied
from semanticface_training.chain.schedule import Rates, Schedule
from semanticface_training.chain.vision import BatchedVision

_WIDTH = 24
"""Numbers that the head takes from each picture token."""


@dataclass(frozen=True, slots=True)
class TowerRecipe:
    steps: int
    batch: int = 32
    seed: int = 1
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class TowerOutcome:
    """Mean squared error over all coefficients: of the last steps, and of predicting the mean of the training rows."""

    loss: float
    mean: float


class Head(nn.Module):  # type: ignore[misc]
    """Picture tokens (B, T, hidden) to coefficients (B, 61)."""

    def __init__(self, tokens: int, hidden: int, values: int) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, _WIDTH))
        self.all = nn.Sequential(nn.GELU(), nn.Linear(_WIDTH * tokens, values))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.all(self.each(tokens).flatten(1))
        return out


def pretrain(
    vision: BatchedVision,
    head: Head,
    pictures: torch.Tensor,
    values: torch.Tensor,
    recipe: TowerRecipe,
    tell: Callable[[int, float], None] = lambda step, loss: None,
) -> TowerOutcome:
    """Train both on (N, 3, side, side) pictures and their (N, 61) values. `tell` gets step and loss."""
    torch.manual_seed(recipe.seed)
    with torch.no_grad():
        head.all[1].bias.copy_(values.mean(0))
    whole = nn.ModuleList([vision, head])
    schedule = Schedule(whole.named_parameters(), recipe.rates, recipe.steps)
    losses: list[float] = []
    while len(losses) < recipe.steps:
        order = torch.randperm(len(pictures))
        for rows in order.split(recipe.batch)[: recipe.steps - len(losses)]:
            mirror = torch.rand(len(rows)) < 0.5
            seen = varied(pictures[rows], mirror)
            wanted = torch.where(mirror[:, None], mirrored_values(values[rows]), values[rows])
            loss = ((head(vision(seen)[0]) - wanted) ** 2).mean()
            schedule.step(loss)
            losses.append(float(loss.detach()))
            tell(len(losses), losses[-1])
    last = losses[-max(1, len(losses) // 10) :]
    return TowerOutcome(sum(last) / len(last), float(((values - values.mean(0)) ** 2).mean()))
