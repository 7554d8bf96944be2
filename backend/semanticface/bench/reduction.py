"""Key reduction: how many keys are left, how far off the curves are, how long it takes. Knows nothing of hosts."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.curves.keys import evaluate
from semanticface.curves.recipe import KeyKind, Reduction
from semanticface.curves.reduction import reduce
from semanticface.errors import OptionsError
from semanticface.exchange.livelink_csv import read_livelink_csv

TOLERANCES = (0.005, 0.01, 0.02)
MOST_KEYS = 0.15
"""Share of the keys that may be left at a tolerance of 0.01 with Bezier keys."""
MOST_MS = 80.0
FRAMES = 600
ROUNDS = 9

Floats = NDArray[np.float64]


def run(recording: Path) -> dict[str, Any]:
    """Figures by kind of keys and tolerance on a Live Link Face recording, and the time for 600 of its frames.

    `met` says whether the targets are: at most 15 % of the keys for an error of 0.01 with Bezier keys, no error above
    its tolerance, 600 frames of 61 curves within 80 ms. Raises ExchangeError for a file that isn't a recording,
    OptionsError for one without faces.
    """
    rows = read_livelink_csv(recording).rows
    faces = [row.coefficients for row in rows if row.coefficients is not None]
    if len(faces) < 2:
        raise OptionsError(f"{recording.name} has {len(faces)} frames with a face", "give a longer recording")
    values = np.array([[face[name] for name in CSV_ORDER] for face in faces])
    frames = np.arange(len(values), dtype=np.float64)
    kinds = {
        kind: {tolerance: _figures(frames, values, kind, tolerance) for tolerance in TOLERANCES} for kind in KeyKind
    }
    taken = _median_ms(values)
    held = all(one["largest error"] <= tolerance for of in kinds.values() for tolerance, one in of.items())
    return {
        "frames": len(values),
        "curves": values.shape[1],
        **{f"{kind.value} at {tolerance:g}": one for kind, of in kinds.items() for tolerance, one in of.items()},
        f"ms for {min(FRAMES, len(values))} frames": taken,
        "target": f"bezier at 0.01: keys at most {MOST_KEYS:g}; errors within tolerances; at most {MOST_MS:g} ms",
        "met": held and kinds[KeyKind.BEZIER][0.01]["keys"] <= MOST_KEYS and taken <= MOST_MS,
    }


def _figures(frames: Floats, values: Floats, kind: KeyKind, tolerance: float) -> dict[str, float]:
    """`keys`: share of all values that are keys; `corners`: share of the keys with two slopes."""
    curves = reduce(frames, values, Reduction(tolerance, kind))
    keys = sum(map(len, curves))
    errors = [np.abs(evaluate(curve, frames) - values[:, column]).max() for column, curve in enumerate(curves)]
    figures = {"keys": keys / values.size, "largest error": float(max(errors))}
    if kind is KeyKind.LINEAR:
        return figures
    corners = sum(int((np.abs(curve.left - curve.right) > 1e-9).sum()) for curve in curves)
    return figures | {"corners": corners / keys}


def _median_ms(values: Floats) -> float:
    start = max(0, len(values) // 2 - FRAMES // 2)
    part = values[start : start + FRAMES]
    frames = np.arange(len(part), dtype=np.float64)
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        reduce(frames, part, Reduction())
        taken.append(time.perf_counter() - begin)
    return 1000 * statistics.median(taken)
