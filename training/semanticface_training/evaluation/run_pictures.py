"""A folder of pictures without truth as a dataset: faces in the wild, cartoons, whatever somebody collected.

Nothing is copied. Each picture is a row of the split "test" in the order of names; the folders that it lies in are its
tags, so that `cartoon/` and `real/` are told apart in the tables. The 61 coefficients are NaN: no metric takes them for
a truth. This module knows nothing of methods.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, MediaError
from semanticface.media.image_header import read_header
from semanticface.media.numbering import IMAGE_SUFFIXES
from semanticface_training.dataset.table import HEADER_NAME, Coefficients, Dataset, Row, Split, digest_of

KIND = "pictures"
MOST_PICTURES = 1_000_000


def has_truth(dataset: Dataset) -> bool:
    """Whether the coefficients of its rows mean something."""
    return bool(dataset.header.get("made_from", {}).get("kind") != KIND)


def open_pictures(path: Path) -> Dataset:
    """A dataset, or a folder of pictures. Raises InputError for what is neither, and for a folder without pictures."""
    if (path / HEADER_NAME).is_file():
        return Dataset.open(path)
    if not path.is_dir():
        raise InputError(
            f"{path} is neither a dataset nor a folder of pictures", "see semanticface-train dataset build"
        )
    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in IMAGE_SUFFIXES and not any(part.startswith(".") for part in file.parts)
    )
    if not files or len(files) > MOST_PICTURES:
        raise InputError(f"{path} holds {len(files):,} pictures and no {HEADER_NAME}", "name a dataset, or pictures")
    values = np.full((len(files), len(CSV_ORDER)), np.nan, np.float32)
    rows = tuple(_row(path, file, number, values) for number, file in enumerate(files))
    header = {
        "digest": digest_of(rows),
        "made_from": {"kind": KIND},
        "counts": {"rows": len(rows), "splits": {"train": 0, "val": 0, "test": len(rows)}},
    }
    return Dataset(path, header, rows, values)


def _row(path: Path, file: Path, number: int, values: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Row:
    place = file.relative_to(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise MediaError(f"{file} can't be read: {error.strerror or error}") from error
    try:
        header = read_header(data, str(place))
        width, height = header.width, header.height
    except MediaError:
        width = height = 0  # the methods are asked all the same, and each answer says that it can't be read
    return Row(
        take=KIND,
        frame=number,
        subject="",
        split=Split.TEST,
        coefficients=Coefficients(values[number]),
        sequence=place.as_posix(),
        tags=tuple(place.parts[:-1]),
        image=place.as_posix(),
        image_sha256=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
    )
