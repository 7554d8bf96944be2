# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin's mesh: a grid of rays around the head, with blocks cut out and refilled by loops around eyes and mouth.

Every vertex comes with what the shape keys need to know about it (`Skin`). Knows nothing of actions or Blender.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import eyelids, lips
from .mesh import Index, Part, fan, flipped, rows
from .proportions import NECK_END_Z, RAY_ORIGIN, Array, mirror_x
from .surface import cast

FRONT_STEP = 2.4
"""Degrees between the grid's columns in front; they widen toward the back."""
FRONT_COLUMNS = 19
HALF_COLUMNS = 42
FACE_BOTTOM, FACE_TOP = -46.8, 25.2
FACE_ROW_STEP = 2.4
CROWN_ROWS = 12
NECK_ROWS = 12
NECK_DROP = 9.2

EYE_BLOCK = ((7.2, 38.4), (-3.6, 25.2))
MOUTH_BLOCK = (21.6, (-39.6, -20.4))
"""Blocks in degrees: (columns from, to), (rows from, to); the mouth's columns run from minus to plus the number."""


@dataclass(frozen=True, slots=True)
class Skin:
    """The skin and what is known of each of its vertices, all arrays of length V.

    `mirror`: index of the mirror partner. `lid_side`: +1 left eye's block, -1 right, 0 elsewhere; `lid_ring` in
    [0, 1] from the lid margin to the block's edge (1 elsewhere); `lid_upper`: +1 upper lid, -1 lower, 0 corner
    or elsewhere. `lip`: +1 upper, -1 lower, 0 corner or elsewhere, for the mouth's block; `lip_ring`: 0 at the
    block's edge, 1 at the vermilion border, 2 where the lips touch, 3 at the back of the mouth; `lip_tau` in
    [-1, 1] from the right corner to the left.
    """

    part: Part
    mirror: Index
    lid_side: Array
    lid_ring: Array
    lid_upper: Array
    lip: Array
    lip_ring: Array
    lip_tau: Array


def column_angles() -> Array:
    """Longitudes of the half columns 0 to HALF_COLUMNS in degrees, 0 in front and 180 behind."""
    front = np.arange(FRONT_COLUMNS + 1) * FRONT_STEP
    rest = HALF_COLUMNS - FRONT_COLUMNS
    steps = np.linspace(1.15, 2.4, rest)
    return np.concatenate([front, front[-1] + np.cumsum(steps) / steps.sum() * (180.0 - front[-1])])


def row_angles() -> Array:
    """Elevations of the rows in degrees from the crown down to the chin."""
    count = round((FACE_TOP - FACE_BOTTOM) / FACE_ROW_STEP)
    face = FACE_TOP - np.arange(count + 1) * FACE_ROW_STEP
    t = np.arange(CROWN_ROWS, 0, -1) / CROWN_ROWS
    crown = FACE_TOP + (86.0 - FACE_TOP) * (0.55 * t + 0.45 * t * t)
    return np.concatenate([crown, face])


def directions(longitude: Array, elevation: Array) -> Array:
    """Unit vectors for longitudes (0 forward, + to the subject's left) and elevations in degrees."""
    lon, ele = np.radians(longitude), np.radians(elevation)
    flat = np.cos(ele)
    return np.stack([np.sin(lon) * flat, -np.cos(lon) * flat, np.broadcast_to(np.sin(ele), lon.shape)], axis=-1)


def _grid_points() -> Array:
    """Points (R, 2 * HALF_COLUMNS, 3); column HALF_COLUMNS is the front, column 0 the back."""
    half = column_angles()
    longitude = np.concatenate([-half[:0:-1], half[:-1]])
    face_rows = row_angles()
    drops = (np.arange(NECK_ROWS) + 1.0) * (NECK_DROP / NECK_ROWS)
    elevation = np.concatenate([face_rows, np.full(NECK_ROWS, FACE_BOTTOM)])
    lon, ele = np.meshgrid(longitude, elevation)
    origins = np.broadcast_to(RAY_ORIGIN, (*lon.shape, 3)).copy()
    origins[len(face_rows) :, :, 2] -= drops[:, None]
    origins[len(face_rows) :, :, 1] += 0.2 * drops[:, None]
    points = cast(origins, directions(lon, ele))
    points[-1, :, 2] = NECK_END_Z
    return points


def _perimeter(ids: Index, top: int, bottom: int, first: int, last: int) -> tuple[Index, Index]:
    """The block's border as an upper and a lower run of vertices, both from middle of `first` to middle of `last`."""
    middle = (top + bottom) // 2
    upper = np.concatenate([ids[middle:top:-1, first], ids[top, first : last + 1], ids[top + 1 : middle + 1, last]])
    lower = np.concatenate(
        [ids[middle:bottom, first], ids[bottom, first : last + 1], ids[bottom - 1 : middle - 1 : -1, last]]
    )
    return upper, lower


@dataclass(slots=True)
class _Builder:
    """Grows the skin block by block; lives only while the skin is built."""

    points: list[Array]
    faces: list[Index]
    mirror: list[Index]
    count: int

    def add(self, points: Array, mirror: Index) -> int:
        start = self.count
        self.points.append(points)
        self.mirror.append(mirror)
        self.count += len(points)
        return start


def _loop(upper: Index, lower: Index) -> Index:
    """One closed ring: along the upper run, back along the lower one, each corner once."""
    return np.concatenate([upper, lower[-2:0:-1]])


def _fill(builder: _Builder, border: Index, rings: Array, mirror: Index, flip: bool) -> Index:
    """Adds rings (K, n, 3) inside a border of n vertices; returns the index grid (K + 1, n) with the border first."""
    k, n = rings.shape[:2]
    start = builder.add(rings.reshape(-1, 3), mirror)
    grid = np.concatenate([border[None], start + np.arange(k * n).reshape(k, n)])
    faces = rows(grid, closed=True)
    builder.faces.append(flipped(faces) if flip else faces)
    return np.asarray(grid)


def _nearest(values: Array, wanted: float) -> int:
    return int(np.argmin(np.abs(values - wanted)))


def _eye_rows(builder: _Builder, ids: Index, points: Array) -> tuple[Index, Index]:
    """Fills both eyes' blocks; returns the left and the right index grid, border first."""
    half, ele = column_angles(), row_angles()
    (c0, c1), (low, high) = EYE_BLOCK
    first, last = HALF_COLUMNS + _nearest(half, c0), HALF_COLUMNS + _nearest(half, c1)
    top, bottom = _nearest(ele, high), _nearest(ele, low)
    upper, lower = _perimeter(ids, top, bottom, first, last)
    border = _loop(upper, lower)
    rings = eyelids.rings(points.reshape(-1, 3)[border], len(upper))
    size = rings.shape[0] * rings.shape[1]
    start = builder.count
    left = _fill(builder, border, rings, start + size + np.arange(size), flip=False)
    other = ids[:, (2 * HALF_COLUMNS - np.arange(ids.shape[1])) % ids.shape[1]]
    border_right = _loop(*_perimeter(other, top, bottom, first, last))
    right = _fill(builder, border_right, mirror_x(rings), start + np.arange(size), flip=True)
    return left, right


def _mouth_rows(builder: _Builder, ids: Index, points: Array) -> tuple[Index, int]:
    """Fills the mouth's block down to the back of the mouth; returns the index grid and the length of a run."""
    half, ele = column_angles(), row_angles()
    width, (low, high) = MOUTH_BLOCK
    reach = _nearest(half, width)
    first, last = HALF_COLUMNS - reach, HALF_COLUMNS + reach
    upper, lower = _perimeter(ids, _nearest(ele, high), _nearest(ele, low), first, last)
    border = _loop(upper, lower)
    rings = lips.rings(points.reshape(-1, 3)[border], len(upper))
    k, n = rings.shape[:2]
    across = np.concatenate([np.arange(len(upper))[::-1], n - 1 - np.arange(n - len(upper))])
    mirror = builder.count + (np.arange(k)[:, None] * n + across).reshape(-1)
    grid = _fill(builder, border, rings, mirror, flip=False)
    pole = builder.add(lips.BACK_OF_MOUTH[None], np.array([builder.count]))
    builder.faces.append(fan(grid[-1], pole))
    return grid, len(upper)


def _grid_faces(ids: Index) -> Index:
    """The grid's quads without the three blocks."""
    half, ele = column_angles(), row_angles()
    keep = np.ones((ids.shape[0] - 1, ids.shape[1]), dtype=bool)
    zero = HALF_COLUMNS
    (c0, c1), (low, high) = EYE_BLOCK
    top, bottom, a, b = _nearest(ele, high), _nearest(ele, low), _nearest(half, c0), _nearest(half, c1)
    keep[top:bottom, zero + a : zero + b] = False
    keep[top:bottom, zero - b : zero - a] = False
    width, (low, high) = MOUTH_BLOCK
    reach = _nearest(half, width)
    keep[_nearest(ele, high) : _nearest(ele, low), zero - reach : zero + reach] = False
    return np.asarray(rows(ids, closed=True).reshape(ids.shape[0] - 1, -1, 4)[keep])


def build_skin() -> Skin:
    """The neutral skin with open eye slits and a closed mouth that has an inside; takes about 0.2 s."""
    points = _grid_points()
    count_rows, count_columns = points.shape[:2]
    ids = np.arange(count_rows * count_columns).reshape(count_rows, count_columns)
    across = (2 * HALF_COLUMNS - np.arange(count_columns)) % count_columns
    builder = _Builder([points.reshape(-1, 3)], [_grid_faces(ids)], [ids[:, across].reshape(-1)], ids.size)
    left, right = _eye_rows(builder, ids, points)
    mouth, run = _mouth_rows(builder, ids, points)
    crown = builder.add(cast(RAY_ORIGIN[None], np.array([[0.0, 0.0, 1.0]])), np.array([builder.count]))
    builder.faces.append(flipped(fan(ids[0], crown)))
    return _described(builder, (left, right), mouth, run)


def _described(builder: _Builder, lids: tuple[Index, Index], mouth: Index, run: int) -> Skin:
    """Drops the vertices inside the blocks, makes the rest exactly symmetric and writes down what each one is."""
    faces, vertices, mirror = (
        np.concatenate(builder.faces),
        np.concatenate(builder.points),
        np.concatenate(builder.mirror),
    )
    vertices = 0.5 * (vertices + mirror_x(vertices[mirror]))
    side, ring, upper = np.zeros(builder.count), np.ones(builder.count), np.zeros(builder.count)
    for sign, grid in zip((1.0, -1.0), lids, strict=True):
        side[grid], ring[grid] = sign, eyelids.RING_POSITIONS[:, None]
        upper[grid] = eyelids.upper_or_lower(grid.shape[1])
    lip, lip_ring, tau = np.zeros(builder.count), np.zeros(builder.count), np.zeros(builder.count)
    lip[mouth], tau[mouth] = lips.upper_or_lower(mouth.shape[1], run), lips.taus(mouth.shape[1], run)
    lip_ring[mouth] = lips.RING_POSITIONS[:, None]
    lip_ring[mouth[-1, 0] + mouth.shape[1]] = 3.0
    used = np.unique(faces[faces >= 0])
    new = np.full(builder.count, -1)
    new[used] = np.arange(len(used))
    faces = np.where(faces < 0, -1, new[faces])
    materials = np.full(len(faces), "skin", dtype=object)
    red = (lip_ring[used] >= 1.0) & (lip_ring[used] <= lips.LAST_LIP_RING)
    inside = lip_ring[used] >= lips.LAST_LIP_RING
    materials[np.all(red[faces], axis=1)] = "lips"
    materials[np.all(inside[faces] | (faces < 0), axis=1)] = "mouth"
    part = Part("skin", vertices[used], faces, tuple(materials))
    known = (side, ring, upper, lip, lip_ring, tau)
    side, ring, upper, lip, lip_ring, tau = (values[used] for values in known)
    return Skin(part, new[mirror[used]], side, ring, upper, lip, lip_ring, tau)
