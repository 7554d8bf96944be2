"""How far a take is from a recording whose coefficients are known, per region of the face.

Pure arithmetic over results and truth, matched by source frame number. Knows nothing of files or hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, Kind, Region

MOVING = 0.05
"""An action takes part in the correlation where the truth's range reaches this (1 for shapes, rad for angles)."""


@dataclass(frozen=True, slots=True)
class RegionError:
    """One region's figures. Errors are in coefficient units for shapes and in degrees for rotations.

    `mean` and `p90` are over absolute errors of all actions and frames; `correlation` is the mean Pearson
    correlation of the actions that move, None where none does; `actions` and `moving` count them.
    """

    region: str
    unit: str
    actions: int
    moving: int
    mean: float
    p90: float
    correlation: float | None


def compare(found: Mapping[int, Mapping[str, float]], truth: Mapping[int, Mapping[str, float]]) -> list[RegionError]:
    """Errors per region over the frames that both have. Shapes and rotations are never pooled."""
    frames = sorted(set(found) & set(truth))
    rows = []
    for region in Region:
        for kinds, unit, scale in (({Kind.SHAPE}, "0..1", 1.0), ({Kind.HEAD, Kind.EYE}, "deg", 180 / np.pi)):
            names = [action.name for action in ACTIONS if action.region is region and action.kind in kinds]
            if names and frames:
                ours = np.array([[found[frame][name] for name in names] for frame in frames])  # (F, A)
                exact = np.array([[truth[frame][name] for name in names] for frame in frames])  # (F, A)
                rows.append(_region(region.value, unit, scale, ours, exact))
    return rows


def _region(name: str, unit: str, scale: float, ours: NDArray[np.float64], exact: NDArray[np.float64]) -> RegionError:
    error = np.abs(ours - exact) * scale
    moving = np.flatnonzero((np.ptp(exact, axis=0) >= MOVING) & (np.ptp(ours, axis=0) > 0))
    correlations = [np.corrcoef(ours[:, index], exact[:, index])[0, 1] for index in moving]
    mean = float(np.mean(correlations)) if correlations else None
    return RegionError(
        name, unit, ours.shape[1], len(moving), float(error.mean()), float(np.percentile(error, 90)), mean
    )
