"""Answers without words, and answers with some of the 61 actions, are those of plain greedy decoding as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="the mllm extra is not installed")

import skeleton_kit as kit
from exact_kit import DRAFTS, ROWS, Case, build, draft, every, same
from tokenizers import Tokenizer

from semanticface.actions import CSV_ORDER
from semanticface.analysis.parse import parse_answer
from semanticface.engines.mllm.profile import SIGNED, Layout
from semanticface.engines.mllm.skeleton.decode import Decoder, Draft, Ending, Mode, Request
from semanticface.engines.mllm.skeleton.template import build_templates
from semanticface.errors import EngineError

pytestmark = pytest.mark.usefixtures("one_thread")
ANGLE_FIRST = ("HeadYaw", "JawOpen", "MouthSmileRight", "MouthSmileLeft", "EyeBlinkLeft", "HeadPitch")
THREE = ("MouthSmileLeft", "HeadRoll", "JawOpen")
FORMS = {
    "list of all": (Layout.VECTOR, 1, CSV_ORDER),
    "list that opens with an angle": (Layout.VECTOR, 3, ANGLE_FIRST),
    "object of six": (Layout.VALUES, 3, ANGLE_FIRST),
    "words and three": (Layout.BARE, 1, THREE, 5),
    "paper and six": (Layout.PAPER, 2, ANGLE_FIRST, 15),
    "indented and six": (Layout.PAPER_INDENTED, 2, ANGLE_FIRST),
}
"""Layout, decimals, actions, and the seed of a random model that writes it (else 0)."""
DECODED = ["list of all", "list that opens with an angle", "object of six", "words and three", "paper and six"]
STOP = "<|im_end|>"


@pytest.fixture(scope="module", params=DECODED)
def case(request: pytest.FixtureRequest) -> Case:
    layout, decimals, actions, *seed = FORMS[request.param]
    return build(kit.tiny_tokenizer(lists=True), layout, decimals, *(seed or [0]), actions)


def test_rows_side_by_side_say_what_plain_decoding_says(case: Case):
    assert [one.ending for one in case.plain] == ["json"] * ROWS
    assert len(set(case.texts)) > 1, "the pictures matter"
    for decoder, rows in ((case.decoder, [2, 0, 1, 0]), (case.wide, [1, 2])):
        same(case, rows, decoder.decode([Request(case.asked[row]) for row in rows]))


def test_no_draft_changes_them(case: Case):
    requests = [Request(case.asked[1], draft=draft(case, 1, kind)) for kind in DRAFTS]
    same(case, [1] * len(DRAFTS), case.wide.decode(requests))


@pytest.mark.parametrize("case", DECODED[1:], indirect=True)
def test_transformers_writes_the_same_and_so_does_a_loop_of_single_tokens(case: Case):
    stop, limit = min(case.decoder.rules.stop_ids), case.decoder.rules.limit
    asked = [case.asked[1], case.asked[0]]
    ours = [list(answer.ids) for answer in case.decoder.decode([Request(one) for one in asked])]
    assert ours == kit.generate(case.decoder.model, asked, stop, limit, case.grammar)
    assert ours[0] == kit.plain_decode(case.decoder.model, asked[0], case.grammar, stop, limit).ids


def test_values_have_the_names_that_were_asked_in_their_order(case: Case):
    answer = case.decoder.decode([Request(case.asked[0])])[0]
    assert tuple(answer.choices) == case.actions
    assert {name: choice.value for name, choice in answer.choices.items()} == case.values(0)
    for name, choice in answer.choices.items():
        assert (choice.sign is not None) == (name in SIGNED)
        best = [int(logits.argmax()) for logits in every(choice)]
        minus = "-" if choice.sign is not None and best.pop(0) else ""
        assert choice.text == f"{minus}{best[0]}." + "".join(map(str, best[1:]))


@pytest.mark.parametrize("case", DECODED[1:3], indirect=True)
def test_without_words_the_mode_makes_no_difference(case: Case):
    requests = [Request(one, Mode.COEFFICIENTS, Draft("some words", {"JawOpen": 0.5})) for one in case.asked]
    same(case, list(range(ROWS)), case.decoder.decode(requests))
    assert [answer.free for answer in case.decoder.decode(requests)] == [""] * ROWS


def test_a_list_may_open_with_a_minus_in_its_bracket():
    """Over some pictures both openings come; each is the model's own choice, with its logits."""
    tokenizer = kit.tiny_tokenizer(lists=True)
    case = build(tokenizer, *FORMS["list that opens with an angle"][:2], 0, ANGLE_FIRST)
    asked = kit.prompts(tokenizer, 16)
    answers = case.decoder.decode([Request(one) for one in asked])
    signs = {answer.text[:2] == "[-": answer.choices["HeadYaw"].sign for answer in answers}
    assert set(signs) == {True, False}
    assert all((logits[1] > logits[0]) == minus for minus, logits in signs.items())
    assert all(answer.text.startswith("[" + answer.choices["HeadYaw"].text + ", ") for answer in answers)


@pytest.mark.parametrize("layout", [Layout.VECTOR, Layout.VALUES])
def test_a_model_that_begins_with_something_else_is_not_made_to_write_values(layout: Layout):
    """It goes on as it likes, no longer than values would be, and what it wrote is kept as it is."""
    tokenizer = kit.tiny_tokenizer(lists=True)
    stop = tokenizer.token_to_id(STOP)
    model = kit.eager_model(tokenizer, layout, end=" brows")
    decoder = Decoder(model, tokenizer, kit.profile(layout, actions=ANGLE_FIRST), stop_ids=[stop])
    asked = kit.prompts(tokenizer, 2)
    answers = decoder.decode([Request(one) for one in asked])
    assert {answer.ending for answer in answers} <= {Ending.STOPPED, Ending.LIMIT}
    assert [list(answer.ids) for answer in answers] == kit.generate(model, asked, stop, decoder.rules.limit)
    assert all(answer.choices == {} and answer.free == answer.text for answer in answers)
    assert decoder.rules.limit < 100


def test_a_model_that_opens_a_list_and_then_wants_words_is_given_up():
    tokenizer = kit.tiny_tokenizer(lists=True)
    model = kit.eager_model(tokenizer, Layout.VECTOR)
    model.lm_head.bias.data[[kit.token(tokenizer, " " + word) for word in kit.WORDS]] += 40.0
    cue = next(cue for cue in range(kit.CUES) if model.lm_head.weight[kit.token(tokenizer, "["), cue - kit.CUES])
    model.lm_head.weight.data[kit.token(tokenizer, "["), cue - kit.CUES] *= 10
    decoder = Decoder(model, tokenizer, kit.profile(Layout.VECTOR, actions=THREE), stop_ids=[])
    answer = decoder.decode([Request(kit.prompts(tokenizer, 1)[0])])[0]
    assert (answer.ending, answer.choices, answer.text) == (Ending.LEFT, {}, "")


@pytest.fixture(scope="module", params=["tiny", "qwen"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "tiny":
        return kit.tiny_tokenizer(lists=True)
    return Tokenizer.from_file(str(request.getfixturevalue("qwen_tokenizer")))


@pytest.mark.parametrize("form", FORMS)
def test_the_reader_reads_what_the_template_writes(form: str, tokenizer: Tokenizer):
    """Whatever digits and signs are chosen: random answers, token by token, also with the tokenizer of Qwen."""
    layout, decimals, actions, *_ = FORMS[form]
    profile = kit.profile(layout, decimals, actions=actions)
    template = build_templates(encoder(tokenizer), profile)[0]
    random = np.random.default_rng(5)
    for _ in range(20):
        values = {name: round(random.uniform(-1 if name in SIGNED else 0, 1), decimals) for name in actions}
        ids = list(template.opening)  # of an answer without words
        for place in template.places:
            spelled = template.spell(place.value, values[actions[place.value]]) if place.value >= 0 else ()
            ids.append(spelled[place.part] if spelled else place.token)
            assert place.forced or ids[-1] in place.allowed
        text = tokenizer.decode(ids)
        assert parse_answer(text, actions).coefficients == values
        assert tokenizer.encode(text, add_special_tokens=False).ids == ids


def test_a_value_is_guessed_from_its_other_side_where_that_is_written():
    """Left out, alone, in another order: the guess must come from the right place or from nowhere."""
    profile = kit.profile(Layout.VALUES, actions=ANGLE_FIRST)
    template = build_templates(encoder(kit.tiny_tokenizer(lists=True)), profile)[0]
    assert template.mirrors == (0, 1, 3, 2, -1, 5)


def test_a_tokenizer_that_leaves_the_minus_alone_cannot_open_a_list_with_an_angle():
    """Its positive values would have a token less; with a shape first it can write lists."""
    import loading_kit

    tokenizer = loading_kit.tokenizer()
    with pytest.raises(EngineError, match=r"'\[-0\.0' isn't one token for the sign"):
        build_templates(encoder(tokenizer), kit.profile(Layout.VECTOR, actions=ANGLE_FIRST))
    template = build_templates(encoder(tokenizer), kit.profile(Layout.VECTOR))[0]
    assert (template.actions, template.trigger, template.opening) == (CSV_ORDER, (), ())


def encoder(tokenizer: Any) -> Any:
    def encode(text: str) -> Any:
        encoded = tokenizer.encode(text, add_special_tokens=False)
        return encoded.ids, encoded.offsets

    return encode
