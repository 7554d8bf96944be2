"""Pictures for measurements: the frames of a clip, as they are or fitted into 1080p. Knows nothing of engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.engines.base import FrameInput
from semanticface.errors import MediaError
from semanticface.media.reader import MediaReader, open_media
from semanticface.media.source import MediaRef

WIDTH, HEIGHT = 1920, 1080


def open_clip(clip: Path) -> MediaReader:
    """The clip, opened; raises MediaError."""
    return open_media(MediaRef.from_user(str(clip)))


def read_frames(reader: MediaReader, numbers: Sequence[int]) -> Iterator[FrameInput]:
    """Pictures for an engine; raises MediaError at the first that can't be read."""
    for picture in reader.read(numbers):
        if picture.image is None:
            raise MediaError(f"frame {picture.frame} can't be read: {picture.message or picture.status}")
        yield FrameInput(picture.frame, picture.time, picture.image)


def fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(1080, 1920, 3): the picture enlarged or reduced to fit, in the middle of black."""
    height, width = image.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    resized = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_CUBIC)
    out = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = (HEIGHT - resized.shape[0]) // 2, (WIDTH - resized.shape[1]) // 2
    out[top : top + resized.shape[0], left : left + resized.shape[1]] = resized
    return out


def there_and_back(clip: Path, count: int) -> list[NDArray[np.uint8]]:
    """`count` pictures of 1080p, the clip's first frames forward and backward, so that a loop of them has no jump."""
    with open_clip(clip) as reader:
        there = range(min(reader.info.frame_count, count // 2 + 1))
        images = [fitted(frame.image) for frame in read_frames(reader, there)]
    return (images + images[-2:0:-1])[:count]
