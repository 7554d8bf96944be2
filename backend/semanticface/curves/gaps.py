"""Frames without a result: left open, held, or bridged, by the recipe's policy, and always marked.

A gap is a stretch of rows that are ABSENT. It is filled whole or not at all. Nothing here knows why a result is absent.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.recipe import GapPolicy
from semanticface.curves.samples import Mark, Samples

FILLED_WEIGHT = 0.1
"""How much a filled value is to be believed, next to the values on which it rests: smoothing rounds it off."""


def fill_gaps(samples: Samples, policy: GapPolicy, longest: float) -> Samples:
    """The samples with gaps of up to `longest` seconds filled; time counts from the last value before to the next one.

    HOLD repeats the value before, and so leaves a gap at the start; INTERPOLATE goes in a straight line over time and
    leaves gaps at both ends. Filled rows are marked HELD or INTERPOLATED.
    """
    if policy is GapPolicy.LEAVE or bool(samples.present.all()) or not bool(samples.present.any()):
        return samples
    values, weights, marks = samples.values.copy(), samples.weights.copy(), samples.marks.copy()
    for start, end in stretches(~samples.present):
        before, after = start - 1, end  # the rows on both sides; -1 and F at the ends
        if before < 0 or (policy is GapPolicy.INTERPOLATE and after == len(values)):
            continue
        if samples.times[min(after, len(values) - 1)] - samples.times[before] > longest:
            continue
        weights[start:end] = weights[before] * FILLED_WEIGHT
        if policy is GapPolicy.HOLD:
            values[start:end], marks[start:end] = values[before], Mark.HELD
            continue
        inner = samples.times[start:end, None] - samples.times[before]
        share = inner / (samples.times[after] - samples.times[before])
        values[start:end] = values[before] + share * (values[after] - values[before])
        weights[start:end] = np.minimum(weights[before], weights[after]) * FILLED_WEIGHT
        marks[start:end] = Mark.INTERPOLATED
    return replace(samples, values=values, weights=weights, marks=marks)


def stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, end) of each stretch of rows where `flags` (F,) holds, ascending, end exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
