"""A baseline by its name, fitted on the training split the first time and read from disk from then on.

What is on disk is used for the same dataset, models and version of these methods only. This module knows nothing of
metrics and of the split that is asked about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.engines.landmarks.geometry import CanonicalFace
from semanticface.errors import OptionsError
from semanticface.results import FrameResult, Status
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.evaluation.baselines.design import Progress, material
from semanticface_training.evaluation.baselines.fitted import Linear, Mean, bounded, fit_ridge
from semanticface_training.evaluation.baselines.raw import deadface_values, engine_values
from semanticface_training.evaluation.baselines.saved import read_arrays, write_arrays
from semanticface_training.evaluation.baselines.sbca import Sbca, fit_sbca
from semanticface_training.evaluation.features.extract import Extractor, dataset_features
from semanticface_training.evaluation.features.records import FaceFeatures, FeatureCache
from semanticface_training.evaluation.store import Method

VERSION = 1
"""Raised when the same dataset would give other answers; what was fitted before is then fitted anew."""

NAMES = {
    "mean": "training mean",
    "mediapipe": "MediaPipe scores, pose in Live Link convention",
    "deadface": "DeadFace as published",
    "deadface-fixed": "DeadFace, rotations put right",
    "sbca": "SBCA (our implementation)",
    "ridge": "ridge on landmarks and scores",
}
"""Every baseline, with its label in tables."""
_ROWS = 64
_NO_FACE = "no face was found in the picture"


class Answering(Protocol):
    """What all methods do: (N, 61) in `CSV_ORDER` for N pictures; rows without a face may hold anything."""

    def values(self, faces: FaceFeatures) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class _Unfitted:
    """A method that is one function."""

    function: Callable[[FaceFeatures], NDArray[np.float64]]

    def values(self, faces: FaceFeatures) -> NDArray[np.float64]:
        return bounded(self.function(faces))


class BaselinePredictor:
    """Implements `predict.Predictor`. A baseline that needs a face says so where none was found; the mean doesn't."""

    def __init__(self, method: Method, model: Answering, cache: FeatureCache, extractor: Extractor) -> None:
        self.method = method
        self._model, self._cache, self._extractor = model, cache, extractor

    def predict(self, dataset: Dataset, indices: Sequence[int]) -> Iterator[tuple[int, FrameResult]]:
        """(row, answer) in order. Raises MediaError that names the row when a picture can't be read."""
        for start in range(0, len(indices), _ROWS):
            rows = list(indices[start : start + _ROWS])
            faces = self._seen(dataset, rows)
            for row, found, values in zip(rows, faces.found, self._model.values(faces), strict=True):
                frame = dataset.rows[row].frame
                if found or isinstance(self._model, Mean):
                    named = dict(zip(CSV_ORDER, values.tolist(), strict=True))
                    yield row, FrameResult(frame, None, Status.OK, coefficients=named)
                else:
                    yield row, FrameResult(frame, None, Status.NO_FACE, message=_NO_FACE)

    def _seen(self, dataset: Dataset, rows: list[int]) -> FaceFeatures:
        return dataset_features(dataset, rows, self._cache, self._extractor)


def make(name: str, dataset: Dataset, cache: Path, progress: Progress | None = None) -> BaselinePredictor:
    """The baseline, ready to answer. `cache` is a folder for pictures' features and fitted models.

    Raises OptionsError for a name that is none of `NAMES`, InputError for a dataset that nothing can be fitted on,
    AssetError when the landmark models are missing.
    """
    if name not in NAMES:
        raise OptionsError(f"there is no baseline {name!r}", f"there are: {', '.join(NAMES)}")
    extractor = Extractor()
    features = FeatureCache(cache, extractor.model)
    facts = {"baseline": name, "version": VERSION, "models": extractor.model, "dataset": dataset.digest}
    model = _model(name, dataset, features, extractor, cache, facts, progress)
    return BaselinePredictor(Method.of(name, NAMES[name], "baseline", facts), model, features, extractor)


def _model(
    name: str,
    dataset: Dataset,
    features: FeatureCache,
    extractor: Extractor,
    cache: Path,
    facts: dict[str, Any],
    progress: Progress | None,
) -> Answering:
    unfitted: dict[str, Callable[[FaceFeatures], NDArray[np.float64]]] = {
        "mediapipe": engine_values,
        "deadface": lambda faces: deadface_values(faces, fixed=False),
        "deadface-fixed": lambda faces: deadface_values(faces, fixed=True),
    }
    if name in unfitted:
        return _Unfitted(unfitted[name])
    if name == "mean":
        return Mean.fit(dataset.values[dataset.indices(Split.TRAIN)])
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    path = cache / f"{name}-{digest[:16]}.npz"
    if path.is_file():
        return _read(name, path, extractor.canonical)
    rows = material(dataset, features, extractor, progress)
    model: Linear | Sbca = fit_ridge(rows) if name == "ridge" else fit_sbca(rows)
    fitted_on = {"pictures": rows.asked, "with_face": rows.found, "mirrored": True, "held": len(rows.held_values)}
    write_arrays(path, {**facts, "fitted_on": fitted_on}, model.arrays())
    return model


def _read(name: str, path: Path, canonical: CanonicalFace) -> Linear | Sbca:
    _, arrays = read_arrays(path)
    if name == "sbca":
        return Sbca.of(arrays)
    return Linear(**arrays, canonical=canonical)
