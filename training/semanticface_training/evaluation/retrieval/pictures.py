"""What the picture encoder sees of a dataset's pictures, and what it sees of them while it learns.

Every picture is taken whole: filled up to a square, made small, grey. Nobody is asked where the face is, so that the
evaluator stands on nothing that a predictor stands on. A face should fill much of the picture: a dataset built with
`--face-crop` has it so. This module knows nothing of networks and training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from semanticface.actions import BY_NAME, CSV_ORDER

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from semanticface_training.dataset.table import Dataset

SHIFT, SCALE = 0.08, 0.10
"""While learning a picture moves by up to this share of its half side, and grows or shrinks by up to this share."""


def decoded(dataset: Dataset, indices: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
    """Each picture as upright (H, W, 3) uint8 RGB. Raises MediaError that names row and file."""
    from semanticface.media.images import FILE_LIMITS, decode_image

    for index in indices:
        where = f"row {dataset.rows[index].id}: {dataset.image_path(index)}"
        yield decode_image(dataset.image_bytes(index), FILE_LIMITS, where)


def grey_pictures(dataset: Dataset, indices: Iterable[int], size: int) -> NDArray[np.uint8]:
    """(N, size, size) uint8. Raises MediaError that names row and file."""
    made = [small_grey(picture, size) for picture in decoded(dataset, indices)]
    return np.stack(made) if made else np.empty((0, size, size), np.uint8)


def small_grey(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB to (size, size) uint8: its own edge goes on to both sides until it is a square."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    high, wide = grey.shape
    side = max(high, wide)
    if max(high, wide) > size:
        high, wide = max(1, round(high * size / side)), max(1, round(wide * size / side))
        grey = cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA)
        side = max(high, wide)
    top, left = (side - high) // 2, (side - wide) // 2
    square = cv2.copyMakeBorder(grey, top, side - high - top, left, side - wide - left, cv2.BORDER_REPLICATE)
    if side != size:
        square = cv2.resize(square, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(square, np.uint8)


def mirror_rule() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(61,) places and (61,) signs: `values[:, places] * signs` are the coefficients of the mirrored pictures."""
    place = {name: number for number, name in enumerate(CSV_ORDER)}
    places = [place[BY_NAME[name].mirror] for name in CSV_ORDER]
    return np.array(places), np.array([BY_NAME[name].mirror_sign for name in CSV_ORDER], np.float32)


def augmented(pictures: torch.Tensor, values: torch.Tensor, draw: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, S, S) pictures and their (B, 61) values: half of both mirrored, the pictures shifted and scaled at random.

    Pictures aren't turned: that would be another roll of the head.
    """
    import torch

    count = len(pictures)
    places, signs = mirror_rule()
    flipped = torch.rand(count, generator=draw) < 0.5
    other = values[:, torch.from_numpy(places)] * torch.from_numpy(signs)
    values = torch.where(flipped[:, None], other, values)
    maps = torch.zeros(count, 2, 3)
    scale = 1 + SCALE * (2 * torch.rand(count, generator=draw) - 1)
    maps[:, 0, 0] = torch.where(flipped, -scale, scale)
    maps[:, 1, 1] = scale
    maps[:, :, 2] = SHIFT * (2 * torch.rand(count, 2, generator=draw) - 1)
    grid = torch.nn.functional.affine_grid(maps, [count, 1, *pictures.shape[1:]], align_corners=False)
    moved = torch.nn.functional.grid_sample(pictures[:, None], grid, padding_mode="border", align_corners=False)
    return moved[:, 0], values
