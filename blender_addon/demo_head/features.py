# SPDX-License-Identifier: GPL-3.0-or-later
"""What sits on the skin: ears, brows, lashes, hair and a collar. Knows nothing of actions or Blender."""

from __future__ import annotations

import numpy as np

from .mesh import Part, fan, flipped, grid_part, merged, mirrored, rows
from .proportions import EAR_CENTER, EYE_CENTER, LID_RADIUS, NECK_END_Z, RAY_ORIGIN, Array, lid_angles, smoothstep
from .skin import directions
from .surface import cast, skin

BROW_POINTS = np.array([[1.15, 2.0], [1.9, 2.13], [3.1, 2.29], [4.2, 2.18], [5.1, 1.62]])
"""The left brow's middle line as x, z."""
BROW_HEIGHTS = (0.26, 0.32, 0.29, 0.22, 0.05)
LASH_TAUS = (-0.80, 0.94)


def _along(points: Array, t: Array) -> Array:
    """Smooth curve (n, 2) through control points (Catmull-Rom), t in [0, 1]."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    u = t * (len(points) - 1)
    i = np.minimum(u.astype(int), len(points) - 2)
    f = (u - i)[:, None]
    p0, p1, p2, p3 = (padded[i + k] for k in range(4))
    cubic = 2 * p1 + (p2 - p0) * f + (2 * p0 - 5 * p1 + 4 * p2 - p3) * f**2 + (3 * p1 - p0 - 3 * p2 + p3) * f**3
    return np.asarray(0.5 * cubic)


def _skin_normal(points: Array) -> Array:
    step = 0.02
    slopes = [skin(points + step * axis) - skin(points - step * axis) for axis in np.eye(3)]
    normal = np.stack(slopes, axis=-1)
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True))


def brows(length: int = 30, around: int = 8) -> Part:
    """Both eyebrows: tapered tubes that lie on the brow ridge."""
    t = np.linspace(0.0, 1.0, length)
    line = _along(BROW_POINTS, t)
    height = np.interp(t, np.linspace(0.0, 1.0, len(BROW_HEIGHTS)), BROW_HEIGHTS) * np.sqrt(smoothstep(t, -0.02, 0.10))
    slope = np.gradient(line, axis=0)
    slope /= np.linalg.norm(slope, axis=1, keepdims=True)
    angle = np.arange(around) * (2.0 * np.pi / around)
    up = np.stack([-slope[:, 1], slope[:, 0]], axis=1)[:, None, :] * (height[:, None] * np.sin(angle))[..., None]
    flat = line[:, None, :] + up
    origins = np.stack([0.75 * flat[..., 0], np.full(flat.shape[:2], -4.0), flat[..., 1]], axis=-1)
    away = np.stack([flat[..., 0] * 0.25, np.full(flat.shape[:2], -3.0), np.zeros(flat.shape[:2])], axis=-1)
    ground = cast(origins, away / np.linalg.norm(away, axis=-1, keepdims=True))
    raise_by = 0.02 + 0.20 * (height / max(BROW_HEIGHTS))[:, None] * np.cos(angle)
    points = ground + _skin_normal(ground) * raise_by[..., None]
    left = grid_part("brow", points, "brow", closed=True)
    return merged("brows", [left, mirrored(left, "brow")])


def lashes(length: int = 25) -> Part:
    """Both upper lash lines: thin dark strips that stand off the lid margin, strongest at the outer corner."""
    tau = np.linspace(*LASH_TAUS, length)
    x, upper, _ = lid_angles(tau)
    reach = 0.10 + 0.20 * smoothstep(tau, -0.7, 0.75)
    reach *= smoothstep(tau, LASH_TAUS[0] - 0.05, LASH_TAUS[0] + 0.3) * (1.0 - 0.9 * smoothstep(tau, 0.85, 0.95)) + 0.05
    lift = np.array([0.0, 0.55, 1.0])[:, None]
    radius = LID_RADIUS + 0.015 + reach * lift
    ease = upper + np.radians(5.0) * (0.15 + 0.4 * lift)
    out = x * (1.0 + 0.10 * lift * reach)
    flat = np.sqrt(np.maximum(radius**2 - x**2, 0.0))
    points = EYE_CENTER + np.stack([out, -flat * np.cos(ease), flat * np.sin(ease)], axis=-1)
    under = points + np.array([0.0, 0.02, 0.07]) * (1.0 - lift)[..., None]
    shell = np.concatenate([points, under[::-1]])
    left = grid_part("lash", shell, "lash")
    return merged("lashes", [left, mirrored(left, "lash")])


def nostrils(rings: int = 5, around: int = 16) -> Part:
    """Both nostrils: dark shallow dishes let into the underside of the nose."""
    size = np.linspace(1.0, 0.15, rings)[:, None]
    angle = np.arange(around)[None] * (2.0 * np.pi / around)
    x = 0.62 + size * (0.30 * np.cos(angle) + 0.10 * np.sin(angle))
    y = -9.25 - size * 0.42 * np.sin(angle)
    origins = np.stack([0.8 * x, y + 0.35, np.full(x.shape, -2.9)], axis=-1)
    away = np.stack([0.2 * x, np.full(x.shape, -0.35), np.full(x.shape, -1.0)], axis=-1)
    ground = cast(origins, away / np.linalg.norm(away, axis=-1, keepdims=True))
    points = ground + _skin_normal(ground) * (0.13 * (1.0 - size**2) - 0.04)[..., None]
    left = grid_part("nostril", points, "nostril", closed=True)
    return merged("nostrils", [left, mirrored(left, "nostril")])


def ears(rings: int = 14, around: int = 32) -> Part:
    """Both ears: a dished disc with a rolled rim, tapering to the lobe."""
    s = np.linspace(0.06, 1.0, rings)[:, None]
    angle = np.arange(around)[None] * (2.0 * np.pi / around)
    top = np.sin(angle)
    wide = 1.32 + 0.28 * top - 0.10 * np.cos(angle)
    x = s * wide * np.cos(angle)
    z = s * (2.15 * top + 0.12)
    rim = (
        0.42 * np.exp(-(((s - 0.88) / 0.13) ** 2)) * (0.35 + 0.65 * smoothstep(top + 0.25 * np.cos(angle), -0.9, -0.1))
    )
    inner = 0.22 * np.exp(-(((s - 0.52) / 0.12) ** 2)) * smoothstep(np.cos(angle), -0.3, 0.7)
    bowl = -0.42 * np.exp(-((s / 0.38) ** 2))
    out = 0.12 + rim + inner + bowl - 0.10 * smoothstep(s, 0.9, 1.0)
    face = np.stack([x, out, z], axis=-1)
    back = [
        np.stack([x[-1] * k, np.full(around, d), z[-1] * k], axis=-1)
        for k, d in ((1.0, -0.25), (0.8, -0.55), (0.5, -1.1))
    ]
    local = np.concatenate([face, np.array(back)])
    turn, lean = np.radians(24.0), np.radians(9.0)
    forward = np.array([np.sin(turn), np.cos(turn), 0.0])
    outward = np.array([np.cos(turn), -np.sin(turn), 0.0])
    up = np.array([0.0, np.sin(lean), np.cos(lean)])
    points = EAR_CENTER + local[..., :1] * forward + local[..., 1:2] * outward + local[..., 2:] * up
    grid = np.arange(points.shape[0] * around).reshape(-1, around)
    middle = points[0].mean(axis=0)[None]
    faces = np.concatenate([rows(grid, closed=True), flipped(fan(grid[0], grid.size))])
    left = Part("ear", np.concatenate([points.reshape(-1, 3), middle]), faces, ("skin",) * len(faces))
    return merged("ears", [left, mirrored(left, "ear")])


def _hairline(longitude: Array) -> Array:
    """Elevation in degrees at which hair ends, seen from the ray origin, for longitudes in degrees."""
    side = np.abs(longitude)
    return np.interp(side, [0, 14, 28, 42, 56, 66, 75, 84, 92, 106, 116, 135, 180],
                     [47, 46, 43, 38, 31, 22, 4, 3, 22, 20, -6, -27, -31])  # fmt: skip


def hair(columns: int = 112, ring_count: int = 26) -> Part:
    """A short swept cap of hair, parted on the subject's left; not symmetric, and moved by no shape."""
    longitude = -180.0 + np.arange(columns) * (360.0 / columns)
    line = np.convolve(np.tile(_hairline(longitude), 3), np.hanning(9) / np.hanning(9).sum(), "same")
    line = line[columns : 2 * columns]
    s = np.linspace(0.0, 1.0, ring_count + 1)[1:, None]
    s = 1.0 - (1.0 - s) ** 1.35
    elevation = 90.0 - s * (90.0 - line)
    lon = np.broadcast_to(longitude, elevation.shape)
    away = directions(lon, elevation)
    ground = cast(np.broadcast_to(RAY_ORIGIN, away.shape), away)
    front = smoothstep(np.abs(lon), 95.0, 25.0)
    edge = smoothstep(s, 1.0, 0.90) ** 0.6
    sweep = np.exp(-(((lon + 20.0) / 42.0) ** 2)) * smoothstep(s, 0.1, 0.75)
    thick = (
        0.42
        + 0.40 * smoothstep(s, 0.9, 0.2)
        + 0.40 * front * smoothstep(s, 0.15, 0.6) * smoothstep(s, 1.05, 0.8)
        + 0.50 * sweep * smoothstep(s, 1.1, 0.8)
    )
    part = np.exp(-(((lon - 30.0) / 5.0) ** 2)) * smoothstep(s, 0.10, 0.3)
    strands = np.sin(np.radians(lon) * 15.0 + 5.0 * s * np.sign(30.0 - lon)) + 0.5 * np.sin(
        np.radians(lon) * 29.0 - 7.0 * s
    )
    thick = (thick - 0.55 * part + 0.055 * strands * smoothstep(s, 0.05, 0.4)) * edge - 0.22 * (1.0 - edge)
    normal = _skin_normal(ground)
    points = ground + thick[..., None] * normal
    grid = np.arange(points.shape[0] * columns).reshape(-1, columns)
    crown = points[0].mean(axis=0)[None]
    faces = np.concatenate([rows(grid, closed=True), flipped(fan(grid[0], grid.size))])
    return Part("hair", np.concatenate([points.reshape(-1, 3), crown]), faces, ("hair",) * len(faces))


def collar(columns: int = 48) -> Part:
    """A round collar that hides where the neck ends."""
    profile = np.array(
        [
            [4.75, 0.95],
            [4.95, 1.15],
            [5.25, 1.05],
            [5.6, 0.6],
            [6.3, -0.1],
            [7.4, -0.9],
            [8.0, -1.6],
            [7.6, -1.8],
            [4.0, -1.8],
        ]
    )
    around = np.arange(columns) * (2.0 * np.pi / columns)
    x = profile[:, :1] * np.sin(around)
    y = 2.3 - profile[:, :1] * np.cos(around) * 0.96
    z = NECK_END_Z + 0.6 + profile[:, 1:] + 0.55 * (y - 2.3) / 5.0
    points = np.stack([x, y, np.broadcast_to(z, x.shape)], axis=-1)
    return grid_part("collar", points, "cloth", closed=True)
