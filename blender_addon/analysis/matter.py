# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of the frames that matter, out of a first pass's results, in steps: minutes of footage take seconds.

It sees plain results and nothing of Blender's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

from semanticface.curves.extremes import choosing
from semanticface.curves.samples import samples_of
from semanticface.errors import InputError
from semanticface.results import FrameResult, Status
from semanticface.steps import Steps, Work

PORTION = 0.004
"""Seconds of a tick that it takes."""


class Chooser:
    """To be gone on with at each tick; `frames` may be asked for once `done` is true."""

    def __init__(self, results: Sequence[FrameResult], rate: Fraction, sensitivity: float, most: int) -> None:
        self._work = Steps(_choosing(tuple(results), rate, sensitivity, most))

    def go_on(self) -> bool:
        """Some more of the work; whether it is done. Raises InputError when there is nothing to choose from."""
        return self._work.go_on(time.perf_counter() + PORTION)

    @property
    def frames(self) -> tuple[int, ...]:
        return self._work.result()


def _choosing(results: Sequence[FrameResult], rate: Fraction, sensitivity: float, most: int) -> Work[tuple[int, ...]]:
    if not any(result.status is Status.OK for result in results):
        hint = "check the footage and, with several faces, Face in the Footage panel"
        raise InputError(f"no face was found in any of {len(results)} frames", hint)
    samples = samples_of(results, rate)
    yield
    found = yield from choosing(samples, max(most, 2) if most else None, sensitivity)
    return tuple(int(frame) for frame in found)
