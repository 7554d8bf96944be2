"""The face cut out of a picture, for checkpoints that were trained on faces alone; off unless the profile asks for it.

The landmark engine finds the face. It is built when the first picture asks for it, so that a checkpoint without a crop
needs no landmark model. This module decides nothing about pictures without a face: the caller does.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from semanticface.engines.base import Engine, FrameInput, RunOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semanticface.results import FrameResult

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels of the upright picture, as in `FrameResult.box`; a part may lie outside."""
FaceOption = str | int | Sequence[float]
"""Which of several faces: the landmark engine's option `face`."""


def window(box: Box, margin: float, width: int, height: int) -> tuple[int, int, int, int] | None:
    """The square around a face as (left, top, right, bottom) in whole pixels, clipped to a width x height picture.

    Its side is the face's longer one plus `margin` times that on each side; the face is in its middle. None when
    nothing of it lies in the picture.
    """
    x, y, wide, high = box
    half = max(wide, high) * (0.5 + margin)
    middle_x, middle_y = x + wide / 2, y + high / 2
    left, top = max(0, math.floor(middle_x - half)), max(0, math.floor(middle_y - half))
    right, bottom = min(width, math.ceil(middle_x + half)), min(height, math.ceil(middle_y + half))
    return (left, top, right, bottom) if left < right and top < bottom else None


class FaceCrop:
    """Finds faces and cuts them out. Safe to use from several threads; `close` gives the landmark networks back."""

    def __init__(self, build: Callable[[], Engine] | None = None) -> None:
        """`build` makes the engine that looks for faces: by default the installed landmark engine, one lane."""
        self._build = build or _landmarks
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def found(self, image: NDArray[np.uint8], face: FaceOption = "largest") -> FrameResult:
        """The landmark engine's result for an (H, W, 3) uint8 RGB picture: status, `faces`, `box`, `message`, values.

        Raises AssetError when the landmark model is not installed, OptionsError for a `face` that can't be meant.
        """
        return self.seen(image, face)[0]

    def seen(
        self, image: NDArray[np.uint8], face: FaceOption = "largest"
    ) -> tuple[FrameResult, NDArray[np.float64] | None]:
        """As `found`, and the face's (478, 3) landmarks in pixels of the picture; None where there is no face."""
        session = self._landmarks().session(RunOptions({"face": face}), video=False)
        try:
            result = next(iter(session.analyze([FrameInput(0, None, image)])))
            sighting = getattr(session, "sighting", None)
            return result, None if sighting is None else sighting.pixels
        finally:
            session.close()

    def crop(
        self, image: NDArray[np.uint8], margin: float, face: FaceOption = "largest"
    ) -> tuple[NDArray[np.uint8], Box | None]:
        """The chosen face's square at the picture's own resolution (a view), and the face's box in the whole picture.

        Without a face: the whole picture and None. `margin` as for `window`; raises what `found` raises.
        """
        return cut(image, self.found(image, face).box, margin)

    def close(self) -> None:
        """Give the networks back; the next picture would build them anew."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _landmarks(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._build()
            return self._engine


def cut(image: NDArray[np.uint8], box: Box | None, margin: float) -> tuple[NDArray[np.uint8], Box | None]:
    """As `FaceCrop.crop`, for a face that was found before."""
    area = None if box is None else window(box, margin, image.shape[1], image.shape[0])
    if area is None:
        return image, None
    left, top, right, bottom = area
    return image[top:bottom, left:right], box


def _landmarks() -> Engine:
    from semanticface.engines.landmarks.engine import LandmarkEngine

    return LandmarkEngine(lanes=1)
