"""What the faces do: rows of real recordings, sparse combinations, sweeps of one action, and their mirror images.

Every expression is *settled* before it is drawn: shapes lie in [0, 1], opposites cancel, and the eyes' rotations are
those that the EyeLook shapes stand for. What comes out is drawn as it is, so it is the exact label. This module
knows nothing of heads, pictures and Blender.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, BY_NAME, CSV_ORDER, SHAPES, ordered
from semanticface.errors import ExchangeError
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface_training.synthetic.ict import Floats, gaze_from_shapes

Doubles = NDArray[np.float64]

AT = {name: index for index, name in enumerate(CSV_ORDER)}
"""Column of each action."""

HELD_OUT = 0.3
"""Share of a recording, at its end, that only validation and test expressions come from."""
_GAP = 60  # rows left out between the two parts: neighbouring frames of a recording are almost the same

_OPPOSITES: tuple[tuple[str, str], ...] = (
    ("JawLeft", "JawRight"),
    ("MouthLeft", "MouthRight"),
    *((f"EyeLookUp{side}", f"EyeLookDown{side}") for side in ("Left", "Right")),
    *((f"EyeLookIn{side}", f"EyeLookOut{side}") for side in ("Left", "Right")),
    *((f"EyeBlink{side}", f"EyeWide{side}") for side in ("Left", "Right")),
)
_MIRROR = np.array([AT[action.mirror] for action in ACTIONS])
_MIRROR_SIGN = np.array([action.mirror_sign for action in ACTIONS], np.float64)
_GAZE_LIMIT = 0.8


def read_pools(recordings: Sequence[Path]) -> tuple[Doubles, Doubles]:
    """Rows for training and rows for validation and test, (N, 61) and (M, 61) float64 in CSV order.

    Each recording's first part trains and its end is held out. Rows without a face are left out; the subject's
    resting gaze (looking down at the phone) is taken out. Raises ExchangeError for a file that isn't a recording
    or has fewer than 20 usable rows.
    """
    first, rest = [np.zeros((0, len(CSV_ORDER)))], [np.zeros((0, len(CSV_ORDER)))]
    for path in recordings:
        rows = _rows(path)
        cut = round(len(rows) * (1 - HELD_OUT))
        gap = min(_GAP, len(rows) // 10)
        first.append(rows[: cut - gap])
        rest.append(rows[cut:])
    return np.concatenate(first), np.concatenate(rest)


def _rows(path: Path) -> Doubles:
    rows = [ordered(row.coefficients) for row in read_livelink_csv(path).rows if row.coefficients is not None]
    if len(rows) < 20:
        raise ExchangeError(f"{path.name} has {len(rows)} rows with a face", "give recordings of at least 20")
    values = np.array(rows, np.float64)
    for side in ("Left", "Right"):
        down, up = AT[f"EyeLookDown{side}"], AT[f"EyeLookUp{side}"]
        pitch = values[:, down] - values[:, up]
        pitch = pitch - np.median(pitch)
        values[:, down], values[:, up] = np.maximum(pitch, 0.0), np.maximum(-pitch, 0.0)
    return values


def settled(values: Doubles, missing: frozenset[str] = frozenset()) -> Floats:
    """The expression that is drawn and told, (61,) float32: see the module's docstring.

    `missing` actions, which the head can't show, are 0. MouthClose never exceeds JawOpen, of which it is the part
    that the lips make up for.
    """
    out = values.astype(np.float64).copy()
    shapes = [AT[name] for name in SHAPES]
    out[shapes] = np.clip(out[shapes], 0.0, 1.0)
    for one, other in _OPPOSITES:
        difference = out[AT[one]] - out[AT[other]]
        out[AT[one]], out[AT[other]] = max(difference, 0.0), max(-difference, 0.0)
    out[AT["MouthClose"]] = min(out[AT["MouthClose"]], out[AT["JawOpen"]])
    for name in missing:
        out[AT[name]] = 0.0
    exact: Floats = out.astype(np.float32)
    for name, angle in gaze_from_shapes(as_mapping(exact)).items():
        exact[AT[name]] = angle
    return exact


def as_mapping(values: Floats | Doubles) -> dict[str, float]:
    """Name -> value of (61,) in CSV order."""
    return dict(zip(CSV_ORDER, map(float, values), strict=True))


def mirrored(values: Floats) -> Floats:
    """The expression that the mirror image shows, (61,): sides swapped, yaw and roll negated."""
    out: Floats = (values[_MIRROR] * _MIRROR_SIGN).astype(np.float32)
    return out


def recorded(rng: np.random.Generator, pool: Doubles) -> Doubles:
    """A row of the pool, every other time mirrored; its head stays straight."""
    row: Doubles = pool[int(rng.integers(len(pool)))].copy()
    if rng.random() < 0.5:
        row = row[_MIRROR] * _MIRROR_SIGN
    for name in ("HeadYaw", "HeadPitch", "HeadRoll"):
        row[AT[name]] = 0.0
    return row


def sparse(rng: np.random.Generator, missing: frozenset[str], favoured: Collection[str] = ()) -> Doubles:
    """One to four actions, seven times in ten with their partner on the other side; sometimes a gaze or a blink.

    Half of the actions are `favoured` ones where some are named, whose share is otherwise that of any other.
    """
    out = np.zeros(len(CSV_ORDER))
    names = [name for name in SHAPES if name not in missing and not name.startswith("EyeLook")]
    wanted = np.array([name in favoured for name in names])
    chances = (wanted / wanted.sum() + 1 / len(names)) / 2 if wanted.any() else None
    for name in rng.choice(names, int(rng.integers(1, 5)), replace=False, p=chances):
        value = rng.uniform(0.2, 1.0)
        out[AT[name]] = value
        if BY_NAME[name].mirror != name and BY_NAME[name].side != "center" and rng.random() < 0.7:
            out[AT[BY_NAME[name].mirror]] = np.clip(value + rng.normal(0, 0.05), 0, 1)
    if rng.random() < 0.45:
        to_left, up = (float(unit) for unit in rng.uniform(-_GAZE_LIMIT, _GAZE_LIMIT, 2))
        look(out, to_left, up, apart=float(rng.normal(0, 0.04)))
    if rng.random() < 0.12:
        out[[AT["EyeBlinkLeft"], AT["EyeBlinkRight"]]] = rng.uniform(0.3, 1.0)
    if out[AT["MouthClose"]] > 0:
        out[AT["JawOpen"]] = max(out[AT["JawOpen"]], out[AT["MouthClose"]] * rng.uniform(1.0, 1.3))
    return out


def look(values: Doubles, to_left: float, up: float, apart: float = 0.0) -> None:
    """Set both eyes' EyeLook shapes to a gaze in units of the shapes (to the subject's left, up); `apart` diverges."""
    for side, out in (("Left", to_left + apart), ("Right", -to_left + apart)):
        values[AT[f"EyeLookOut{side}"]], values[AT[f"EyeLookIn{side}"]] = max(out, 0.0), max(-out, 0.0)
        values[AT[f"EyeLookUp{side}"]], values[AT[f"EyeLookDown{side}"]] = max(up, 0.0), max(-up, 0.0)


def swept(action: str, level: float) -> Doubles:
    """One action alone at `level` (0 to 1): a shape's value, or that share of a rotation's limit.

    An eye's rotation is swept by the EyeLook shapes that state it, from one end of its range to the other;
    MouthClose is swept in a jaw that is open by as much.
    """
    out = np.zeros(len(CSV_ORDER))
    if action.startswith("Head"):
        out[AT[action]] = np.radians(SWEPT_DEGREES[action]) * (2 * level - 1)
    elif "EyeYaw" in action or "EyePitch" in action:
        _sweep_eye(out, action, _GAZE_LIMIT * (2 * level - 1))
    else:
        out[AT[action]] = level
        if action == "MouthClose":
            out[AT["JawOpen"]] = level
    return out


SWEPT_DEGREES = {"HeadYaw": 35.0, "HeadPitch": 22.0, "HeadRoll": 20.0}
"""Largest angle of a swept head rotation."""


def _sweep_eye(out: Doubles, action: str, unit: float) -> None:
    side = "Left" if action.startswith("Left") else "Right"
    if action.endswith("Pitch"):
        out[AT[f"EyeLookDown{side}"]], out[AT[f"EyeLookUp{side}"]] = max(unit, 0.0), max(-unit, 0.0)
        return
    outward = -unit if side == "Left" else unit  # +yaw is to the subject's right
    out[AT[f"EyeLookOut{side}"]], out[AT[f"EyeLookIn{side}"]] = max(outward, 0.0), max(-outward, 0.0)


def sweepable(missing: frozenset[str]) -> tuple[str, ...]:
    """Actions that can be swept: all but those that the head can't show and the eyes' roll, which is always 0."""
    return tuple(name for name in CSV_ORDER if name not in missing and not name.endswith("EyeRoll"))
