"""Cut a rotated region out of a picture at a network's input size.

Two ways. `crop_exact` rounds source positions to 1/32 pixel just as the OpenCV build inside MediaPipe does,
on every version of OpenCV: the detector's regions stay equal to MediaPipe's, which move every later pixel.
`crop_fast` leaves rounding to the OpenCV at hand; in a tracked video the region comes from the previous
frame's landmarks and any difference of 0.001 pixel is already as large as the difference between the two.
Knows nothing of faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB."""

MAX_SIDE = 32_766
"""OpenCV's remap addresses pixels with 16-bit numbers."""

_STEPS = 32
_TILE = 32


@dataclass(frozen=True, slots=True)
class Region:
    """A rotated rectangle in pixels: centre, width, height, and angle in radians, clockwise on screen."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def affine(self) -> NDArray[np.float64]:
        """(2, 3): takes (u, v) in 0..1 of the region to pixels of the picture."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        a, b, d, e = c * self.width, -s * self.height, s * self.width, c * self.height
        return np.array([[a, b, self.x - (a + b) / 2], [d, e, self.y - (d + e) / 2]])

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the region's unrotated rectangle."""
        half_w, half_h = self.width / 2, self.height / 2
        return self.x - half_w, self.y - half_h, self.x + half_w, self.y + half_h


def wrapped(angle: float) -> float:
    """The same angle in [-pi, pi)."""
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def crop_fast(image: Image, region: Region, size: int) -> Image:
    """(size, size, 3) uint8; beyond the picture its edge pixels go on. Output pixel u samples u/size of the region."""
    matrix = region.affine()
    matrix[:, :2] /= size
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cast(Image, out)


def crop_exact(image: Image, region: Region, size: int, zero_border: bool = False) -> Image:
    """Like `crop_fast`, with positions rounded to 1/32 pixel and the bilinear weights of OpenCV 4's tables.

    Beyond the picture lie zeros with `zero_border`, else its edge pixels go on.
    """
    points = _fixed_points(region, size)
    fraction = points & (_STEPS - 1)
    table = (fraction[..., 1] * _STEPS + fraction[..., 0]).astype(np.uint16)
    whole = (points >> 5).astype(np.int16)
    border = cv2.BORDER_CONSTANT if zero_border else cv2.BORDER_REPLICATE
    return cast(Image, cv2.remap(image, whole, table, cv2.INTER_LINEAR, borderMode=border))


def _fixed_points(region: Region, size: int) -> NDArray[np.int32]:
    """(size, size, 2) source positions in 1/32 pixel, ties rounded as MediaPipe's OpenCV rounds them.

    Where the region's side times 32 / size is no whole number, positions fall exactly between two steps and the
    tie depends on how the matrix was solved, so the corners go the same way: float32 corners, solved, inverted,
    then evaluated in tiles of 32 pixels.
    """
    f = np.float32
    centre, extent = (float(f(region.x)), float(f(region.y))), (float(f(region.width)), float(f(region.height)))
    corners = cv2.boxPoints((centre, extent, float(f(f(region.angle) * 180 / math.pi))))
    square = np.array([[0, size], [0, 0], [size, 0], [size, size]], f)
    matrix = cv2.invert(cv2.getPerspectiveTransform(corners.astype(f), square))[1]
    grid = np.arange(size, dtype=np.float64)
    inside = grid % _TILE
    column = np.outer(matrix[:, 0], grid - inside)  # (3, size)
    row = np.outer(matrix[:, 1], grid) + matrix[:, 2:]  # (3, size)
    scale = _STEPS / (row[2][:, None] + column[2] + matrix[2, 0] * inside)
    x = (row[0][:, None] + column[0] + matrix[0, 0] * inside) * scale
    y = (row[1][:, None] + column[1] + matrix[1, 0] * inside) * scale
    limit = (MAX_SIDE + 1) * _STEPS  # far outside stays far outside instead of wrapping around in int16
    points: NDArray[np.int32] = np.rint(np.clip(np.stack([x, y], -1), -limit, limit)).astype(np.int32)
    return points
