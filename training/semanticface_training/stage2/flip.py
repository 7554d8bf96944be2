"""A sample in the mirror: the picture turned over, the sides of its coefficients and words exchanged, nothing else.

Coefficients follow `actions.mirrored`: left and right change places, yaw and roll change sign. Words either are written
anew from the mirrored coefficients, or have their sides exchanged word by word. What holds a side that can't be
exchanged with certainty is refused: a description that names the wrong side teaches the model to mix them up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from semanticface.actions import BY_NAME, mirrored
from semanticface.errors import InputError
from semanticface.results import Analysis
from semanticface_training.stage2.sample import Sample

Describe = Callable[[Mapping[str, float]], Analysis]

_WORD = re.compile(r"[A-Za-z]+")
_SIDES = {
    **{f"left{ending}": f"right{ending}" for ending in ("", "ward", "wards", "most", "hand", "side", "sided")},
    **{f"right{ending}": f"left{ending}" for ending in ("", "ward", "wards", "most", "hand", "side", "sided")},
}
_NO_SIDE = re.compile(r"(?:bright|fright|affright|birthright|upright|outright|forthright|downright|cleft)\w*")
"""Words in which the letters of a side stand for something else."""
_UNITS = {"51": "52", "52": "51", "55": "56", "56": "55", "61": "62", "62": "61"}
"""FACS numbers of the head's and the eyes' turns and tilts: each names its side."""
_UNIT = re.compile(r"\bAU ?(\d{2})\b(?!/\d)", re.IGNORECASE)
_OTHER_SENSE = re.compile(
    r"\b(?:all|just|quite) right\b|\bright (?:away|now|angles?|at|after|before|above|below|under|over)\b"
    r"|\b(?:is|are|was|were|be|been|has|have|had|being) left (?:open|closed|slightly|half|unchanged|at|in|as)\b"
    r"|\b(?:clockwise|counterclockwise|anticlockwise)\b|\bAU ?\d+ ?[LR]\b|\b[LR] ?\d+[A-E]?\b|\b[LR]/[LR]\b"
    r"|\bAUs [^.;]{0,40}\b(?:5[1256]|6[12])\b",
    re.IGNORECASE,
)
"""What exchanging words would get wrong: `right` and `left` that are no sides, and sides that are said otherwise."""


def flip(sample: Sample, describe: Describe | None = None) -> Sample:
    """The sample in the mirror. `describe` writes the words anew; without it the sample's own are mirrored.

    Raises InputError that names the row when its words can't be mirrored.
    """
    import numpy as np

    coefficients = mirrored(sample.coefficients)
    analysis = sample.analysis
    if analysis is not None:
        analysis = describe(coefficients) if describe else mirrored_analysis(analysis, sample.id)
    return replace(
        sample, image=np.ascontiguousarray(sample.image[:, ::-1]), coefficients=coefficients, analysis=analysis
    )


def mirrored_analysis(analysis: Analysis, where: str = "a description") -> Analysis:
    """The four fields with their sides exchanged. Raises InputError that says which words can't be."""
    return Analysis(
        expression_category=mirrored_words(analysis.expression_category, where),
        muscle_movements={
            mirrored_words(region, where): mirrored_words(text, where)
            for region, text in analysis.muscle_movements.items()
        },
        emotional_implication=mirrored_words(analysis.emotional_implication, where),
        symmetry=mirrored_words(analysis.symmetry, where),
    )


def mirrored_words(text: str, where: str = "a description") -> str:
    """The text with every left made right and every right left; FACS numbers that name a side are exchanged, too.

    Twice gives the text again. Raises InputError for words whose side can't be told.
    """
    odd = _OTHER_SENSE.search(text)
    if odd:
        raise _refused(where, odd[0])
    text = _UNIT.sub(_other_unit, text)
    return _WORD.sub(lambda match: _other_side(match[0], where), text)


def _other_unit(match: re.Match[str]) -> str:
    return match[0][:-2] + _UNITS.get(match[1], match[1])


def _other_side(word: str, where: str) -> str:
    lower = word.lower()
    if "left" not in lower and "right" not in lower:
        return word
    if word in BY_NAME:
        return BY_NAME[word].mirror
    other = _SIDES.get(lower)
    if other is None:
        arkit = f"{word[0].upper()}{word[1:]}"
        if arkit in BY_NAME:
            return BY_NAME[arkit].mirror[0].lower() + BY_NAME[arkit].mirror[1:]
        if _NO_SIDE.fullmatch(lower):
            return word
        raise _refused(where, word)
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other


def _refused(where: str, words: str) -> InputError:
    return InputError(f"{where}: {words!r} can't be mirrored in words", "describe it anew, or leave it unmirrored")
