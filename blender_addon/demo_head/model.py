# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole neutral head as one mesh, with the ranges of its parts. Knows nothing of actions or Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import features, teeth
from .mesh import Index, Part, merged, mirror_partners
from .proportions import Array
from .skin import Skin, build_skin

PAIRS = ("brows", "lashes", "nostrils", "ears")
"""Parts whose second half mirrors the first, vertex by vertex."""


@dataclass(frozen=True, slots=True)
class Head:
    """The neutral head: vertices (V, 3) in centimetres, faces (F, 4) with -1 closing triangles, materials per face.

    `ranges` gives the slice of vertices of each part, the skin's first; `mirror` (V,) the index of each vertex's
    mirror partner (its own, in the hair).
    """

    mesh: Part
    skin: Skin
    ranges: dict[str, slice]
    mirror: Index

    def part(self, name: str) -> Array:
        """Vertices (n, 3) of one part."""
        return self.mesh.vertices[self.ranges[name]]


def _partners(part: Part) -> Index:
    count = len(part.vertices)
    if part.name == "hair":
        return np.arange(count)
    if part.name in PAIRS:
        return np.roll(np.arange(count), count // 2)
    return mirror_partners(part.vertices, part.name)


def build_head() -> Head:
    """The neutral head, the same at every call; takes about half a second."""
    skin = build_skin()
    parts = [
        skin.part,
        features.brows(),
        features.lashes(),
        features.nostrils(),
        teeth.upper_teeth(),
        teeth.lower_teeth(),
        teeth.tongue(),
        features.ears(),
        features.collar(),
        features.hair(),
    ]
    ranges, mirror, start = {}, [], 0
    for part in parts:
        count = len(part.vertices)
        ranges[part.name] = slice(start, start + count)
        partners = skin.mirror if part is skin.part else _partners(part)
        mirror.append(partners + start)
        start += count
    return Head(merged("head", parts), skin, ranges, np.concatenate(mirror))
