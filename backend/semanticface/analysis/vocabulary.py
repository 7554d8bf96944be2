"""The words by which people and language models name facial movements: what `claims` looks for in a text.

Patterns work on one clause in lower case, with "eyebrow" and "eyelid" written as "brow" and "lid". This module is a
table; it knows nothing of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from re import Pattern


@dataclass(frozen=True, slots=True)
class Entry:
    """A clause names any one of `movements` when every pattern of `all_of` is found in it and `none_of` is not."""

    movements: tuple[str, ...]
    all_of: tuple[Pattern[str], ...]
    none_of: Pattern[str] | None


def _entry(movements: str, *all_of: str, but: str = "") -> Entry:
    patterns = tuple(re.compile(rf"\b(?:{pattern})") for pattern in all_of)
    return Entry(tuple(movements.split()), patterns, re.compile(rf"\b(?:{but})") if but else None)


_RISE = r"rais|elevat|lift|up\b|upward|arch|high"
_FALL = r"lower|drop|furrow|knit|(?:draw|pull)\w* (?:down|together)|down\b|downward|frown|contract|corrugat"
_CORNER = r"corners?"
_LID = r"eye|lid"

ENTRIES: tuple[Entry, ...] = (
    _entry("BrowInnerUp", r"inner", r"brow", _RISE),
    _entry("BrowOuterUp", r"outer", r"brow", _RISE),
    _entry("BrowInnerUp BrowOuterUp", r"brow|forehead", _RISE, but=r"inner|outer"),
    _entry("BrowDown", r"brow", _FALL, but=rf"inner|outer|{_RISE}"),
    _entry("EyeWide", _LID, r"wide|lids? (?:is |are )?(?:rais|elevat)", but=r"squint|gaze"),
    _entry("EyeSquint CheekSquint", r"squint|narrow|crinkl", but=r"cheek"),
    _entry("EyeSquint", r"lid|eye", r"tighten|tens"),
    _entry("CheekSquint", r"cheek", rf"squint|{_RISE}|bunch"),
    _entry("EyeBlink", r"blink|wink"),
    _entry("EyeBlink", _LID, r"clos|shut|lower|droop|half[- ]open", but=r"gaze|look|tight"),
    _entry("GazeDown", r"gaz|look|glanc", r"down"),
    _entry("GazeUp", r"gaz|look|glanc", r"up\b|upward"),
    _entry("GazeSide", r"gaz|look|glanc", r"left|right|sideway|lateral|aside"),
    _entry("GazeIn GazeSide", r"gaz|look|eyes", r"inward|converg|cross", but=r"brow"),
    _entry("GazeSide", r"gaz|look|glanc", r"outward"),
    _entry("NoseSneer", r"nose|nasal", r"wrinkl|scrunch|crinkl|sneer|flar"),
    _entry("NoseSneer MouthUpperUp", r"sneer|nasolabial|snarl"),
    _entry("CheekPuff", r"cheek", r"puff|inflat|blow|balloon"),
    _entry("MouthSmile", r"smil|grin|smirk|lip corner puller"),
    _entry("MouthSmile", _CORNER, rf"{_RISE}|pull\w* back", but=r"down|eye|lids?\b"),
    _entry("MouthFrown", _CORNER, r"down|lower|depress|droop", but=r"lower lip|eye|lids?\b"),
    _entry("MouthFrown BrowDown", r"frown", but=r"brow"),
    _entry("MouthDimple", r"dimpl"),
    _entry("MouthDimple", r"corners?", r"tighten|tuck"),
    _entry("MouthStretch", r"stretch|widened horizontally|pulled (?:back )?sideways"),
    _entry("MouthRollLower", r"lower lip", r"roll|suck|tuck|bit", but=r"upper lip|both lips"),
    _entry("MouthRollUpper", r"upper lip", r"roll|suck|tuck", but=r"lower lip|both lips"),
    _entry("MouthRollLower MouthRollUpper", r"lips?\b", r"roll|suck", but=r"(?:upper|lower) lip\b"),
    _entry("MouthShrugLower", r"chin|lower lip", r"push|shrug|boss|protru|rais"),
    _entry("MouthShrugUpper", r"upper lip", r"push|shrug|protru"),
    _entry("MouthShrugLower MouthShrugUpper", r"shrug"),
    _entry("MouthPucker MouthShrugLower", r"pout"),
    _entry("MouthPress", r"lips?\b|mouth", r"press|compress|tight", but=r"corner|lid"),
    _entry("MouthPress", r"lips? (?:press|tight)"),
    _entry("MouthLowerDown", r"lower lip", r"down|depress|lowered|drop", but=r"push"),
    _entry("MouthUpperUp", r"upper lip", rf"{_RISE}", but=r"push"),
    _entry("MouthUpperUp MouthLowerDown JawOpen MouthSmile", r"teeth"),
    _entry("MouthFunnel", r"funnel|flare?d? lip"),
    _entry("MouthPucker", r"pucker|purs|kiss"),
    _entry("MouthFunnel MouthPucker", r"lips?\b|mouth", r"round|protru", but=r"(?:upper|lower) lip|tongue"),
    _entry("MouthClose", r"lips?\b|mouth", r"kept together|held together|seal"),
    _entry("MouthSide", r"mouth|lips", r"(?:shift|mov|pull|skew|displac)\w*(?: \w+)? (?:to|toward)|to one side|sideway",
           but=r"corner|jaw|stretch|up\b|upward|down"),
    _entry("JawOpen", r"jaw|mouth", r"open|agape|drop|lower(?!ed jaw)|gap(?:e|ing)",
           but=r"lower lip|corner|kept together"),
    _entry("JawOpen", r"lips", r"part(?:ed|ing)"),
    _entry("JawForward", r"jaw|chin|mandib", r"forward|thrust|protru|jut"),
    _entry("JawSide", r"jaw|mandib", r"lateral|sideway|shift|mov\w* (?:\w+ )?to|to one side|displac",
           but=r"open|lowered jaw"),
    _entry("TongueOut", r"tongue", r"out|protru|shown|visibl|stick|extend"),
    _entry("HeadTurn", r"head", r"turn|rotat|yaw"),
    _entry("HeadUp", r"head", r"rais|lift|tilt\w* (?:back|up)|pitched up"),
    _entry("HeadDown", r"head", r"lower|bow|tilt\w* (?:down|forward)|nod|pitched down"),
    _entry("HeadTilt", r"head", r"tilt|lean|roll", but=r"tilt\w* (?:back|up|down|forward)"),
)  # fmt: skip

NOUNS: tuple[Entry, ...] = (
    _entry("MouthLowerDown", r"lower lip"),
    _entry("MouthUpperUp", r"upper lip"),
    _entry("MouthSmile MouthFrown MouthDimple MouthStretch", r"corner|mouth|lips", but=r"lower lip|upper lip"),
    _entry("BrowOuterUp BrowDown", r"brow"),
    _entry("EyeBlink EyeSquint EyeWide", r"\beyes?\b|lid"),
    _entry("CheekSquint", r"cheek"),
    _entry("NoseSneer", r"nose|nasolabial|nostril"),
)
"""For a comparison of the sides that names a part of the face and no movement of it."""

PARTS = re.compile(
    r"\b(?:brow|forehead|eye|lid|gaz|look|glanc|nose|nasal|nasolab|cheek|lip|mouth|corner|jaw|chin|tongue|head)"
)
CONTEXT: Mapping[str, str] = {
    "brow": "brow",
    "brows": "brow",
    "forehead": "brow",
    "eye": "eye",
    "eyes": "eye",
    "gaze": "gaze",
    "nose": "nose",
    "cheek": "cheek",
    "cheeks": "cheek",
    "mouth": "mouth",
    "lips": "mouth",
    "jaw": "jaw",
    "chin": "jaw",
    "tongue": "tongue",
    "head": "head",
}
"""A heading or a region's name, and the word that its clauses are read with when they name no part of the face."""

STILL = re.compile(r"\b(?:movement|activit|activation|action|neutral|relaxed|at rest|inactive|unchanged)")
"""With a negation and a part of the face: nothing moves there. Its movements by part:"""
MOVEMENTS_OF: Mapping[str, tuple[str, ...]] = {
    "brow": ("BrowInnerUp", "BrowOuterUp", "BrowDown"),
    "eye": ("EyeWide", "EyeSquint", "EyeBlink"),
    "nose": ("NoseSneer",),
    "cheek": ("CheekPuff", "CheekSquint"),
    "mouth": ("MouthSmile", "MouthFrown", "MouthStretch", "MouthPress", "MouthFunnel", "MouthPucker", "MouthSide"),
    "jaw": ("JawOpen", "JawForward", "JawSide"),
    "tongue": ("TongueOut",),
}
NEGATION = re.compile(
    r"\b(?:no|not|without|none|neither|nor|never|isn't|aren't|absent|absence|lack\w*"
    r"|neutral|relaxed|inactive|at rest|unchanged)\b"
)
ONLY = re.compile(r"\b(?:only|alone|unilateral\w*|one[- ]sided)\b")
_LEVEL_WORDS: Mapping[str, str] = {
    "minimal": r"minimal\w*|negligib\w*|barely|hardly|trace|almost no|very (?:slight|subtle|small|low)\w*",
    "extreme": r"extreme\w*|maxim\w*|fully|completely|very (?:strong|high|wide|pronounced|intense)\w*",
    "strong": r"strong\w*|high|highly|pronounced|marked\w*|significant\w*|wide|widely|intense(?:ly)?|heav(?:y|ily)"
    r"|prominent\w*|tightly|considerabl\w*|substantial\w*|deep\w*",
    "moderate": r"moderate\w*|medium|noticeabl\w*|clear(?:ly)?|visibl[ey]",
    "slight": r"slight\w*|subtl[ey]|mild\w*|light\w*|small|minor|weak\w*|low|faint\w*|gentl[ey]|some|soft\w*"
    r"|partial\w*|a little|a bit",
}
LEVELS: tuple[tuple[str, Pattern[str]], ...] = tuple(
    (name, re.compile(rf"\b(?:{words})\b")) for name, words in _LEVEL_WORDS.items()
)
"""Intensity words, in the order in which they are tried."""

HEDGES = re.compile(
    r"\b(?:possibl\w*|perhaps|maybe|may|might|could|suggest\w*|hint\w*|e\.g|or|rather than|suppress\w*|attempt\w*)\b"
)
DENIED_PHRASE = re.compile(r"\b(?:not?|without|rather than|neither|nor)\b(?! (?:clear )?expression)[^,.;]*")
EMOTION_WORDS: Mapping[str, Pattern[str]] = {
    "happiness": re.compile(
        r"\b(?:happ\w+|joy\w*|genuine smile|duchenne|amus\w+|cheer\w*|delight\w*|laugh\w*|pleasure)"
    ),
    "sadness": re.compile(r"\b(?:sad\w*|sorrow\w*|grie[fv]\w*|unhapp\w*|melanchol\w*|distress\w*)"),
    "surprise": re.compile(r"\b(?:surpris\w+|astonish\w*|shock\w*|amaze\w*|startl\w*|alert\w*)"),
    "fear": re.compile(r"\b(?:fear\w*|afraid|scared|anxi\w+|terror|terrifi\w*|fright\w*|alarm\w*)"),
    "anger": re.compile(r"\b(?:ang(?:er|ry)|rage|fur(?:y|ious)|annoy\w*|irritat\w*|aggress\w*|hostil\w*)"),
    "disgust": re.compile(r"\b(?:disgust\w*|revuls\w*|repuls\w*|distaste\w*|avers\w+)"),
    "contempt": re.compile(r"\b(?:contempt\w*|disdain\w*|smirk\w*|smug\w*|scorn\w*)"),
}
CATEGORY_WORDS: Mapping[str, Pattern[str]] = {
    **EMOTION_WORDS,
    "neutral": re.compile(r"\b(?:neutral|relaxed|at rest|no (?:clear )?expression|expressionless|calm|resting)"),
    "smile": re.compile(r"\b(?:smil\w+|grin\w*)"),
    "frown": re.compile(r"\b(?:frown\w*)"),
    "raised brows": re.compile(r"\brais\w* (?:eye)?brows?|brows? rais"),
    "lowered brows": re.compile(r"\b(?:lower\w*|furrow\w*|knit\w*) (?:eye)?brows?|concentrat\w*"),
    "wide eyes": re.compile(r"\bwide[- ]eye\w*|wide eyes|eyes? wid|widen\w* eyes"),
    "squint": re.compile(r"\bsquint\w*"),
    "eyes closed": re.compile(r"\beyes? clos\w*|closed eyes|blink\w*"),
    "lowered eyelids": re.compile(r"\blowered (?:eye)?lids|blink\w*"),
    "wink": re.compile(r"\bwink\w*"),
    "wrinkled nose": re.compile(r"\bwrinkled nose|sneer\w*"),
    "mouth open": re.compile(r"\bmouth open|open[- ]mouth\w*|open mouth|speaking|talking|yawn\w*"),
    "bared teeth": re.compile(r"\bbared teeth|grimac\w*"),
    "funneled lips": re.compile(r"\bfunnel\w*"),
    "pucker": re.compile(r"\bpucker\w*|purs\w*|kiss\w*|pout\w*"),
    "pressed lips": re.compile(r"\bpressed lips|lips? press\w*|tight[- ]lip\w*"),
    "rolled-in lips": re.compile(r"\brolled-in lips"),
    "stretched lips": re.compile(r"\bstretched lips|grimac\w*"),
    "dimpled lip corners": re.compile(r"\bdimpl\w*"),
    "pushed-up lips": re.compile(r"\bpushed-up lips|shrug\w*|pout\w*"),
    "puffed cheeks": re.compile(r"\bpuff\w*"),
    "mouth to one side": re.compile(r"\bmouth to one side"),
    "jaw to one side": re.compile(r"\bjaw to one side"),
    "jaw forward": re.compile(r"\bjaw forward"),
    "tongue out": re.compile(r"\btongue"),
}
