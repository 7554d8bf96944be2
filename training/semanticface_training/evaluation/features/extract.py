"""Runs the landmark models over a dataset's pictures, each by itself, or over a clip's frames as the engine does it.

The models are the product's own (`semanticface.engines.landmarks`), with the engine's default options; what is kept are
their raw outputs. This module knows nothing of truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface import assets
from semanticface.assets.store import sha256_of
from semanticface.engines.base import FrameInput
from semanticface.engines.landmarks.bundle import Networks, read_bundle
from semanticface.engines.landmarks.geometry import CanonicalFace, PoseSolver
from semanticface.engines.landmarks.options import complete
from semanticface.engines.landmarks.tracker import Settings, Tracker
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.features.records import RECORD, FaceFeatures, FeatureCache, key_of


class Extractor:
    """The models, loaded. Not shared between threads."""

    def __init__(self, model: Path | None = None) -> None:
        """`model` is a bundle, the installed one by default. Raises AssetError when it is missing or damaged."""
        path = assets.verify(assets.FACE_LANDMARKER) if model is None else model
        self.model = sha256_of(path)
        bundle = read_bundle(path)
        self.canonical: CanonicalFace = bundle.canonical
        self._networks = Networks(bundle)
        self._pose = PoseSolver(bundle.canonical)
        self._settings = Settings.of(complete({}))

    def still(self, image: NDArray[np.uint8], key: bytes) -> NDArray[np.void]:
        """A (1,) record of a picture by itself: (H, W, 3) uint8 RGB."""
        tracker = Tracker(self._networks, self._pose, self._settings, video=False)
        return self._record(tracker, FrameInput(0, None, image), key)

    def follow(self, frames: Iterable[FrameInput]) -> Iterator[NDArray[np.void]]:
        """A (1,) record of each frame of a video, smoothed and followed as the engine does it. Keys are 0."""
        tracker = Tracker(self._networks, self._pose, self._settings, video=True)
        for frame in frames:
            yield self._record(tracker, frame, bytes(32))

    def _record(self, tracker: Tracker, frame: FrameInput, key: bytes) -> NDArray[np.void]:
        record = np.zeros(1, RECORD)
        height, width = frame.image.shape[:2]
        record["key"], record["size"] = np.frombuffer(key, np.uint8), (width, height)
        seen = tracker.look(frame)
        if seen is not None:
            record["found"], record["points"], record["scores"] = 1, seen.pixels, seen.scores
            record["matrix"] = self._pose(seen.pixels / (width, height, width), width, height)
            record["tongue"], record["presence"] = seen.tongue, seen.presence
        return record


def dataset_features(
    dataset: Dataset,
    indices: Sequence[int],
    cache: FeatureCache,
    extractor: Extractor,
    mirrored: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> FaceFeatures:
    """What is seen in those rows' pictures, in their order, from the cache where it is known.

    `mirrored` looks at the pictures' mirror images. `progress` is told how many of how many are there. Raises
    MediaError that names the row when a picture can't be read.
    """
    records = np.zeros(len(indices), RECORD)
    for place, index in enumerate(indices):
        key = key_of(dataset.rows[index].image_sha256, mirrored)
        found = cache.get(key)
        if found is None:
            record = extractor.still(_picture(dataset, index, mirrored), key)
            cache.add(record)
            found = record[0]
        records[place] = found
        if progress is not None:
            progress(place + 1, len(indices))
    return FaceFeatures.of(records)


def _picture(dataset: Dataset, index: int, mirrored: bool) -> NDArray[np.uint8]:
    where = f"row {dataset.rows[index].id}: {dataset.image_path(index)}"
    image = decode_image(dataset.image_bytes(index), FILE_LIMITS, where)
    return np.ascontiguousarray(image[:, ::-1]) if mirrored else image


def footage_features(frames: Iterable[FrameInput], extractor: Extractor) -> FaceFeatures:
    """What is seen in a video's frames, which must come in order."""
    return FaceFeatures.of(np.concatenate([np.zeros(0, RECORD), *extractor.follow(frames)]))
