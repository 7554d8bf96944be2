"""Thumbnails of source frames: small JPEG pictures for a list in a host, cut to the face where one is known.

The backend makes them because it reads footage exactly; the decoders of hosts differ from version to version. Runs in
the worker only. This module knows nothing of engines or sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.protocol import MAX_THUMBNAIL_BYTES
from semanticface.results import Status
from semanticface.server.footage import Shelf

MARGIN = 0.25
"""Of the face's longer side, added on each of its sides: a box of a detector ends at the brows."""
QUALITIES = (85, 60, 35, 10)
ONE_READER = "thumbnails"

Box = tuple[float, float, float, float]


def make_thumbnails(shelf: Shelf, order: Mapping[str, Any]) -> dict[str, Any]:
    """The worker's answer to a `thumbnails` order: `pictures` [frame, JPEG bytes], `problems` [frame, status, message].

    `order` has `media`, `frames`, `side` (pixels) and `boxes` ([frame, x, y, width, height]). Each frame is in one of
    the two lists, in ascending order, which reads a video in one go.
    """
    boxes: dict[int, Box] = {row[0]: (row[1], row[2], row[3], row[4]) for row in order["boxes"]}
    pictures: list[tuple[int, bytes]] = []
    problems: list[tuple[int, str, str]] = []
    for picture in shelf.read(ONE_READER, order["media"], sorted(order["frames"])):
        if picture.image is None:
            problems.append((picture.frame, picture.status.value, picture.message[:2000]))
            continue
        data = encode(shrink(crop(picture.image, boxes.get(picture.frame)), order["side"]))
        if data is None:
            problems.append((picture.frame, Status.FAILED.value, f"frame {picture.frame} makes no thumbnail"))
        else:
            pictures.append((picture.frame, data))
    shelf.forget(ONE_READER)  # nobody knows when more are asked for, and an open file can't be replaced on Windows
    return {"pictures": pictures, "problems": problems}


def crop(image: NDArray[np.uint8], box: Box | None) -> NDArray[np.uint8]:
    """The square about the box (x, y, width, height in pixels) with its margin, as far as it is in the picture.

    `image` is (H, W, 3) uint8 and comes back whole when there is no box, or when nothing of it lies in the picture.
    """
    if box is None:
        return image
    height, width = image.shape[:2]
    x, y, wide, high = box
    half = max(wide, high) * (0.5 + MARGIN)
    middle = x + wide / 2, y + high / 2
    left, right = (int(np.clip(round(middle[0] + sign * half), 0, width)) for sign in (-1, 1))
    top, bottom = (int(np.clip(round(middle[1] + sign * half), 0, height)) for sign in (-1, 1))
    return image[top:bottom, left:right] if right - left > 1 and bottom - top > 1 else image


def shrink(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture with its longer side at most `side` pixels; never enlarged."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale == 1.0:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode(image: NDArray[np.uint8]) -> bytes | None:
    """(H, W, 3) uint8 RGB as JPEG in the best quality that takes at most MAX_THUMBNAIL_BYTES; None when none does."""
    for quality in QUALITIES:
        done, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and data.size <= MAX_THUMBNAIL_BYTES:
            return data.tobytes()
    return None
