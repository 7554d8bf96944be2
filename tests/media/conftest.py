"""Small media that tests make themselves: each frame carries its number in blocks of pixels, so identity is exact."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.codec.codec import UnknownCodecError

WIDTH, HEIGHT, BLOCK, BITS = 64, 48, 16, 12


def picture(number: int) -> np.ndarray:
    """(48, 64, 3) uint8: bit b of the number is block b, black or white, row by row."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for bit in range(BITS):
        row, column = divmod(bit, WIDTH // BLOCK)
        image[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK] = 255 * (number >> bit & 1)
    return image


def number_in(image: np.ndarray) -> int:
    """The number that `picture` wrote, read back from the middle of the blocks."""
    found = 0
    for bit in range(BITS):
        row, column = divmod(bit, WIDTH // BLOCK)
        block = image[row * BLOCK + 4 : row * BLOCK + 12, column * BLOCK + 4 : column * BLOCK + 12]
        found |= int(block.mean() > 127) << bit
    return found


def write_video(
    path: Path,
    codec: str = "libx264",
    count: int = 50,
    rate: Fraction = Fraction(25),
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    ticks: Sequence[int] | None = None,
    tick: Fraction | None = None,
    rotation: int = 0,
    timecode: str = "",
    muxing: dict[str, str] | None = None,
) -> Path:
    """Encode `count` numbered pictures; `ticks` are their times in units of `tick` where they aren't even."""
    with av.open(str(path), "w", options=muxing or {}) as container:
        try:
            stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        except (UnknownCodecError, ValueError) as error:
            pytest.skip(f"this build can't encode {codec}: {error}")
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
        if tick is not None:
            stream.codec_context.time_base = tick
        if rotation and not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV can't write a rotation")
        if rotation:
            stream.set_display_rotation(rotation)
        if timecode:
            stream.metadata["timecode"] = timecode
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format=pix_fmt)
            frame.pts = number if ticks is None else ticks[number]
            frame.time_base = 1 / rate if tick is None else tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sequence(folder: Path, numbers: Sequence[int], name: str = "frame_%04d.png") -> Path:
    """Numbered pictures as files; picture k shows k."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        assert cv2.imwrite(str(folder / (name % number)), picture(number))
    return folder


@pytest.fixture
def make() -> SimpleNamespace:
    return SimpleNamespace(picture=picture, number_in=number_in, video=write_video, sequence=write_sequence)
