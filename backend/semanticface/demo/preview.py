"""A side-by-side video: the footage, the keyed head, and what the analysis says.

Pictures in, H.264 out; knows nothing of Blender or of the backend.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_CAPTION = 150
_INK, _DIM, _PAPER = (235, 235, 235), (165, 175, 190), (28, 30, 34)


def fit(image: Image, side: int) -> Image:
    """The picture scaled into a (side, side, 3) square without distortion, on the caption's paper."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    small = cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    square = np.full((side, side, 3), _PAPER, np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square


def compose(footage: Image, head: Image, title: str, lines: Iterable[str], side: int = 480) -> Image:
    """One frame of the preview: (side + caption, 2 * side, 3) uint8 RGB."""
    canvas = np.full((side + _CAPTION, 2 * side, 3), _PAPER, np.uint8)
    canvas[:side, :side] = fit(footage, side)
    canvas[:side, side:] = fit(head, side)
    _write(canvas, title, (16, side + 30), 0.7, _INK)
    row = 0
    for line in lines:
        for part in textwrap.wrap(line, 118):
            if row < 5:
                _write(canvas, part, (16, side + 56 + 20 * row), 0.45, _DIM)
            row += 1
    return canvas


def _write(canvas: Image, text: str, where: tuple[int, int], size: float, colour: tuple[int, int, int]) -> None:
    cv2.putText(canvas, text, where, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def write_video(path: Path, frames: Iterable[Image], rate: Fraction) -> None:
    """Encode (H, W, 3) uint8 RGB frames of one even size as H.264, 4:2:0, BT.709."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for image in frames:
            if not stream.codec_context.is_open:
                stream.height, stream.width = image.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
