"""Decoded video frames to upright (H, W, 3) uint8 RGB, by the stream's own matrix, range and rotation.

Where the stream doesn't name its matrix, BT.709 is taken from 720 lines up and BT.601 below, as players do. The
transfer curve stays as it is: HDR (PQ, HLG) pictures are not tone-mapped. Transparent parts lie over mid grey.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from semanticface.media.images import over_grey

_HD_LINES = 720
_BT2020 = 9  # Colorspace.BT2020, which older versions accept but don't name
# AVColorSpace (ITU-T H.273 matrix coefficients) to the converter's matrices.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: _BT2020,
    10: _BT2020,
}


class RgbConverter:
    """Converts the frames of one reader; keeps the converter's tables between frames. Not shared between threads."""

    def __init__(self, threads: int = 1) -> None:
        self._reformatter = VideoReformatter()
        self._options: dict[str, Any] = {"threads": threads}
        try:
            self._reformatter.reformat(VideoFrame(16, 16, "yuv420p"), format="rgb24", **self._options)
        except TypeError:  # versions before 17 have no such option and use one thread
            self._options = {}

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, upright, contiguous."""
        matrix, full = source_colours(frame)
        alpha = has_alpha(frame)
        converted = self._reformatter.reformat(
            frame,
            format="rgba" if alpha else "rgb24",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            **self._options,
        )
        pixels: NDArray[np.uint8] = np.asarray(converted.to_ndarray(), np.uint8)
        if alpha:
            pixels = over_grey(pixels)
        return np.ascontiguousarray(turn(pixels, display_matrix(frame)))


def has_alpha(frame: VideoFrame) -> bool:
    name = frame.format.name
    return name.startswith(("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "pal8"))


def source_colours(frame: VideoFrame) -> tuple[int, bool]:
    """The matrix of the frame's colours, and whether they use the full range."""
    name = frame.format.name
    if name.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "gray", "mono", "pal8", "ya")):
        return Colorspace.ITU709, True
    default = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
    return _MATRICES.get(int(frame.colorspace), default), name.startswith("yuvj") or int(frame.color_range) == 2


def display_matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """How to show the frame, as signs (a, b, c, d) of x' = a x + c y, y' = b x + d y; (1, 0, 0, 1) is as stored.

    From the 3 x 3 matrix that QuickTime's track header and H.264 carry; only quarter turns and mirrors are known.
    """
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    values = np.frombuffer(bytes(data), np.int32)
    a, b, c, d = (int(np.sign(values[i])) if abs(int(values[i])) > 1 << 15 else 0 for i in (0, 1, 3, 4))
    return (a, b, c, d) if abs(a * d - b * c) == 1 else (1, 0, 0, 1)


def turn(image: NDArray[np.uint8], matrix: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The image moved by a matrix of `display_matrix`; a view."""
    a, b, c, d = matrix
    if b or c:  # x' comes from y and y' from x
        image = image.transpose(1, 0, 2)
        a, d = c, b
    if a < 0:
        image = image[:, ::-1]
    return image[::-1] if d < 0 else image
