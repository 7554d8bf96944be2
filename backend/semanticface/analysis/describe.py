"""Coefficients to words: the four fields of the paper's analysis, deterministic and in FACS vocabulary.

Only what is above its activity threshold is named. The words come from `lexicon`, the categories from `prototypes`.
This module knows nothing of pictures, engines or models, and is fast enough to run on every frame of a tracker.
"""

from __future__ import annotations

from collections.abc import Mapping

from semanticface.actions import Region
from semanticface.analysis.lexicon import (
    BY_KEY,
    HEAD_FULL_SCALE,
    MOVEMENTS,
    Kind,
    Movement,
    Reading,
    band,
    differs,
    read,
)
from semanticface.analysis.prototypes import (
    ACTION_NAMES,
    EMOTION_NAMES,
    EMOTIONS,
    scores_of,
)
from semanticface.results import Analysis

NOT_OBSERVABLE = "not clearly observable"
MOSTLY_SYMMETRIC = "mostly symmetric"
AT_REST = "At rest: no facial action above its activity threshold."

EMOTION_SUPPORTED = 0.5
"""Score from which an emotion is named."""
MIXED_MARGIN = 0.15
"""A second supported emotion this close to the first makes the category mixed."""
CLEAR_ACTION = 0.35
"""Score from which an action category is named; below it the face is near neutral."""
MOST_DIFFERENCES = 3
_ALWAYS_SAID = ("eyes closed", "wink", "tongue out")
_STRIKING = 0.6


def describe(coefficients: Mapping[str, float]) -> Analysis:
    """The analysis of one frame. The same coefficients give the same words; a name that is absent counts as 0."""
    readings = read(coefficients)
    active = [m for m in MOVEMENTS if max(readings[m.key]) >= m.threshold]
    scores = scores_of(readings)
    emotions = _supported(scores)
    return Analysis(
        expression_category=_category(scores, emotions, active),
        muscle_movements=_movements(readings, active),
        emotional_implication=_implication(emotions, active),
        symmetry=_symmetry(readings, active),
    )


def _supported(scores: Mapping[str, float]) -> list[str]:
    """The strongest emotion with enough evidence, and a second one where it comes close."""
    ranked = sorted((name for name in EMOTION_NAMES if scores[name] >= EMOTION_SUPPORTED), key=lambda n: -scores[n])
    return [name for name in ranked[:2] if scores[name] >= scores[ranked[0]] - MIXED_MARGIN]


def _category(scores: Mapping[str, float], emotions: list[str], active: list[Movement]) -> str:
    if emotions:
        label = emotions[0] if len(emotions) == 1 else f"mixed: {emotions[0]} and {emotions[1]}"
        extras = [name for name in _ALWAYS_SAID if scores[name] >= _STRIKING]
        return f"{label}, with {' and '.join(extras)}" if extras else label
    if all(m.region in {Region.GAZE, Region.HEAD} for m in active):
        return "neutral"
    ranked = sorted(ACTION_NAMES, key=lambda name: -scores[name])[:2]
    if scores[ranked[0]] < CLEAR_ACTION:
        return "near neutral"
    if set(ranked) == {"eyes closed", "lowered eyelids"}:
        return "eyes closed"
    return " with ".join(name for name in ranked if scores[name] >= CLEAR_ACTION)


def _movements(readings: Mapping[str, Reading], active: list[Movement]) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    gaze: list[str] = []
    for movement in active:
        left, right = readings[movement.key]
        if movement.region is Region.GAZE and movement.key != "GazeIn":
            gaze.append(_gaze(movement, left, right))
            parts.setdefault("gaze", [])
        else:
            parts.setdefault(movement.region.value, []).append(_phrase(movement, left, right))
    if gaze:
        parts["gaze"].insert(0, f"gaze {' and '.join(gaze)}")
    out = {} if any(region not in {"gaze", "head"} for region in parts) else {"face": AT_REST}
    for region, phrases in parts.items():
        text = "; ".join(phrases)
        out[region] = f"{text[0].upper()}{text[1:]}."
    return out


def _phrase(movement: Movement, left: float, right: float) -> str:
    au = f" ({movement.au})" if movement.au else ""
    if movement.region is Region.HEAD:
        text = movement.phrase.format(round(max(left, right) * HEAD_FULL_SCALE))
        return f"{text}{_direction(movement, left, right)}{au}"
    if movement.kind is not Kind.PAIR:
        text = movement.phrase.format(band(max(left, right)).adverb)
        return f"{text}{_direction(movement, left, right)}{au}"
    return f"{_sided(movement, left, right)}{au}"


def _sided(movement: Movement, left: float, right: float) -> str:
    if not differs(left, right):
        return f"{movement.phrase.format(band((left + right) / 2).adverb)} on both sides"
    side, other = ("left", "right") if left > right else ("right", "left")
    strong, weak = max(left, right), min(left, right)
    text = movement.phrase.format(band(strong).adverb)
    if weak < movement.threshold:
        return f"{text} on the {side} only"
    if band(weak) is band(strong):
        return f"{text}, {side} stronger than {other}"
    return f"{text} on the {side}, {band(weak).adverb} on the {other}"


def _gaze(movement: Movement, left: float, right: float) -> str:
    text = movement.phrase.format(band(max(left, right)).adverb)
    return f"{text}{_direction(movement, left, right)}"


def _direction(movement: Movement, left: float, right: float) -> str:
    if movement.kind is not Kind.DIRECTION:
        return ""
    return " to the subject's left" if left > right else " to the subject's right"


def _implication(emotions: list[str], active: list[Movement]) -> str:
    if not emotions:
        return NOT_OBSERVABLE
    keys = {m.key for m in active}
    said = []
    for emotion in emotions:
        named = {
            key.removesuffix(".one")
            for row in EMOTIONS
            if row.category == emotion
            for group in (*row.required, row.supporting)
            for key in group
        }
        units = sorted({BY_KEY[key].au for key in named & keys}, key=lambda au: int(au[2:]))
        said.append(f"{emotion} ({'+'.join(units)})")
    return f"consistent with {' and '.join(said)}"


def _symmetry(readings: Mapping[str, Reading], active: list[Movement]) -> str:
    found: list[tuple[float, str]] = []
    for movement in active:
        left, right = readings[movement.key]
        what = movement.phrase.replace(" {}", "")
        if movement.kind is Kind.PAIR and differs(left, right):
            side = "left" if left > right else "right"
            apart = abs(left - right)
            found.append((apart, f"{what} ({movement.au}) stronger on the {side} by {apart:.2f}"))
        elif movement.key in {"MouthSide", "JawSide"}:
            found.append((max(left, right), f"{what}{_direction(movement, left, right)}"))
    if not found:
        return MOSTLY_SYMMETRIC
    found.sort(key=lambda item: -item[0])
    more = f"; and {len(found) - MOST_DIFFERENCES} lesser differences" if len(found) > MOST_DIFFERENCES else ""
    return f"asymmetric: {'; '.join(text for _, text in found[:MOST_DIFFERENCES])}{more}"
