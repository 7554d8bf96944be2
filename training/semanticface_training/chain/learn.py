"""One model learns to write answers about faces: all of its weights, from a vision part that sees already.

Stage II's loss on the answer alone: soft labels of digits, the expectation's squared error, little weight on what is
the same in every answer. The head that taught the vision part to see goes on as a help and is thrown away at the end.
This module knows tokens and pictures and nothing of files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch

from semanticface.actions import CSV_ORDER
from semanticface_training.chain.augment import mirrored_values, varied
from semanticface_training.chain.lessons import Lessons, with_other_values
from semanticface_training.chain.plan import ACTIONS
from semanticface_training.chain.schedule import Rates, Schedule
from semanticface_training.chain.tower import Head
from semanticface_training.chain.vision import BatchedVision
from semanticface_training.stage2.collate import IGNORED, PLAN
from semanticface_training.stage2.losses import LossSettings, Soft, answer_loss

LOSS = LossSettings(words=0.3, template=0.05, sign=0.0, soft=Soft.TWO_HOT, expectation=3.0)

_BELOW_ONE = 0.95


@dataclass(frozen=True, slots=True)
class LearnRecipe:
    """`corrupted`: share of values that the model is shown wrong, and of rows whose words are another's.

    `trust`: see `_trusting`. `sight`: factor of the vision head's loss.
    """

    steps: int
    batch: int = 16
    seed: int = 2
    corrupted: float = 0.4
    trust: float = 0.5
    sight: float = 5.0
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class Step:
    """Where a training stands: `cross_entropy` and `expectation` are terms of this step's loss."""

    number: int
    cross_entropy: float
    expectation: float


def learn(
    model: Any,
    side: int,
    head: Head,
    lessons: Lessons,
    pictures: torch.Tensor,
    values: torch.Tensor,
    recipe: LearnRecipe,
    tell: Callable[[Step], None] = lambda step: None,
) -> list[Step]:
    """Train the whole model on (N, 3, side, side) pictures whose lessons these are; (N, 61) values for the head."""
    torch.manual_seed(recipe.seed)
    vision = BatchedVision(model.model.visual, side)
    whole = torch.nn.ModuleList([model, head])
    schedule = Schedule(whole.named_parameters(), recipe.rates, recipe.steps)
    positions = _positions(model, lessons)
    columns = [CSV_ORDER.index(name) for name in ACTIONS]
    model.train()
    taken: list[Step] = []
    while len(taken) < recipe.steps:
        order = torch.randperm(len(pictures))
        for rows in order.split(recipe.batch)[: recipe.steps - len(taken)]:
            mirror = torch.rand(len(rows)) < 0.5
            misled = torch.rand(len(rows)) < recipe.corrupted
            batch = lessons.batch(rows.tolist(), mirror.tolist(), misled.tolist())
            tokens, deep = vision(varied(pictures[rows], mirror))
            seen = head(tokens)
            batch[PLAN] = _trusting(batch[PLAN], seen.detach()[:, columns], recipe.trust)
            loss = _loss(model, batch, tokens, deep, positions, recipe.corrupted)
            wanted = torch.where(mirror[:, None], mirrored_values(values[rows]), values[rows])
            schedule.step(loss.total + recipe.sight * ((seen - wanted) ** 2).mean())
            taken.append(Step(len(taken) + 1, float(loss.cross_entropy.detach()), float(loss.expectation.detach())))
            tell(taken[-1])
    model.eval()
    return taken


def _trusting(plan: dict[str, torch.Tensor], seen: torch.Tensor, trust: float) -> dict[str, torch.Tensor]:
    """The plan with labels between the true values and what the vision head sees (B, 16), by this share.

    Of a truth that can't be seen a decoder learns only how often it is the case: with most values at rest its likeliest
    text is then 0.0. What the vision part makes of the picture is what there is to say (distillation, Hinton et al.
    2015). The text that is taught stays true; the labels of its digits lean.
    """
    leaning = (1 - trust) * plan["exact"] + trust * seen.clamp(0, 1).flatten().double()
    below = plan["written"][:, 0] == 0  # a label has to be possible behind the digit that is taught before the point
    return {**plan, "exact": torch.where(below, leaning.clamp(max=_BELOW_ONE), plan["exact"])}


def _loss(
    model: Any, batch: dict[str, Any], tokens: torch.Tensor, deep: list[torch.Tensor], positions: Any, corrupted: float
) -> Any:
    """Stage II's loss of a batch whose pictures went through the vision part already."""
    ids = with_other_values(batch, corrupted)
    seen = SimpleNamespace(
        pooler_output=(tokens.flatten(0, 1),), deepstack_features=[(layer.flatten(0, 1),) for layer in deep]
    )
    states = model.model(
        input_ids=ids,
        mm_encoder_outputs={"image": seen},
        position_ids=positions[:, :, : ids.shape[1]].expand(-1, len(ids), -1),
        use_cache=False,
    ).last_hidden_state[:, batch["logits_to_keep"]]
    labels = batch["labels"]
    asked = labels != IGNORED
    return answer_loss(model.lm_head(states[asked]), labels[asked], batch[PLAN], LOSS)


def _positions(model: Any, lessons: Lessons) -> torch.Tensor:
    """(3, 1, L) of the longest row: prompts and pictures are of one size, so that all rows count alike."""
    batch = lessons.collator([lessons.longest])
    kinds, grid = batch["mm_token_type_ids"], batch["image_grid_thw"]
    positions: torch.Tensor = model.model.get_rope_index(batch["input_ids"], kinds, image_grid_thw=grid)[0]
    return positions
