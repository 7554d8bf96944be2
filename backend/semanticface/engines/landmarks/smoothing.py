"""The One-Euro filter (Casiez et al., CHI 2012) as MediaPipe's video mode applies it to landmarks.

Slow movement is steadied, fast movement passes: the cutoff grows with speed, and speed counts in face sizes per
second, so that it does not matter how near the face is. Parameters and the two quirks are MediaPipe's
(face_landmarker_graph.cc, one_euro_filter.cc). Knows nothing of pictures.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

MIN_CUTOFF = 0.05
BETA = 80.0
SPEED_CUTOFF = 1.0
FIRST_RATE = 30.0


class OneEuro:
    """State of one tracked face. `reset` belongs to every frame without a face."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._rate = FIRST_RATE
        self._last: int | None = None
        self._raw: Points | None = None
        self._speed: Points | None = None
        self._out: Points | None = None

    def __call__(self, pixels: Points, seconds: float) -> Points:
        """(N, 3) filtered points for (N, 3) raw points in pixels (x, y, and z times the picture's width)."""
        now = round(seconds * 1e9)
        points = pixels.astype(np.float32).astype(np.float64)
        # A stamp of exactly 0 keeps 30 Hz for two frames (MediaPipe's reading of "no time yet"); a stamp that does
        # not advance, which variable-rate footage can hold, keeps the last rate.
        if self._last is not None and self._last != 0 and now > self._last:
            self._rate = 1e9 / (now - self._last)
        self._last = now
        if self._raw is None or self._speed is None or self._out is None:
            self._speed, self._out = np.zeros_like(points), points
        else:
            extent = float(np.ptp(points[:, 0]) + np.ptp(points[:, 1])) / 2
            scale = self._rate / extent if extent > 0 else 0.0
            a = _alpha(self._rate, SPEED_CUTOFF)
            self._speed = a * (points - self._raw) * scale + (1 - a) * self._speed
            b = 1.0 / (1.0 + self._rate / (2 * math.pi) / (MIN_CUTOFF + BETA * np.abs(self._speed)))
            self._out = b * points + (1 - b) * self._out
        self._raw = points
        return self._out


def _alpha(rate: float, cutoff: float) -> float:
    return 1.0 / (1.0 + rate / (2 * math.pi * cutoff))
