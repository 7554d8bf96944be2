# SPDX-License-Identifier: GPL-3.0-or-later
"""The mouth's surroundings: rings from the edge of its block in the skin grid over the lips into the mouth.

In neutral the lips touch along `proportions.mouth_line`. Knows nothing of actions.
"""

from __future__ import annotations

import numpy as np

from .eyelids import half_runs
from .proportions import LIP_LOWER_HEIGHT, LIP_UPPER_HEIGHT, MOUTH_HALF_WIDTH, Array, mouth_line
from .surface import front

SKIN_RINGS = np.array([0.22, 0.44, 0.64, 0.82])
LIP_RINGS = np.array([0.0, 0.18, 0.40, 0.62, 0.82, 1.0])
INSIDE = (
    (0.16, 0.05, 1.0),
    (0.34, 0.16, 1.0),
    (0.52, 0.55, 1.01),
    (0.62, 1.25, 1.02),
    (1.6, 1.75, 1.0),
    (3.6, 1.7, 0.85),
)
"""Rings inside: (cm behind the line where the lips touch, cm above and below it, factor on x)."""
LAST_LIP_RING = 2.2
RING_POSITIONS = np.concatenate([[0.0], SKIN_RINGS, 1.0 + LIP_RINGS, [2.1, 2.2, 2.4, 2.6, 2.8, 2.9]])
"""Of each ring: 0 at the block's edge, 1 on the vermilion border, 2 where the lips touch, 3 at the mouth's back."""
BACK_OF_MOUTH = np.array([0.0, -3.6, -6.3])
GAP = 0.003


def upper_or_lower(total: int, run: int) -> Array:
    """+1 for a ring's vertices on the upper lip, -1 on the lower, 0 at the corners."""
    return half_runs(total, run)[1]


def taus(total: int, run: int) -> Array:
    """Position of a ring's vertices from the right corner of the mouth (-1) to the left (1)."""
    return half_runs(total, run)[0]


def _across(tau: Array) -> Array:
    return np.asarray(MOUTH_HALF_WIDTH * (0.65 * tau + 0.35 * np.sin(0.5 * np.pi * tau)))


def vermilion_border(x: Array, side: Array) -> Array:
    """Height z of the edge between lip and skin; the upper one has Cupid's bow."""
    inside = np.clip(1.0 - (x / MOUTH_HALF_WIDTH) ** 2, 0.0, 1.0)
    bow = 1.0 + 0.13 * np.exp(-(((np.abs(x) - 0.52) / 0.34) ** 2)) - 0.20 * np.exp(-((x / 0.27) ** 2))
    upper = LIP_UPPER_HEIGHT * inside**0.62 * bow
    lower = -LIP_LOWER_HEIGHT * inside**0.58
    return np.asarray(mouth_line(x) + np.where(side > 0, upper, np.where(side < 0, lower, 0.0)))


def lip_depth(x: Array) -> Array:
    """Depth y of the line where the lips touch, for x across the mouth."""
    return np.asarray(front(x, mouth_line(x))[..., 1] + 0.10 + 0.18 * (x / MOUTH_HALF_WIDTH) ** 4)


def _lip_rings(x: Array, side: Array) -> Array:
    """Rings (6, n, 3) from the vermilion border to the line of contact."""
    line, border = mouth_line(x) + GAP * side, vermilion_border(x, side)
    inside = np.clip(1.0 - (x / MOUTH_HALF_WIDTH) ** 2, 0.0, 1.0)
    fullness = np.where(side > 0, 0.34, 0.42) * inside**0.55
    s = LIP_RINGS[:, None]
    z = border + (line - border) * s  # (6, n), as everything below
    across = np.broadcast_to(x, z.shape)
    rise = fullness * np.clip(np.sin(np.pi * s**0.85), 0.0, 1.0) ** 0.8
    settle = s**3
    y = (front(across, z)[..., 1] - rise) * (1.0 - settle) + settle * (lip_depth(x) - 0.3 * rise)
    philtrum = 0.05 * (1.0 - s) * np.exp(-((x / 0.3) ** 2)) * (side > 0)
    return np.stack([across, y + philtrum, z], axis=-1)


def rings(border: Array, run: int) -> Array:
    """Rings (K, n, 3) from just inside the border (n, 3) of the block to the back of the mouth."""
    tau, side = half_runs(len(border), run)
    x = _across(tau)
    edge = np.stack([x, vermilion_border(x, side)], axis=1)
    corner = (side == 0)[:, None]
    edge = edge + np.where(corner, np.stack([0.10 * np.sign(x), np.zeros_like(x)], axis=1), 0.0)
    s = SKIN_RINGS[:, None]
    spot = border[:, [0, 2]] * (1.0 - s[..., None]) + edge * s[..., None]  # (4, n, 2)
    outside = front(spot[..., 0], spot[..., 1])
    philtrum = np.exp(-((spot[..., 0] / 0.32) ** 2)) * (side > 0) * np.sin(np.pi * np.minimum(1.0, s * 0.8 + 0.2))
    outside[..., 1] += 0.13 * philtrum
    lip = _lip_rings(x, side)
    lip[0, :, 0] = edge[:, 0]
    line, depth = mouth_line(x), lip_depth(x)
    around = np.clip(1.0 - (x / MOUTH_HALF_WIDTH) ** 2, 0.0, 1.0) ** 0.35
    inside = [np.stack([x * wide, depth + back, line + side * high * around], axis=1) for back, high, wide in INSIDE]
    return np.concatenate([outside, lip, np.array(inside)])
