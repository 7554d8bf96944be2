# SPDX-License-Identifier: GPL-3.0-or-later
"""The left eye's surroundings: rings from the edge of its block in the skin grid to the lid margin, and the eyeball.

The lids lie on a sphere a little larger than the eyeball, so that turning them about the eye's centre closes the eye
without touching it. Everything is built for the left eye; the right one is its mirror image. Knows nothing of actions.
"""

from __future__ import annotations

import numpy as np

from .mesh import Part, fan, flipped, rows
from .proportions import EYE_CENTER, EYE_RADIUS, IRIS_ANGLE, LID_RADIUS, PUPIL_ANGLE, RAY_ORIGIN, Array, lid_angles
from .surface import cast

_OUTER = np.array([1.0, 0.86, 0.71, 0.57, 0.45, 0.34, 0.24, 0.15, 0.07, 0.0])
RING_POSITIONS = np.concatenate([_OUTER, [0.0, 0.0]])
"""Of each ring, border first: 1 at the block's edge, 0 at the margin and on the lid's thickness behind it."""


def half_runs(total: int, run: int) -> tuple[Array, Array]:
    """For a ring of `total` vertices, `run` of them above: tau in [-1, 1], and +1 upper, -1 lower, 0 corner."""
    upper = np.linspace(-1.0, 1.0, run)
    lower = np.linspace(1.0, -1.0, total - run + 2)[1:-1]
    sides = np.concatenate([np.ones(run), -np.ones(len(lower))])
    sides[[0, run - 1]] = 0.0
    return np.concatenate([upper, lower]), sides


def upper_or_lower(total: int) -> Array:
    """+1 for the ring's vertices on the upper lid, -1 for the lower, 0 at the two corners."""
    return half_runs(total, total // 2 + 1)[1]


def on_lid_sphere(x: Array, elevation: Array, radius: float = LID_RADIUS) -> Array:
    """Points (..., 3) on a sphere about the left eye, at x from its centre and turned up by `elevation` radians."""
    flat = np.sqrt(np.maximum(radius * radius - x * x, 0.0))
    return np.asarray(EYE_CENTER + np.stack([x, -flat * np.cos(elevation), flat * np.sin(elevation)], axis=-1))


def margin(total: int, run: int) -> Array:
    """The lid margin as a closed ring (total, 3): inner corner, along the upper lid, outer corner, back below."""
    tau, side = half_runs(total, run)
    tau = 0.55 * tau + 0.45 * np.sin(0.5 * np.pi * tau)
    x, upper, lower = lid_angles(tau)
    return on_lid_sphere(x, np.where(side >= 0, upper, lower))


def _margin_radius(outward: Array) -> Array:
    """How far the margin stands from the eye's centre: on the lids' sphere, or on the skin that covers a corner."""
    skin_points = cast(np.broadcast_to(EYE_CENTER, outward.shape), outward, start=EYE_RADIUS)
    return np.asarray(np.clip(np.linalg.norm(skin_points - EYE_CENTER, axis=1), LID_RADIUS, LID_RADIUS + 0.3))


def rings(border: Array, run: int) -> Array:
    """Rings (K, n, 3) from just inside the border (n, 3) to behind the lid margin."""
    inner = margin(len(border), run)
    s = _OUTER[1:-1, None, None]
    # Rays swing over from the skull's origin to the eye's centre: either alone can't see both nose and inner corner.
    origins = EYE_CENTER + (RAY_ORIGIN - EYE_CENTER) * s**0.8
    away = inner + (border - inner) * s - origins
    lids = cast(np.broadcast_to(origins, away.shape), away / np.linalg.norm(away, axis=-1, keepdims=True))
    outward = (inner - EYE_CENTER) / LID_RADIUS
    inner = EYE_CENTER + outward * _margin_radius(outward)[:, None]
    thickness = EYE_CENTER + outward * np.array([LID_RADIUS - 0.05, EYE_RADIUS - 0.02])[:, None, None]
    return np.concatenate([lids, inner[None], thickness])


def eyeball(columns: int = 32) -> Part:
    """The left eyeball about the origin, looking toward -Y, with sclera, iris and pupil as materials."""
    angles = np.array([3.5, 7.0, PUPIL_ANGLE, 14.0, 18.5, IRIS_ANGLE - 3.0, IRIS_ANGLE])
    angles = np.radians(np.concatenate([angles, np.linspace(IRIS_ANGLE, 172.0, 20)[1:]]))
    around = np.arange(columns) * (2.0 * np.pi / columns)
    a, b = np.meshgrid(angles, around, indexing="ij")
    ball = EYE_RADIUS * np.stack([np.sin(a) * np.cos(b), -np.cos(a), np.sin(a) * np.sin(b)], axis=-1)
    poles = np.array([[0.0, -EYE_RADIUS, 0.0], [0.0, EYE_RADIUS, 0.0]])
    grid = np.arange(a.size).reshape(a.shape)
    quads = rows(grid, closed=True)
    faces = np.concatenate([flipped(fan(grid[0], a.size)), quads, fan(grid[-1], a.size + 1)])
    ring = np.concatenate([np.full(columns, -1), np.repeat(np.arange(len(angles) - 1), columns), np.full(columns, 99)])
    names = np.select([ring < 2, ring < 5, ring < 6], ["pupil", "iris", "limbus"], "sclera")
    return Part("eyeball", np.concatenate([ball.reshape(-1, 3), poles]), faces, tuple(str(name) for name in names))
