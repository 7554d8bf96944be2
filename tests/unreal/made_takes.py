"""Takes in memory, of faces at rest but for their jaws, with the faults that a test wants."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from semanticface.actions import CSV_ORDER
from semanticface.results import FrameResult, Status
from semanticface.take import Take, TakeHeader

NO_FACE = None


def result(frame: int, jaw: float | None, time: float | None = None, **others: float) -> FrameResult:
    """A frame at rest but for its jaw (None: no face)."""
    if jaw is None:
        return FrameResult(frame, time, Status.NO_FACE)
    return FrameResult(frame, time, Status.OK, dict.fromkeys(CSV_ORDER, 0.0) | {"JawOpen": jaw} | others)


def take_of(
    *results: FrameResult,
    rate: Fraction | None = Fraction(30),
    runs: tuple[tuple[int, int, int], ...] | None = None,
    source: Mapping[str, Any] | None = None,
) -> Take:
    return Take(Path("shot.take"), TakeHeader(source or {}, rate, {}, {}, "key", runs), results)


def jaws(*values: float | None) -> Take:
    return take_of(*(result(frame, value) for frame, value in enumerate(values)))


def vfr(*results: FrameResult, rate: Fraction = Fraction(597, 20)) -> Take:
    return take_of(*results, rate=rate, source={"variable_rate": True})
