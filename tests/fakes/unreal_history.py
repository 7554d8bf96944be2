"""Undo as the editor does it: what is changed inside a transaction is remembered once, as it was before.

Objects take part by `_state()` and `_restore(state)`. Knows no class of the fake.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Transaction:
    """`before` maps an object's id to the object and its state before the first change."""

    title: str
    before: dict[int, tuple[Any, Any]] = field(default_factory=dict)


class History:
    """Transactions nest; the outermost is the step that one undo takes back."""

    def __init__(self) -> None:
        self.steps: list[Transaction] = []
        self._open: list[Transaction] = []

    @property
    def depth(self) -> int:
        """How many transactions are open."""
        return len(self._open)

    def begin(self, title: str) -> None:
        self._open.append(Transaction(title))

    def end(self) -> None:
        """What the outermost one remembers becomes a step, unless it remembers nothing."""
        ended = self._open.pop()
        if self._open:
            for key, value in ended.before.items():
                self._open[-1].before.setdefault(key, value)
        elif ended.before:
            self.steps.append(ended)

    def cancel(self) -> None:
        """Forget what would be undone. What was changed stays changed."""
        for transaction in self._open:
            transaction.before.clear()

    def touch(self, thing: Any) -> None:
        """To be called before a change. Does nothing outside of a transaction, as then nothing can be undone."""
        if self._open and all(id(thing) not in transaction.before for transaction in self._open):
            self._open[-1].before[id(thing)] = (thing, thing._state())

    def undo(self) -> str:
        """Take the last step back. Gives its title; raises RuntimeError where there is none."""
        if self._open:
            raise RuntimeError(f"a transaction is open: {self._open[-1].title}")
        if not self.steps:
            raise RuntimeError("nothing to undo")
        step = self.steps.pop()
        for thing, state in step.before.values():
            thing._restore(state)
        return step.title
