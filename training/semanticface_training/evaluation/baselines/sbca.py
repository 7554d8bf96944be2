"""Statistical blendshape calculation on landmarks, after Li et al. 2026 (arXiv 2601.08234), each shape by itself.

The published account names the steps f = F(R(T_d(S(T_a(X))))), not their numbers, and its code is not public. Here:

- T_a turns and scales the landmarks so that the eyes' outer corners and the nose's tip face the screen;
- S keeps the 2 % of coordinates that go with the shape most, by the F statistic of a linear fit;
- T_d is a principal component analysis of those and Yeo and Johnson's variance-stabilising power (2000);
- R is a support vector regression with a radial kernel;
- F maps its answer by a monotone curve fitted on the held-out people, and clips it. The smoothing of a video that
  also belongs to F is left to whoever has a video: rows of a dataset are single pictures.

Head rotations are the landmark engine's, since the method gives none. A shape that never moves in training stays.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.engines.landmarks.coefficients import eye_angles
from semanticface_training.evaluation.baselines.design import Material
from semanticface_training.evaluation.baselines.raw import engine_values
from semanticface_training.evaluation.baselines.saved import Arrays
from semanticface_training.evaluation.features.records import FaceFeatures

Doubles = NDArray[np.float64]

KEPT = 28
"""Coordinates of the 1434 that S keeps: 2 %."""
COMPONENTS = 8
MOST_ROWS = 2000
"""Rows that a support vector regression is fitted on; more cost time and gain little."""
COST, TUBE = 1.0, 0.02
_KNOTS = 17
_STILL = 0.01
_BLOCK = 512
_LEFT_CORNER, _RIGHT_CORNER, _NOSE_TIP = 263, 33, 1
_PLACE = {name: place for place, name in enumerate(CSV_ORDER)}
_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")


def screen_facing(points: NDArray[Any]) -> Doubles:
    """(N, 1434) landmarks in the basis of eye, eye and nose: x from the right eye's corner to the left's, the nose's
    tip straight below their middle in the plane of the screen; lengths in distances between the corners."""
    space = np.asarray(points, np.float64) * (1.0, -1.0, -1.0)
    left, right, nose = space[:, _LEFT_CORNER], space[:, _RIGHT_CORNER], space[:, _NOSE_TIP]
    middle, across = (left + right) / 2, left - right
    width = np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    x = across / width
    up = middle - nose
    up -= (up * x).sum(axis=1, keepdims=True) * x
    y = up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    basis = np.stack([x, y, np.cross(x, y)], axis=2)
    turned: Doubles = ((space - middle[:, None]) @ basis) / width[:, None]
    return turned.reshape(len(turned), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One shape's fitted steps. P kept coordinates, C components, V support vectors, K knots.

    `kept` (P,), `centre` and `spread` (P,), `axes` (P, C), `powers`, `power_centre`, `power_spread` (C,), `vectors`
    (V, C), `weights` (V,), `width` of the kernel and `offset` (), `curve` (2, K).
    """

    kept: NDArray[np.int64]
    centre: Doubles
    spread: Doubles
    axes: Doubles
    powers: Doubles
    power_centre: Doubles
    power_spread: Doubles
    vectors: Doubles
    weights: Doubles
    width: Doubles
    offset: Doubles
    curve: Doubles

    def components(self, facing: Doubles) -> Doubles:
        """(N, C): S and T_d."""
        plain = ((facing[:, self.kept] - self.centre) / self.spread) @ self.axes
        return (yeo_johnson(plain, self.powers) - self.power_centre) / self.power_spread

    def regressed(self, facing: Doubles) -> Doubles:
        """(N,): R, before F."""
        out = []
        for start in range(0, len(facing), _BLOCK):
            part = self.components(facing[start : start + _BLOCK])
            squared = (part**2).sum(1)[:, None] + (self.vectors**2).sum(1) - 2 * part @ self.vectors.T
            out.append(np.exp(-self.width * np.maximum(squared, 0)) @ self.weights + self.offset)
        return np.concatenate([np.zeros(0), *out])

    def value(self, facing: Doubles) -> Doubles:
        """(N,): the whole chain."""
        return np.clip(np.interp(self.regressed(facing), self.curve[0], self.curve[1]), 0.0, 1.0)


def yeo_johnson(values: Doubles, powers: Doubles) -> Doubles:
    """(N, C) of (N, C): Yeo and Johnson's power transform (Biometrika 2000) with a power for each column."""
    out = np.empty_like(values)
    for column, power in enumerate(powers):
        x = values[:, column]
        above, below = np.maximum(x, 0), np.maximum(-x, 0)
        up = np.log1p(above) if abs(power) < 1e-8 else ((1 + above) ** power - 1) / power
        rest = 2 - power
        down = -np.log1p(below) if abs(rest) < 1e-8 else -((1 + below) ** rest - 1) / rest
        out[:, column] = np.where(x >= 0, up, down)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Sbca:
    """Shapes by name, and the constant (61,) of those that never moved in training."""

    shapes: Mapping[str, Shape] = field(repr=False)
    still: Doubles = field(repr=False)

    def arrays(self) -> Arrays:
        out: dict[str, NDArray[Any]] = {"still": self.still}
        for name, shape in self.shapes.items():
            out |= {f"{name}.{part}": getattr(shape, part) for part in Shape.__slots__}
        return out

    @classmethod
    def of(cls, arrays: Arrays) -> Sbca:
        """The reverse of `arrays`."""
        names = sorted({name.partition(".")[0] for name in arrays if "." in name})
        shapes = {name: Shape(**{part: arrays[f"{name}.{part}"] for part in Shape.__slots__}) for name in names}
        return cls(shapes, arrays["still"])

    def values(self, faces: FaceFeatures) -> Doubles:
        facing = screen_facing(faces.points)
        out = np.tile(self.still, (len(faces), 1))
        for name, shape in self.shapes.items():
            out[:, _PLACE[name]] = shape.value(facing)
        head = [_PLACE[name] for name in _HEAD]
        out[:, head] = engine_values(faces)[:, head]
        for row in out:
            for name, angle in eye_angles({name: float(row[place]) for name, place in _PLACE.items()}).items():
                row[_PLACE[name]] = angle
        return out


def fit_sbca(material: Material, seed: int = 42) -> Sbca:
    """Fit all shapes that move; a minute or so for 3,200 rows. The same rows and seed give the same numbers."""
    count = len(material.values)
    chosen = np.arange(count)
    if count > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(count, MOST_ROWS, replace=False))
    facing, values = screen_facing(material.faces.points[chosen]), material.values[chosen]
    held = screen_facing(material.held_faces.points)
    shapes = {}
    for name in SHAPES:
        truth = values[:, _PLACE[name]]
        if truth.std() > _STILL:
            shape = _fit_shape(facing, truth)
            shapes[name] = _curved(shape, held, material.held_values[:, _PLACE[name]])
    return Sbca(shapes, material.values.mean(axis=0))


def _fit_shape(facing: Doubles, truth: Doubles) -> Shape:
    from sklearn.decomposition import PCA
    from sklearn.feature_selection import f_regression
    from sklearn.preprocessing import PowerTransformer
    from sklearn.svm import SVR

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coordinates that the basis holds still have no F statistic
        strength = np.nan_to_num(f_regression(facing, truth)[0], nan=0.0, posinf=0.0)
    kept = np.sort(np.argsort(-strength, kind="stable")[:KEPT])
    part = facing[:, kept]
    centre, spread = part.mean(axis=0), np.maximum(part.std(axis=0), 1e-9)
    axes = PCA(COMPONENTS, svd_solver="full").fit((part - centre) / spread).components_.T
    plain = ((part - centre) / spread) @ axes
    powers = PowerTransformer(standardize=False).fit(plain).lambdas_
    bent = yeo_johnson(plain, powers)
    power_centre, power_spread = bent.mean(axis=0), np.maximum(bent.std(axis=0), 1e-9)
    width = 1.0 / COMPONENTS
    model = SVR(C=COST, epsilon=TUBE, gamma=width).fit((bent - power_centre) / power_spread, truth)
    straight = np.array([[-10.0, 10.0], [-10.0, 10.0]])
    return Shape(
        *(kept, centre, spread, axes, powers, power_centre, power_spread),
        *(model.support_vectors_, model.dual_coef_[0], np.array(width), np.array(model.intercept_[0]), straight),
    )


def _curved(shape: Shape, facing: Doubles, truth: Doubles) -> Shape:
    """With F's curve: isotonic regression of the truth on the answers, at evenly spread quantiles of these."""
    from dataclasses import replace

    from sklearn.isotonic import IsotonicRegression

    answers = shape.regressed(facing)
    knots = np.unique(np.quantile(answers, np.linspace(0, 1, _KNOTS)))
    fitted = IsotonicRegression(out_of_bounds="clip").fit(answers, truth).predict(knots)
    return replace(shape, curve=np.stack([knots, fitted]))
