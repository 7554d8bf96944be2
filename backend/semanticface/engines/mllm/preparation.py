"""A face made easy to see for a small model: laid onto a square by points that no expression moves, light taken out.

A model of billions of weights finds the face and ignores the light by itself. One of a few million, trained on some
thousand pictures, spends all it has on that, unless it is done before: so a profile may ask for it. Training prepares
its pictures by this module, too. It knows nothing of models, and of landmarks only where they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

ANCHORS: dict[int, tuple[float, float]] = {
    33: (-4.45, -2.66),
    133: (-1.86, -2.59),
    362: (1.86, -2.59),
    263: (4.45, -2.66),
    168: (0.0, -3.27),
    6: (0.0, -2.47),
    197: (0.0, -1.73),
    127: (-7.74, -2.36),
    356: (7.74, -2.36),
    234: (-7.66, -0.67),
    454: (7.66, -0.67),
}
"""Corners of the eyes, bridge of the nose, temples: landmarks that expressions move least, with their places in
MediaPipe's canonical face, seen from the front, in cm, downwards."""
_TOP, _BOTTOM = -7.0, 11.2
"""What the square holds, in the same measure: from the forehead to a chin that is open."""
_FINE, _COARSE = 14, 5
"""Sides of the two neighbourhoods that give local contrast: a 14th and a 5th of the picture's."""
_LEAST_VARIANCE, _LEAST_DEVIATION = 2e-4, 0.05
"""Of grey from 0 to 1: below this a neighbourhood or a picture counts as flat, so that noise is not blown up."""
_RANGE = 3.0
"""Deviations at which contrast is cut off."""


def levelled(image: Picture, points: NDArray[Any], side: int) -> Picture:
    """The face as a (side, side, 3) uint8 picture: upright, of one size, in local contrast (`contrast`).

    `image` (H, W, 3) uint8 RGB; `points` (N, 2 or more) the face's landmarks in its pixels, N > 454. What would lie
    outside of the picture repeats its edge.
    """
    import cv2

    turn, shift = _fit(np.asarray(points, np.float64))
    unit = side / (_BOTTOM - _TOP)
    # From pixels of the picture to pixels of the square, as numbers in the complex plane.
    turn, shift = unit / turn, unit * (-shift / turn - 1j * _TOP) + side / 2
    finer = max(1, round(1 / abs(turn)))  # a large face is sampled finely first, and averaged then
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    matrix[:, 2] += 0.5 * (np.array([turn.real - turn.imag, turn.imag + turn.real]) - 1)  # centres of pixels
    matrix = finer * matrix + np.array([[0, 0, 0.5 * (finer - 1)]] * 2)
    size = side * finer
    cut: Any = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return contrast(cut if finer == 1 else cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA))


def squared(image: Picture, side: int) -> Picture:
    """A picture without a face in the same form: its middle square."""
    import cv2

    height, width = image.shape[:2]
    most = min(height, width)
    top, left = (height - most) // 2, (width - most) // 2
    middle = np.ascontiguousarray(image[top : top + most, left : left + most])
    small: Any = cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA)
    return contrast(small)


def contrast(image: Picture) -> Picture:
    """Grey less its neighbourhood's mean, by its deviation: fine, coarse, and over the whole picture, as three colours.

    (H, W, 3) uint8 to the same; 127.5 is the mean, 255 three deviations above it.
    """
    import cv2

    grey = image.astype(np.float32).mean(axis=2) / 255
    side = image.shape[0]
    layers = []
    for part in (_FINE, _COARSE):
        size = max(3, side // part | 1)
        above = grey - _smooth(cv2, grey, size)
        layers.append(above / np.sqrt(_smooth(cv2, above * above, size) + _LEAST_VARIANCE))
    layers.append((grey - grey.mean()) / (grey.std() + _LEAST_DEVIATION))
    levels = np.clip(np.stack(layers, axis=2) / _RANGE, -1, 1)
    out: Picture = np.rint(127.5 + 127.5 * levels).astype(np.uint8)
    return out


def _smooth(cv2: Any, grey: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The mean over a square of this side, twice."""
    once = cv2.blur(grey, (size, size), borderType=cv2.BORDER_REPLICATE)
    out: NDArray[np.float32] = cv2.blur(once, (size, size), borderType=cv2.BORDER_REPLICATE)
    return out


def _fit(points: NDArray[np.float64]) -> tuple[complex, complex]:
    """(turn, shift) of the similarity from the canonical face to the picture that fits the anchors best."""
    places = np.array([complex(x, y) for x, y in ANCHORS.values()])
    found = points[list(ANCHORS), 0] + 1j * points[list(ANCHORS), 1]
    middle, centre = places.mean(), found.mean()
    away = places - middle
    turn = complex((away.conj() * (found - centre)).sum() / (away.conj() * away).sum())
    return turn, complex(centre - turn * middle)
