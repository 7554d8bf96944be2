"""Whatever is proposed and whoever is beside it, a row's answer is that of plain greedy decoding, token by token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="the mllm extra is not installed")

import skeleton_kit as kit
from exact_kit import DRAFTS, ROWS, Case, build, draft, every, same

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import SIGNED, WORDED, Layout
from semanticface.engines.mllm.skeleton.decode import Decoder, Draft, Ending, Mode, Request

pytestmark = pytest.mark.usefixtures("one_thread")
DIALECTS = [(layout, decimals) for layout in WORDED for decimals in (1, 3)]


@pytest.fixture(scope="module", params=DIALECTS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def case(request: pytest.FixtureRequest) -> Case:
    layout, decimals = request.param
    return build(kit.tiny_tokenizer(), layout, decimals, seed=5 if layout is Layout.PAPER_INDENTED else 0)


def test_the_cases_hold_what_is_hard(case: Case):
    """Ragged prompts and texts, minus signs, digits before the point, and values that differ."""
    assert [one.ending for one in case.plain] == ["json"] * ROWS
    assert len({len(one.ids) for one in case.asked}) == ROWS
    assert len({len(one.ids) for one in case.plain}) == ROWS
    values = [value for row in range(ROWS) for value in case.values(row).values()]
    assert len(set(values)) > 5
    assert any(value >= 1 for value in values)


def test_without_a_draft(case: Case):
    """One row; rows in another order; as many values guessed at once as a fast device would."""
    for decoder, rows in ((case.decoder, [1]), (case.decoder, [2, 0, 1, 0]), (case.wide, [1, 2])):
        same(case, rows, decoder.decode([Request(case.asked[row]) for row in rows]))


@pytest.mark.parametrize("row", [0, 1])
def test_with_any_draft(case: Case, row: int):
    """The same frame beside itself with each draft, so that every row is somewhere else."""
    requests = [Request(case.asked[row], draft=draft(case, row, kind)) for kind in DRAFTS]
    decoder = case.wide if row == 1 else case.decoder
    same(case, [row] * len(DRAFTS), decoder.decode(requests))


def test_a_row_alone_says_the_same_as_beside_others(case: Case):
    """Some rows with a draft, some without, one without words."""
    mixed = [
        Request(case.asked[0], draft=Draft(case.free[0], case.values(0))),
        Request(case.asked[1], Mode.COEFFICIENTS, Draft(values=case.values(2))),
        Request(case.asked[2]),
        Request(case.asked[1], draft=Draft(case.free[0])),
    ]
    together = case.decoder.decode(mixed)
    for request, answer in list(zip(mixed, together, strict=True))[:2]:
        alone = case.decoder.decode([request])[0]
        assert (alone.text, alone.free, alone.ending) == (answer.text, answer.free, answer.ending)
        assert (alone.forwards, alone.tokens) == (answer.forwards, answer.tokens)


def test_values_alone_follow_the_forced_opening(case: Case):
    opening = case.decoder.first.opening
    requests = [Request(one, Mode.COEFFICIENTS) for one in case.asked]
    answer, *_ = case.decoder.decode(requests)
    plain = kit.follow(case.decoder.model, case.asked[0], answer.ids, case.grammar, -1, 9999, opening)
    assert answer.ending is Ending.JSON
    assert (list(answer.ids), answer.free) == (plain.ids, "")
    found = [logits for choice in answer.choices.values() for logits in every(choice)]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(plain.logits), atol=2e-4)


def test_choices_are_the_text(case: Case):
    answer = case.decoder.decode([Request(case.asked[0])])[0]
    assert list(answer.choices) == list(CSV_ORDER)
    for name, choice in answer.choices.items():
        assert f'"{name}": {choice.text}' in answer.text
        assert (choice.sign is not None) == (name in SIGNED)
        best = [int(logits.argmax()) for logits in every(choice)]
        minus = "-" if choice.sign is not None and best.pop(0) else ""
        assert choice.text == f"{minus}{best[0]}." + "".join(map(str, best[1:]))


@pytest.mark.parametrize(("layout", "decimals"), [(Layout.BARE, 1), (Layout.PAPER, 3)])
def test_it_is_what_plain_decoding_writes(layout: Layout, decimals: int):
    """Our own loop of one row and one token; `transformers`' loop with a logits processor, batched and padded."""
    case = build(kit.tiny_tokenizer(), layout, decimals, seed=0)
    stop, limit = min(case.decoder.rules.stop_ids), case.decoder.rules.limit
    model, asked = case.decoder.model, [case.asked[1], case.asked[0]]
    ours = [list(answer.ids) for answer in case.decoder.decode([Request(one) for one in asked])]
    assert ours == kit.generate(model, asked, stop, limit, case.grammar)
    assert ours[0] == kit.plain_decode(model, asked[0], case.grammar, stop, limit).ids


def test_free_text_is_what_generate_writes():
    """Without an object it runs into the limit with the same tokens, with a draft of words too."""
    tokenizer = kit.tiny_tokenizer()
    model = kit.eager_model(tokenizer, Layout.PAPER, seed=3)
    decoder = Decoder(model, tokenizer, kit.profile(Layout.PAPER, 1, analysis_tokens=60), stop_ids=[2])
    asked = [kit.prompts(tokenizer, 4)[0]]
    theirs = kit.generate(model, asked, 2, decoder.rules.limit)
    words = Draft(" ".join(kit.WORDS))
    for answers in (decoder.decode([Request(one, draft=d) for one in asked]) for d in (None, words)):
        assert [answer.ending for answer in answers] == [Ending.LIMIT]
        assert [list(answer.ids) for answer in answers] == theirs


def test_the_same_holds_for_the_tokenizer_of_qwen(qwen_tokenizer: Any):
    from tokenizers import Tokenizer

    case = build(Tokenizer.from_file(str(qwen_tokenizer)), Layout.BARE, 1, seed=1)
    requests = [Request(one, draft=draft(case, row, "neighbour")) for row, one in enumerate(case.asked)]
    same(case, [0, 1, 2], case.decoder.decode(requests))
