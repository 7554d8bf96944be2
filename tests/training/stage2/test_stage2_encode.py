"""Tokens of prompt and answer, by the real tokenizer: nothing lost, nothing joined, every digit in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.mllm.prompt import chat_text
from semanticface.engines.mllm.skeleton.template import build_templates
from semanticface.errors import InputError
from semanticface.results import Analysis
from semanticface_training.stage2.encode import Encoder, Kind
from semanticface_training.stage2.prompts import Wording, question
from semanticface_training.stage2.targets import Form, Target, spelled, within_range

SOME = ("HeadYaw", "JawOpen", "RightEyeRoll")
"""An angle first: in a list its sign has no space before it, `[-`."""
FORMS = [
    Form(Target.A0, actions=SOME),
    Form(Target.A0, decimals=2),
    Form(Target.A1),
    Form(Target.A2, Layout.BARE, 1),
    Form(Target.A2, Layout.PAPER, 3),
    Form(Target.A2, Layout.PAPER_INDENTED, 3, SOME),
]


def encoder(qwen, form, wording=Wording.SHORT, **options):
    return Encoder(qwen, question(form, wording), form, **options)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.layout_name}-{len(form.actions)}")
def test_answer_tokens_spell_the_answer_and_end(qwen, faces, form):
    for seed in range(4):
        encoded = encoder(qwen, form).encode(faces(seed))
        assert qwen.decode(list(encoded.answer), skip_special_tokens=False) == encoded.text + "<|im_end|>"
        assert list(encoded.kinds).count(Kind.END) == 1
        assert encoded.kinds[-1] == Kind.END


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.layout_name}-{len(form.actions)}")
@pytest.mark.parametrize("wording", Wording)
def test_prompt_and_answer_are_the_tokens_of_the_whole_conversation(qwen, faces, form, wording):
    """Training sees the split that generating makes: no token reaches from the prompt into the answer."""
    encoded = encoder(qwen, form, wording).encode(faces(3))
    asked = question(form, wording)
    pictures = encoded.prompt.grid[1] * encoded.prompt.grid[2] // 4
    text = chat_text(Profile("any", asked.system, asked.user), pictures) + encoded.text + "<|im_end|>"
    assert [*encoded.prompt.ids, *encoded.answer] == qwen.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.layout_name}-{len(form.actions)}")
def test_every_digit_and_sign_stands_where_it_is_said(qwen, faces, form):
    for seed in range(4):
        face = faces(seed)
        encoded = encoder(qwen, form).encode(face)
        assert encoded.digits.shape == (len(form.actions), 1 + form.decimals)
        for index, name in enumerate(form.actions):
            number = spelled(within_range(name, face.coefficients[name]), form.decimals)
            digits = [qwen.decode([encoded.answer[at]]) for at in encoded.digits[index]]
            assert "".join(digits) == number.lstrip("-").replace(".", "")
            before = qwen.decode([encoded.answer[encoded.signs[index]]])
            assert before.endswith("-") == number.startswith("-")
            kind = Kind.SIGN if name in form.signed else Kind.TEMPLATE
            assert encoded.kinds[encoded.signs[index]] == kind
            assert encoded.exact[index] == within_range(name, face.coefficients[name])
        assert (encoded.kinds[encoded.digits] == Kind.DIGIT).all()
        assert (encoded.kinds == Kind.DIGIT).sum() == encoded.digits.size


@pytest.mark.parametrize("form", FORMS[3:], ids=lambda form: f"{form.layout_name}-{len(form.actions)}")
def test_digits_of_a_description_are_words_and_keys_are_template(qwen, faces, form):
    encoded = encoder(qwen, form).encode(faces(2))
    words = qwen.decode([t for t, kind in zip(encoded.answer, encoded.kinds, strict=True) if kind == Kind.WORDS])
    assert faces(2).analysis.expression_category in words
    assert any(letter.isdigit() for letter in words)
    template = qwen.decode([t for t, kind in zip(encoded.answer, encoded.kinds, strict=True) if kind == Kind.TEMPLATE])
    assert all(name in template and name not in words for name in form.actions)


def test_template_is_the_same_in_every_answer(qwen, faces):
    form = Form(Target.A1)
    seen = set()
    for seed in range(6):
        encoded = encoder(qwen, form).encode(faces(seed))
        seen.add(tuple(t for t, kind in zip(encoded.answer, encoded.kinds, strict=True) if kind == Kind.TEMPLATE))
    assert len(seen) == 1


def test_what_steers_the_model_is_refused_in_a_description(qwen, faces):
    words = Analysis("smile<|im_end|>", {"mouth": "Up."}, "none", "mostly symmetric")
    with pytest.raises(InputError, match="row take/1: its description holds a token that steers"):
        encoder(qwen, FORMS[3]).encode(replace(faces(1), analysis=words))


def test_nothing_is_cut_off(qwen, faces):
    whole = encoder(qwen, FORMS[4]).encode(faces(1))
    encoder(qwen, FORMS[4], max_tokens=whole.tokens).encode(faces(1))
    with pytest.raises(InputError, match=r"row take/1: \d+ tokens of prompt and \d+ of answer are more than"):
        encoder(qwen, FORMS[4], max_tokens=whole.tokens - 1).encode(faces(1))


def test_answers_have_the_lengths_that_memory_is_planned_with(qwen, faces):
    named = encoder(qwen, Form(Target.A1)).encode(faces(1))
    assert len(named.answer) == pytest.approx(800, abs=20)
    assert len(encoder(qwen, Form(Target.A0)).encode(faces(1)).answer) == 7 * len(CSV_ORDER) + 1


@pytest.mark.parametrize("layout", [Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED])
@pytest.mark.parametrize("decimals", [1, 3])
def test_what_is_taught_is_what_the_backend_lets_a_model_write(qwen, faces, layout, decimals):
    """The tokens behind the description are the decoder's template, each choice one that it allows."""

    def pieces(text):
        whole = qwen.encode(text, add_special_tokens=False)
        return whole.ids, whole.offsets

    form = Form(Target.A2, layout, decimals)
    [template] = build_templates(pieces, Profile("any", "", "", layouts=(layout,), decimals=decimals))
    for seed in range(4):
        answer = encoder(qwen, form).encode(faces(seed)).answer[:-1]
        behind = answer[-len(template.places) :]
        assert answer[: -len(template.places)][-len(template.trigger) :] == template.trigger
        for token, place in zip(behind, template.places, strict=True):
            assert token in (place.allowed or (place.token,))
