"""Encoded images and raw pixels to upright (H, W, 3) uint8 RGB.

What becomes of odd pictures: 16 bits are scaled, not cut; floating point is taken as scene-linear, clipped to
[0, 1] and given the sRGB curve (IEC 61966-2-1); transparent parts lie over mid grey; Exif orientation is applied;
Adobe CMYK is converted without a profile. What can't be read exactly raises MediaError, never a guess. Knows
nothing of files and sequences: `where` is only a name for messages.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import MediaError
from semanticface.media.image_header import ImageFormat, ImageHeader, read_header
from semanticface.protocol import PixelFormat

MID_GREY = 128
"""What shows through transparent parts: no face, no edge stronger than needed."""
_MID_GREY_LINEAR = 0.21586  # the same grey before the sRGB curve


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Checked before anything is decoded, so that a small file can't fill the memory."""

    max_bytes: int = 64 * 1024 * 1024
    max_side: int = 16_384
    max_pixels: int = 100_000_000


WIRE_LIMITS = ImageLimits()
FILE_LIMITS = ImageLimits(max_bytes=512 * 1024 * 1024)
"""For files that the user named: a 4K floating-point frame is larger than anything that comes over the wire."""


_CHANNELS = {PixelFormat.RGB8: 3, PixelFormat.RGBA8: 4, PixelFormat.BGR8: 3, PixelFormat.GREY8: 1}


def check_size(width: int, height: int, where: str, limits: ImageLimits = WIRE_LIMITS) -> None:
    """Raises MediaError when a picture of this size is refused."""
    if width < 1 or height < 1:
        raise MediaError(f"{where}: a picture of {width} x {height} pixels")
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        most = f"at most {limits.max_side:,} a side and {limits.max_pixels:,} in all"
        raise MediaError(f"{where}: {width:,} x {height:,} pixels are too many", f"{most}; make it smaller")


def check_bytes(count: int, where: str, limits: ImageLimits) -> None:
    """Raises MediaError when an encoded image of this many bytes is refused."""
    if count > limits.max_bytes:
        raise MediaError(f"{where}: {count:,} bytes are too many", f"at most {limits.max_bytes:,}; make it smaller")


def image_header(data: bytes, limits: ImageLimits = WIRE_LIMITS, where: str = "image") -> ImageHeader:
    """The header, within the limits. Raises MediaError."""
    check_bytes(len(data), where, limits)
    header = read_header(data, where)
    check_size(header.width, header.height, where, limits)
    return header


def decode_image(data: bytes, limits: ImageLimits = WIRE_LIMITS, where: str = "image") -> NDArray[np.uint8]:
    """Upright (H, W, 3) uint8 RGB, contiguous. Raises MediaError that names `where`."""
    header = image_header(data, limits, where)
    pixels = _decode(data, header, where)
    upright = orient(_to_rgb8(pixels, header.format, where), header.orientation)
    return np.ascontiguousarray(upright)


def raw_image(
    data: bytes,
    width: int,
    height: int,
    layout: PixelFormat,
    *,
    bottom_up: bool = False,
    limits: ImageLimits = WIRE_LIMITS,
) -> NDArray[np.uint8]:
    """Raw pixels as (height, width, 3) uint8 RGB; `bottom_up` when the first row is the lowest, as in Blender.

    Raises MediaError when the bytes don't make up exactly that picture.
    """
    where = f"raw {layout} image"
    check_size(width, height, where, limits)
    channels = _CHANNELS.get(layout)
    if channels is None:
        raise MediaError(f"{where}: {layout} is not a layout of raw pixels")
    expected = width * height * channels
    if len(data) != expected:
        raise MediaError(f"{where}: {width} x {height} pixels are {expected:,} bytes, {len(data):,} came")
    pixels: NDArray[np.uint8] = np.frombuffer(data, np.uint8).reshape(height, width, channels)
    if bottom_up:
        pixels = pixels[::-1]
    if layout is PixelFormat.GREY8:
        pixels = np.repeat(pixels, 3, axis=2)
    elif layout is PixelFormat.BGR8:
        pixels = pixels[:, :, ::-1]
    elif layout is PixelFormat.RGBA8:
        pixels = over_grey(pixels)
    return np.ascontiguousarray(pixels) if pixels.base is None else pixels.copy()


def over_grey(pixels: NDArray[np.uint8], *, premultiplied: bool = False) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 with alpha last, laid over mid grey: (H, W, 3) uint8 in the same colour order."""
    alpha = pixels[:, :, 3:].astype(np.uint16)
    colour = pixels[:, :, :3]
    if alpha.min(initial=255) == 255:
        return colour
    below = MID_GREY * (255 - alpha)
    if premultiplied:
        return np.minimum(colour + (below + 127) // 255, 255).astype(np.uint8)
    return ((colour * alpha + below + 127) // 255).astype(np.uint8)


def orient(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The picture turned upright from Exif orientation 1 to 8; a view where it can be."""
    flip = orientation in {2, 4, 5, 7}
    quarter_turns = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}.get(orientation, 0)  # counter-clockwise
    if orientation in {5, 7}:  # transposed: turned first, then mirrored left to right
        return np.rot90(image, quarter_turns)[:, ::-1]
    return np.rot90(image[:, ::-1] if flip else image, quarter_turns)


def _decode(data: bytes, header: ImageHeader, where: str) -> NDArray[Any]:
    """Pixels as OpenCV gives them unchanged: blue first, any depth, never turned."""
    if header.format is ImageFormat.EXR:
        # OpenCV reads EXR only when told to; it looks at the variable when the first EXR comes.
        os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    buffer = np.frombuffer(data, np.uint8)
    if header.patch is not None and header.orientation != 1:
        # OpenCV turns TIFFs by itself in some versions; with the tag at 1 there is nothing for it to do.
        buffer = buffer.copy()
        buffer[header.patch : header.patch + 2] = (1, 0) if data[:2] == b"II" else (0, 1)
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise MediaError(f"{where}: {header.format} can't be decoded: {str(error).strip()[:200]}") from error
    if pixels is None:
        hint = "it may be damaged, or stored in a way that isn't supported; save it again as PNG"
        if header.format is ImageFormat.EXR:
            hint = "it may be damaged, or this OpenCV was built without OpenEXR; save it as 16-bit PNG"
        raise MediaError(f"{where}: {header.format} can't be decoded", hint)
    if pixels.shape[:2] != (header.height, header.width):
        raise MediaError(
            f"{where}: {header.format} says {header.width} x {header.height}, decoded to {pixels.shape[:2]}"
        )
    return pixels


def _to_rgb8(pixels: NDArray[Any], kind: ImageFormat, where: str) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 1|3|4), blue first, to (H, W, 3) uint8 RGB."""
    if pixels.ndim == 3 and pixels.shape[2] not in {1, 3, 4}:
        raise MediaError(f"{where}: {pixels.shape[2]} channels", "save it with 1, 3 or 4 channels")
    if pixels.dtype in {np.dtype(np.float32), np.dtype(np.float64)}:
        pixels = _srgb_from_linear(pixels.astype(np.float32, copy=False), premultiplied=kind is ImageFormat.EXR)
    elif pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    elif pixels.dtype != np.uint8:
        raise MediaError(
            f"{where}: pixels of type {pixels.dtype}", "save it with 8 or 16 bits or 32-bit floating point"
        )
    elif pixels.ndim == 3 and pixels.shape[2] == 4 and kind is ImageFormat.TIFF:
        pixels = over_grey(pixels, premultiplied=True)  # libtiff multiplies 8-bit colours by alpha, 16-bit ones not
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] == 4:
        pixels = over_grey(pixels)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2RGB), np.uint8)


def _srgb_from_linear(pixels: NDArray[np.float32], *, premultiplied: bool) -> NDArray[np.uint8]:
    """Scene-linear to display: over grey, clip to [0, 1], sRGB curve (IEC 61966-2-1), 8 bits. Not a number is black."""
    pixels = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = np.clip(pixels[:, :, 3:], 0, 1)
        colour = pixels[:, :, :3] if premultiplied else pixels[:, :, :3] * alpha
        pixels = colour + np.float32(_MID_GREY_LINEAR) * (1 - alpha)
    linear = np.clip(pixels, 0, 1)
    curved = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    display: NDArray[np.uint8] = np.rint(curved * 255).astype(np.uint8)
    return display
