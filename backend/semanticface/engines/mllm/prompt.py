"""What a model is asked: the prompt's tokens and the picture's patches, laid out as in training.

This module knows the chat layout; it knows nothing of the model, of decoding or of what is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One question: `ids` with a picture token for each 32 x 32 pixels; `patches` (P, 1536) float32; `grid` (1, h, w).

    P = h * w patches of 16 x 16 pixels, four to a picture token.
    """

    ids: list[int]
    patches: torch.Tensor
    grid: tuple[int, int, int]
