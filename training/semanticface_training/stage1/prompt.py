"""The question to the teacher: everything that the paper's appendix B.1 asks for, point by point, in our words.

The coefficients stand in it sparsely (what moves, strongest first, the sides of a pair together) or in full. Change a
word and `VERSION` must change, since descriptions are stored under it. This module knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from semanticface.actions import ACTIONS, BY_NAME, CSV_ORDER, Kind, Region, Side
from semanticface_training.language.model import Chat

VERSION = "stage1-2"
SPARSE_FROM = 0.05
"""The sparse listing leaves out what is weaker; in radians for rotations, where it is about 3 degrees."""

SYSTEM = "You read facial actions the way a certified FACS coder does and put them into plain, careful English."

_ASK = """\
A face was measured. Each blendshape runs from 0 (at rest) to 1 (as far as it goes); rotations of head and eyes are \
in radians and signed. Left and right belong to the person measured. Say what this face does, from these strengths \
alone: bring in no context, no person and no story.

Write four numbered parts, with these titles:
1. **Expression category**: one short label, such as a smile, surprise, a wink or neutral.
2. **Muscle movements**: one list item for each region that moves (brows, eyes, gaze, nose, cheeks, mouth, jaw, \
tongue, head). Say what moves, how strongly (slightly, moderately, strongly, extremely) and on which side. Leave \
out what is at rest.
3. **Emotional implication**: the emotion, and which movements speak for it; "not clearly observable" when they don't.
4. **Symmetry**: "mostly symmetric", or "asymmetric" with the movement that is stronger and its side.

Strength in words: slightly from 0.15, moderately from 0.3, strongly from 0.55, extremely from 0.8; below 0.15 an \
action is at rest. Sides differ when they are more than 0.1 and a quarter of the stronger apart. Use words and no \
numbers, no names of coefficients, and write nothing before or after the four parts."""


class Listing(StrEnum):
    """Which coefficients the question holds."""

    SPARSE = "sparse"
    FULL = "full"


def question(coefficients: Mapping[str, float], listing: Listing = Listing.SPARSE) -> Chat:
    """The chat about one frame; values stand in it with three decimals."""
    shown = _sparse(coefficients) if listing is Listing.SPARSE else _full(coefficients)
    return Chat(SYSTEM, f"{_ASK}\n\n{shown}")


def version(listing: Listing) -> str:
    """What a description's key holds of the question."""
    return f"{VERSION}-{listing.value}"


def _full(coefficients: Mapping[str, float]) -> str:
    return "Strengths:\n" + json.dumps({name: _round(coefficients, name) for name in CSV_ORDER})


def _sparse(coefficients: Mapping[str, float]) -> str:
    lines = []
    for action in ACTIONS:
        if action.side is Side.RIGHT:
            continue  # stands beside its left partner
        names = [action.name] if action.side is Side.CENTER else [action.name, action.mirror]
        values = [_round(coefficients, name) for name in names]
        strength = max(abs(value) for value in values)
        if strength >= SPARSE_FROM:
            lines.append((BY_NAME[action.name].kind is not Kind.SHAPE, -strength, _line(action.name, values)))
    if not lines:
        return "Strengths: everything is at rest."
    listed = "\n".join(line for _, _, line in sorted(lines))
    return f"Strengths (what is not listed is at rest):\n{listed}"


def _line(name: str, values: list[float]) -> str:
    action = BY_NAME[name]
    unit = " rad" if action.kind is not Kind.SHAPE else ""
    hint = f" ({_DIRECTIONS[name]})" if name in _DIRECTIONS else ""
    if len(values) == 1:
        return f"- {name}: {values[0]:.3f}{unit}{hint}"
    pair = name.replace("Left", "", 1)
    region = " gaze" if action.region is Region.GAZE and action.kind is Kind.SHAPE else ""
    return f"-{region} {pair}: left {values[0]:.3f}, right {values[1]:.3f}{unit}{hint}"


_DIRECTIONS = {
    "HeadYaw": "positive turns to the person's right",
    "HeadPitch": "positive looks down",
    "HeadRoll": "positive tilts to the person's left",
    "LeftEyeYaw": "positive to the person's right",
    "LeftEyePitch": "positive looks down",
}


def _round(coefficients: Mapping[str, float], name: str) -> float:
    return round(float(coefficients[name]), 3) + 0.0
