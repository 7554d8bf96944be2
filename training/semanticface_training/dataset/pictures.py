"""A frame as it is kept in a dataset: upright, at most so large, as JPEG; on request the face alone.

The whole frame is kept by default, because the model that reads it later sees whole frames, too. JPEG
quality 92 with colour at full resolution, measured on 41 frames of the shipped sample (640 x 640): 44 kB a picture, a
fifth of PNG; 46.7 dB; the landmark engine's shapes move by 0.0033 on average. Quality 85 with halved colour moves them
by 0.0045 at 26 kB, quality 95 by 0.0029 at 57 kB: more bytes buy next to nothing from here on. Knows nothing of takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import MediaError

if TYPE_CHECKING:
    from semanticface.engines.mllm.crop import FaceCrop

NO_FACE_TO_CROP = "no face was found to crop to"


def encode(image: NDArray[np.uint8], size: int, quality: int) -> bytes:
    """(H, W, 3) uint8 RGB as JPEG with no side longer than `size` (0: as it is), never made larger."""
    height, width = image.shape[:2]
    if size and max(height, width) > size:
        scale = size / max(height, width)
        shape = max(1, round(width * scale)), max(1, round(height * scale))
        image = np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.uint8)
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise MediaError(f"a picture of {width} x {height} pixels can't be written as JPEG")
    return bytes(data.tobytes())


def face_alone(image: NDArray[np.uint8], crop: FaceCrop, margin: float) -> NDArray[np.uint8] | None:
    """The square around the largest face, None when there is none. Raises AssetError without the landmark model."""
    part, box = crop.crop(image, margin)
    return None if box is None else part
