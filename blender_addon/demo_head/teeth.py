# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside the mouth: both rows of teeth with their gums, and the tongue. Knows nothing of actions or Blender."""

from __future__ import annotations

import numpy as np

from .mesh import Part, fan, flipped, grid_part, merged, mirrored, rows
from .proportions import LIP_FRONT_Y, MOUTH_LINE_Z, Array

UPPER_EDGE_Z = MOUTH_LINE_Z - 0.22
LOWER_EDGE_Z = MOUTH_LINE_Z - 0.02
TONGUE_TIP_Y, TONGUE_ROOT_Y = -8.35, -4.0
_UPPER_WIDTHS = (0.86, 0.68, 0.74, 0.66, 0.66, 0.8)
_LOWER_WIDTHS = (0.56, 0.60, 0.68, 0.68, 0.68, 0.8)


def _arch(distance: Array, back: float, narrow: float) -> tuple[Array, Array]:
    """x, y and heading along the dental arch at a distance from its middle; a parabola, deeper at the sides."""
    x = narrow * np.sin(np.minimum(distance / 3.6, 1.45)) * 2.45
    y = LIP_FRONT_Y + back + 0.36 * x * x
    return np.stack([x, y], axis=-1), np.stack([np.ones_like(x), 0.72 * x], axis=-1)


def _tooth(middle: Array, heading: Array, width: float, edge_z: float, height: float) -> Part:
    """One tooth: a rounded box, from its edge to inside the gum; `height` is negative for the lower row."""
    heading = heading / np.linalg.norm(heading)
    lean = np.array([-heading[1], heading[0]])
    angle = np.arange(12) * (2.0 * np.pi / 12)
    cos, sin = np.cos(angle), np.sin(angle)
    a = 0.49 * width * np.sign(cos) * np.abs(cos) ** 0.55
    b = 0.20 * np.sign(sin) * np.abs(sin) ** 0.8
    levels = ((0.0, 0.55), (0.03, 0.86), (0.12, 1.0), (0.5, 1.0), (0.85, 0.92), (1.0, 0.80))
    rings = []
    for level, size in levels:
        flat = middle + size * (a[:, None] * heading + b[:, None] * lean)
        rings.append(np.column_stack([flat, np.full(12, edge_z + level * height)]))
    points = np.array(rings)
    grid = np.arange(points.shape[0] * 12).reshape(-1, 12)
    cap = points[0].mean(axis=0)[None]
    faces = np.concatenate([rows(grid, closed=True), flipped(fan(grid[0], grid.size))])
    part = Part("tooth", np.concatenate([points.reshape(-1, 3), cap]), faces, ("teeth",) * len(faces))
    return part if height < 0 else Part("tooth", part.vertices, flipped(faces), part.materials)


def _gum(back: float, narrow: float, z: float) -> Part:
    """A tube of gum along the arch at height z."""
    half, _ = _arch(np.linspace(0.0, 4.4, 12), back, narrow)
    path = np.concatenate([half[:0:-1] * np.array([-1.0, 1.0]), half])
    angle = np.arange(8) * (2.0 * np.pi / 8)
    heading = np.gradient(path, axis=0)
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    side = np.stack([-heading[:, 1], heading[:, 0]], axis=1)
    flat = path[:, None, :] + 0.26 * np.cos(angle)[None, :, None] * side[:, None, :]
    tall = np.broadcast_to(z + 0.34 * np.sin(angle), flat.shape[:2])
    return grid_part("gum", np.concatenate([flat, tall[..., None]], axis=-1), "gum", closed=True, inside_out=True)


def _row(name: str, widths: tuple[float, ...], back: float, narrow: float, edge_z: float, height: float) -> Part:
    starts = np.cumsum((0.0, *widths))
    left = []
    for index, (width, start) in enumerate(zip(widths, starts[:-1], strict=True)):
        middle, heading = _arch(np.array(start + 0.5 * width), back, narrow)
        short = height * (1.0, 0.9, 1.02, 0.9, 0.85, 0.8)[index]
        tip = edge_z + (0.0, 0.06, -0.02, 0.05, 0.07, 0.1)[index] * np.sign(height)
        left.append(_tooth(middle, heading, width, float(tip), short))
    half = merged("half", left)
    gum = _gum(back, narrow, edge_z + 1.02 * height)
    return merged(name, [half, mirrored(half, "half"), gum])


def upper_teeth() -> Part:
    """Twelve teeth and their gum, fixed to the skull."""
    return _row("upper_teeth", _UPPER_WIDTHS, 0.66, 1.0, UPPER_EDGE_Z, 0.95)


def lower_teeth() -> Part:
    """Twelve teeth and their gum, which follow the jaw; they close behind the upper row."""
    return _row("lower_teeth", _LOWER_WIDTHS, 0.98, 0.92, LOWER_EDGE_Z, -0.85)


def tongue(length: int = 18, around: int = 20) -> Part:
    """The tongue at rest behind the lower teeth: a flattened tapered tube with a groove along its middle."""
    t = np.linspace(0.0, 1.0, length)
    y = TONGUE_TIP_Y + (TONGUE_ROOT_Y - TONGUE_TIP_Y) * t**1.15
    wide = 1.45 * np.sqrt(np.clip(1.0 - (1.0 - np.minimum(t / 0.55, 1.0)) ** 2, 0.0, 1.0)) + 0.04
    tall = 0.42 * np.sqrt(np.clip(1.0 - (1.0 - np.minimum(t / 0.4, 1.0)) ** 2, 0.0, 1.0)) + 0.02
    middle = MOUTH_LINE_Z - 0.62 + 0.28 * np.sin(np.pi * np.clip(t, 0.0, 0.9))
    angle = np.arange(around) * (2.0 * np.pi / around)
    x = wide[:, None] * np.sin(angle)
    groove = -0.10 * np.exp(-((x / 0.3) ** 2)) * np.clip(np.cos(angle), 0.0, 1.0) * smooth_tip(t)[:, None]
    z = middle[:, None] + tall[:, None] * np.cos(angle) + groove
    points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], axis=-1)
    grid = np.arange(points.shape[0] * around).reshape(-1, around)
    tip = np.array([[0.0, TONGUE_TIP_Y - 0.03, middle[0]]])
    faces = flipped(np.concatenate([rows(grid, closed=True), flipped(fan(grid[0], grid.size))]))
    return Part("tongue", np.concatenate([points.reshape(-1, 3), tip]), faces, ("tongue",) * len(faces))


def smooth_tip(t: Array) -> Array:
    """0 at the tongue's tip, 1 from a third of its length on."""
    return np.asarray(np.clip(t / 0.35, 0.0, 1.0))
