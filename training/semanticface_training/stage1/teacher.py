"""Who writes the descriptions: our rules, which need no model, or a frozen language model.

A teacher says by `identity` all that its texts depend on besides the coefficients, for the key under which they are
stored. It writes; whether what it wrote is true is for `faithfulness`. This module knows nothing of files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.results import Analysis
from semanticface_training.language.model import LanguageModel, Sampling, Written, without_thoughts
from semanticface_training.stage1.faithfulness import read_description
from semanticface_training.stage1.prompt import Listing, question, version

DECIMALS = 3
RULES_VERSION = "rules-1"
_SEED_STEP = 1_000_003


@dataclass(frozen=True, slots=True)
class Described:
    """What a teacher wrote about one frame: the raw text, and the four fields where they could be read."""

    text: str
    analysis: Analysis | None
    complete: bool = True
    problem: str = ""


class Teacher(Protocol):
    """`batch`: how many frames to hand over at a time."""

    @property
    def batch(self) -> int: ...

    @property
    def tries(self) -> bool:
        """Whether asking again may give another text."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Teacher, model, prompt version and sampling, as JSON takes them."""
        ...

    def describe(self, frames: Sequence[Mapping[str, float]], attempt: int) -> list[Described]:
        """One description a frame, in order. `attempt` counts from 1 and changes the seed."""
        ...


class RuleTeacher:
    """The control that needs no model: `semanticface.analysis.describe`. The same coefficients give the same words."""

    batch = 256
    tries = False

    def identity(self) -> Mapping[str, Any]:
        return {"teacher": "rules", "model": RULES_VERSION, "prompt": "", "sampling": {}}

    def describe(self, frames: Sequence[Mapping[str, float]], attempt: int) -> list[Described]:
        analyses = [describe(frame) for frame in frames]
        return [Described(markdown(analysis), analysis) for analysis in analyses]


class ModelTeacher:
    """A frozen language model. Attempt 1 samples with the given seed, each further one with another.

    Where the sampling takes the likeliest words each time, further attempts sample at temperature 0.7.
    """

    tries = True

    def __init__(self, kind: str, model: LanguageModel, sampling: Sampling, listing: Listing, batch: int = 16) -> None:
        self.batch = batch
        self._kind, self._model, self._sampling, self._listing = kind, model, sampling, listing

    def identity(self) -> Mapping[str, Any]:
        return {
            "teacher": self._kind,
            "model": self._model.name,
            "prompt": version(self._listing),
            "sampling": self._sampling.identity(),
        }

    def describe(self, frames: Sequence[Mapping[str, float]], attempt: int) -> list[Described]:
        chats = [question(frame, self._listing) for frame in frames]
        sampling = self._sampling
        if attempt > 1:
            seed = (sampling.seed + _SEED_STEP * (attempt - 1)) % 2**31
            sampling = replace(sampling, seed=seed, temperature=sampling.temperature or 0.7)
        return [_described(written) for written in self._model.generate(chats, sampling)]


def _described(written: Written) -> Described:
    said = without_thoughts(written.text)
    return Described(written.text, read_description(said) if said else None, written.complete, written.problem)


def rounded(coefficients: Mapping[str, float]) -> dict[str, float]:
    """The coefficients as teachers get them and keys hold them: all 61 in CSV order, without negative zeros."""
    return {name: round(float(coefficients[name]), DECIMALS) + 0.0 for name in CSV_ORDER}


def key_of(identity: Mapping[str, Any], values: Mapping[str, float]) -> str:
    """SHA-256 over all that a description depends on; `values` as `rounded` gives them."""
    content = [identity, [values[name] for name in CSV_ORDER]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def markdown(analysis: Analysis) -> str:
    """The four parts as the question asks for them."""
    movements = "\n".join(f"   - {region.capitalize()}: {text}" for region, text in analysis.muscle_movements.items())
    return (
        f"1. **Expression category**: {analysis.expression_category}\n"
        f"2. **Muscle movements**:\n{movements}\n"
        f"3. **Emotional implication**: {analysis.emotional_implication}\n"
        f"4. **Symmetry**: {analysis.symmetry}"
    )
