"""What a small model sees of a dataset: every face found, levelled and in local contrast, as the backend prepares it.

Prepared once and kept beside the run. Rows without a face teach nothing and are counted. This module knows nothing of
models.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.preparation import levelled
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface_training.dataset.table import Dataset

if TYPE_CHECKING:
    import torch

_TOLD_EVERY = 200


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """`numbers` (N,): the rows with a face; `faces` (N, side, side, 3) uint8; `without`: how many rows had none."""

    numbers: NDArray[np.int64]
    faces: NDArray[np.uint8]
    without: int

    def tensor(self) -> torch.Tensor:
        """(N, 3, side, side) float32 in [-1, 1], as the backend's patches have them."""
        import torch

        return torch.from_numpy(self.faces).permute(0, 3, 1, 2).float() / 127.5 - 1


def prepare(
    dataset: Dataset, numbers: Sequence[int], side: int, file: Path, say: Callable[[str], None] = lambda words: None
) -> Pictures:
    """The pictures of these rows; read from `file` where an earlier run left them.

    Raises AssetError without the landmark model, MediaError for a picture that can't be read.
    """
    kept = _read(file, dataset.digest, numbers, side)
    if kept is not None:
        return kept
    finder = FaceCrop()
    faces: list[NDArray[np.uint8]] = []
    found: list[int] = []
    try:
        for count, number in enumerate(numbers, 1):
            image = decode_image(dataset.image_bytes(number), FILE_LIMITS, f"row {dataset.rows[number].id}")
            points = finder.seen(image)[1]
            if points is not None:
                faces.append(levelled(image, points, side))
                found.append(number)
            if count % _TOLD_EVERY == 0:
                say(f"{count:,} of {len(numbers):,} faces looked for")
    finally:
        finder.close()
    shown = np.stack(faces) if faces else np.zeros((0, side, side, 3), np.uint8)
    pictures = Pictures(np.array(found, np.int64), shown, len(numbers) - len(found))
    _write(file, pictures, dataset.digest, numbers)
    return pictures


def _write(file: Path, pictures: Pictures, digest: str, numbers: Sequence[int]) -> None:
    part = file.with_suffix(".part.npz")
    np.savez(part, digest=np.array(digest), asked=np.array(numbers), numbers=pictures.numbers, faces=pictures.faces)
    part.replace(file)


def _read(file: Path, digest: str, numbers: Sequence[int], side: int) -> Pictures | None:
    """What lies there, when it is of the same rows and size."""
    try:
        with np.load(file, allow_pickle=False) as data:
            fields: dict[str, Any] = {name: data[name] for name in ("digest", "asked", "numbers", "faces")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    same = str(fields["digest"]) == digest and np.array_equal(fields["asked"], numbers)
    if not same or fields["faces"].shape[1:] != (side, side, 3):
        return None
    return Pictures(fields["numbers"], fields["faces"], len(numbers) - len(fields["numbers"]))
