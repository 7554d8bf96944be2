"""The model's last layer, asked only where a token is chosen, and for digits only for its few rows that digits need.

Over a vocabulary of 150,000 the whole layer costs as much as several of the others. This module knows the layer and
places, and nothing of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semanticface.engines.mllm.skeleton.template import Place, Template
from semanticface.errors import EngineError

_OTHER_FORMAT = "set SEMANTICFACE_DTYPE=bfloat16 on a card that has it, else float32"


class Head:
    """`lm_head` and a copy of its rows for the tokens that values are made of.

    A layer that is more than a matrix (quantized, adapted, spread over devices) is always asked as a whole.
    """

    def __init__(self, layer: Any, templates: Sequence[Template]) -> None:
        self.layer = layer
        allowed = {place.allowed for template in templates for place in template.places if place.allowed}
        tokens = sorted({token for choices in allowed for token in choices})
        self.columns = {choices: [tokens.index(token) for token in choices] for choices in allowed}
        self.tokens = torch.tensor(tokens)
        plain = type(layer) is torch.nn.Linear and not hasattr(layer, "_hf_hook")
        here = self.tokens.to(layer.weight.device) if plain else None
        self.weight = layer.weight.detach()[here] if plain else None
        self.bias = layer.bias.detach()[here] if plain and layer.bias is not None else None

    def ask(self, hidden: torch.Tensor, places: Sequence[Place]) -> tuple[list[NDArray[np.float32]], list[int]]:
        """For hidden states (N, hidden) the logits of each place's allowed tokens, and the vocabulary's favourite.

        The favourite is -1 where nobody needs it. Logits are computed in the model's own precision, as `generate` does;
        raises EngineError when one isn't finite.
        """
        wide = [i for i, place in enumerate(places) if place.free or place.checked or self.weight is None]
        narrow = [i for i in range(len(places)) if i not in set(wide)]
        logits: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(places)
        favourites = [-1] * len(places)
        if wide:
            whole = self.layer(hidden[wide])
            self._sort(whole[:, self.tokens.to(whole.device)], wide, places, logits)
            for i, favourite in zip(wide, whole.argmax(-1).tolist(), strict=True):
                favourites[i] = favourite
        if narrow:
            self._sort(torch.nn.functional.linear(hidden[narrow], self.weight, self.bias), narrow, places, logits)
        return logits, favourites

    def _sort(
        self, few: torch.Tensor, which: Sequence[int], places: Sequence[Place], out: list[NDArray[np.float32]]
    ) -> None:
        table = few.float().cpu().numpy()
        if not np.isfinite(table).all():
            raise EngineError("the model's logits are not finite: its number format overflowed", _OTHER_FORMAT)
        for i, line in zip(which, table, strict=True):
            if places[i].allowed:
                out[i] = line[self.columns[places[i].allowed]]
