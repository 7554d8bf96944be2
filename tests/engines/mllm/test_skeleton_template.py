"""A template is cut out of whole answers, and nothing but its own layout sets it off."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("transformers", reason="the mllm extra is not installed")

import skeleton_kit as kit
from tokenizers import Tokenizer

from semanticface.actions import CSV_ORDER
from semanticface.analysis.parse import parse_answer
from semanticface.engines.mllm.profile import SIGNED, WORDED, Layout
from semanticface.engines.mllm.skeleton.script import Row, Rules
from semanticface.engines.mllm.skeleton.template import Template, build_templates
from semanticface.errors import EngineError

ANALYSIS = {
    "expression_category": "Smile.",
    "muscle_movements": {"EyeBlinkLeft": "slightly", "mouth": "corners pull up"},
    "symmetry": "Mostly symmetric.",
}
EVERY = [(layout, decimals) for layout in WORDED for decimals in (1, 2, 3, 4)]


def encoder(tokenizer: Tokenizer) -> Callable[[str], Any]:
    def encode(text: str) -> Any:
        encoded = tokenizer.encode(text, add_special_tokens=False)
        return encoded.ids, encoded.offsets

    return encode


@pytest.fixture(params=["tiny", "qwen"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "tiny":
        return kit.tiny_tokenizer()
    return Tokenizer.from_file(str(request.getfixturevalue("qwen_tokenizer")))


def whole(layout: Layout, decimals: int) -> tuple[str, dict[str, float]]:
    """An answer with minus signs, signed zeros and all digits, and its values."""
    texts = {}
    for index, name in enumerate(CSV_ORDER):
        minus = "-" if name in SIGNED and index % 3 else ""
        texts[name] = f"{minus}0." + "".join(str((index * 7 + place) % 10) for place in range(decimals))
    texts["HeadRoll"] = "-0." + "0" * decimals
    items = [f'"{name}": {text}' for name, text in texts.items()]
    values = {name: float(text) for name, text in texts.items()}
    if layout is Layout.BARE:
        return "the brows rise\n\n{" + ", ".join(items) + "}", values
    if layout is Layout.PAPER:
        return f'{{"analysis": {json.dumps(ANALYSIS)}, "arkit": {{{", ".join(items)}}}}}', values
    head = json.dumps({"analysis": ANALYSIS}, indent=2).removesuffix("\n}")
    return head + ',\n  "arkit": {\n    ' + ",\n    ".join(items) + "\n  }\n}", values


@pytest.mark.parametrize(("layout", "decimals"), EVERY)
def test_an_answer_written_by_its_template_is_the_answer(tokenizer: Tokenizer, layout: Layout, decimals: int):
    """Pushed token by token, the text turns into values at the trigger; drafts spell the rest; the reader reads it."""
    templates = build_templates(encoder(tokenizer), kit.profile(layout, decimals))
    text, values = whole(layout, decimals)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    row = Row(Rules.of(templates, [], 9999))
    while row.template is None:
        row.push(ids[len(row.ids)])
    assert row.template.layout is layout
    while not row.whole:
        place = row.place()
        spelled = row.template.spell(place.value, values[CSV_ORDER[place.value]]) if place.value >= 0 else ()
        assert place.forced or spelled[place.part] in place.allowed
        row.ids.append(spelled[place.part] if spelled else place.token)
    assert row.ids == ids
    if kit.tiny_tokenizer() is not tokenizer:
        read = parse_answer(tokenizer.decode(row.ids)).coefficients
        assert {name: (v, math.copysign(1, v)) for name, v in read.items()} == {
            name: (v, math.copysign(1, v)) for name, v in values.items()
        }


@pytest.mark.parametrize(("layout", "decimals"), EVERY)
def test_only_the_beginning_of_the_values_sets_a_template_off(tokenizer: Tokenizer, layout: Layout, decimals: int):
    """Not the analysis' own objects, though a key in it is named like the first action."""
    templates = build_templates(encoder(tokenizer), kit.profile(layout, decimals))
    text, _ = whole(layout, decimals)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    row = Row(Rules.of(templates, [], 9999))
    for token in ids:
        row.push(token)
        if row.template is not None:
            break
    assert tokenizer.decode(row.ids).endswith('"EyeBlinkLeft":')
    assert len(ids) - len(row.ids) == len(row.template.places) if row.template else False
    begins = {Layout.BARE: '{"', Layout.PAPER: 'arkit": {"', Layout.PAPER_INDENTED: 'arkit": {\n    "'}
    assert tokenizer.decode(row.ids[len(row.free_ids()) :]) == begins[layout] + 'EyeBlinkLeft":'


def test_places_of_choice_are_signs_and_digits(tokenizer: Tokenizer):
    for decimals in (1, 3):
        template, *_ = build_templates(encoder(tokenizer), kit.profile(Layout.BARE, decimals))
        chosen = [place for place in template.places if place.allowed]
        assert len(chosen) == 61 * (1 + decimals) + len(SIGNED)
        assert sum(place.last for place in chosen) == 61
        assert {len(place.allowed) for place in chosen if place.part == 1} == {2, 4}


def test_a_tokenizer_that_joins_digits_is_refused():
    joined = Tokenizer.from_str(kit.tiny_tokenizer().to_str())
    splitter = json.loads(joined.to_str())
    splitter["pre_tokenizer"]["pattern"] = {"Regex": kit.PIECES.replace(r"\p{N}|", r"\p{N}+|", 1)}
    joined = Tokenizer.from_str(json.dumps(splitter))
    with pytest.raises(EngineError, match="one token for the sign and one for each"):
        build_templates(encoder(joined), kit.profile(decimals=3))


def test_a_tokenizer_whose_point_sticks_to_its_digit_is_refused():
    splitter = json.loads(kit.tiny_tokenizer().to_str())
    splitter["pre_tokenizer"]["pattern"] = {"Regex": r"\p{L}+|\.\p{N}|" + kit.PIECES}
    with pytest.raises(EngineError):
        build_templates(encoder(Tokenizer.from_str(json.dumps(splitter))), kit.profile())


@pytest.fixture(scope="module")
def template() -> Template:
    return build_templates(encoder(kit.tiny_tokenizer()), kit.profile(decimals=2))[0]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("JawOpen", 0.256, " 0.26"),
        ("JawOpen", -0.2, " 0.00"),
        ("JawOpen", 7.0, " 1.99"),
        ("JawOpen", float("nan"), " 0.00"),
        ("HeadYaw", -0.0, " -0.00"),
        ("HeadYaw", -0.001, " -0.00"),
        ("HeadYaw", -3.14159, " -3.14"),
        ("HeadYaw", float("-inf"), " 0.00"),
        ("HeadYaw", -99, " -3.99"),
    ],
)
def test_a_value_is_spelled_as_near_as_its_place_allows(template: Template, name: str, value: float, text: str):
    ids = template.spell(CSV_ORDER.index(name), value)
    assert kit.tiny_tokenizer().decode(list(ids)) == text
