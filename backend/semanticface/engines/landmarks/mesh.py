"""The face mesh in a region of the picture, and the blendshape scores of a mesh.

MediaPipe's face landmark network with attention (478 points) and its blendshape network. The subset of points
that the latter reads and the order of its scores are not in the bundle; they are published in MediaPipe's
face_blendshapes_graph.cc. Knows nothing of detection or video.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.landmarks.bundle import MESH_SIZE, Networks
from semanticface.engines.landmarks.sampling import Image, Region, wrapped

Floats = NDArray[np.float64]
Crop = Callable[[Image, Region, int], Image]

_REGION_SCALE = 1.5
_GRID = 1 / 4096
"""Step of a tracked region's centre and side, in sides, taken to the nearest power of two in pixels."""
_ANGLE_GRID = 1 / 1024
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 33, 263

_SUBSET_RUNS = """
0-1 4-8 10 13-14 17 21 33 37 39-40 46 52-55 58 61 63 65-67 70 78 80-82 84 87-88 91 93 95 103 105 107 109 127 132-133
136 144-146 148-150 152-155 157-163 168 172-173 176 178 181 185 191 195 197 234 246 249 251 263 267 269-270 276 282-285
288 291 293 295-297 300 308 310-312 314 317-318 321 323-324 332 334 336 338 356 361-362 365 373-375 377-382 384-390
397-398 400 402 405 409 415 454 466 468-477
"""


def _numbers(runs: str) -> list[int]:
    bounds = [run.partition("-")[::2] for run in runs.split()]
    return [number for first, last in bounds for number in range(int(first), int(last or first) + 1)]


SUBSET = tuple(_numbers(_SUBSET_RUNS))
"""The 146 points that the blendshape network reads, in its order."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """`pixels` (478, 3) float64: x, y in pixels, z in the same scale, towards the camera negative.

    `presence` is the probability that this is a face, `tongue` the network's score that the tongue is out.
    """

    pixels: Floats
    presence: float
    tongue: float

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of all points."""
        (x0, y0), (x1, y1) = self.pixels[:, :2].min(0).tolist(), self.pixels[:, :2].max(0).tolist()
        return x0, y0, x1, y1

    def next_region(self) -> Region:
        """Where to look in the next frame of a video: a square 1.5 times the box, the eyes' outer corners level.

        Snapped to a fine grid, which MediaPipe does not do. Without it two passes that begin at different frames
        never meet: their regions differ by 0.01 pixel for ever, which moves scores by up to 0.03. On the grid they
        mostly fall onto the same region within the warm-up and are equal from then on, so that splitting a clip
        changes scores by 0.00002 in the mean instead of 0.0003, for 0.0001 more of difference to MediaPipe. A grid
        twice as coarse costs 0.0003, one half as fine no longer joins them (measured on two clips).
        """
        x0, y0, x1, y1 = self.box()
        (ax, ay), (bx, by) = self.pixels[[_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER], :2].tolist()
        side = _REGION_SCALE * max(x1 - x0, y1 - y0)
        angle = wrapped(-math.atan2(-(by - ay), bx - ax))
        step = 2.0 ** round(math.log2(max(side, 1.0) * _GRID))
        x, y = _snapped((x0 + x1) / 2, step), _snapped((y0 + y1) / 2, step)
        return Region(x, y, _snapped(side, step), _snapped(side, step), _snapped(angle, _ANGLE_GRID))


def _snapped(value: float, step: float) -> float:
    return round(value / step) * step


def find_mesh(networks: Networks, image: Image, region: Region, crop: Crop) -> Mesh:
    """The mesh in a region of the picture; `crop` is one of the functions of `sampling`."""
    height, width = image.shape[:2]
    points, logit, tongue = networks.mesh(crop(image, region, MESH_SIZE))
    unit = points.astype(np.float64) / MESH_SIZE
    matrix = region.affine()
    # Depth goes with the length of the region's x side in NORMALISED picture units, times the width: 1.2.2's rule,
    # which stretches the depth of a rolled head in a wide picture.
    c, s = math.cos(region.angle), math.sin(region.angle)
    depth = math.hypot(region.width * c, region.width * s * width / height)
    pixels = np.empty((478, 3))
    pixels[:, :2] = unit[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    pixels[:, 2] = unit[:, 2] * depth
    return Mesh(pixels, 1 / (1 + math.exp(-max(-100.0, min(100.0, logit)))), tongue)


def blendshape_scores(networks: Networks, pixels: Floats) -> NDArray[np.float32]:
    """(52,) scores for (478, 3) points in pixels: `_neutral`, then 51 in the order of `coefficients.SCORES`."""
    return networks.blendshapes(pixels[SUBSET, :2].astype(np.float32))
