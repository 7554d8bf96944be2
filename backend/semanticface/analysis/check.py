"""Does a text agree with the numbers? Works on our own descriptions and on a language model's prose.

`check` is strict about what a text gets plainly wrong and lenient about shades: a word of intensity may be off by
`TOLERANCE` on either side of its range, a vague word is held to the best of what it may mean, a text is never asked
for more than the strong actions. What the reader of claims doesn't understand is not judged; `Agreement.claims`
says how much it understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from re import Pattern

from semanticface.actions import Region
from semanticface.analysis.claims import LONGEST_TEXT, Claim, read_claims, read_comparisons
from semanticface.analysis.lexicon import BY_KEY, MOVEMENTS, Kind, Reading, read
from semanticface.analysis.prototypes import NEUTRAL, scores_of
from semanticface.analysis.vocabulary import CATEGORY_WORDS, DENIED_PHRASE, EMOTION_WORDS, HEDGES
from semanticface.results import Analysis

TOLERANCE = 0.15
LEVEL_RANGES: Mapping[str, tuple[float, float]] = {
    "minimal": (0.0, 0.15),
    "slight": (0.18, 0.3),
    "moderate": (0.3, 0.55),
    "strong": (0.55, 1.0),
    "extreme": (0.8, 1.0),
}
"""What a word of intensity says, before `TOLERANCE`; nothing is too strong for "strong"."""
ABSENT = 0.08
"""A movement named without "slight" or "minimal" must reach this much."""
DENIABLE = 0.4
"""A movement that is said to be absent must stay below this much (or below its threshold, where that is higher)."""
STRONG = 0.55
"""An action from here on must be named."""
UNEVEN = (0.2, 0.4)
"""Sides that differ by more than this much, and by more than this share of the stronger, are not "both sides"."""
EVIDENCE = 0.15
"""An emotion or category needs this score, in `category_scores`, not to be contradicted."""
NEUTRAL_EVIDENCE = 0.35

_ASYMMETRY_WORDS = ("asymm", "except", "uneven", "unequal", "stronger", "more pronounced", "one-sided", "unilateral")


class DisagreementKind(StrEnum):
    """What a text got wrong."""

    INACTIVE = "names an action that is not active"
    OMITTED = "leaves out or denies a strong action"
    SIDE = "wrong side or symmetry"
    INTENSITY = "intensity word far from the value"
    CATEGORY = "category contradicted"
    EMOTION = "emotion without support"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One point on which text and numbers part. `subject` is a movement's key, a category, or "face"."""

    kind: DisagreementKind
    subject: str
    claim: str
    value: float
    message: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """The verdict: disagreements in the order of the text, and how many claims about movements were understood."""

    disagreements: tuple[Disagreement, ...]
    claims: int

    @property
    def agrees(self) -> bool:
        return not self.disagreements


def check(analysis: Analysis, coefficients: Mapping[str, float]) -> Agreement:
    """Compare the four fields with the coefficients that they should be about. Left and right are the subject's."""
    readings = read(coefficients)
    scores = scores_of(readings)
    claims = read_claims(analysis.muscle_movements)
    compared = read_comparisons(analysis.symmetry)
    found = [wrong for claim in (*claims, *compared) if (wrong := _judge(claim, readings))]
    found += _omissions(claims, readings)
    found += _symmetry(analysis.symmetry, readings)
    found += _words(analysis.expression_category, CATEGORY_WORDS, scores, DisagreementKind.CATEGORY)
    found += _words(analysis.emotional_implication, EMOTION_WORDS, scores, DisagreementKind.EMOTION)
    return Agreement(tuple(found), len(claims) + len(compared))


def _judge(claim: Claim, readings: Mapping[str, Reading]) -> Disagreement | None:
    """None when the claim holds for one of its movements, else the complaint about the first of them."""
    first: Disagreement | None = None
    keys = claim.movements
    if claim.stronger or claim.side in {"left", "right"}:  # a movement without sides can't be meant
        keys = tuple(key for key in keys if BY_KEY[key].kind is not Kind.SINGLE) or keys
    for key in keys:
        wrong = _judge_one(key, claim, readings[key])
        if wrong is None:
            return None
        first = first or wrong
    return first


def _judge_one(key: str, claim: Claim, reading: Reading) -> Disagreement | None:
    movement = BY_KEY[key]
    value = _value(claim.side, movement.kind, reading)
    if claim.denied:
        deniable = value < max(DENIABLE, movement.threshold)
        return None if deniable else _wrong(DisagreementKind.OMITTED, key, claim.text, value, "is said to be absent")
    if movement.kind is not Kind.SINGLE and (wrong := _judge_side(key, claim, reading, movement.kind)):
        return wrong
    if claim.stronger and not claim.level and not claim.side:
        return None
    low, high = _limits(claim.level)
    if value < low:
        kind = DisagreementKind.INACTIVE if value < ABSENT else DisagreementKind.INTENSITY
        return _wrong(kind, key, claim.text, value, "is weaker than the text says")
    if value > high and movement.region is not Region.HEAD:
        return _wrong(DisagreementKind.INTENSITY, key, claim.text, value, "is stronger than the text says")
    return None


def _judge_side(key: str, claim: Claim, reading: Reading, kind: Kind) -> Disagreement | None:
    sides = {"left": reading[0], "right": reading[1]}
    apart = abs(reading[0] - reading[1])
    said = claim.stronger or (claim.side if claim.side in sides else "")
    wrong = False
    if claim.stronger:
        wrong = sides[said] - (reading[0] + reading[1] - sides[said]) < 0.02
    elif said and (kind is Kind.DIRECTION or claim.only):
        wrong = sides[said] < max(reading) or (claim.only and apart < 0.25 * max(reading))
    elif said and not claim.also:
        wrong = sides[said] < max(reading) / 3 and sides[said] < max(reading) - 0.1
    elif claim.side == "both" and kind is Kind.PAIR:
        wrong = _uneven(reading)
    if not wrong:
        return None
    return _wrong(DisagreementKind.SIDE, key, claim.text, reading[0] - reading[1], "(left less right) says otherwise")


def _value(side: str, kind: Kind, reading: Reading) -> float:
    if side == "left":
        return reading[0]
    if side == "right":
        return reading[1]
    return (reading[0] + reading[1]) / 2 if side == "both" and kind is not Kind.DIRECTION else max(reading)


def _limits(level: str) -> tuple[float, float]:
    if not level:
        return ABSENT, float("inf")
    low, high = LEVEL_RANGES[level]
    return low - TOLERANCE, high + TOLERANCE if high < 1.0 else float("inf")


def _omissions(claims: list[Claim], readings: Mapping[str, Reading]) -> list[Disagreement]:
    """Strong actions that no claim is about. The head (not among the paper's regions) is exempt, so is MouthClose."""
    named = {key for claim in claims for key in claim.movements}
    return [
        _wrong(DisagreementKind.OMITTED, m.key, "", max(readings[m.key]), "is not in the text")
        for m in MOVEMENTS
        if max(readings[m.key]) >= STRONG
        and m.key not in named
        and m.key != "MouthClose"
        and m.region is not Region.HEAD
    ]


def _symmetry(text: str, readings: Mapping[str, Reading]) -> list[Disagreement]:
    """A plain "symmetric" against the most uneven pair, a plain "asymmetric" against all of them."""
    low = text[:LONGEST_TEXT].lower()
    sided = [m for m in MOVEMENTS if m.kind is not Kind.SINGLE and m.region not in {Region.GAZE, Region.HEAD}]
    apart = {m.key: abs(readings[m.key][0] - readings[m.key][1]) for m in sided}
    if any(word in low for word in _ASYMMETRY_WORDS):
        greatest = max(apart.values())
        if "asymm" in low and greatest < 0.02:
            return [_wrong(DisagreementKind.SIDE, "face", text, greatest, "is the greatest difference of the sides")]
        return []
    uneven = [m.key for m in sided if max(readings[m.key]) >= m.threshold and _uneven(readings[m.key])]
    if "symmetr" in low and uneven:
        key = max(uneven, key=lambda one: apart[one])
        return [_wrong(DisagreementKind.SIDE, key, text, apart[key], "is how much its sides differ")]
    return []


def _uneven(reading: Reading) -> bool:
    return abs(reading[0] - reading[1]) > max(UNEVEN[0], UNEVEN[1] * max(reading))


def _words(
    text: str, vocabulary: Mapping[str, Pattern[str]], scores: Mapping[str, float], kind: DisagreementKind
) -> list[Disagreement]:
    """A complaint when a text names categories and the numbers support none of those that it means in earnest."""
    low = DENIED_PHRASE.sub("", text[:LONGEST_TEXT].lower())
    hedge = HEDGES.search(low)
    earnest = low[: hedge.start()] if hedge else low
    named = [name for name, words in vocabulary.items() if words.search(earnest)]
    named = named or [name for name, words in vocabulary.items() if words.search(low)]
    if not named or any(scores[n] >= (NEUTRAL_EVIDENCE if n == NEUTRAL else EVIDENCE) for n in named):
        return []
    best = max(named, key=lambda name: scores[name])
    return [_wrong(kind, best, text, scores[best], "is all the support that the numbers give it")]


def _wrong(kind: DisagreementKind, subject: str, claim: str, value: float, what: str) -> Disagreement:
    quoted = f' ("{claim}")' if claim else ""
    return Disagreement(kind, subject, claim, value, f"{subject} {value:.2f} {what}{quoted}")
