"""Features of pictures from a large frozen network, as another image side; computed once a picture and kept.

A provider says what it is and turns pictures into vectors. `FeatureCache` keeps them by the picture's SHA-256 in a
file of records of one length, added to as they come: a killed run has lost the record it was writing and no more.
This module knows nothing of any one network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from semanticface.errors import EngineError, InputError, MediaError
from semanticface_training.evaluation.retrieval.pictures import decoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from semanticface_training.dataset.table import Dataset

_DIGEST = 32
"""Bytes of a SHA-256."""
_BATCH = 16


class FeatureProvider(Protocol):
    """A frozen network. `name` is for people; `key` stands for everything that decides the features."""

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def width(self) -> int:
        """Numbers of one vector."""
        ...

    def features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(N, width) float32 of (H, W, 3) uint8 RGB pictures; each is what it would be alone."""
        ...


class FeatureCache:
    """Features of one provider in `folder`; several providers may share a folder, each has a file of its own."""

    def __init__(self, folder: Path, provider: FeatureProvider) -> None:
        """Reads what is there; a torn last record is left out. Raises InputError when the file can't be read."""
        self._provider = provider
        name = hashlib.sha256(f"{provider.key}\0{provider.width}".encode()).hexdigest()[:16]
        self.file = folder / f"features-{name}.bin"
        self._record = _DIGEST + 4 * provider.width
        try:
            folder.mkdir(parents=True, exist_ok=True)
            data = self.file.read_bytes() if self.file.is_file() else b""
        except OSError as error:
            raise InputError(f"{self.file} can't be read: {error.strerror or error}") from error
        self._whole = len(data) - len(data) % self._record
        self._known = dict(self._records(memoryview(data)[: self._whole]))

    def __len__(self) -> int:
        return len(self._known)

    def of(self, dataset: Dataset, indices: Sequence[int]) -> NDArray[np.float32]:
        """(N, width) float32 of these rows; asks the provider for pictures that it hasn't seen.

        Raises MediaError for a picture that can't be read or isn't the row's, EngineError when the provider answers
        with another shape or with what isn't a number.
        """
        wanted: dict[bytes, int] = {}
        for index in indices:
            digest = bytes.fromhex(dataset.rows[index].image_sha256)
            if digest not in self._known:
                wanted.setdefault(digest, index)
        missing = list(wanted.items())
        for start in range(0, len(missing), _BATCH):
            self._ask(dataset, missing[start : start + _BATCH])
        digests = [bytes.fromhex(dataset.rows[index].image_sha256) for index in indices]
        out = np.empty((len(indices), self._provider.width), np.float32)
        for place, digest in enumerate(digests):
            out[place] = self._known[digest]
        return out

    def _ask(self, dataset: Dataset, part: Sequence[tuple[bytes, int]]) -> None:
        for digest, index in part:
            if hashlib.sha256(dataset.image_bytes(index)).digest() != digest:
                where = f"row {dataset.rows[index].id}: {dataset.image_path(index)}"
                raise MediaError(f"{where} is not the picture that the row was made with", "copy the dataset again")
        found = np.asarray(self._provider.features(list(decoded(dataset, [index for _, index in part]))), np.float32)
        if found.shape != (len(part), self._provider.width) or not np.isfinite(found).all():
            raise EngineError(
                f"{self._provider.name} gave features of shape {found.shape} or with values that are no numbers",
                f"{len(part)} x {self._provider.width} finite numbers were asked for",
            )
        records = b"".join(digest + row.astype("<f4").tobytes() for (digest, _), row in zip(part, found, strict=True))
        try:
            with self.file.open("r+b" if self.file.exists() else "w+b") as stream:
                stream.seek(self._whole)
                stream.write(records)
                stream.truncate()
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise InputError(f"{self.file} can't be written: {error.strerror or error}", "is the disk full?") from error
        self._whole += len(records)
        self._known.update((digest, row.copy()) for (digest, _), row in zip(part, found, strict=True))

    def _records(self, data: memoryview) -> Iterator[tuple[bytes, NDArray[np.float32]]]:
        for start in range(0, len(data), self._record):
            record = data[start : start + self._record]
            yield bytes(record[:_DIGEST]), np.frombuffer(record[_DIGEST:], "<f4").astype(np.float32)
