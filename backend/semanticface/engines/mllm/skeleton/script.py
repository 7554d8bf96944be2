"""One row's way through its answer: free text until a trigger, then the template's places, then the end.

A row holds tokens that were chosen, tokens that follow from them, and behind these what is only proposed; proposals
that turn out wrong are cut off, and the row is where it was. What the row is doing follows from its tokens alone. This
module knows templates and tokens and nothing of models.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.mllm.skeleton.choices import Choice
from semanticface.engines.mllm.skeleton.template import FREE, INTEGER, SIGN, Place, Template


class Ending(StrEnum):
    """How a row's answer came to its end."""

    JSON = "json"
    """All values are there."""
    STOPPED = "stopped"
    """The model ended its answer without the object."""
    LIMIT = "limit"
    """The text grew too long without the object."""
    LEFT = "left"
    """The model doesn't write this format: its own choice was mostly none of those that a value allows."""
    CANCELLED = "cancelled"
    """The caller asked for no more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for all rows: templates (longest trigger first), stop ids, most tokens of free text."""

    templates: tuple[Template, ...]
    stop_ids: frozenset[int]
    limit: int

    @classmethod
    def of(cls, templates: Sequence[Template], stop_ids: Collection[int], limit: int) -> Rules:
        by_length = sorted(templates, key=lambda template: -len(template.trigger))
        return cls(tuple(by_length), frozenset(stop_ids), limit)


@dataclass(slots=True)
class Row:
    """One answer in the making.

    `ids`: the answer's tokens so far, proposals included; the model has seen the first `fed`. `template` is None while
    the text is free; then the first `words` tokens are free text and the values' places begin at `ids[start]`.
    `chosen`: each choice made, with its logits.
    """

    rules: Rules
    ids: list[int] = field(default_factory=list)
    fed: int = 0
    template: Template | None = None
    start: int = 0
    words: int = 0
    ending: Ending | None = None
    chosen: list[tuple[Place, int, NDArray[np.float32]]] = field(default_factory=list)
    checked: int = 0
    agreed: int = 0
    forwards: int = 0
    tokens: int = 0

    def open(self, template: Template) -> None:
        """Begin with the object: no free text."""
        self.ids = list(template.opening)
        self.template, self.start = template, len(self.ids)

    def begin(self, template: Template, logits: NDArray[np.float32], favourite: int) -> None:
        """Take what the model writes first. A list has nothing before its first value: its bracket opens the template.

        `logits` are those of `template.begin`, `favourite` is of the whole vocabulary.
        """
        first = template.places[0]
        if template.trigger or favourite not in (first.allowed or (first.token,)):
            self.accept(favourite)
            return
        self.open(template)
        self.accept(self.choose(first, logits, favourite) if first.allowed else first.token)

    @property
    def whole(self) -> bool:
        """Whether all places of the template are filled, proposals included."""
        return self.template is not None and len(self.ids) - self.start == len(self.template.places)

    def place(self) -> Place:
        """What may come next; not to be asked of a row that is `whole`."""
        return FREE if self.template is None else self.template.places[len(self.ids) - self.start]

    def push(self, token: int) -> None:
        """Append one token. In free text it may complete a trigger."""
        self.ids.append(token)
        if self.template is not None:
            return
        for template in self.rules.templates:
            if token in template.trigger[-1:] and tuple(self.ids[-len(template.trigger) :]) == template.trigger:
                self.template, self.start = template, len(self.ids)
                self.words = self.start - len(template.trigger)
                return

    def push_forced(self) -> None:
        """Append what can't be otherwise."""
        while self.template is not None and not self.whole and self.place().forced:
            self.ids.append(self.place().token)

    def cut(self, length: int) -> None:
        """Back to the first `length` tokens."""
        del self.ids[length:]
        if self.template is not None and length < self.start:
            self.template = None

    def choose(self, place: Place, logits: NDArray[np.float32], favourite: int) -> int:
        """The token for a place, and a note of it. `logits` of the allowed tokens; `favourite` of the whole vocabulary.

        Of equal logits the lowest id wins, as with an argmax over the vocabulary. `favourite` matters where any token
        is allowed or the place is checked.
        """
        if place.free:
            return favourite
        token = min(token for token, logit in zip(place.allowed, logits, strict=True) if logit == logits.max())
        self.chosen.append((place, token, logits))
        if place.checked:
            self.checked += 1
            self.agreed += favourite in place.allowed
        return token

    def accept(self, token: int) -> None:
        """Append a chosen token; the answer may end by it."""
        if self.template is None and token in self.rules.stop_ids:
            self.ending = Ending.STOPPED
            return
        self.push(token)
        if self.template is None and len(self.ids) >= self.rules.limit:
            self.ending = Ending.LIMIT

    def judge(self, place: Place) -> None:
        """After a value's last digit: does the model write this format at all?"""
        if place.judged and self.agreed * 2 < self.checked:
            self.ending = Ending.LEFT
            self.cut(self.start)
        elif place.last and self.template is not None and place.value == len(self.template.actions) - 1:
            self.push_forced()
            self.ending = Ending.JSON

    @property
    def agreement(self) -> float:
        return self.agreed / self.checked if self.checked else 1.0

    def free_ids(self) -> list[int]:
        """What stands before the object, or before the part of it that holds the values."""
        return self.ids if self.template is None else self.ids[: self.words]

    def choices(self) -> dict[str, Choice]:
        """Each action's value, once the answer is whole."""
        assert self.template is not None
        parts: dict[int, dict[int, tuple[int, NDArray[np.float32]]]] = {}
        for place, token, logits in self.chosen:
            parts.setdefault(place.value, {})[place.part] = (place.allowed.index(token), logits)
        return {self.template.actions[value]: _choice(found) for value, found in parts.items()}


def _choice(parts: dict[int, tuple[int, NDArray[np.float32]]]) -> Choice:
    sign = parts.pop(SIGN, None)
    integer = parts.pop(INTEGER)
    digits = [parts[part] for part in sorted(parts)]
    minus = "-" if sign is not None and sign[0] else ""
    return Choice(
        text=f"{minus}{integer[0]}." + "".join(str(digit) for digit, _ in digits),
        sign=None if sign is None else sign[1],
        integer=integer[1],
        digits=tuple(logits for _, logits in digits),
    )
