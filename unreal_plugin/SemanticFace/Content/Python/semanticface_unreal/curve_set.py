"""Named curves at whole frames: what a take becomes before it is written into an asset. Plain data and numpy.

Knows nothing of Unreal and nothing of how the values came about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError


class Unsolved(StrEnum):
    """What stands in frames without a result."""

    OMIT = "omit"
    """No key there: the curve runs straight from the frame before to the frame after."""
    HOLD = "hold"
    """The values of the last frame before; where there is none, those of the first after."""
    NEUTRAL = "neutral"
    """The face at rest."""


@dataclass(frozen=True, slots=True)
class Curve:
    """`frames` (K,) int64, ascending, each once, from 0; `values` (K,) float64, finite. Straight lines between keys."""

    name: str
    frames: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurveSet:
    """`rate`: frames a second, exact. `length`: the last frame; keys lie on 0 to `length`. Frame 0 is the footage's
    source frame `first`. `unsolved` are the source frames without a result, and `policy` is what became of them.
    `remarks` are sentences for the user."""

    rate: Fraction
    length: int
    first: int
    curves: tuple[Curve, ...]
    policy: Unsolved
    unsolved: tuple[int, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Raises InputError for keys that Unreal would not survive: off the frames, twice, or not finite."""
        names = [curve.name.lower() for curve in self.curves]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"two curves are called {twice}", "names of curves don't differ by letter case alone")
        for curve in self.curves:
            frames = curve.frames
            if len(frames) != len(curve.values) or not np.isfinite(curve.values).all():
                raise InputError(f"curve {curve.name} has keys without a finite value")
            if len(frames) and (frames[0] < 0 or frames[-1] > self.length or (np.diff(frames) <= 0).any()):
                raise InputError(f"curve {curve.name} has keys twice, out of order, or outside of 0 to {self.length}")

    @property
    def keys(self) -> int:
        """How many keys there are."""
        return sum(len(curve.frames) for curve in self.curves)
