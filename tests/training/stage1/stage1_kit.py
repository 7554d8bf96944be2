"""Faces with known coefficients, and a teacher whose texts a test dictates."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface_training.stage1.faithfulness import read_description
from semanticface_training.stage1.teacher import Described

SMILE = {"MouthSmileLeft": 0.6, "MouthSmileRight": 0.6, "CheekSquintLeft": 0.3, "CheekSquintRight": 0.3}


def face(**values: float) -> dict[str, float]:
    return {name: float(values.get(name, 0.0)) for name in CSV_ORDER}


def faces(count: int, seed: int = 5) -> list[tuple[str, dict[str, float]]]:
    """Different faces, each with a few actions."""
    chance = random.Random(seed)
    return [
        (f"take/{number}", face(**{name: chance.random() for name in chance.sample(SHAPES, 6)}))
        for number in range(count)
    ]


def text(category: str = "a smile", moves: str = "- Mouth: lip corners strongly pulled up on both sides.",
         emotion: str = "happiness", symmetry: str = "mostly symmetric") -> str:  # fmt: skip
    return (
        f"1. **Expression category**: {category}\n2. **Muscle movements**:\n   {moves}\n"
        f"3. **Emotional implication**: {emotion}\n4. **Symmetry**: {symmetry}"
    )


class Dictated:
    """Writes what `says(frame, attempt)` returns, and remembers how often it was asked."""

    tries = True

    def __init__(self, says: Callable[[Mapping[str, float], int], str], batch: int = 4, name: str = "one") -> None:
        self.batch, self._says, self._name = batch, says, name
        self.asked: list[tuple[Mapping[str, float], int]] = []

    def identity(self) -> Mapping[str, Any]:
        return {"teacher": "dictated", "model": self._name, "prompt": "1", "sampling": {}}

    def describe(self, frames: Sequence[Mapping[str, float]], attempt: int) -> list[Described]:
        self.asked += [(frame, attempt) for frame in frames]
        said = [self._says(frame, attempt) for frame in frames]
        return [Described(one, read_description(one)) for one in said]
