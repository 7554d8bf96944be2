"""A language model's answer to numbers and words: exactly what stands there, or an error that says what is wrong.

Two dialects are read. RELEASED, as the released checkpoint writes it: a numbered Markdown analysis, an empty line,
one JSON object of 61 values. PAPER, as the paper asks for it (appendix B.2): one object with the keys `analysis` and
`arkit`. A checkpoint that writes no words gives the object alone, or VECTOR, a bare list. What can be repaired without
a choice is repaired and reported; a value that isn't there is never made up. This module knows nothing of models,
tokens or frames.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from semanticface.actions import CSV_ORDER, canonical_name
from semanticface.analysis.parse_analysis import analysis_from_json, analysis_from_markdown
from semanticface.analysis.parse_json import MAX_OBJECTS, Failed, Found, Members, Value, find_objects, listed, place
from semanticface.analysis.parse_values import HINT, Values, choose, read_values
from semanticface.analysis.parse_vector import read_vector
from semanticface.errors import UnparseableAnswer
from semanticface.results import Analysis

LONGEST_ANSWER = 65_536
"""Characters of an answer that are read; a real one has 2,700."""
_ANALYSIS = "analysis"
_ARKIT = "arkit"
_PAIR = re.compile(r"""["'](\w{1,32})["'][ \t\r\n]*+:""")


class Dialect(StrEnum):
    """How an answer is laid out."""

    RELEASED = "released"
    """Markdown, then an object that holds the values themselves."""
    PAPER = "paper"
    """An object that holds the values under `arkit`, beside `analysis`."""
    VECTOR = "vector"
    """A list of the values without their names."""


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """What an answer says.

    `analysis` is None where the answer has none; a field that it leaves out is an empty text. `coefficients` holds
    the names that were asked, in that order, shapes unclamped, rotations in radians, sign of zero kept. `repairs` says
    in words what departed from the dialect; empty for a clean answer.
    """

    analysis: Analysis | None
    coefficients: Mapping[str, float]
    dialect: Dialect
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """One object that holds coefficients."""

    source: Found
    values: Values
    dialect: Dialect


def parse_answer(text: str, actions: Sequence[str] = CSV_ORDER) -> ParsedAnswer:
    """Read an answer in any dialect. Raises UnparseableAnswer, which says what is wrong and where.

    `actions` are those whose values were asked, in the order in which a list gives them.
    """
    if len(text) > LONGEST_ANSWER:
        raise UnparseableAnswer(f"the answer has {len(text)} characters, more than {LONGEST_ANSWER}", HINT)
    pieces = find_objects(text)
    if not pieces and (vector := read_vector(text, actions)):
        around = ("ignored text around the list",) if (text[: vector.start] + text[vector.end :]).strip() else ()
        return ParsedAnswer(None, vector.coefficients, Dialect.VECTOR, around)
    if len(pieces) > MAX_OBJECTS:
        raise UnparseableAnswer(f"more than {MAX_OBJECTS} JSON objects in one answer", HINT)
    found = [piece for piece in pieces if isinstance(piece, Found)]
    failed = [piece for piece in pieces if isinstance(piece, Failed)]
    _refuse_broken_values(text, pieces)
    answers = [answer for piece in found for answer in _answers(piece)]
    if not answers:
        raise _nothing(text, found, failed)
    chosen = answers[choose([answer.values for answer in answers], actions)]
    broken_analysis = any(_ANALYSIS in map(str.lower, piece.keys) for piece in failed)
    analysis, about_analysis = _analysis(text, found, chosen, broken_analysis)
    repairs = [*chosen.source.repairs, *chosen.values.repairs, *_around(text, found, len(answers)), *about_analysis]
    return ParsedAnswer(
        analysis=analysis,
        coefficients={name: chosen.values.coefficients[name] for name in actions},
        dialect=Dialect.PAPER if broken_analysis else chosen.dialect,
        repairs=tuple(dict.fromkeys(repairs)),
    )


def _refuse_broken_values(text: str, pieces: list[Found | Failed]) -> None:
    """An object that breaks among its values spoils the answer, even if another one follows: which one is meant?"""
    ends = [*(piece.start for piece in pieces), len(text)][1:]
    for piece, end in zip(pieces, ends, strict=True):
        if isinstance(piece, Found):
            continue
        behind = _PAIR.findall(text, piece.start, end)  # names that the reader didn't reach
        if _ARKIT in map(str.lower, piece.keys) or any(map(canonical_name, (*piece.keys, *behind))):
            raise UnparseableAnswer(f"{piece.reason}, at {place(text, piece.position)}", HINT)


def _nothing(text: str, found: list[Found], failed: list[Failed]) -> UnparseableAnswer:
    if failed:
        worst = max(failed, key=lambda piece: len(piece.keys))
        return UnparseableAnswer(f"{worst.reason}, at {place(text, worst.position)}", HINT)
    if found:
        keys = [key for piece in found for key, _ in piece.members.pairs]
        return UnparseableAnswer(f"JSON without any of the 61 actions; its keys are {listed(keys) or 'none'}", HINT)
    return UnparseableAnswer("no JSON object in the answer", HINT)


def _answers(piece: Found) -> list[_Answer]:
    out = []
    inside = [(key, value) for key, value in piece.members.pairs if key.lower() == _ARKIT]
    for key, value in inside:
        if not isinstance(value, Members):
            raise UnparseableAnswer(f"{key!r} holds no object", HINT)
        values = read_values(value)
        if key != _ARKIT:
            values = Values(values.coefficients, (*values.repairs, "corrected the letter case of keys"))
        out.append(_Answer(piece, values, Dialect.PAPER))
    beside = read_values(piece.members, ignore=(_ANALYSIS, _ARKIT))
    if beside.coefficients:
        out.append(_Answer(piece, beside, Dialect.RELEASED))
    return out


def _analysis(text: str, found: list[Found], chosen: _Answer, broken: bool) -> tuple[Analysis | None, tuple[str, ...]]:
    """The analysis and what is to be said about it: from JSON where it is there, else from the text before."""
    if broken:
        return None, ("left out an analysis that is no valid JSON",)
    prose = _without_fences(text[: chosen.source.start])
    contents: list[Value] = [value for piece in found for key, value in piece.members.pairs if key.lower() == _ANALYSIS]
    if len(contents) > 1:
        return None, ("left out an analysis that is given twice",)
    if contents:
        analysis, notes = analysis_from_json(contents[0])
        return analysis, (*notes, "ignored text before the JSON") if prose else notes
    analysis, notes = analysis_from_markdown(prose)
    if analysis is None and prose:
        return None, ("ignored text before the JSON, which is no analysis",)
    return analysis, notes


def _around(text: str, found: list[Found], answers: int) -> list[str]:
    """What stands around the objects and doesn't belong there."""
    notes = []
    outside = text[: found[0].start] + text[found[-1].end :]
    if any(line.lstrip().startswith("```") for line in outside.splitlines()):
        notes.append("removed code fences")
    if _without_fences(text[found[-1].end :]):
        notes.append("ignored text after the JSON")
    if answers > 1:
        notes.append("values are given more than once, and agree")
    return notes


def _without_fences(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("```")).strip()
