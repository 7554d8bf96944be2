"""A picture as Qwen3-VL takes it: resized to whole tokens, normalised, cut into patches.

The result is what the training pipeline makes of the same picture: ms-swift resizes with qwen_vl_utils 0.0.14 and tells
the image processor to resize nothing. It equals that with the pillow form of the Qwen2-VL image processor bit for bit,
on numpy and pillow alone (the torchvision form rounds in another order, 6e-8 apart at most). It has to be pillow's
bicubic filter: OpenCV's does not widen when it makes a picture smaller, and gives other pixels. This module knows
nothing of prompts or models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semanticface.errors import MediaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATCH = 16
"""Side of a patch in pixels; the model's vision part takes one vector a patch."""
MERGE = 2
"""Patches along a side of a token's square."""
TOKEN = PATCH * MERGE
"""Side of the square that one picture token stands for, in pixels of the resized picture."""
VALUES = 3 * 2 * PATCH * PATCH
"""Numbers of one patch: 3 colours x 2 moments (a still counts twice) x 16 x 16 pixels."""
MAX_RATIO = 200
"""A picture may be this many times as long as it is wide, as in training."""


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """A picture for the vision part: `values` (P, 1536) float32 in [-1, 1]; `grid` (1, h, w) with P = h * w patches.

    Rows go token by token (left to right, top to bottom), the four patches of a token after one another; in a row
    come colour, moment, line and column, as the image processor lays them.
    """

    values: NDArray[np.float32]
    grid: tuple[int, int, int]

    @property
    def tokens(self) -> int:
        """Picture tokens in the prompt."""
        return self.grid[1] * self.grid[2] // (MERGE * MERGE)


def resized_size(height: int, width: int, least_tokens: int, most_tokens: int) -> tuple[int, int]:
    """(height, width) in pixels after resizing: multiples of 32, nearly the same shape, tokens within the limits.

    The rule is `smart_resize` of qwen_vl_utils 0.0.14 with a factor of 32. One difference: where it arrives at a side
    of 0 (a strip so long that `most_tokens` would not fit one row), one row stays. Raises MediaError for a picture
    without pixels and for one that is more than 200 times as long as it is wide.
    """
    if min(height, width) < 1:
        raise MediaError(f"a picture of {width} x {height} pixels has nothing to look at")
    if max(height, width) > MAX_RATIO * min(height, width):
        hint = f"the model takes pictures up to {MAX_RATIO} times as long as wide; crop it"
        raise MediaError(f"a picture of {width} x {height} pixels is too narrow", hint)
    rows, columns = max(1, round(height / TOKEN)), max(1, round(width / TOKEN))  # halves go to the even number
    if rows * columns > most_tokens:
        shrink = math.sqrt(height * width / (most_tokens * TOKEN * TOKEN))
        rows = max(1, math.floor(height / shrink / TOKEN))
        columns = max(1, math.floor(width / shrink / TOKEN))
    elif rows * columns < least_tokens:
        grow = math.sqrt(least_tokens * TOKEN * TOKEN / (height * width))
        rows, columns = math.ceil(height * grow / TOKEN), math.ceil(width * grow / TOKEN)
    return rows * TOKEN, columns * TOKEN


def to_patches(image: NDArray[np.uint8], image_tokens: tuple[int, int]) -> Patches:
    """The patches of an (H, W, 3) uint8 RGB picture, resized to between `image_tokens` (least, most) tokens.

    Raises MediaError for any other kind of array, and where `resized_size` does.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise MediaError("the picture is not (H, W, 3) uint8 RGB", "convert it to RGB first")
    height, width = resized_size(image.shape[0], image.shape[1], *image_tokens)
    return _cut(_resize(image, height, width))


def _resize(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if image.shape[:2] == (height, width):
        return image
    from PIL import Image

    picture = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _cut(image: NDArray[np.uint8]) -> Patches:
    """Patches of a picture whose sides are whole tokens. One row of tokens at a time, which stays in the cache."""
    rows, columns = image.shape[0] // TOKEN, image.shape[1] // TOKEN
    split = image.reshape(rows, MERGE, PATCH, columns, MERGE, PATCH, 3)
    ordered = split.transpose(0, 3, 1, 4, 6, 2, 5)  # row, column, patch row, patch column, colour, line, pixel
    values = np.empty((rows, columns * MERGE * MERGE, 3, 2, PATCH * PATCH), np.float32)
    one = np.empty((columns * MERGE * MERGE, 3, 1, PATCH * PATCH), np.float32)
    for row in range(rows):
        one.reshape(ordered.shape[1:])[:] = ordered[row]
        _normalise(one)
        values[row] = one  # for both moments
    return Patches(values.reshape(-1, VALUES), (1, rows * MERGE, columns * MERGE))


def _normalise(levels: NDArray[np.float32]) -> None:
    """0..255 to -1..1 in place: by 255, less the mean .5, by the deviation .5.

    Dividing rounds each of the 256 levels as the image processor does, which multiplies by 1/255 in double precision.
    """
    levels /= np.float32(255)
    levels -= np.float32(0.5)
    levels /= np.float32(0.5)
