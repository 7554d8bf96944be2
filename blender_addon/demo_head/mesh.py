# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces of mesh as plain arrays: grids, loops and rings joined by quads, and the pieces put together.

Knows faces and vertices, not what they depict, and nothing of Blender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .proportions import Array

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece: vertices (V, 3), faces (F, 4) with -1 in the last place of a triangle, one material a face."""

    name: str
    vertices: Array
    faces: Index
    materials: tuple[str, ...]


def strip(first: Index, second: Index, closed: bool = False) -> Index:
    """Quads (n, 4) between two rows of vertex indices of equal length."""
    if closed:
        first = np.append(first, first[0])
        second = np.append(second, second[0])
    return np.stack([first[:-1], second[:-1], second[1:], first[1:]], axis=1)


def rows(grid: Index, closed: bool = False) -> Index:
    """Quads between all neighbouring rows of an index grid (R, C)."""
    return np.concatenate([strip(a, b, closed) for a, b in pairwise(grid)])


def fan(ring: Index, center: int) -> Index:
    """Triangles (n, 4) from a ring of vertices to a point beyond it, facing as `rows` that end on the ring."""
    following = np.roll(ring, -1)
    return np.stack([ring, np.full_like(ring, center), following, np.full_like(ring, -1)], axis=1)


def flipped(faces: Index) -> Index:
    """The faces with the other side out."""
    quads = faces[:, ::-1]
    triangles = np.column_stack([faces[:, 2], faces[:, 1], faces[:, 0], faces[:, 3]])
    return np.where(faces[:, 3:] < 0, triangles, quads)


def grid_part(name: str, points: Array, material: str, closed: bool = False, inside_out: bool = False) -> Part:
    """A part from a grid of points (R, C, 3); `closed` joins the last column to the first."""
    count = points.shape[0] * points.shape[1]
    faces = rows(np.arange(count).reshape(points.shape[:2]), closed)
    faces = flipped(faces) if inside_out else faces
    return Part(name, points.reshape(-1, 3), faces, (material,) * len(faces))


def mirrored(part: Part, name: str) -> Part:
    """The part on the other side of the head, vertex by vertex."""
    return Part(name, part.vertices * np.array([-1.0, 1.0, 1.0]), flipped(part.faces), part.materials)


def merged(name: str, parts: Sequence[Part]) -> Part:
    """One part holding all of them, vertices in the order given."""
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts])
    faces = [np.where(p.faces < 0, -1, p.faces + o) for p, o in zip(parts, offsets[:-1], strict=True)]
    materials = tuple(material for part in parts for material in part.materials)
    return Part(name, np.concatenate([p.vertices for p in parts]), np.concatenate(faces), materials)


def edges(faces: Index) -> Index:
    """Directed edges (E, 2) of the faces, both ways, each once."""
    following = np.where(faces < 0, -1, np.roll(faces, -1, axis=1))
    triangle = faces[:, 3] < 0
    following[triangle, 2] = faces[triangle, 0]
    pairs = np.stack([faces, following], axis=-1).reshape(-1, 2)
    pairs = pairs[pairs[:, 0] >= 0]
    return np.asarray(np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0))


def smoothed(values: Array, links: Index, iterations: int, free: Array | None = None) -> Array:
    """Values (V,) or (V, K) drawn toward their neighbours' mean; `free` (V,) in [0, 1] scales how far."""
    flat = values.reshape(len(values), -1).copy()
    degree = np.maximum(np.bincount(links[:, 0], minlength=len(flat)), 1)[:, None]
    pull = np.full((len(flat), 1), 0.5) if free is None else 0.5 * free[:, None]
    for _ in range(iterations):
        sums = np.stack([np.bincount(links[:, 0], c[links[:, 1]], len(flat)) for c in flat.T], axis=1)
        flat += pull * (sums / degree - flat)
    return flat.reshape(values.shape)


def mirror_partners(vertices: Array, what: str) -> Index:
    """For each vertex the index of its mirror partner. Raises ValueError when the piece is not symmetric.

    Compares all with all: meant for pieces of up to about 2,000 vertices.
    """
    other = vertices * np.array([-1.0, 1.0, 1.0])
    squared = np.sum((vertices[:, None, :] - other[None, :, :]) ** 2, axis=-1)
    partners = np.argmin(squared, axis=1)
    worst = float(np.sqrt(squared[np.arange(len(vertices)), partners].max()))
    if worst > 1e-3 or not np.array_equal(partners[partners], np.arange(len(vertices))):
        raise ValueError(f"the {what} is not symmetric about the middle plane (worst distance {worst:.3g} cm)")
    return np.asarray(partners, dtype=np.int64)
