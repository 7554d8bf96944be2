"""From landmarks and scores to the numbers that regressions read, and the rows that they are fitted on.

This module knows nothing of regressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, CSV_ORDER
from semanticface.engines.landmarks.calibration import WIDTH, input_vector
from semanticface.engines.landmarks.frontal import Frontaliser
from semanticface.engines.landmarks.geometry import CanonicalFace
from semanticface.errors import InputError
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.evaluation.features.extract import Extractor, dataset_features
from semanticface_training.evaluation.features.records import FaceFeatures, FeatureCache

Doubles = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

LEAST_ROWS = 20
"""Fewer pictures with a face are no ground to fit anything on."""
_PLACE = {name: place for place, name in enumerate(CSV_ORDER)}
_MIRROR = np.array([_PLACE[action.mirror] for action in ACTIONS])
_SIGN = np.array([action.mirror_sign for action in ACTIONS], np.float64)
_EVERY = 5


def vectors(faces: FaceFeatures, canonical: CanonicalFace) -> Doubles:
    """(N, 1494): what the engine's calibrations read (`calibration.INPUTS`); 0 where there is no face."""
    turn = Frontaliser(canonical)
    out = np.zeros((len(faces), WIDTH))
    for row in np.flatnonzero(faces.found):
        out[row] = input_vector(faces.points[row], faces.scores[row], turn)
    return out


def mirrored_values(values: NDArray[Any]) -> Doubles:
    """(N, 61) truth of the mirror images: sides swapped, yaw and roll negated."""
    return values[:, _MIRROR] * _SIGN


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Rows to fit on and rows to choose options on, of other people, each with a face in it.

    `faces` and `values` (N, 61) hold every training picture and its mirror image, `held_faces` and `held_values` the
    others as they are. `canonical` is the canonical face of the models. `asked` counts pictures, `found` those with a
    face, before mirroring.
    """

    faces: FaceFeatures = field(repr=False)
    values: Doubles = field(repr=False)
    held_faces: FaceFeatures = field(repr=False)
    held_values: Doubles = field(repr=False)
    canonical: CanonicalFace = field(repr=False)
    asked: int
    found: int


def material(dataset: Dataset, cache: FeatureCache, extractor: Extractor, progress: Progress | None = None) -> Material:
    """The training split, with the validation split to choose on, or every fifth training subject where there is none.

    Raises InputError when either holds too few pictures with a face.
    """
    train, held = _parts(dataset)

    def see(what: str, rows: list[int], mirrored: bool) -> FaceFeatures:
        told = None if progress is None else (lambda done, total: progress(what, done, total))
        return dataset_features(dataset, rows, cache, extractor, mirrored, told)

    plain, mirror = see("training pictures", train, False), see("their mirror images", train, True)
    other = see("validation pictures", held, False)
    truth = dataset.values[train].astype(np.float64)
    for what, faces in (("training", plain), ("validation", other)):
        if faces.found.sum() < LEAST_ROWS:
            raise InputError(
                f"{dataset.path.name}: a face was found in {faces.found.sum()} of {len(faces)} {what} pictures",
                f"fitting needs {LEAST_ROWS} at least",
            )
    both = _joined(plain.take(plain.found), mirror.take(mirror.found))
    values = np.concatenate([truth[plain.found], mirrored_values(truth)[mirror.found]])
    held_values = dataset.values[held][other.found].astype(np.float64)
    return Material(
        both, values, other.take(other.found), held_values, extractor.canonical, len(train), int(plain.found.sum())
    )


def _parts(dataset: Dataset) -> tuple[list[int], list[int]]:
    train, held = dataset.indices(Split.TRAIN), dataset.indices(Split.VAL)
    if held:
        return train, held
    subjects = sorted({dataset.rows[index].subject for index in train})
    if len(subjects) < 2:
        raise InputError(
            f"{dataset.path.name} has no validation split and one training subject at most",
            "fitting needs people to train on and others to choose on",
        )
    chosen = set(subjects[::_EVERY])
    return (
        [index for index in train if dataset.rows[index].subject not in chosen],
        [index for index in train if dataset.rows[index].subject in chosen],
    )


def _joined(one: FaceFeatures, other: FaceFeatures) -> FaceFeatures:
    names = ("found", "size", "points", "scores", "matrix", "tongue", "presence")
    return FaceFeatures(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in names))
