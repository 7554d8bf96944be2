"""How far a model's answer is from the right one: cross-entropy, and what knows that 0.301 is near 0.299.

Everything is a mean over an answer's tokens or values, and a row's mean is weighed by its number of tokens; divided by
the tokens of the whole step, a step gives the same gradient however it is cut into batches. With all options off the
loss is plain cross-entropy. Distributions over digits are of the ten digits alone, and before the point of those that
the backend allows there. A value's sign is learned by cross-entropy only. This module knows nothing of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch

from semanticface.errors import OptionsError
from semanticface_training.stage2.collate import IGNORED, PLAN

Plan = Mapping[str, torch.Tensor]
LEAST_SIGMA = 1e-4
"""A tenth of the smallest step; narrower labels are hard ones."""


class Soft(StrEnum):
    """What a digit's label is. See `digit_labels`."""

    HARD = "hard"
    GAUSSIAN = "gaussian"
    TWO_HOT = "two_hot"


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of an answer's tokens by what they are, the digits' labels, and the terms beside cross-entropy.

    `sigma` of the Gaussian labels, in the values' unit. `distance` and `expectation` are factors; 0 switches off.
    Measured on a small model trained from nothing (1 decimal): two-hot labels, `template` 0.05, `expectation` 5.
    Raises OptionsError for settings without sense.
    """

    words: float = 1.0
    template: float = 1.0
    sign: float = 1.0
    digit: float = 1.0
    end: float = 1.0
    soft: Soft = Soft.HARD
    sigma: float = 0.015
    distance: float = 0.0
    expectation: float = 0.0

    def __post_init__(self) -> None:
        numbers = (*self.weights, self.distance, self.expectation, self.sigma)
        if not all(math.isfinite(number) and number >= 0 for number in numbers):
            raise OptionsError("weights and factors of a loss are finite and not negative")
        if self.digit == 0 or self.sigma < LEAST_SIGMA:
            raise OptionsError(
                f"the digits' weight is above 0, sigma at least {LEAST_SIGMA}", "take hard labels instead of sigma 0"
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """By `encode.Kind`."""
        return (self.words, self.template, self.sign, self.digit, self.end)


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """`total`, and the terms that it is the sum of, factors included. All are tensors without shape."""

    total: torch.Tensor
    cross_entropy: torch.Tensor
    distance: torch.Tensor
    expectation: torch.Tensor


def compute_loss(
    model: Any, batch: Mapping[str, Any], settings: LossSettings, num_items: torch.Tensor | int | None = None
) -> tuple[Loss, Any]:
    """The loss of a collated batch, and the model's output. `num_items`: labels of the whole step, over all batches.

    The model is called as a whole, so that wrappers around it (data-parallel, LoRA) see the call. To be called from
    `compute_loss` of a `transformers.Trainer` whose `model_accepts_loss_kwargs` was set to True: Qwen3-VL says False,
    and the Trainer then counts no labels and divides by the number of batches instead. Where processes average their
    gradients and `num_items` is counted over all of them, the caller multiplies by the number of processes.
    """
    labels, plan = batch["labels"], batch[PLAN]
    inputs = {name: value for name, value in batch.items() if name not in {"labels", PLAN}}
    outputs = model(**inputs, use_cache=False)
    asked = labels != IGNORED
    return answer_loss(outputs.logits[asked], labels[asked], plan, settings, num_items), outputs


def answer_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    plan: Plan,
    settings: LossSettings,
    num_items: torch.Tensor | int | None = None,
) -> Loss:
    """The loss at N labelled places: `logits` (N, vocabulary), `labels` (N,), `plan` as `Collator` makes it.

    Cross-entropy: sum over a row of w_t CE_t / sum of w_t, times the row's tokens, over all rows, by `num_items`.
    The other terms are means over a row's values, weighed alike. `num_items` is N where it is not given.
    """
    items = len(labels) if num_items is None else num_items
    tokens = torch.bincount(plan["row"]).to(torch.float32)
    logits = logits.float()
    digit_logits = logits[plan["digits"].unsqueeze(-1), plan["digit_ids"]]  # (M, 1 + D, 10)
    soft = digit_labels(plan["exact"], plan["written"], settings).to(torch.float32)
    surprise = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    if settings.soft is not Soft.HARD:
        normaliser = torch.logsumexp(logits[plan["digits"]], dim=-1)  # over the whole vocabulary
        surprise = surprise.index_put((plan["digits"],), normaliser - (soft * digit_logits).sum(-1))
    weights = torch.tensor(settings.weights, device=logits.device)[plan["kind"]]
    entropy = (_mean_by_row(surprise * weights, weights, plan["row"], len(tokens)) * tokens).sum() / items
    distance = expectation = entropy.new_zeros(())
    if settings.distance or settings.expectation:
        odds = digit_odds(digit_logits, plan["integers"])
        values = torch.ones(len(odds), device=logits.device)
        if settings.distance:
            apart = place_distance(odds, soft)
            shares = _mean_by_row(apart, values, plan["value_row"], len(tokens))
            distance = settings.distance * (shares * tokens).sum() / items
        if settings.expectation:
            error = (expected_value(odds, plan["written"]) - plan["exact"].to(torch.float32)) ** 2
            shares = _mean_by_row(error, values, plan["value_row"], len(tokens))
            expectation = settings.expectation * (shares * tokens).sum() / items
    return Loss(entropy + distance + expectation, entropy, distance, expectation)


def _mean_by_row(values: torch.Tensor, weights: torch.Tensor, rows: torch.Tensor, count: int) -> torch.Tensor:
    """(count,): sum of each row's values by the sum of its weights."""
    empty = values.new_zeros(count)
    return empty.index_add(0, rows, values) / empty.index_add(0, rows, weights)


def digit_odds(digit_logits: torch.Tensor, integers: torch.Tensor) -> torch.Tensor:
    """(M, 1 + D, 10): each digit's probability among the ten; before the point, among the first `integers` (M,)."""
    barred = torch.zeros_like(digit_logits, dtype=torch.bool)
    barred[:, 0] = torch.arange(10, device=digit_logits.device) >= integers[:, None]
    return digit_logits.masked_fill(barred, -math.inf).softmax(dim=-1)


def digit_labels(exact: torch.Tensor, written: torch.Tensor, settings: LossSettings) -> torch.Tensor:
    """(M, 1 + D, 10) float64: at each place the label over the digits, given the digits that were written before it.

    A distribution over the numbers that could be written is read off digit by digit: of a place whose written prefix
    is m, the digit j has P(prefix m j) / P(prefix m). `exact` (M,) are the magnitudes, `written` (M, 1 + D) the digits.

    - hard: all on the number that was written; one-hot digits.
    - Gaussian: the number that y + N(0, sigma^2) rounds to; below 0 counts as 0. So 0.299 and 0.300 have nearly the
      same labels, although no digit is the same: ordinal labels (Diaz & Marathe, CVPR 2019) for numbers in digits.
    - two-hot: on the two numbers around y, so that their mean is y (Bellemare et al., ICML 2017; Imani & White, 2018).
      What rounding takes away is kept.
    """
    places = written.shape[1]
    if settings.soft is Soft.HARD:
        return torch.nn.functional.one_hot(written, 10).double()
    powers = 10 ** torch.arange(places - 1, -1, -1, device=written.device)
    steps = exact.double() * 10 ** (places - 1)
    prefixes = torch.cumsum(written * powers, dim=1) // powers  # (M, 1 + D): the number that the digits make so far
    before = torch.cat([torch.zeros_like(prefixes[:, :1]), prefixes[:, :-1]], dim=1)
    digits = torch.arange(10, device=written.device)
    begins = (10 * before[..., None] + digits) * powers[:, None]  # the least number of each prefix, in steps
    ends = begins + powers[:, None]
    cumulated = _normal if settings.soft is Soft.GAUSSIAN else _two_point
    sigma = settings.sigma * 10 ** (places - 1)
    mass = cumulated(ends, steps[:, None, None], sigma) - cumulated(begins, steps[:, None, None], sigma)
    return mass / mass.sum(dim=-1, keepdim=True)


def _normal(number: torch.Tensor, mean: torch.Tensor, sigma: float) -> torch.Tensor:
    """The probability of a number below `number`, in steps, when what is rounded is normal around `mean`."""
    below = 0.5 * torch.special.erfc((mean - number + 0.5) / (sigma * math.sqrt(2)))
    return torch.where(number <= 0, 0.0, below)


def _two_point(number: torch.Tensor, mean: torch.Tensor, _: float) -> torch.Tensor:
    """The same for the two numbers around `mean`, in steps."""
    lower = torch.floor(mean)
    share = mean - lower
    return torch.where(number > lower, 1 - share, 0.0) + torch.where(number > lower + 1, share, 0.0)


def place_distance(odds: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(M,): sum over places k of 10^-k W1(p_k, q_k), W1 = sum over j of |P_k(j) - Q_k(j)|, of cumulated odds.

    The number token loss of Zausinger et al. (ICML 2025, arXiv 2411.02083), which is W1 to one-hot digits, with each
    place weighed by what a digit is worth there and with soft labels. With hard labels W1 is the mean |digit - right|.
    """
    apart = (odds.cumsum(-1) - labels.cumsum(-1)).abs().sum(-1)
    worth = 10.0 ** -torch.arange(odds.shape[1], device=odds.device, dtype=odds.dtype)
    return (apart * worth).sum(-1)


def expected_value(odds: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
    """(M,): the mean of the number under the digits' odds along the written way, as `engines.mllm.values` reads it.

    A digit that was not written stands for the middle of the numbers that begin with it; before the point, for the
    nearest of them. The squared error of this mean is RAFT's (Lukasik et al., ICLR 2025), over three digits.
    """
    places = odds.shape[1]
    step = 10.0 ** (1 - places)
    digits = torch.arange(10, device=odds.device)
    integer = written[:, :1]
    nearest = torch.where(digits >= integer, digits.to(odds.dtype), digits + 1 - step)
    base, share = integer[:, 0].to(odds.dtype), odds[:, 0].gather(1, integer)[:, 0]
    mean = (odds[:, 0] * nearest).sum(-1) - share * base
    for place in range(1, places):
        unit = 10.0**-place
        digit = written[:, place : place + 1]
        here = odds[:, place]
        chosen = here.gather(1, digit)[:, 0]
        centers = base[:, None] + digits * unit + (unit - step) / 2
        middle = centers.gather(1, digit)[:, 0]
        mean = mean + share * ((here * centers).sum(-1) - (chosen * middle if place < places - 1 else 0.0))
        base, share = base + digit[:, 0] * unit, share * chosen
    return mean
