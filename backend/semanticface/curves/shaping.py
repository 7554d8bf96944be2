"""What an artist turns up and down after the curves are calm: symmetry, dead-zones, gains, the mouth, a soft limit.

Each step works on each frame alone: values (F, 61) in, new values out, rows of NaN stay. Nothing here knows of time.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, BY_NAME, Kind, Region, Side
from semanticface.curves.recipe import MouthRule, Recipe, Tuning
from semanticface.curves.samples import COLUMN

Values = NDArray[np.float64]

SHAPE_COLUMNS = [COLUMN[action.name] for action in ACTIONS if action.kind is Kind.SHAPE]
HEAD_COLUMNS = [COLUMN[action.name] for action in ACTIONS if action.kind is Kind.HEAD]
EYE_COLUMNS = [COLUMN[action.name] for action in ACTIONS if action.kind is Kind.EYE]


def _is_paired(name: str) -> bool:
    """Left sides whose right partner should do the same. What moves to a side is acting, not asymmetry."""
    action = BY_NAME[name]
    if action.side is not Side.LEFT:
        return False
    return action.region is not Region.GAZE or any(word in name for word in ("Up", "Down", "Pitch"))


PAIRS = tuple((COLUMN[action.name], COLUMN[action.mirror]) for action in ACTIONS if _is_paired(action.name))
"""Columns of (left, right) that symmetry brings together: jaw, mouth and gaze to a side are not among them."""


def even_sides(values: Values, amount: float) -> Values:
    """Both sides of each pair moved towards their mean: by nothing at 0, onto it at 1."""
    if amount == 0:
        return values
    out = values.copy()
    left, right = [pair[0] for pair in PAIRS], [pair[1] for pair in PAIRS]
    half = 0.5 * amount * (values[:, right] - values[:, left])
    out[:, left] += half
    out[:, right] -= half
    return out


def cut_small(values: Values, dead_zone: float) -> Values:
    """Shapes up to `dead_zone` are 0; above it they begin at 0 and still reach 1."""
    if dead_zone == 0:
        return values
    out = values.copy()
    out[:, SHAPE_COLUMNS] = np.maximum(values[:, SHAPE_COLUMNS] - dead_zone, 0.0) / (1.0 - dead_zone)
    return out


def amplify(values: Values, recipe: Recipe) -> Values:
    """The group's gain, then the tuning of each action that has one."""
    out = values.copy()
    for columns, gain in (
        (SHAPE_COLUMNS, recipe.gain),
        (HEAD_COLUMNS, recipe.head_gain),
        (EYE_COLUMNS, recipe.eye_gain),
    ):
        if gain != 1.0:
            out[:, columns] *= gain
    for name, tuning in recipe.tunings.items():
        out[:, COLUMN[name]] = tuned(out[:, COLUMN[name]], tuning, BY_NAME[name].kind)
    return out


def tuned(values: Values, tuning: Tuning, kind: Kind) -> Values:
    """(F,) `gain * value + offset`, at most `maximum`; the value is first cut by the dead-zone.

    A shape's dead-zone is as in `cut_small`; a rotation's works on both signs and takes its width off what is above.
    """
    out = values
    if tuning.dead_zone and kind is Kind.SHAPE:
        out = np.maximum(out - tuning.dead_zone, 0.0) / max(1.0 - tuning.dead_zone, 1e-9)
    elif tuning.dead_zone:
        out = np.sign(out) * np.maximum(np.abs(out) - tuning.dead_zone, 0.0)
    out = tuning.gain * out + tuning.offset
    return out if tuning.maximum is None else np.minimum(out, tuning.maximum)


def keep_lips_apart(values: Values, rule: MouthRule) -> Values:
    """MouthClose by `rule`; see `MouthRule`."""
    if rule is MouthRule.KEEP:
        return values
    out = values.copy()
    close, jaw = COLUMN["MouthClose"], COLUMN["JawOpen"]
    out[:, close] = np.minimum(values[:, close], np.maximum(values[:, jaw], 0.0))
    return out


def bend_to_one(values: Values, start: float | None) -> Values:
    """Shapes from 0 to 1: what is above `start` bends and reaches 1 at 2 - `start`, the further the softer.

    The bend is the parabola that leaves `start` with slope 1 and arrives with slope 0. None lets everything pass.
    """
    if start is None:
        return values
    out = values.copy()
    shapes = np.clip(values[:, SHAPE_COLUMNS], 0.0, 2.0 - start)
    if start < 1.0:
        shapes -= np.maximum(shapes - start, 0.0) ** 2 / (4.0 * (1.0 - start))
    out[:, SHAPE_COLUMNS] = shapes
    return out


def differing(one: Values, other: Values, columns: Iterable[int] | None = None) -> tuple[int, ...]:
    """Columns in which two arrays of the same shape differ; NaN equals NaN."""
    among = list(range(one.shape[1]) if columns is None else columns)
    a, b = one[:, among], other[:, among]
    unlike = ~((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=0)
    return tuple(among[index] for index in np.flatnonzero(unlike))
