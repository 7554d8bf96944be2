# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin as an implicit function: smoothly joined ellipsoids and capsules, negative inside, and rays that find it.

Distances are approximate (first order for ellipsoids), which ray marching forgives. The smooth minimum is the
polynomial one. This module knows nothing of grids, shape keys or Blender.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .proportions import EYE_CENTER, LID_RADIUS, Array

Field = Callable[[Array], Array]


def ellipsoid(points: Array, center: tuple[float, float, float], radii: tuple[float, float, float]) -> Array:
    """Approximate signed distance to an axis-aligned ellipsoid."""
    square, weighted = np.zeros(points.shape[:-1]), np.zeros(points.shape[:-1])
    for axis in range(3):
        part = ((points[..., axis] - center[axis]) / radii[axis]) ** 2
        square = square + part
        weighted = weighted + part / (radii[axis] * radii[axis])
    k0 = np.sqrt(square)
    return np.asarray(k0 * (k0 - 1.0) / (np.sqrt(weighted) + 1e-9))


def capsule(
    points: Array, start: tuple[float, float, float], end: tuple[float, float, float], radii: tuple[float, float]
) -> Array:
    """Approximate signed distance to a capsule whose radius runs from `radii[0]` at `start` to `radii[1]` at `end`."""
    axis = [e - s for s, e in zip(start, end, strict=True)]
    local = [points[..., i] - start[i] for i in range(3)]
    along = sum(c * a for c, a in zip(local, axis, strict=True)) / sum(a * a for a in axis)
    t = np.clip(along, 0.0, 1.0)
    square = sum((c - t * a) ** 2 for c, a in zip(local, axis, strict=True))
    return np.asarray(np.sqrt(square) - (radii[0] + (radii[1] - radii[0]) * t))


def join(a: Array, b: Array, smoothness: float) -> Array:
    """Smooth union: the smaller distance, rounded where the two are closer than `smoothness`."""
    h = np.clip(smoothness - np.abs(a - b), 0.0, None) / smoothness
    return np.asarray(np.minimum(a, b) - h * h * smoothness * 0.25)


def carve(a: Array, b: Array, smoothness: float) -> Array:
    """Smooth difference: `a` without `b`."""
    return -join(-a, b, smoothness)


def _skull(p: Array) -> Array:
    head = ellipsoid(p, (0.0, 0.9, 3.3), (7.15, 9.1, 7.9))
    face = ellipsoid(p, (0.0, -2.1, -2.4), (6.15, 6.6, 7.9))
    jaw = ellipsoid(p, (0.0, -2.8, -6.2), (5.45, 5.3, 3.9))
    return join(join(head, face, 1.8), jaw, 1.6)


def _cheeks(p: Array) -> Array:
    bone = ellipsoid(p, (4.3, -4.7, -2.0), (1.75, 2.3, 1.5))
    flesh = ellipsoid(p, (3.2, -5.5, -4.3), (2.4, 2.7, 2.6))
    under_eye = ellipsoid(p, (3.2, -6.0, -2.1), (2.0, 1.9, 1.2))
    return join(join(bone, flesh, 1.0), under_eye, 1.0)


def _mouth_and_chin(p: Array) -> Array:
    muzzle = ellipsoid(p, (0.0, -5.7, -6.0), (3.1, 3.55, 2.7))
    chin = ellipsoid(p, (0.0, -7.1, -9.0), (2.3, 1.85, 1.4))
    jawline = capsule(p, (1.4, -7.2, -8.9), (4.5, -1.8, -6.2), (1.35, 1.15))
    return join(join(muzzle, chin, 1.2), jawline, 1.4)


def _brow(p: Array) -> Array:
    ridge = capsule(p, (0.9, -7.2, 1.85), (4.2, -6.4, 2.15), (0.95, 0.8))
    rim = capsule(p, (4.2, -6.4, 2.15), (5.35, -4.6, -0.2), (0.8, 0.7))
    return join(join(ridge, rim, 1.0), ellipsoid(p, (0.0, -7.2, 2.2), (1.4, 1.2, 1.6)), 0.8)


def _nose(p: Array) -> Array:
    bridge = capsule(p, (0.0, -7.75, 1.6), (0.0, -9.7, -2.8), (0.66, 0.84))
    tip = ellipsoid(p, (0.0, -9.8, -3.1), (0.98, 1.15, 0.95))
    wing = ellipsoid(p, (1.02, -8.85, -3.5), (0.64, 0.95, 0.66))
    return join(join(bridge, tip, 0.6), wing, 0.45)


def _neck(p: Array) -> Array:
    stem = capsule(p, (0.0, 1.9, -4.0), (0.0, 2.6, -24.0), (4.1, 4.5))
    nape = ellipsoid(p, (0.0, 3.5, -4.5), (4.6, 4.4, 5.5))
    return join(stem, nape, 1.5)


def skin(points: Array) -> Array:
    """Signed distance (about) of points (..., 3) to the neutral skin without ears; the lids lie on their sphere."""
    p = np.array(points, order="F")
    p[..., 0] = np.abs(p[..., 0])
    face = join(_skull(p), _cheeks(p), 1.5)
    face = join(face, _mouth_and_chin(p), 1.3)
    face = join(face, _brow(p), 1.6)
    socket = ellipsoid(p, (3.25, -9.5, 0.25), (2.1, 1.9, 1.4))
    face = carve(face, socket, 0.9)
    face = join(face, ellipsoid(p, (1.15, -6.7, -0.1), (0.85, 1.2, 1.7)), 0.8)
    face = join(face, _nose(p), 0.75)
    face = join(face, _neck(p), 2.6)
    lid = np.sqrt(sum((p[..., i] - EYE_CENTER[i]) ** 2 for i in range(3))) - LID_RADIUS
    return join(face, lid, 0.65)


def cast(origins: Array, directions: Array, start: float = 0.0, field: Field = skin) -> Array:
    """Points (..., 3) where rays from inside leave the surface.

    `directions` are unit vectors; the march begins `start` cm along them and steps by nine tenths of the distance.
    """
    t = np.full(directions.shape[:-1], start)
    for _ in range(50):
        step = 0.9 * field(origins + t[..., None] * directions)
        t = t - step
        if np.abs(step).max() < 1e-5:
            break
    return np.asarray(origins + t[..., None] * directions)


def front(x: Array, z: Array) -> Array:
    """Points of the skin at x, z seen straight from the front, shape (..., 3)."""
    origins = np.stack([x, np.full_like(x, MOUTH_DEPTH), z], axis=-1)
    directions = np.broadcast_to(np.array([0.0, -1.0, 0.0]), origins.shape)
    return cast(origins, directions)


MOUTH_DEPTH = -5.0
