"""Expression categories as data, and how well a face fits each: `category_scores`.

Emotions are rows of action units in the manner of EMFACS (Friesen & Ekman 1983; Ekman, Friesen & Hager, FACS
Investigator's Guide 2002); they say what a face is *consistent with*, no more. Action categories (smile, mouth
open, eyes closed ...) each stand for one or a few movements. This module knows nothing of wording.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from semanticface.actions import Region
from semanticface.analysis.lexicon import MOVEMENTS, Reading, read


@dataclass(frozen=True, slots=True)
class Prototype:
    """One way for a face to show a category.

    Every group of `required` must be there (the strongest of its alternatives counts), `supporting` movements
    strengthen it, any of `opposed` weakens it. `ceiling` is the most that this row can score.
    """

    category: str
    required: tuple[tuple[str, ...], ...]
    supporting: tuple[str, ...] = ()
    opposed: tuple[str, ...] = ()
    ceiling: float = 1.0


SUPPORT_SHARE = 0.2
"""How much of a score needs the supporting movements."""
OPPOSITION_SHARE = 0.7
"""How much of a score a complete opposed movement takes away."""

ONE_SIDED = ("MouthSmile", "MouthDimple", "EyeBlink")
"""Movements whose difference between the sides is evidence of its own, under the key with `.one` behind it."""

EMOTIONS: tuple[Prototype, ...] = (
    # AU6+12; without CheekSquint (dead in landmark engines) AU7 stands in. A smile alone supports it by half.
    Prototype("happiness", (("MouthSmile",), ("CheekSquint", "EyeSquint")), (), ("MouthFrown", "NoseSneer")),
    Prototype("happiness", (("MouthSmile",),), (), ("MouthFrown", "NoseSneer"), ceiling=0.45),
    # AU1+4+15 (+17), AU1+15
    Prototype(
        "sadness",
        (("BrowInnerUp",), ("MouthFrown",)),
        ("BrowDown", "MouthShrugLower"),
        ("MouthSmile", "EyeWide"),
    ),
    # AU1+2+5+26, AU1+2+5, AU1+2+26
    Prototype(
        "surprise",
        (("BrowInnerUp",), ("BrowOuterUp",), ("EyeWide", "JawOpen")),
        ("EyeWide", "JawOpen"),
        ("BrowDown",),
    ),
    # AU1+2+4+5+20+26, AU1+2+4+5, AU1+5+20
    Prototype(
        "fear",
        (("BrowInnerUp",), ("EyeWide",), ("BrowDown", "MouthStretch")),
        ("BrowOuterUp", "JawOpen"),
        ("MouthSmile",),
    ),
    # AU4+5+7+23/24, AU4+5/7+10: brows and eyes alone are concentration, so the mouth is required
    Prototype(
        "anger",
        (("BrowDown",), ("EyeSquint", "EyeWide"), ("MouthPress", "MouthUpperUp", "MouthRollLower")),
        ("MouthPress", "EyeWide"),
        ("MouthSmile", "BrowInnerUp"),
    ),
    # AU9 (+15, 16, 10), AU10+15/17
    Prototype("disgust", (("NoseSneer",),), ("MouthUpperUp", "MouthFrown"), ("MouthSmile",)),
    Prototype(
        "disgust",
        (("MouthUpperUp",), ("MouthFrown", "MouthShrugLower")),
        ("NoseSneer",),
        ("MouthSmile",),
        ceiling=0.7,
    ),
    # unilateral AU14 or AU12
    Prototype(
        "contempt",
        (("MouthDimple.one", "MouthSmile.one"),),
        (),
        ("JawOpen", "EyeWide", "BrowInnerUp"),
        ceiling=0.8,
    ),
)

ACTION_CATEGORIES: tuple[Prototype, ...] = (
    Prototype("smile", (("MouthSmile",),)),
    Prototype("frown", (("MouthFrown",),)),
    Prototype("raised brows", (("BrowInnerUp", "BrowOuterUp"),)),
    Prototype("lowered brows", (("BrowDown",),)),
    Prototype("wide eyes", (("EyeWide",),)),
    Prototype("squint", (("EyeSquint", "CheekSquint"),), ceiling=0.9),
    Prototype("eyes closed", (("EyeBlink.both",),)),
    Prototype("lowered eyelids", (("EyeBlink",),), ceiling=0.6),
    Prototype("wink", (("EyeBlink.one",),)),
    Prototype("wrinkled nose", (("NoseSneer",),)),
    Prototype("mouth open", (("JawOpen",),), (), ("MouthClose",)),
    Prototype("bared teeth", (("MouthUpperUp", "MouthLowerDown"),), ceiling=0.8),
    Prototype("funneled lips", (("MouthFunnel",),)),
    Prototype("pucker", (("MouthPucker",),)),
    Prototype("pressed lips", (("MouthPress",),)),
    Prototype("rolled-in lips", (("MouthRollLower", "MouthRollUpper"),)),
    Prototype("stretched lips", (("MouthStretch",),), ceiling=0.9),
    Prototype("dimpled lip corners", (("MouthDimple",),), ceiling=0.9),
    Prototype("pushed-up lips", (("MouthShrugLower", "MouthShrugUpper"),), ceiling=0.9),
    Prototype("puffed cheeks", (("CheekPuff",),)),
    Prototype("mouth to one side", (("MouthSide",),)),
    Prototype("jaw to one side", (("JawSide",),)),
    Prototype("jaw forward", (("JawForward",),), ceiling=0.9),
    Prototype("tongue out", (("TongueOut",),)),
)

NEUTRAL = "neutral"
EMOTION_NAMES: tuple[str, ...] = tuple(dict.fromkeys(row.category for row in EMOTIONS))
ACTION_NAMES: tuple[str, ...] = tuple(row.category for row in ACTION_CATEGORIES)

_SCALE = tuple(
    (m.key, m.threshold / 2, 1.0 / (m.full - m.threshold / 2))
    for m in MOVEMENTS
    if m.region not in {Region.GAZE, Region.HEAD}
)


def category_scores(coefficients: Mapping[str, float]) -> dict[str, float]:
    """How well the face fits each category, in [0, 1]: the emotions, the action categories, and `neutral`.

    Per row: the geometric mean of its required groups, of which the supporting movements hold `SUPPORT_SHARE`,
    lowered by the strongest opposed movement, times the ceiling; a category with several rows takes the best.
    `neutral` is 1 less the strongest action category. Scores are evidence, not probabilities; they don't sum to 1.
    """
    return scores_of(read(coefficients))


def scores_of(readings: Mapping[str, Reading]) -> dict[str, float]:
    """`category_scores` of movements that are already read."""
    mean, peak = _evidence(readings)
    out = dict.fromkeys(EMOTION_NAMES, 0.0)
    for row in EMOTIONS:
        score = _fit(row, mean)
        out[row.category] = max(out[row.category], score)
    strongest = 0.0
    for row in ACTION_CATEGORIES:
        score = _fit(row, peak)
        out[row.category] = score
        strongest = max(strongest, score)
    out[NEUTRAL] = 1.0 - strongest
    return out


def _evidence(readings: Mapping[str, Reading]) -> tuple[dict[str, float], dict[str, float]]:
    """Each movement in [0, 1]: 0 at half its threshold, 1 at its full value; mean of the sides, and stronger side."""
    mean: dict[str, float] = {}
    peak: dict[str, float] = {}
    for key, low, per_unit in _SCALE:
        left, right = readings[key]
        left = (left - low) * per_unit
        left = 0.0 if left < 0.0 else min(left, 1.0)
        if readings[key][0] == readings[key][1]:
            mean[key] = peak[key] = left
            right = left
        else:
            right = (right - low) * per_unit
            right = 0.0 if right < 0.0 else min(right, 1.0)
            mean[key] = (left + right) / 2
            peak[key] = max(left, right)
        if key in ONE_SIDED:
            mean[f"{key}.one"] = peak[f"{key}.one"] = abs(left - right)
        if key == "EyeBlink":
            peak["EyeBlink.both"] = min(left, right)
    return mean, peak


def _fit(row: Prototype, evidence: Mapping[str, float]) -> float:
    score = 1.0
    for group in row.required:
        best = evidence[group[0]]
        for key in group[1:]:
            best = max(best, evidence[key])
        if best <= 0.0:
            return 0.0
        score *= best
    if len(row.required) > 1:
        score **= 1.0 / len(row.required)
    if row.supporting:
        score *= 1.0 - SUPPORT_SHARE + SUPPORT_SHARE * _average(evidence[key] for key in row.supporting)
    if row.opposed:
        score *= 1.0 - OPPOSITION_SHARE * max(evidence[key] for key in row.opposed)
    return score * row.ceiling


def _average(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
