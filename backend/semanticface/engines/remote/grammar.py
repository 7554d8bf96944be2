"""The regular expression that an answer matches, per layout, and in which field of a request a server takes it.

Regular expressions and not JSON schemas: a schema leaves spaces and the number of digits open, so that the model has
to write what is known already. Only what vLLM's and SGLang's backends (xgrammar, llguidance) understand is used:
classes, groups, repetition, and backslashes before braces and brackets. This module knows nothing of HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.remote.settings import GrammarStyle

_TEXT = r'"([^"\\]|\\.)*"'
_GAP = r"[ \n]*"
_TOKENS_PER_CHARACTER = 0.65
"""A bound for the object's tokens: released objects have 0.51 per character, with every digit a token of its own."""
_ENDS = {Layout.PAPER: r"\}\}", Layout.PAPER_INDENTED: r"\n  \}\n\}", Layout.VECTOR: r"\]"}


def object_start(profile: Profile) -> str:
    """The object's text up to the first value's space, when no analysis is asked for; a list has none."""
    layout = profile.layouts[0]
    if layout is Layout.VECTOR:
        return ""
    paper = {Layout.PAPER: '{"arkit": {', Layout.PAPER_INDENTED: '{\n  "arkit": {\n    '}
    return paper.get(layout, "{") + f'"{profile.actions[0]}":'


def pattern(profile: Profile) -> str:
    """The whole answer in the layout that was trained: analysis, where it has one, then the values."""
    layout = profile.layouts[0]
    if layout is Layout.VECTOR:
        return values_pattern(profile)
    values = f'"{profile.actions[0]}":{values_pattern(profile)}'
    if layout in (Layout.BARE, Layout.VALUES):
        return ("" if layout.wordless else "[^{]*") + r"\{" + values
    field = f"{_TEXT}:{_GAP}{_TEXT}"
    inner = rf"\{{{_GAP}({field}(,{_GAP}{field})*{_GAP})?\}}"
    member = f"{_TEXT}:{_GAP}({_TEXT}|{inner})"
    analysis = rf"\{{{_GAP}{member}(,{_GAP}{member})*{_GAP}\}}"
    if layout is Layout.PAPER:
        return rf'\{{"analysis": {analysis}, "arkit": \{{' + values
    return rf'\{{\n  "analysis": {analysis},\n  "arkit": \{{\n    ' + values


def values_pattern(profile: Profile) -> str:
    """What follows `object_start`: the first value, the other keys and values, and the closing braces."""
    layout = profile.layouts[0]
    between = ",\\n    " if layout is Layout.PAPER_INDENTED else ", "
    end = _ENDS.get(layout, r"\}")
    first, *others = profile.actions
    if layout is Layout.VECTOR:
        return r"\[" + between.join(_value(profile, name) for name in profile.actions) + end
    rest = "".join(f'{between}"{name}": {_value(profile, name)}' for name in others)
    return f" {_value(profile, first)}{rest}{end}"


def _value(profile: Profile, name: str) -> str:
    digits = f"[0-9]{{{profile.decimals}}}"
    return rf"-?[0-3]\.{digits}" if name in profile.signed else rf"[01]\.{digits}"


def answer_tokens(profile: Profile, analysis: bool) -> int:
    """Most tokens of an answer, for `max_tokens`: what stops a model that never comes to an end."""
    layout = profile.layouts[0]
    between = 6 if layout is Layout.PAPER_INDENTED else 2
    characters = sum(len(name) + len('"": -0.') + profile.decimals + between for name in profile.actions) + 64
    words = profile.analysis_tokens if analysis and not layout.wordless else 0
    return math.ceil(characters * _TOKENS_PER_CHARACTER) + words


def grammar_fields(style: GrammarStyle, regex: str) -> dict[str, Any]:
    """The fields of a request that ask this server for answers that match; none for NONE."""
    if style is GrammarStyle.STRUCTURED_OUTPUTS:
        return {"structured_outputs": {"regex": regex}}
    if style in (GrammarStyle.GUIDED_REGEX, GrammarStyle.REGEX):
        return {style.value: regex}
    return {}


def styles(wanted: GrammarStyle) -> Iterable[GrammarStyle]:
    """What to try, newest first."""
    if wanted is GrammarStyle.AUTO:
        return (GrammarStyle.STRUCTURED_OUTPUTS, GrammarStyle.REGEX, GrammarStyle.GUIDED_REGEX)
    return (wanted,)
