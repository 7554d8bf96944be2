"""Methods that one formula fits: the training mean, and a ridge regression on landmarks, pose and scores.

A fitted method is its arrays: it is made from them after fitting as after reading them from disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.engines.landmarks.geometry import CanonicalFace
from semanticface.errors import InputError
from semanticface_training.evaluation.baselines.design import Material, vectors
from semanticface_training.evaluation.baselines.saved import Arrays
from semanticface_training.evaluation.features.records import FaceFeatures

Doubles = NDArray[np.float64]
ALPHAS = (30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0, 30000.0)
"""Strengths to choose from, for inputs of unit spread: from hardly any to almost the mean, with 40 to 4,000 rows."""
_SHAPES = np.array([name in SHAPES for name in CSV_ORDER])


def bounded(values: Doubles) -> Doubles:
    """(N, 61) with the 52 shapes in [0, 1]; rotations stay as they are."""
    return np.where(_SHAPES, np.clip(values, 0.0, 1.0), values)


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """The mean of the training rows, (61,), whatever the picture shows."""

    mean: Doubles = field(repr=False)

    @classmethod
    def fit(cls, values: NDArray[Any]) -> Mean:
        """`values` (N, 61): all training rows, also those whose picture shows no face to the models.

        Raises InputError when there are none.
        """
        if not len(values):
            raise InputError("there is no training row to take a mean of", "the dataset needs a training split")
        return cls(np.asarray(values, np.float64).mean(axis=0))

    def arrays(self) -> Arrays:
        return {"mean": self.mean}

    def values(self, faces: FaceFeatures) -> Doubles:
        return np.tile(self.mean, (len(faces), 1))


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """`values = (vectors - centre) / spread @ weights + offset`, bounded. `alphas` (K,) are the strengths chosen."""

    centre: Doubles = field(repr=False)
    spread: Doubles = field(repr=False)
    weights: Doubles = field(repr=False)
    offset: Doubles = field(repr=False)
    alphas: Doubles = field(repr=False)
    canonical: CanonicalFace = field(repr=False)

    def arrays(self) -> Arrays:
        return {
            "centre": self.centre,
            "spread": self.spread,
            "weights": self.weights,
            "offset": self.offset,
            "alphas": self.alphas,
        }

    def values(self, faces: FaceFeatures) -> Doubles:
        inputs = (vectors(faces, self.canonical) - self.centre) / self.spread
        return bounded(inputs @ self.weights + self.offset)


def fit_ridge(material: Material, alphas: Sequence[float] = ALPHAS) -> Linear:
    """A ridge for each of the 61, each with the strength that errs least on the held-out people.

    scikit-learn's `Ridge`, solved by Cholesky, so that the same rows give the same numbers.
    """
    from sklearn.linear_model import Ridge

    inputs = vectors(material.faces, material.canonical)
    centre, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6)
    held = (vectors(material.held_faces, material.canonical) - centre) / spread
    inputs = (inputs - centre) / spread
    errors = []
    for alpha in alphas:
        model = Ridge(alpha=alpha, solver="cholesky").fit(inputs, material.values)
        errors.append(((bounded(model.predict(held)) - material.held_values) ** 2).mean(axis=0))
    chosen = np.asarray(alphas)[np.argmin(errors, axis=0)]
    model = Ridge(alpha=chosen, solver="cholesky").fit(inputs, material.values)
    return Linear(centre, spread, model.coef_.T, np.asarray(model.intercept_), chosen, material.canonical)
