"""One fixed-size record a picture, and the append-only file that keeps them by the picture's hash.

A record is written in one piece at the end of the file; what a killed process leaves half-written is cut off by the
next. Files are named after the models' hash and this layout's version, so that records of other models are never met.
This module runs no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError

LAYOUT = 1
"""Raised when records change; files of another layout are left alone."""
LANDMARKS, SCORES = 478, 52

RECORD = np.dtype(
    [
        ("key", "u1", 32),
        ("found", "<u4"),
        ("size", "<u4", 2),
        ("points", "<f4", (LANDMARKS, 3)),
        ("scores", "<f4", SCORES),
        ("matrix", "<f4", (4, 4)),
        ("tongue", "<f4"),
        ("presence", "<f4"),
    ]
)
"""What is known of one picture: SHA-256 of its bytes (mirrored pictures: see `key_of`), whether a face was found, width
and height, landmarks in pixels with depth in the same scale, `_neutral` and 51 scores, the pose from the canonical
face to the camera in cm, tongue score, presence. All zero where no face was found, except key and size."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceFeatures:
    """N pictures. `found` (N,) bool, `size` (N, 2) width and height, `points` (N, 478, 3) pixels, `scores` (N, 52),
    `matrix` (N, 4, 4), `tongue` and `presence` (N,); float32. Where nothing was found all is 0."""

    found: NDArray[np.bool_]
    size: NDArray[np.int64] = field(repr=False)
    points: NDArray[np.float32] = field(repr=False)
    scores: NDArray[np.float32] = field(repr=False)
    matrix: NDArray[np.float32] = field(repr=False)
    tongue: NDArray[np.float32] = field(repr=False)
    presence: NDArray[np.float32] = field(repr=False)

    @classmethod
    def of(cls, records: NDArray[np.void]) -> FaceFeatures:
        """From (N,) records of dtype `RECORD`."""
        plain = [np.ascontiguousarray(records[name]) for name in ("points", "scores", "matrix", "tongue", "presence")]
        return cls(records["found"].astype(bool), records["size"].astype(np.int64), *plain)

    def __len__(self) -> int:
        return len(self.found)

    def take(self, rows: NDArray[Any] | Sequence[int]) -> FaceFeatures:
        """Those rows, in that order."""
        at = np.asarray(rows)
        parts = (self.found, self.size, self.points, self.scores, self.matrix, self.tongue, self.presence)
        return FaceFeatures(*(part[at] for part in parts))


def key_of(image_sha256: str, mirrored: bool = False) -> bytes:
    """32 bytes that stand for a picture, given by its hash in hexadecimal, or for its mirror image."""
    plain = bytes.fromhex(image_sha256)
    return hashlib.sha256(plain + b"mirrored").digest() if mirrored else plain


class FeatureCache:
    """Records on disk, by key. One file for each model; several processes may read and append."""

    def __init__(self, folder: Path, model: str) -> None:
        """`model` names the models' files, as a hash. Raises InputError when the folder can't be used."""
        self.path = folder / f"faces-{model[:16]}-v{LAYOUT}.records"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._mend()
            known = np.fromfile(self.path, RECORD) if self.path.is_file() else np.zeros(0, RECORD)
        except OSError as error:
            raise InputError(f"{folder} can't hold features: {error.strerror or error}", "choose another") from error
        self._records: dict[bytes, NDArray[np.void]] = {record["key"].tobytes(): record for record in known}

    def _mend(self) -> None:
        if self.path.is_file() and (torn := self.path.stat().st_size % RECORD.itemsize):
            with self.path.open("r+b") as file:
                file.truncate(self.path.stat().st_size - torn)

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: bytes) -> NDArray[np.void] | None:
        """The record of a picture, a scalar of dtype `RECORD`."""
        return self._records.get(key)

    def add(self, record: NDArray[np.void]) -> None:
        """Keep a record, a (1,) array of dtype `RECORD`. Raises InputError when the disk is full."""
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(record.tobytes())
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror or error}") from error
        self._records[record[0]["key"].tobytes()] = record[0]
