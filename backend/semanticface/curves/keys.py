"""An animation curve as keys, in the form that hosts share: frames, values, and a slope on either side of each key.

Between two keys the curve is the cubic with the given values and slopes (a Bezier whose handles stand at a third of the
way, which is how Blender's F-curves and Unreal's rich curves without weighted tangents draw it), or a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.recipe import KeyKind


@dataclass(frozen=True, slots=True)
class KeyCurve:
    """`frames` (K,) float64, ascending; `values` (K,) float64; `left`, `right` (K,) float64: slopes per frame.

    With LINEAR the slopes are not used. One key is a constant; a curve without keys has no value.
    """

    kind: KeyKind
    frames: NDArray[np.float64]
    values: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)


def evaluate(curve: KeyCurve, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) values at frames `at` (N,); constant before the first key and after the last, NaN without keys."""
    if len(curve) < 2:
        return np.full(len(at), curve.values[0] if len(curve) else np.nan)
    inside = np.clip(at, curve.frames[0], curve.frames[-1])
    segment = np.clip(np.searchsorted(curve.frames, inside, "right") - 1, 0, len(curve) - 2)
    width = curve.frames[segment + 1] - curve.frames[segment]
    t = (inside - curve.frames[segment]) / width
    start: NDArray[np.float64] = curve.values[segment]
    end: NDArray[np.float64] = curve.values[segment + 1]
    if curve.kind is KeyKind.LINEAR:
        straight: NDArray[np.float64] = start + t * (end - start)
        return straight
    leaving, arriving = width * curve.right[segment], width * curve.left[segment + 1]
    s = 1.0 - t
    basis = (s * s * (1 + 2 * t), t * t * (3 - 2 * t), t * s * s, -t * t * s)  # cubic Hermite
    cubic: NDArray[np.float64] = basis[0] * start + basis[1] * end + basis[2] * leaving + basis[3] * arriving
    return cubic
