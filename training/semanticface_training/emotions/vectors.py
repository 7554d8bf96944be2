"""Seven-way emotion vectors of script lines, by a language model, in two ways.

*Scored*: each label's log-probability as the answer, normalised by its length; the softmax of the seven sums to 1 and
nothing has to be read. *Prompted*: the model writes one JSON object with a number for each label, as the paper has it;
what can't be read becomes the uniform vector and is flagged. This module knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from semanticface.analysis.parse_json import Found, Members, find_objects
from semanticface_training.language.model import Chat, LanguageModel, Sampling, Written, without_thoughts

EMOTIONS = ("happiness", "neutral", "sadness", "anger", "fear", "surprise", "disgust")
BEGUN = "Emotion:"
_NO_CONTENT = "..."
_SYSTEM = "You judge what a speaker feels from the words of a script."
_SCORE = 'Script line: "{line}"\n\nWhich one of these does the speaker feel: {labels}? Answer with one word.'
_WRITE = (
    'Script line: "{line}"\n\nGive one JSON object with a number from 0 to 1 for each of {labels}: how much of each '
    "the speaker feels. The seven sum to 1. Write nothing else."
)


class Mode(StrEnum):
    """How vectors are taken out of a model."""

    SCORE = "score"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class EmotionVector:
    """One line of a script; `weights` follow `EMOTIONS` and sum to 1. `problem` is why they are uniform, else ""."""

    line: str
    weights: tuple[float, ...]
    problem: str = ""

    @property
    def dominant(self) -> str:
        """The heaviest; "" where nothing could be read."""
        return "" if self.problem else EMOTIONS[int(np.argmax(self.weights))]


def emotion_vectors(
    lines: Sequence[str], model: LanguageModel, mode: Mode = Mode.SCORE, calibrated: bool = False
) -> list[EmotionVector]:
    """One vector a line, in order. Raises EngineError when the model can't go on.

    `calibrated` takes from each label's score what the label gets for a line without content: small models like one
    word whatever the line says (measured: a model of 135 M put sadness first for each of 14 lines).
    """
    labels = ", ".join(EMOTIONS)
    told = _SCORE if mode is Mode.SCORE else _WRITE
    chats = [Chat(_SYSTEM, told.format(line=line.replace('"', "'"), labels=labels)) for line in lines]
    if mode is Mode.SCORE:
        empty = [Chat(_SYSTEM, told.format(line=_NO_CONTENT, labels=labels))] if calibrated else []
        rows = model.score([*chats, *empty], EMOTIONS, BEGUN)
        scores = np.array([[score.per_token for score in row] for row in rows], np.float64)
        scores = scores[: len(lines)] - (scores[-1] if calibrated else 0.0)
        return [EmotionVector(line, _softmax(row)) for line, row in zip(lines, scores, strict=True)]
    texts = model.generate(chats, Sampling(temperature=0, max_tokens=160))
    return [_read(line, text) for line, text in zip(lines, texts, strict=True)]


def matrix(vectors: Sequence[EmotionVector]) -> NDArray[np.float64]:
    """(N, 7) float64."""
    return np.array([vector.weights for vector in vectors], np.float64).reshape(len(vectors), len(EMOTIONS))


def _softmax(values: NDArray[np.float64]) -> tuple[float, ...]:
    powers = np.exp(values - values.max())
    return tuple((powers / powers.sum()).tolist())


def _read(line: str, written: Written) -> EmotionVector:
    uniform = (1 / len(EMOTIONS),) * len(EMOTIONS)
    if written.problem:
        return EmotionVector(line, uniform, written.problem)
    found = next((one for one in find_objects(without_thoughts(written.text)) if isinstance(one, Found)), None)
    if found is None:
        return EmotionVector(line, uniform, "no JSON object in the answer")
    weights = _weights(found.members)
    missing = [name for name, weight in zip(EMOTIONS, weights, strict=True) if weight is None]
    if missing:
        return EmotionVector(line, uniform, f"no number from 0 to 1 for {', '.join(missing)}")
    values = np.array(weights, np.float64)
    if values.sum() <= 0:
        return EmotionVector(line, uniform, "all seven are 0")
    return EmotionVector(line, tuple((values / values.sum()).tolist()))


def _weights(members: Members) -> list[float | None]:
    given = {key.strip().lower(): value for key, value in members.pairs}
    out: list[float | None] = []
    for name in EMOTIONS:
        value = given.get(name)
        good = isinstance(value, float) and 0.0 <= value <= 1.0
        out.append(float(value) if good and isinstance(value, float) else None)
    return out
