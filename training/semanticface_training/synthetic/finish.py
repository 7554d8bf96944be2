"""From a drawn head to the picture in the set: backdrop, toon, exposure, and what cameras and codecs do to pictures.

Everything random comes from the variation's own seed. numpy and OpenCV; knows nothing of heads and Blender.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import EngineError
from semanticface_training.synthetic.variation import Finish, Variation

Image = NDArray[np.uint8]
Picture = NDArray[np.float32]


def finished(drawn: Image, variation: Variation, size: int) -> bytes:
    """The JPEG file of a drawn (S, S, 4) uint8 BGRA picture, `size` px a side."""
    rng = np.random.default_rng([variation.seed, 1])
    behind = backdrop(np.random.default_rng([variation.seed, 0]), size)
    if variation.flipped:
        behind = np.ascontiguousarray(behind[:, ::-1])
    over = drawn.astype(np.float32) / 255
    over[..., :3] *= over[..., 3:]
    over = _resized(over, size, cv2.INTER_AREA)
    picture = _f32(over[..., :3] + behind * (1 - over[..., 3:]))
    if variation.finish.toon:
        picture = toon(picture)
    picture = graded(picture, variation.finish)
    return encoded(degraded(picture, variation.finish, rng, variation.flipped), variation.finish.quality)


def backdrop(rng: np.random.Generator, size: int) -> Picture:
    """Something to stand before, (size, size, 3) in 0..1: a plain wall, a gradient, soft blobs or a few blocks."""
    base, other = rng.uniform(0.05, 0.95, 3), rng.uniform(0.05, 0.95, 3)
    base, other = (0.25 * c + 0.75 * c.mean() for c in (base, other))
    kind = int(rng.integers(4))
    if kind == 0:
        return _f32(np.tile(base, (size, size, 1)))
    if kind == 1:
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:size, 0:size] / size - 0.5
        share = np.clip(0.5 + np.cos(angle) * x + np.sin(angle) * y, 0, 1)[..., None]
        return _f32(base * (1 - share) + other * share)
    if kind == 2:
        coarse = rng.uniform(0, 1, (int(rng.integers(3, 9)),) * 2 + (3,)).astype(np.float32)
        coarse = 0.25 * coarse + 0.75 * coarse.mean(axis=2, keepdims=True)
        grown = _resized(coarse, size, cv2.INTER_CUBIC)
        return _f32(base + (grown - 0.5) * rng.uniform(0.2, 0.8))
    return _blocks(rng, size, base, other)


def _blocks(rng: np.random.Generator, size: int, base: NDArray[np.float64], other: NDArray[np.float64]) -> Picture:
    """Upright and flat rectangles out of focus, as shelves, doors and windows are."""
    wall: Picture = np.tile(base.astype(np.float32), (size, size, 1))
    for _ in range(int(rng.integers(3, 9))):
        x, y, w, h = rng.uniform(0, 1, 4) * (size, size, size * 0.6, size * 0.6)
        share = rng.uniform(0, 1)
        colour = (base * share + other * (1 - share)) * rng.uniform(0.5, 1.3)
        wall[int(y) : int(y + h), int(x) : int(x + w)] = np.clip(colour, 0, 1)
    return _f32(cv2.GaussianBlur(wall, (0, 0), float(size * rng.uniform(0.002, 0.03))))


def _f32(picture: Any) -> Picture:
    """A picture as float32 in 0..1."""
    clipped: Picture = np.clip(picture, 0, 1).astype(np.float32)
    return clipped


def _resized(picture: Picture, side: int, way: int) -> Picture:
    sized: Picture = np.asarray(cv2.resize(picture, (side, side), interpolation=way), np.float32)
    return sized


def toon(picture: Picture) -> Picture:
    """Flat tones and dark outlines, as in a cartoon; the features stay where they are."""
    flat: Picture = picture
    for _ in range(2):
        flat = _f32(cv2.bilateralFilter(flat, 7, 0.12, 3.0))
    hls = cv2.cvtColor(np.clip(flat, 0, 1), cv2.COLOR_BGR2HLS)
    steps = 6.0
    level = hls[..., 1] * steps
    part = level - np.floor(level)
    hls[..., 1] = (np.floor(level) + 0.5 + 0.5 * np.tanh((part - 0.5) * 8)) / steps
    hls[..., 2] = np.clip(hls[..., 2] * 1.35, 0, 1)
    painted = cv2.cvtColor(hls, cv2.COLOR_HLS2BGR)
    grey = cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY)
    fine = picture.shape[0] / 256
    lines = cv2.GaussianBlur(grey, (0, 0), 0.9 * fine) - 0.985 * cv2.GaussianBlur(grey, (0, 0), 1.6 * fine)
    ink = np.clip(1 + np.minimum(lines, 0) * 26, 0.1, 1)[..., None]
    return _f32(painted * ink)


def graded(picture: Picture, finish: Finish) -> Picture:
    """Exposure, contrast and white balance, and grey pictures."""
    out = np.clip(picture * finish.exposure, 0, 1) ** finish.gamma * np.asarray(finish.tint[::-1], np.float32)
    out = _f32(out)
    if finish.grey:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    return out


def degraded(picture: Picture, finish: Finish, rng: np.random.Generator, flipped: bool) -> Picture:
    """Lost detail, soft focus, shake and sensor noise, in that order."""
    size = picture.shape[0]
    out = picture
    if finish.detail < 1:
        small = _resized(out, max(16, round(size * finish.detail)), cv2.INTER_AREA)
        out = _resized(small, size, cv2.INTER_LINEAR)
    if finish.blur > 0:
        out = _f32(cv2.GaussianBlur(out, (0, 0), finish.blur * size / 256))
    if finish.shake > 0:
        out = _f32(cv2.filter2D(out, -1, _shake_kernel(finish, size, flipped), borderType=cv2.BORDER_REPLICATE))
    if finish.noise > 0:
        grain = rng.normal(0, finish.noise, out.shape[:2] + ((1,) if finish.grey else (3,)))
        out = _f32(out + (grain[:, ::-1] if flipped else grain))
    return out


def _shake_kernel(finish: Finish, size: int, flipped: bool) -> Picture:
    """A line of `shake` px (at 256 px) through the middle of an odd square, weights adding up to 1."""
    reach = max(1, round(finish.shake * size / 256 / 2))
    kernel = np.zeros((2 * reach + 1,) * 2, np.float32)
    angle = np.pi - finish.shake_angle if flipped else finish.shake_angle
    for step in np.linspace(-reach, reach, 8 * reach + 1):
        kernel[reach + round(step * np.sin(angle)), reach + round(step * np.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)


def encoded(picture: Picture, quality: int) -> bytes:
    """The JPEG file of a picture in 0..1."""
    done, data = cv2.imencode(".jpg", np.round(picture * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise EngineError("a picture could not be encoded as JPEG", "is OpenCV whole? Install it anew")
    return bytes(data.tobytes())
