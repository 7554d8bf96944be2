"""Calm curves out of an engine's values: without steps and jitter, with blinks, plosives and onsets.

Values are smoothed over time, forwards and backwards alike, so that nothing is late. Only frames that follow each other
are smoothed together: a frame that stands alone keeps its value.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.gaps import stretches
from semanticface.curves.samples import Samples

SHORTEST_RUN = 5
LONGEST_STEP = 0.105
"""Seconds between frames of a run at most: what blinks are is lost beyond it."""
FRAME_TIMES = 3.5
"""Frame times between frames of a run at most."""


def smooth(samples: Samples, amount: float, step: float | None, weighted: bool) -> Samples:
    """The samples smoothed by `amount` in [0, 1]; see `Recipe` for `step` and `weighted`."""
    if amount == 0:
        return samples
    values = samples.values.copy()
    for start, end in runs(samples):
        values[start:end] = _whittaker(values[start:end], amount)
    return replace(samples, values=values)


def runs(samples: Samples) -> list[tuple[int, int]]:
    """(start, end) of stretches of rows that follow each other closely enough to be smoothed together."""
    if len(samples.frames) < SHORTEST_RUN:
        return []
    apart = np.diff(samples.times)
    frame_time = float(np.median(apart / np.maximum(np.diff(samples.frames), 1)))
    near = (apart > 0) & (apart <= min(FRAME_TIMES * frame_time, LONGEST_STEP))
    found = []
    for start, end in stretches(samples.present):
        cuts = [start, *(start + 1 + np.flatnonzero(~near[start : end - 1])).tolist(), end]
        found += [(a, b) for a, b in pairwise(cuts) if b - a >= SHORTEST_RUN]
    return found


def _whittaker(values: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    second = np.diff(np.eye(len(values)), 2, axis=0)
    out: NDArray[np.float64] = np.linalg.solve(np.eye(len(values)) + 4.0 * amount * second.T @ second, values)
    return out
