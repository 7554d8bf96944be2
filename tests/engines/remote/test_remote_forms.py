"""Servers whose model writes no words, or some of the 61 actions: grammar, probabilities and results."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from chat_answers import entries, peaked, values_of
from chat_server import Script
from remote_kit import Connect, frames, run

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.analysis.parse import parse_answer
from semanticface.engines.base import RunOptions
from semanticface.engines.mllm.outcome import DERIVED, UNREAD
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.remote.choices import align
from semanticface.engines.remote.grammar import answer_tokens, pattern
from semanticface.engines.remote.reading import analysis_so_far
from semanticface.engines.remote.wire import Token
from semanticface.results import Status

SIX = ("HeadYaw", "JawOpen", "MouthSmileRight", "MouthSmileLeft", "EyeBlinkLeft", "HeadRoll")
FORMS = [(Layout.VECTOR, SIX), (Layout.VECTOR, CSV_ORDER), (Layout.VALUES, SIX), (Layout.VALUES, CSV_ORDER)]
FORMS += [(layout, SIX) for layout in (Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED)]


def asked(layout: Layout, actions: tuple[str, ...], decimals: int = 1) -> Profile:
    return Profile("forms", "s", "<image>u", layouts=(layout,), decimals=decimals, actions=actions)


def answer(values: Mapping[str, float], layout: Layout, actions: tuple[str, ...]) -> str:
    """Laid out by the standard library."""
    numbers = {name: f"{values[name]:.1f}" for name in actions}
    if layout is Layout.VECTOR:
        return f"[{', '.join(numbers.values())}]"
    held = {name: f"<{name}>" for name in actions}
    whole = {"analysis": describe(values).to_dict(), "arkit": held}
    indent = 2 if layout is Layout.PAPER_INDENTED else None
    text = json.dumps(whole if layout in (Layout.PAPER, Layout.PAPER_INDENTED) else held, indent=indent)
    text = re.sub(r'"<(\w+)>"', lambda match: numbers[match[1]], text)
    return f"1. **Category**: a smile\n2. **Symmetry**: yes\n\n{text}" if layout is Layout.BARE else text


def tokens(text: str) -> list[Token]:
    listed = (one["lp"] for one in entries(text, peaked, False, ""))
    return [
        Token(bytes(one["bytes"]), tuple((bytes(o["bytes"]), o["logprob"]) for o in one["top_logprobs"]))
        for one in listed
    ]


@pytest.mark.parametrize(("layout", "actions"), FORMS)
def test_the_grammar_lets_this_form_through_and_no_other(layout: Layout, actions: tuple[str, ...]) -> None:
    profile = asked(layout, actions)
    text = answer(values_of(0.4), layout, actions)
    assert re.fullmatch(pattern(profile), text)
    assert parse_answer(text, actions).repairs[:1] in ((), ("analysis: no muscle_movements",))
    last = text.rindex(", ") if layout is not Layout.PAPER_INDENTED else text.rindex(",\n")
    end = re.search(r"[\]}\n]+$", text)
    assert end
    shorter = text[:last] + end[0]
    others = [asked(*form) for form in FORMS if form[0] is not layout and form[1] == actions]
    assert not re.fullmatch(pattern(profile), shorter)
    assert not re.fullmatch(pattern(profile), text.replace("0.4", "-0.4"))
    if layout is not Layout.VALUES:  # which is what the others hold
        assert not any(re.fullmatch(pattern(other), text) for other in others)


@pytest.mark.parametrize(("layout", "actions"), FORMS)
def test_probabilities_are_laid_against_the_values_of_this_form(layout: Layout, actions: tuple[str, ...]) -> None:
    text = answer(values_of(0.4), layout, actions)
    aligned = align(text, tokens(text), asked(layout, actions))
    assert aligned is not None
    assert {name: choice.value for name, choice in aligned.choices.items()} == parse_answer(text, actions).coefficients
    yaw, jaw = aligned.choices["HeadYaw"], aligned.choices["JawOpen"]
    assert yaw.sign is not None and yaw.sign[1] > yaw.sign[0] and yaw.text == "-0.3"
    assert jaw.sign is None and int(jaw.digits[0].argmax()) == 4


def test_an_object_with_more_than_was_asked_keeps_its_probabilities() -> None:
    text = answer(values_of(0.4), Layout.VALUES, CSV_ORDER)
    aligned = align(text, tokens(text), asked(Layout.VALUES, SIX))
    assert aligned is not None and set(aligned.choices) == set(SIX)


def test_a_list_with_a_number_too_many_has_no_probabilities() -> None:
    text = answer(values_of(0.4), Layout.VECTOR, SIX)
    assert align(text, tokens(text), asked(Layout.VECTOR, SIX[:5])) is None
    assert align(text, tokens(text), asked(Layout.VECTOR, (*SIX, "JawLeft"))) is None


@pytest.mark.parametrize(("layout", "actions"), [form for form in FORMS if form[0].wordless])
def test_an_answer_without_words_becomes_a_whole_result_that_says_so(
    remote: Connect, layout: Layout, actions: tuple[str, ...]
) -> None:
    script = Script(answer=lambda values: answer(values, layout, actions))
    server, engine = remote(script, asked(layout, actions), concurrency=1)
    for mode in ("full", "coefficients"):
        for level, result in zip((0.3, 0.8), run(engine, frames([0.3, 0.8]), RunOptions({"mode": mode})), strict=True):
            assert result.status is Status.OK, result.message
            expected = {name: value if name in actions else 0.0 for name, value in values_of(level).items()}
            assert result.coefficients == pytest.approx(expected)
            assert tuple(result.coefficients) == CSV_ORDER
            assert {name for name, how in result.estimates.items() if how == UNREAD} == set(CSV_ORDER) - set(actions)
            assert ("reads 6 of 61 actions" in result.message) == (actions == SIX)
            derived = describe(result.coefficients) if mode == "full" else None
            assert (result.analysis, DERIVED in result.message) == (derived, mode == "full")
    assert not any("continue_final_message" in body for body in server.seen.pictures)
    assert server.seen.pictures[-1]["structured_outputs"]["regex"] == pattern(asked(layout, actions))


def test_an_answer_of_a_few_values_is_cut_off_early() -> None:
    """Where a model never comes to an end; words have no part in it."""
    vector, words = asked(Layout.VECTOR, SIX), asked(Layout.BARE, SIX)
    assert answer_tokens(vector, analysis=True) == answer_tokens(vector, analysis=False) < 200
    assert answer_tokens(words, analysis=True) == answer_tokens(words, analysis=False) + words.analysis_tokens


@pytest.mark.parametrize("layout", [Layout.VECTOR, Layout.VALUES])
def test_values_that_grow_are_never_shown_as_words(layout: Layout) -> None:
    text = answer(values_of(0.4), layout, SIX)
    assert {analysis_so_far(text[:length], asked(layout, SIX)) for length in range(len(text) + 1)} == {""}
