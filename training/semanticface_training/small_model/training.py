"""Learning a handful of answers by heart: every token right, with a margin that float noise can't cross.

One batch holds all examples. Matrices of the layers are trained with Muon (momentum whose steps are made orthogonal,
Jordan et al. 2024), which needs about a third of AdamW's steps here; the rest with AdamW. The embedding stays as it
was drawn. Knows nothing of files; a token's number is whatever the model counts by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from semanticface.errors import EngineError

IGNORED = -100
_PIECE = 256
"""Tokens whose logits over the whole vocabulary are held at once: 160 MB."""
Report = Callable[[int, float, int, float], None]
"""Called with (step, loss, wrong tokens, least margin)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how hard to train.

    Rates rise over `warmup` steps and fall to a twentieth at step `decay`. Training ends when every token's logit lies
    `margin` above the next best, which takes some 60 steps, and with step `most` at the latest.
    """

    most: int = 200
    decay: int = 80
    warmup: int = 5
    muon_rate: float = 0.05
    adam_rate: float = 2e-3
    margin: float = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One row: prompt and answer as token numbers, the picture's `patches` (P, 1536) and `grid`."""

    prompt: Sequence[int]
    answer: Sequence[int]
    patches: torch.Tensor
    grid: tuple[int, int, int]

    def renumbered(self, place: Mapping[int, int]) -> Lesson:
        """The same with other numbers for its tokens."""
        prompt, answer = [place[token] for token in self.prompt], [place[token] for token in self.answer]
        return Lesson(prompt, answer, self.patches, self.grid)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """All lessons side by side, padded on the right: `inputs` for the model, `targets` (B, T), `IGNORED` elsewhere."""

    inputs: dict[str, Any]
    targets: torch.Tensor


@dataclass(frozen=True, slots=True)
class Outcome:
    """Steps taken, and how the model stood after the last: wrong tokens, and the least margin of any token."""

    steps: int
    wrong: int
    margin: float


def collate(lessons: Sequence[Lesson], image_token: int) -> Batch:
    """The batch; target t of a row is the token behind position t. Padding is behind the end, where nothing looks."""
    rows = [[*lesson.prompt, *lesson.answer] for lesson in lessons]
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask, targets = torch.zeros_like(ids), torch.full_like(ids, IGNORED)
    for row, (lesson, tokens) in enumerate(zip(lessons, rows, strict=True)):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
        targets[row, len(lesson.prompt) - 1 : len(tokens) - 1] = torch.tensor(lesson.answer)
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "mm_token_type_ids": ((ids == image_token) & (mask == 1)).int(),
        "pixel_values": torch.cat([lesson.patches for lesson in lessons]),
        "image_grid_thw": torch.tensor([lesson.grid for lesson in lessons]),
    }
    return Batch(inputs, targets)


def answer_states(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """What the head turns into logits, (N, hidden), for all answer tokens of the batch, and these tokens (N,)."""
    asked = batch.targets != IGNORED
    inputs = dict(batch.inputs)
    mask, kinds, grid = inputs["attention_mask"], inputs["mm_token_type_ids"], inputs["image_grid_thw"]
    positions, _ = model.model.get_rope_index(
        inputs["input_ids"], mm_token_type_ids=kinds, image_grid_thw=grid, attention_mask=mask
    )
    # Without a mask attention takes its fast causal path; the padding at a row's end reaches no answer token.
    inputs |= {"attention_mask": None, "position_ids": positions, "use_cache": False}
    model.model.rope_deltas = None
    return model.model(**inputs).last_hidden_state[asked], batch.targets[asked]


def margins(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(N,): the right token's logit less the best of all others; negative where greedy decoding goes wrong."""
    right = logits.gather(1, targets[:, None])[:, 0]
    others = logits.scatter(1, targets[:, None], -math.inf).max(dim=1).values
    return right - others


def least_margin(model: Any, batch: Batch) -> float:
    """The least margin of any answer token of the batch. Takes little memory with a large vocabulary."""
    with torch.inference_mode():
        states, targets = answer_states(model, batch)
        pieces = zip(states.split(_PIECE), targets.split(_PIECE), strict=True)
        return min(float(margins(model.lm_head(some), right).min()) for some, right in pieces)


def memorise(model: Any, batch: Batch, recipe: Recipe, report: Report = lambda *_: None) -> Outcome:
    """Train until every token has its margin. Raises EngineError when the steps run out with a token still wrong."""
    model.train()
    model.model.language_model.embed_tokens.weight.requires_grad_(False)
    optimizers = _optimizers(model, recipe)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    outcome = Outcome(0, 0, -math.inf)
    for step in range(recipe.most):
        fall = 0.525 + 0.475 * math.cos(math.pi * min(1.0, step / recipe.decay))
        states, targets = answer_states(model, batch)
        logits = model.lm_head(states)
        left = margins(logits.detach(), targets)
        outcome = Outcome(step, int((left <= 0).sum()), float(left.min()))
        loss = torch.nn.functional.cross_entropy(logits, targets)
        report(step, float(loss.detach()), outcome.wrong, outcome.margin)
        if outcome.margin > recipe.margin:
            break
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for optimizer, base in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = base * fall * min(1.0, (step + 1) / recipe.warmup)
            optimizer.step()
            optimizer.zero_grad()
    if outcome.wrong:
        raise EngineError(
            f"after {outcome.steps} steps {outcome.wrong} tokens are wrong, the least margin is {outcome.margin:.2f}",
            "another version of a library may have changed the training; raise `Recipe.most`",
        )
    model.eval()
    return outcome


def _optimizers(model: Any, recipe: Recipe) -> list[tuple[Any, float]]:
    """Each optimizer with its full rate."""
    matrices: list[torch.Tensor] = []
    rest: list[torch.Tensor] = []
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            inner = weight.ndim == 2 and (".layers." in name or ".blocks." in name)
            (matrices if inner else rest).append(weight)
    muon = torch.optim.Muon(matrices, lr=recipe.muon_rate, weight_decay=0.0)
    adam = torch.optim.AdamW(rest, lr=recipe.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
    return [(muon, recipe.muon_rate), (adam, recipe.adam_rate)]
