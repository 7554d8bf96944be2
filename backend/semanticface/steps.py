"""Long work in short steps, for hosts whose main thread must not wait: a generator that yields now and then.

Why not a thread: hosts such as Blender touch Python's objects while another thread of Python runs, and crash (seen in
Blender 3.4 as memory damage in the other thread). A generator runs where the host calls it and nowhere else. Nothing
here knows what the work is.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Generic, TypeVar

T = TypeVar("T")

Work = Generator[None, None, T]
"""Yields after each step of a millisecond or so; its return value is the result."""


def finished(work: Work[T]) -> T:
    """Do all of the work at once and return its result, or raise what it raises."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


class Steps(Generic[T]):
    """A work that is gone on with from tick to tick."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._ended = False
        self._values: list[T] = []

    @property
    def done(self) -> bool:
        return self._ended

    def go_on(self, deadline: float) -> bool:
        """At least one step, then more until `deadline` (`time.perf_counter`); whether it is done.

        Raises what the work raises, which is its end.
        """
        while not self._ended:
            try:
                next(self._work)
            except StopIteration as end:
                self._ended = True
                self._values.append(end.value)
            except BaseException:
                self._ended = True
                raise
            if time.perf_counter() >= deadline:
                break
        return self._ended

    def close(self) -> None:
        """Give it up where it stands; what the work opened, it closes."""
        self._ended = True
        self._work.close()

    def result(self) -> T:
        """What the work returned, once it is `done`."""
        return self._values[0]
