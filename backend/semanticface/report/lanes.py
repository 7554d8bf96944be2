"""A take's values as lanes: one box over time for each pair of actions, or for one that has no sides.

Lanes go by region, in the order in which a description walks over the face. What never leaves rest is kept apart. This
module knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, Action, Kind, Region, Side
from semanticface.curves.samples import COLUMN, Samples
from semanticface.report import charts

ACTIVE = 0.06
"""An action that moves by less and stays below it is at rest; of rotations, 0.03 rad."""
LEAST_TURN = 0.2
"""Radians that a rotation's lane shows at least, to either side."""
_OPPOSITES = {"JawLeft": ("Jaw sideways", "JawRight"), "MouthLeft": ("Mouth sideways", "MouthRight")}
_FOLLOWERS = {partner for _, partner in _OPPOSITES.values()}


@dataclass(frozen=True, slots=True)
class Curve:
    """One action in a lane. `side` is "left", "right" or "center"; `column` its place in `CSV_ORDER`."""

    name: str
    side: str
    column: int
    degrees: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """`label` names it without sides, `scale` says what its height stands for, `drawing` is its SVG."""

    label: str
    region: str
    scale: str
    curves: tuple[Curve, ...]
    drawing: Markup
    active: bool


def lanes_of(raw: Samples, shown: Samples, places: NDArray[np.float64]) -> list[Lane]:
    """All lanes. `shown` are the samples after the recipe (or `raw` again), `places` (F,) the times in [0, 1].

    With a recipe, each lane has the raw line under the clean one.
    """
    return [_lane(actions, label, raw, shown, places) for actions, label in _groups()]


def _groups() -> list[tuple[list[Action], str]]:
    by_name = {action.name: action for action in ACTIONS}
    groups = []
    for region in Region:
        for action in ACTIONS:
            if action.region is not region or action.side is Side.RIGHT or action.name in _FOLLOWERS:
                continue
            if action.name in _OPPOSITES:
                label, partner = _OPPOSITES[action.name]
                groups.append(([action, by_name[partner]], label))
            elif action.side is Side.LEFT:
                groups.append(([action, by_name[action.mirror]], _without_side(action.name)))
            else:
                groups.append(([action], action.name))
    return groups


def _without_side(name: str) -> str:
    """`EyeBlinkLeft` is EyeBlink, `LeftEyeYaw` is EyeYaw."""
    return name.replace("Left", "")


def _lane(actions: Sequence[Action], label: str, raw: Samples, shown: Samples, places: NDArray[np.float64]) -> Lane:
    turned = actions[0].kind is not Kind.SHAPE
    curves = tuple(_curve(action) for action in actions)
    columns = [curve.column for curve in curves]
    both = np.concatenate((raw.values[:, columns], shown.values[:, columns]))
    seen = both[np.isfinite(both)]
    low, high = _limits(seen, turned)
    clean = shown is not raw
    paths = [(f"raw {c.side}", charts.curve_path(places, raw.values[:, c.column], low, high)) for c in curves]
    if clean:
        paths += [(f"clean {c.side}", charts.curve_path(places, shown.values[:, c.column], low, high)) for c in curves]
    levels = (0.5,) if turned else (-low / (high - low), (1.0 - low) / (high - low))
    scale = f"±{np.degrees(high):.0f}°" if turned else f"{low:g} to {high:g}"
    moved = seen.size and (np.ptp(seen) >= ACTIVE / (1 + turned) or np.abs(seen).max() >= ACTIVE / (1 + turned))
    drawing = charts.lane(paths, f"{label} over time, {scale}", levels)
    return Lane(label, actions[0].region.value, scale, curves, drawing, bool(moved))


def _curve(action: Action) -> Curve:
    side = action.side.value
    if action.name in _OPPOSITES or action.name in _FOLLOWERS:
        side = "left" if action.name.endswith("Left") else "right"
    return Curve(action.name, side, COLUMN[action.name], action.kind is not Kind.SHAPE)


def _limits(seen: NDArray[np.float64], turned: bool) -> tuple[float, float]:
    if turned:
        most = max(LEAST_TURN, float(np.abs(seen).max()) if seen.size else 0.0)
        return -most, most
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    return (0.0 if low >= -0.02 else np.floor(low * 10) / 10), (1.0 if high <= 1.02 else np.ceil(high * 10) / 10)
