"""Answers as they are taught: read back by the product's own parser to the rounded values."""

from __future__ import annotations

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.analysis.parse import Dialect, parse_answer
from semanticface.engines.mllm.profile import Layout
from semanticface.errors import InputError, OptionsError
from semanticface_training.small_model.answers import answer as small_answer
from semanticface_training.stage2.targets import Form, Target, spelled, within_range, write

SOME = ("HeadYaw", "JawOpen", "MouthSmileLeft", "LeftEyeRoll")
FORMS = [
    Form(target, layout, decimals, actions)
    for target, layouts in (
        (Target.A0, [Layout.PAPER]),
        (Target.A1, [Layout.PAPER]),
        (Target.A2, [Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED]),
    )
    for layout in layouts
    for decimals in (1, 2, 3)
    for actions in (CSV_ORDER, SOME)
]


def named(form):
    return f"{form.layout_name}-{form.decimals}-{len(form.actions)}"


@pytest.mark.parametrize("form", FORMS, ids=named)
def test_every_answer_is_read_back_to_the_rounded_values_without_repair(form, faces):
    for seed in range(8):
        face = faces(seed)
        answer = write(face.coefficients, face.analysis, form)
        parsed = parse_answer(answer.text, form.actions)
        expected = {}
        for name in form.actions:
            text = f"{within_range(name, face.coefficients[name]):.{form.decimals}f}"
            expected[name] = float(text) + 0.0
        assert (dict(parsed.coefficients), parsed.repairs) == (expected, ())
        assert tuple(parsed.coefficients) == form.actions
        assert answer.values() == expected
        assert parsed.analysis == (face.analysis if form.target is Target.A2 else None)


def test_the_three_targets_look_as_they_are_documented():
    values = dict.fromkeys(CSV_ORDER, 0.0) | {"JawOpen": 0.1234, "HeadYaw": -0.0449, "MouthSmileLeft": -2e-4}
    some = ("JawOpen", "HeadYaw", "MouthSmileLeft")
    words = describe(values)
    assert write(values, None, Form(Target.A0, actions=some)).text == "[0.123, -0.045, 0.000]"
    a1 = '{"JawOpen": 0.123, "HeadYaw": -0.045, "MouthSmileLeft": 0.000}'
    assert write(values, None, Form(Target.A1, actions=some)).text == a1
    a2 = write(values, words, Form(Target.A2, Layout.PAPER, actions=some))
    assert a2.text.endswith(f'"arkit": {a1}}}')
    assert a2.text[slice(*a2.words)].startswith('{"expression_category"')
    assert parse_answer(a2.text, some).dialect is Dialect.PAPER


def test_the_bare_layout_is_the_one_that_the_small_model_learned():
    values = dict.fromkeys(CSV_ORDER, 0.0) | {"JawOpen": 0.3, "MouthSmileLeft": 0.8, "HeadYaw": -0.2}
    ours = write(values, describe(values), Form(Target.A2, Layout.BARE, 1)).text
    assert ours == small_answer(values, Layout.BARE, 1)


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0004, "0.000"), (-0.0, "0.000"), (-0.0006, "-0.001"), (0.9996, "1.000")]
)
def test_what_rounds_to_zero_has_no_sign(value, text):
    assert spelled(value, 3) == text


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("JawOpen", -0.02, 0.0), ("JawOpen", 1.05, 1.05), ("JawOpen", 1.4, 1.2), ("HeadYaw", -3.15, -3.141)],
)
def test_values_stay_where_the_parser_reads_them(name, value, kept):
    assert within_range(name, value) == kept


def test_what_cannot_be_written_is_refused(faces):
    with pytest.raises(InputError, match="without a description"):
        write(faces(1).coefficients, None, Form(Target.A2))
    with pytest.raises(InputError, match="no value of HeadYaw"):
        write({"JawOpen": 0.1, "MouthSmileLeft": 0.1, "LeftEyeRoll": 0}, None, Form(Target.A1, actions=SOME))
    with pytest.raises(InputError, match="JawOpen is nan"):
        write(dict(faces(1).coefficients) | {"JawOpen": float("nan")}, None, Form(Target.A0))
    for wrong in ({"decimals": 4}, {"actions": ("JawOpen", "Jaw", "HeadYaw")}, {"actions": ("JawOpen",) * 3}):
        with pytest.raises(OptionsError):
            Form(**wrong)
