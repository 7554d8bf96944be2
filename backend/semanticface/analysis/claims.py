"""Free text to claims: which movement, on which side, how strong, or that it isn't there.

A robust reader for short prose about a face, such as ours and a language model's: Markdown, lists with the regions
as headings, brackets that explain, clauses joined by commas, "and", "with", "while". It reads vocabulary, not grammar.
What it doesn't know makes no claim. It knows nothing of coefficients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from semanticface.analysis.lexicon import MOVEMENTS, Kind
from semanticface.analysis.vocabulary import (
    CONTEXT,
    ENTRIES,
    LEVELS,
    MOVEMENTS_OF,
    NEGATION,
    NOUNS,
    ONLY,
    PARTS,
    STILL,
    Entry,
)

LONGEST_TEXT = 8_000
"""Characters that are read of one region's text; a longer one is cut. The released model writes about 1,000."""
MOST_TEXTS = 32
"""Regions that are read."""
_LONGEST_CLAUSE = 200
_MOST_CLAUSES = 200

_AU_WORD = re.compile(r"\bau\s?(\d+)\b")
_BY_AU: Mapping[str, tuple[str, ...]] = {
    number: tuple(m.key for m in MOVEMENTS if number in m.au.removeprefix("AU").split("/"))
    for m in MOVEMENTS
    for number in m.au.removeprefix("AU").split("/")
    if number
}
_DIRECTIONS = {m.key for m in MOVEMENTS if m.kind is Kind.DIRECTION}
_ONE_SPELLING = {
    **dict.fromkeys(("gaz", "look", "glanc"), "gaze"),
    **dict.fromkeys(("lip", "corner"), "mouth"),
    **dict.fromkeys(("nasal", "nasolab"), "nose"),
    "chin": "jaw",
    "forehead": "brow",
    "lid": "eye",
}
_PIECE = re.compile(
    r"[()]|[,:]|\b(?:and|with|while|but|whereas|though|although|plus|along with|accompanied by"
    r"|creating|suggesting|indicating)\b"
)
_HEADING = re.compile(r"^\W{0,12}(?:\d{1,2}\.)?\W{0,12}([a-z]{1,20})\s{0,4}:")
_MORE = r"(?:stronger|more (?:pronounced|intense|active|marked|raised|elevated|prominent|than)|greater|higher|dominant)"
_LESS = r"(?:weaker|less (?:pronounced|intense|active|marked|raised|elevated|prominent)|lower on)"
_COMPARISON = re.compile(rf"(?P<more>{_MORE})|(?P<less>{_LESS})")  # the side is looked for around it


@dataclass(frozen=True, slots=True)
class Claim:
    """What a clause says. It holds when it holds for any of `movements`.

    `side` is "left", "right", "both" or "" (not said); `level` a key of `check.LEVEL_RANGES` or ""; `stronger` the side
    that is said to be the stronger; `only` that the other side is said to be inactive; `denied` that the movement is
    said to be absent; `also` that the clause goes on from one about the other side. `region` is its heading.
    """

    movements: tuple[str, ...]
    text: str
    region: str = ""
    side: str = ""
    level: str = ""
    stronger: str = ""
    only: bool = False
    denied: bool = False
    also: bool = False


def read_claims(movements: Mapping[str, str]) -> list[Claim]:
    """The claims in the muscle movements of an analysis: a text per region, or one prose text under any key."""
    found: list[Claim] = []
    for region, text in islice(movements.items(), MOST_TEXTS):
        for context, sentence in _sentences(text, CONTEXT.get(region.lower().strip(), "")):
            found += _sentence_claims(sentence, context)
    return found


def read_comparisons(symmetry: str) -> list[Claim]:
    """The claims of a symmetry field that say which side of what is stronger, or where mouth or jaw goes."""
    found = []
    for context, sentence in _sentences(symmetry, ""):
        previous: tuple[str, ...] = ()
        for piece in islice(_pieces(sentence), _MOST_CLAUSES):
            words = piece.text
            named = _named(words, context, ENTRIES) or _named(words, context, NOUNS)
            stronger = _stronger(words)
            directed = tuple(key for key in named if key in _DIRECTIONS)
            if stronger and (named or previous):
                found.append(Claim(named or previous, words, context, stronger=stronger))
            elif directed and _side(words) in {"left", "right"}:
                found.append(Claim(directed, words, context, side=_side(words)))
            previous = named or previous
    return found


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    bracketed: bool
    joiner: str


def _sentences(text: str, context: str) -> Iterator[tuple[str, str]]:
    """(word for the region, sentence), in lower case without Markdown; a heading holds until the line's end."""
    clean = text[:LONGEST_TEXT].lower().replace("*", "").replace("eyebrow", "brow").replace("eyelid", "lid")
    for line in clean.splitlines():
        heading = _HEADING.match(line)
        here = context
        if heading and heading.group(1) in CONTEXT:
            here, line = CONTEXT[heading.group(1)], line[heading.end() :]  # noqa: PLW2901
        for sentence in re.split(r"[.;](?=\s|$)", line):
            if sentence.strip(" -"):
                yield here, sentence.strip(" -")


def _pieces(sentence: str) -> Iterator[_Piece]:
    start, depth, joiner = 0, 0, ""
    for match in [*_PIECE.finditer(sentence), None]:
        end = match.start() if match else len(sentence)
        text = sentence[start:end].strip(" ,-")
        if text:
            yield _Piece(text[-_LONGEST_CLAUSE:], depth > 0, joiner)
        if match is None:
            return
        joiner = match.group()
        depth += {"(": 1, ")": -1}.get(joiner, 0)
        start = match.end()


def _sentence_claims(sentence: str, context: str) -> list[Claim]:
    claims: list[Claim] = []
    pending, part, denying = "", context, False
    for piece in islice(_pieces(sentence), _MOST_CLAUSES):
        words = f"{pending} {piece.text}".strip()
        aside = piece.bracketed or piece.joiner == ")"
        named = _named(words, part, ENTRIES)
        units = _of_units(words)
        denied = NEGATION.search(words) is not None or (denying and piece.joiner in {",", "and"} and " or " in sentence)
        denying = denied and _side(words) == ""
        if piece.bracketed and claims and not pending and (named or units):
            claims[-1] = _explained(claims[-1], named, units, words)
        elif named or units:
            claims.append(_claim(tuple(k for k in named if k in units) or units or named, words, part, denied))
        elif claims and not pending and (aside or _side(words) or _stronger(words)) and not PARTS.search(words):
            claims += _continued(claims, aside, words, denied)
        elif denied and STILL.search(words):
            claims += [_claim((key,), words, part, True) for key in MOVEMENTS_OF.get(_part(words) or part, ())]
        else:
            pending = words[-_LONGEST_CLAUSE:]
            continue
        pending, part = "", _part(words) or part
    return claims


def _of_units(words: str) -> tuple[str, ...]:
    return tuple(key for number in _AU_WORD.findall(words) for key in _BY_AU.get(number, ()))


def _claim(named: tuple[str, ...], words: str, region: str, denied: bool) -> Claim:
    return Claim(
        named, words, region, _side(words), _level(words), _stronger(words), ONLY.search(words) is not None, denied
    )


def _explained(claim: Claim, named: tuple[str, ...], units: tuple[str, ...], words: str) -> Claim:
    """A bracket that names movements: action units narrow what the clause said, words widen it."""
    narrowed = tuple(key for key in claim.movements if key in units)
    keys = narrowed or units or (*claim.movements, *(key for key in named if key not in claim.movements))
    return replace(claim, movements=keys, level=claim.level or _level(words), side=claim.side or _side(words))


def _continued(claims: list[Claim], bracketed: bool, words: str, denied: bool) -> list[Claim]:
    """A clause without a movement goes on about the last one: a bracket completes it, another side is a new claim."""
    last = claims[-1]
    side, level, stronger = _side(words), _level(words), _stronger(words)
    if bracketed:
        claims[-1] = replace(
            last, side=last.side or side, level=level or last.level, stronger=stronger or last.stronger
        )
        return []
    if stronger:
        claims[-1] = replace(last, stronger=stronger)
        return []
    if side in {"left", "right"} and side != last.side:
        return [Claim(last.movements, words, last.region, side, level, denied=denied, also=True)]
    return []


def _named(words: str, context: str, entries: tuple[Entry, ...]) -> tuple[str, ...]:
    text = words if PARTS.search(words) or not context else f"{context} {words}"
    keys: dict[str, None] = {}
    for entry in entries:
        if all(p.search(text) for p in entry.all_of) and not (entry.none_of and entry.none_of.search(text)):
            keys |= dict.fromkeys(entry.movements)
    return tuple(keys)


def _part(words: str) -> str:
    """The part of the face that a clause is about, in one spelling per part, "" where it names none."""
    found = PARTS.search(words)
    return _ONE_SPELLING.get(found.group(), found.group()) if found else ""


def _side(words: str) -> str:
    if re.search(r"\b(?:both|bilateral\w*|each side|symmetrical\w*)\b", words):
        return "both"
    left, right = re.search(r"\bleft(?:ward)?\b", words), re.search(r"\bright(?:ward)?\b", words)
    if left and right:
        return ""
    return "left" if left else "right" if right else ""


def _level(words: str) -> str:
    return next((name for name, pattern in LEVELS if pattern.search(words)), "")


def _stronger(words: str) -> str:
    match = _COMPARISON.search(words)
    if match is None:
        return ""
    before = re.findall(r"\b(left|right)\b", words[: match.start()])
    after = re.findall(r"\b(left|right)\b", words[match.end() :])
    side = before[-1] if before and (not after or "than" in words) else after[0] if after else ""
    if match.group("less") and side:
        return "right" if side == "left" else "left"
    return str(side)
