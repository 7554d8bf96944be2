"""How an answer ends, how many runs of the model it takes, and what the caller sees meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("transformers", reason="the mllm extra is not installed")

import skeleton_kit as kit
import torch

from semanticface.actions import BY_NAME, CSV_ORDER, Side
from semanticface.engines.mllm.profile import Layout
from semanticface.engines.mllm.skeleton.decode import Answer, Decoder, Draft, Ending, Mode, Request
from semanticface.errors import EngineError

pytestmark = pytest.mark.usefixtures("one_thread")
STOP = kit.tiny_tokenizer().token_to_id("<|im_end|>")


def decoder(layout: Layout = Layout.BARE, decimals: int = 1, *, wide: bool = False, **model: Any) -> Decoder:
    tokenizer = kit.tiny_tokenizer()
    made = kit.eager_model(tokenizer, layout, **model)
    return Decoder(made, tokenizer, kit.profile(layout, decimals, analysis_tokens=60), stop_ids=[STOP], wide=wide)


def steady(decimals: int = 1, *, wide: bool = False) -> Decoder:
    """Its model writes every value as 0 point something, never negative."""
    made = decoder(decimals=decimals, wide=wide, seed=0)
    for text in (" -", "1"):
        made.model.lm_head.bias.data[kit.token(kit.tiny_tokenizer(), text)] -= 50
    return Decoder(made.model, made.tokenizer, kit.profile(decimals=decimals), stop_ids=[STOP], wide=wide)


def asked(seed: int = 0) -> Any:
    return kit.prompt(kit.tiny_tokenizer(), seed)


def values(answer: Answer) -> dict[str, float]:
    return {name: choice.value for name, choice in answer.choices.items()}


def coefficients(made: Decoder, draft: Draft | None = None) -> Answer:
    answer = made.decode([Request(asked(), Mode.COEFFICIENTS, draft)])[0]
    assert answer.ending is Ending.JSON
    return answer


def test_numbers_that_overflowed_are_an_error_and_no_answer():
    made = steady()
    made.model.model.language_model.norm.weight.data[:] = float("inf")
    with pytest.raises(EngineError, match="not finite") as caught:
        made.decode([Request(asked(), Mode.COEFFICIENTS)])
    assert "SEMANTICFACE_DTYPE" in caught.value.hint


def test_without_a_draft_one_run_per_value():
    answer = coefficients(steady())
    assert answer.forwards == len(CSV_ORDER)
    assert answer.tokens == steady().first.tokens - 2  # neither the last digit nor the bracket behind it
    assert all(text.text.startswith("0.") for text in answer.choices.values())


def test_a_wrong_sign_or_first_digit_costs_one_short_run_each():
    """Expected are plus and, before the point, what the other side has, or 0 where that is not written yet."""
    answer = coefficients(decoder(seed=0))
    integers = {name: choice.text.lstrip("-")[0] for name, choice in answer.choices.items()}
    wrong = sum(choice.text[0] == "-" for choice in answer.choices.values())
    for index, name in enumerate(CSV_ORDER):
        mirror = BY_NAME[name].mirror
        known = BY_NAME[name].side is not Side.CENTER and mirror in CSV_ORDER[:index]
        wrong += integers[name] != (integers[mirror] if known else "0")
    assert wrong > 0
    assert answer.forwards == len(CSV_ORDER) + wrong


def test_with_three_decimals_at_most_three_runs_per_value():
    answer = coefficients(steady(decimals=3))
    assert len(CSV_ORDER) <= answer.forwards <= 3 * len(CSV_ORDER)


@pytest.mark.parametrize("decimals", [1, 3])
def test_a_right_draft_of_values_takes_three_runs(decimals: int):
    """16 values, then 32, then the other 13."""
    made = steady(decimals)
    plain = coefficients(made)
    drafted = coefficients(made, Draft(values=values(plain)))
    assert drafted.text == plain.text
    assert drafted.forwards == 3


def test_one_wrong_value_in_a_draft_costs_few_runs():
    made = steady()
    plain = coefficients(made)
    name = CSV_ORDER[30]
    drafted = coefficients(made, Draft(values=values(plain) | {name: 0.9 - abs(values(plain)[name])}))
    assert drafted.text == plain.text
    assert drafted.forwards <= 6


def test_a_wrong_draft_costs_no_more_runs_than_none():
    made = steady()
    plain = coefficients(made)
    wrong = {name: (value + 0.5) % 1 for name, value in values(plain).items()}
    drafted = coefficients(made, Draft(values=wrong))
    assert drafted.text == plain.text
    assert drafted.forwards <= plain.forwards


def test_where_tokens_are_cheap_several_values_are_guessed_at_once():
    narrow, wide = (coefficients(steady(wide=wide)) for wide in (False, True))
    assert wide.text == narrow.text
    assert wide.forwards <= narrow.forwards
    assert wide.tokens > narrow.tokens


def test_a_right_draft_of_everything_takes_a_handful_of_runs():
    made = decoder(seed=1)
    first = made.decode([Request(kit.prompts(kit.tiny_tokenizer())[2])])[0]
    again = made.decode([Request(kit.prompts(kit.tiny_tokenizer())[2], draft=Draft(first.free, values(first)))])[0]
    assert again.text == first.text
    assert len(again.ids) > 600
    assert first.forwards > 200
    assert again.forwards <= 9


def test_a_text_is_found_again_behind_a_change():
    made = decoder(seed=1)
    request = kit.prompts(kit.tiny_tokenizer())[2]
    first = made.decode([Request(request)])[0]
    words = first.free.split(" ")
    changed = " ".join([*words[:20], "cheeks", *words[23:60], *words[61:]])
    again = made.decode([Request(request, draft=Draft(changed, values(first)))])[0]
    assert again.text == first.text
    assert again.forwards < first.forwards / 4


def test_the_end_token_ends_an_answer_without_values():
    made = decoder(seed=0, end="<|im_end|>")
    answers = made.decode([Request(one) for one in kit.prompts(kit.tiny_tokenizer())])
    assert {answer.ending for answer in answers} == {Ending.STOPPED}
    for answer in answers:
        assert answer.text == answer.free
        assert STOP not in answer.ids
        assert not answer.choices


def test_a_text_without_end_stops_at_the_limit():
    made = decoder(Layout.PAPER, seed=3)
    answer = made.decode([Request(kit.prompts(kit.tiny_tokenizer())[0])])[0]
    assert answer.ending is Ending.LIMIT
    assert len(answer.ids) == made.rules.limit == 60 + -(-13 * max(t.tokens for t in made.rules.templates) // 10)


def test_a_model_that_does_not_write_values_is_left_before_they_are_made_up():
    """Forced into the format, its own choice would be words."""
    made = decoder(seed=0)
    made.model.lm_head.bias.data[[kit.token(kit.tiny_tokenizer(), " " + word) for word in kit.WORDS]] += 50
    answer = made.decode([Request(asked(), Mode.COEFFICIENTS)])[0]
    assert (answer.ending, answer.text, answer.choices) == (Ending.LEFT, '{"EyeBlinkLeft":', {})
    assert answer.agreement == 0
    assert answer.forwards < 20


def test_agreement_counts_the_first_values_and_the_last():
    answer = coefficients(steady())
    row = steady().rules.templates[-1]
    assert sum(place.checked and bool(place.allowed) for place in row.places) == 4 * 2 + 3
    assert answer.agreement >= 0.5


@pytest.mark.parametrize("after", [0, 1, 30, 120])
def test_a_cancelled_decode_returns_what_there_is(after: int):
    made = decoder(seed=1)
    asks = iter(range(10_000))
    requests = [Request(one) for one in kit.prompts(kit.tiny_tokenizer())]
    answers = made.decode(requests, cancelled=lambda: next(asks) >= after)
    endings = [answer.ending for answer in answers]
    assert Ending.CANCELLED in endings
    assert set(endings) <= {Ending.CANCELLED, Ending.JSON}
    whole = made.decode(requests)
    for answer, other in zip(answers, whole, strict=True):
        assert other.ids[: len(answer.ids)] == answer.ids
        assert answer.forwards <= after


def test_watching_shows_the_free_text_as_it_grows():
    made = decoder(seed=1)
    seen: dict[int, list[str]] = {}
    requests = [Request(one) for one in kit.prompts(kit.tiny_tokenizer(), 3)]
    answers = made.decode(requests, watch=lambda row, text: seen.setdefault(row, []).append(text))
    for row, answer in enumerate(answers):
        assert all(answer.free.startswith(text) for text in seen[row])
        assert [len(text) for text in seen[row]] == sorted(len(text) for text in seen[row])
        assert seen[row][-1] == answer.free
    assert len(seen[2]) >= answers[2].forwards - 1


def test_nothing_stays_from_one_call_to_the_next():
    made = decoder(seed=0)
    requests = [Request(one) for one in kit.prompts(kit.tiny_tokenizer(), 3)]
    before = made.decode(requests)
    made.model.model.rope_deltas = torch.full((7, 1), 1234)
    assert [answer.ids for answer in made.decode(requests)] == [answer.ids for answer in before]
    assert made.model.model.rope_deltas is None


def test_no_requests_no_answers():
    assert decoder(seed=0).decode([]) == []


def test_an_adapted_or_wrapped_last_layer_is_asked_as_a_whole():
    class Wrapped(torch.nn.Module):
        def __init__(self, inner: torch.nn.Linear) -> None:
            super().__init__()
            self.inner, self.weight = inner, inner.weight

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return self.inner(hidden)

    made = decoder(seed=0)
    plain = coefficients(made)
    made.model.lm_head = Wrapped(made.model.lm_head)
    other = Decoder(made.model, made.tokenizer, kit.profile(), stop_ids=[STOP], wide=False)
    assert other.head.weight is None
    assert coefficients(other).ids == plain.ids


def test_a_model_with_an_adapter_around_it_is_asked_inside():
    peft = pytest.importorskip("peft")
    made = decoder(seed=0)
    config = peft.LoraConfig(target_modules=["q_proj", "v_proj"], r=4, init_lora_weights=False)
    wrapped = peft.get_peft_model(made.model, config)
    adapted = Decoder(wrapped, made.tokenizer, kit.profile(), stop_ids=[STOP], wide=False)
    merged = wrapped.merge_and_unload()
    plain = Decoder(merged, made.tokenizer, kit.profile(), stop_ids=[STOP], wide=False)
    request = [Request(asked(), Mode.COEFFICIENTS)]
    assert adapted.model is merged
    assert adapted.decode(request)[0].ids == plain.decode(request)[0].ids
