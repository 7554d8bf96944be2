"""What is asked of a language model, and what it answers; the two that answer are `local` and `server`.

A model is frozen here: it writes and it scores, nothing trains it. This module knows nothing of faces, and imports
nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from semanticface.errors import OptionsError

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chat:
    """One question: what the model is told to be, "" for nothing, and what it is asked."""

    system: str
    user: str

    def messages(self) -> list[dict[str, str]]:
        """As the chat protocol and chat templates take it."""
        told = [{"role": "system", "content": self.system}] if self.system else []
        return [*told, {"role": "user", "content": self.user}]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How words are chosen. Temperature 0 takes the likeliest each time, and the seed means nothing then.

    The defaults are those that Qwen3's model card gives for answers without thinking.
    """

    temperature: float = 0.7
    top_p: float = 0.8
    top_k: int = 20
    max_tokens: int = 640
    seed: int = 42

    def __post_init__(self) -> None:
        """Raises OptionsError for what no model takes."""
        if not (self.temperature >= 0 and 0 < self.top_p <= 1 and self.top_k >= 0 and self.max_tokens > 0):
            raise OptionsError(
                f"temperature {self.temperature:g}, top-p {self.top_p:g}, top-k {self.top_k}, {self.max_tokens} tokens",
                "temperature and top-k are at least 0, top-p lies between 0 and 1, and a text has tokens",
            )

    def identity(self) -> dict[str, Any]:
        """What a text depends on besides chance."""
        if self.temperature == 0:
            return {"temperature": 0, "max_tokens": self.max_tokens}
        fields = ("temperature", "top_p", "top_k", "max_tokens", "seed")
        return {name: getattr(self, name) for name in fields}


@dataclass(frozen=True, slots=True)
class Written:
    """A text as the model wrote it; `complete` is False when its tokens ran out or no text came, `problem` says why."""

    text: str
    complete: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How likely a label is as the whole answer: natural logarithm, summed over its `tokens`."""

    log_probability: float
    tokens: int

    @property
    def per_token(self) -> float:
        """Normalised by length, so that a word of many tokens isn't punished for them."""
        return self.log_probability / self.tokens


class LanguageModel(Protocol):
    """`name` says which weights answer. Close it when done."""

    @property
    def name(self) -> str: ...

    def generate(self, chats: Sequence[Chat], sampling: Sampling) -> list[Written]:
        """One text a chat, in their order. Raises EngineError when the model can't go on."""
        ...

    def score(self, chats: Sequence[Chat], labels: Sequence[str], begun: str = "") -> list[tuple[LabelScore, ...]]:
        """For each chat, in order, each label's score as what comes after `begun` in the answer."""
        ...

    def close(self) -> None: ...


def without_thoughts(text: str) -> str:
    """The text less what a model thought aloud in front of it."""
    return _THOUGHT.sub("", text).strip()
