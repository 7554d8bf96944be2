"""The regular expression of an answer: every answer of the layout fits, and nothing that couldn't be read does."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.analysis.describe import describe
from semanticface.analysis.parse import parse_answer
from semanticface.engines.mllm.profile import WORDED, Layout, Profile
from semanticface.engines.remote.grammar import answer_tokens, object_start, pattern, values_pattern


def asked(layout: Layout, decimals: int) -> Profile:
    return Profile("p", "s", "u", layouts=(layout,), decimals=decimals)


def answer(layout: Layout, decimals: int, seed: int) -> str:
    """Random values with negatives and negative zeros, laid out by the standard library."""
    rng = random.Random(seed)
    values = {name: rng.choice((0.0, rng.random(), 1.0)) for name in CSV_ORDER}
    values = {name: value if name in SHAPES else value * rng.choice((1, -3)) for name, value in values.items()}
    texts = {name: f"{value:.{decimals}f}" for name, value in values.items()}
    analysis = describe(values)
    if layout is Layout.BARE:
        values_text = "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"
        return f"1. **Category**: {analysis.expression_category}\n2. **Symmetry**: {analysis.symmetry}\n\n{values_text}"
    shown = {**analysis.to_dict(), "symmetry": 'a "quoted" word, a brace {, a backslash \\'}
    whole = {"analysis": shown, "arkit": {name: f"<{name}>" for name in texts}}
    text = json.dumps(whole, indent=2 if layout is Layout.PAPER_INDENTED else None)
    return re.sub(r'"<(\w+)>"', lambda match: texts[match[1]], text)


@pytest.mark.parametrize(("layout", "decimals"), list(itertools.product(WORDED, (1, 3))))
def test_every_answer_of_the_layout_fits(layout: Layout, decimals: int) -> None:
    profile = asked(layout, decimals)
    for seed in range(20):
        text = answer(layout, decimals, seed)
        assert re.fullmatch(pattern(profile), text), text
        begun = text.index(f'"{CSV_ORDER[0]}":') + len(CSV_ORDER[0]) + 3
        assert re.fullmatch(values_pattern(profile), text[begun:])


@pytest.mark.parametrize(("layout", "decimals"), list(itertools.product(WORDED, (1, 3))))
def test_an_answer_begun_for_the_model_and_held_by_the_grammar_can_be_read(layout: Layout, decimals: int) -> None:
    profile = asked(layout, decimals)
    text = answer(layout, decimals, 1)
    begun = object_start(profile)
    rest = text[text.index(f'"{CSV_ORDER[0]}":') + len(CSV_ORDER[0]) + 3 :]
    assert re.fullmatch(values_pattern(profile), rest)
    read = parse_answer(begun + rest)
    assert read.coefficients == parse_answer(text).coefficients and read.repairs == () and read.analysis is None


@pytest.mark.parametrize("layout", WORDED)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"JawOpen"', '"JawOpened"'),
        (', "JawOpen": 0.5', ""),
        ('"JawOpen": 0.5', '"JawOpen": -0.5'),
        ('"JawOpen": 0.5', '"JawOpen": 0.55'),
        ('"JawOpen": 0.5', '"JawOpen": 2.0'),
        ('"HeadYaw": 0.5', '"HeadYaw": 4.0'),
    ],
)
def test_what_the_layout_does_not_allow_does_not_fit(layout: Layout, old: str, new: str) -> None:
    text = answer(layout, 1, 3)
    text = re.sub(r'"(JawOpen|HeadYaw)": -?\d\.\d', r'"\1": 0.5', text)
    if layout is Layout.PAPER_INDENTED:
        old, new = (one.replace(', "', ',\n    "') for one in (old, new))
    assert re.fullmatch(pattern(asked(layout, 1)), text)
    assert old in text and not re.fullmatch(pattern(asked(layout, 1)), text.replace(old, new))


def test_the_released_answers_fit(shared: Path) -> None:
    lines = (shared / "data" / "semanticface" / "released_outputs.jsonl").read_text().splitlines()
    for text in (json.loads(line)["response"] for line in lines):
        assert re.fullmatch(pattern(asked(Layout.BARE, 1)), text)


def test_the_longest_answer_has_room() -> None:
    """Measured with Qwen3's tokenizer: objects of 674 and 796 tokens on one line, 744 and 866 indented."""
    line, indented = Layout.PAPER, Layout.PAPER_INDENTED
    for layout, decimals, tokens in ((Layout.BARE, 1, 674), (line, 3, 796), (indented, 1, 744), (indented, 3, 866)):
        assert tokens < answer_tokens(asked(layout, decimals), analysis=False) < 2 * tokens
        assert answer_tokens(asked(layout, decimals), analysis=True) >= tokens + 640
