"""Look for faces closer up, where the detector sees nothing in the whole picture.

The detector looks at 128 pixels for the picture's long side, so a face narrower than about a tenth of it is
mostly missed, by MediaPipe as well. Overlapping square tiles find faces down to 60 pixels in 1080p. An extension
beyond parity: `small_faces` switches it off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from semanticface.engines.landmarks.bundle import DETECTOR_SIZE, Networks
from semanticface.engines.landmarks.detector import Face, detect, distinct
from semanticface.engines.landmarks.sampling import Image, Region

_SCALES = (1.0, 2 / 3, 1 / 2)
"""Sides of the tiles in the picture's short side."""
_STRIDE = 0.6
"""At most this part of a tile to the next, so that a face of 0.4 tiles lies whole in one."""


def tiles(width: int, height: int, scale: float) -> list[Region]:
    """Overlapping squares of `scale` times the short side that cover the picture, evenly spread."""
    side = min(width, height) * scale
    return [Region(x + side / 2, y + side / 2, side, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: float, side: float) -> list[float]:
    steps = max(0, math.ceil((length - side) / (side * _STRIDE) - 1e-9))
    return [(length - side) * i / steps for i in range(steps + 1)] if steps else [(length - side) / 2]


def search_closer(networks: Networks, image: Image, min_score: float) -> Iterator[list[Face]]:
    """Distinct faces of each finer tiling in turn; the caller stops when it has what it wants."""
    height, width = image.shape[:2]
    for scale in _SCALES:
        if min(width, height) * scale < DETECTOR_SIZE:  # the detector would only see an enlargement
            return
        found = [face for tile in tiles(width, height, scale) for face in detect(networks, image, tile, min_score)]
        yield distinct(found)
