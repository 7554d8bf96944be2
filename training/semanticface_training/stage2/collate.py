"""Samples side by side: what the model is given, what it should say at which places, and what stands there.

Rows are padded on the right, where no answer looks; pictures lie one behind the other, as Qwen3-VL takes them. Logits
are asked for at the columns of answers only (`logits_to_keep`), since over 152,000 tokens they are the largest thing in
a training step: prompts of a batch have nearly the same length, so nearly nothing else is in these columns. Labels
belong to the columns that are kept and are already moved: a column's label is the token behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import torch

from semanticface.engines.mllm.prompt import Prompt
from semanticface.engines.mllm.skeleton.template import SHAPE_INTEGERS, SIGNED_INTEGERS
from semanticface.errors import InputError
from semanticface_training.stage2.encode import Encoded

IGNORED = -100
"""A label that counts for nothing."""
PLAN = "plan"
"""The key of a batch that is for the loss alone."""


class Side(StrEnum):
    """Where shorter rows are filled up: on the right to learn, on the left to write on."""

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Collator:
    """Samples to a batch. `pad` and `image` are token ids; `digits` those of 0 to 9, in order.

    `mask`: whether the batch has an attention mask. Without one attention takes its faster causal way, and the answers
    get the same logits: what is behind a row's end is never looked at from inside it. Picklable, for worker processes.
    """

    pad: int
    image: int
    digits: tuple[int, ...]
    mask: bool = True

    def __call__(self, rows: Sequence[Encoded]) -> dict[str, Any]:
        """The model's inputs, `labels` (B, K) int64 and `plan`, as tensors; K is the number of columns kept.

        The first column that is kept has no label, since `transformers.Trainer` counts a step's labels from the second
        column on. `plan` describes the N labelled places in the order of `labels[labels != IGNORED]` and the M values:

            row (N,), kind (N,)       whose answer, and `encode.Kind`
            digits (M, 1 + D)         which of the N places hold a value's digits
            written (M, 1 + D)        these digits, 0 to 9
            exact (M,) float64        the value before it was rounded, without its sign
            integers (M,)             how many digits may stand before its point
            value_row (M,)            whose value
            digit_ids (10,)           the tokens of 0 to 9
        """
        if not rows:
            raise InputError("a batch without rows")
        ids = [[*row.prompt.ids, *row.answer] for row in rows]
        inputs = self._inputs([row.prompt for row in rows], ids, Side.RIGHT)
        first = min(len(row.prompt.ids) for row in rows) - 2
        last = max(map(len, ids)) - 1
        labels = torch.full((len(rows), last - first), IGNORED)
        for number, row in enumerate(rows):
            begin = len(row.prompt.ids) - 1 - first
            labels[number, begin : begin + len(row.answer)] = torch.tensor(row.answer)
        inputs["logits_to_keep"] = torch.arange(first, last)
        return {**inputs, "labels": labels, PLAN: self._plan(rows)}

    def prompts(self, prompts: Sequence[Prompt], side: Side = Side.LEFT) -> dict[str, Any]:
        """The inputs of `generate` for questions of any length."""
        return self._inputs(prompts, [prompt.ids for prompt in prompts], side, mask=True)

    def _inputs(
        self, prompts: Sequence[Prompt], ids: Sequence[Sequence[int]], side: Side, mask: bool | None = None
    ) -> dict[str, Any]:
        longest = max(map(len, ids))
        table = torch.full((len(ids), longest), self.pad)
        there = torch.zeros_like(table)
        for number, row in enumerate(ids):
            where = slice(longest - len(row), longest) if side is Side.LEFT else slice(0, len(row))
            table[number, where] = torch.tensor(row)
            there[number, where] = 1
        kinds = ((table == self.image) & (there == 1)).int()
        self._check_pictures(prompts, kinds)
        out = {
            "input_ids": table,
            "mm_token_type_ids": kinds,
            "pixel_values": torch.cat([prompt.patches for prompt in prompts]),
            "image_grid_thw": torch.tensor([prompt.grid for prompt in prompts]),
        }
        return {**out, "attention_mask": there} if (self.mask if mask is None else mask) else out

    def _check_pictures(self, prompts: Sequence[Prompt], kinds: torch.Tensor) -> None:
        """As many picture tokens in a row as its picture has; else pictures would slide into other rows."""
        for number, prompt in enumerate(prompts):
            found, wanted = int(kinds[number].sum()), prompt.grid[0] * prompt.grid[1] * prompt.grid[2] // 4
            if found != wanted:
                raise InputError(f"row {number} of a batch has {found} picture tokens instead of {wanted}")

    def _plan(self, rows: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        lengths = [len(row.answer) for row in rows]
        shifts = np.cumsum([0, *lengths[:-1]])
        digits = np.concatenate([row.digits + shift for row, shift in zip(rows, shifts, strict=True)])
        tokens = np.concatenate([np.array(row.answer) for row in rows])
        order = np.argsort(self.digits)
        written = order[np.searchsorted(np.array(self.digits), tokens[digits], sorter=order)]
        values = [len(row.exact) for row in rows]
        signed = np.concatenate([row.signed for row in rows])
        return {
            "row": torch.from_numpy(np.repeat(np.arange(len(rows)), lengths)),
            "kind": torch.from_numpy(np.concatenate([row.kinds for row in rows]).astype(np.int64)),
            "digits": torch.from_numpy(digits),
            "written": torch.from_numpy(written),
            "exact": torch.from_numpy(_magnitudes(rows)),
            "integers": torch.from_numpy(np.where(signed, SIGNED_INTEGERS, SHAPE_INTEGERS)),
            "value_row": torch.from_numpy(np.repeat(np.arange(len(rows)), values)),
            "digit_ids": torch.tensor(self.digits),
        }


def _magnitudes(rows: Sequence[Encoded]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Without signs, which are tokens of their own. Of a negative value that is written as 0 nothing is left."""
    out = []
    for row in rows:
        half = 0.5 * 10.0 ** -(row.digits.shape[1] - 1)
        out.append(np.where(np.abs(row.exact) < half, np.maximum(row.exact, 0.0), np.abs(row.exact)))
    return np.concatenate(out)
