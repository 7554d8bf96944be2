"""A contact sheet: some pictures of a dataset side by side, to be looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError
from semanticface_training.dataset.table import Dataset

COLUMNS = 8


def write_sheet(dataset: Dataset, path: Path, count: int = 64, tile: int = 192) -> int:
    """Write up to `count` pictures, spread over the set, as one image of `tile` px squares; returns how many."""
    chosen = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int))
    tiles = [_tile(dataset.image_path(int(number)), tile) for number in chosen]
    blank = np.full((tile, tile, 3), 255, np.uint8)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    try:
        done = cv2.imwrite(str(path), np.vstack(rows))
    except cv2.error:
        done = False
    if not done:
        raise InputError(f"{path} can't be written as a picture", "give a name that ends in .jpg or .png")
    return len(chosen)


def _tile(path: Path, tile: int) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    if image is None:
        raise InputError(f"{path} can't be read as a picture", "build the dataset again")
    return np.asarray(cv2.resize(image, (tile, tile), interpolation=cv2.INTER_AREA), np.uint8)
