"""Cases for the tests of exactness: a model, prompts, what plain greedy decoding answers to them, and drafts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import skeleton_kit as kit

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import Layout
from semanticface.engines.mllm.skeleton.decode import Decoder, Draft, Ending, Request

ROWS = 3
DRAFTS = ["right", "half", "wrong", "nonsense", "other layout", "neighbour", "values alone", "text alone"]


@dataclass
class Case:
    """A model, three prompts of different lengths, and what plain decoding answers to each."""

    decoder: Decoder
    wide: Decoder
    grammar: kit.Grammar
    asked: list[Any]
    plain: list[kit.Plain]
    texts: list[str]
    free: list[str]
    actions: tuple[str, ...]

    def values(self, row: int) -> dict[str, float]:
        """By name, as they stand in the text; random weights know no range that a reader would accept."""
        numbers = re.findall(r"[\[ ](-?\d\.\d+)(?=[,\]}\n])", self.texts[row])
        return dict(zip(self.actions, map(float, numbers), strict=True))


def build(tokenizer: Any, layout: Layout, decimals: int, seed: int, actions: tuple[str, ...] = CSV_ORDER) -> Case:
    model = kit.eager_model(tokenizer, layout, seed, first=actions[0])
    profile = kit.profile(layout, decimals, analysis_tokens=60, actions=actions)
    stop = tokenizer.token_to_id("<|im_end|>")
    decoder, wide = (Decoder(model, tokenizer, profile, stop_ids=[stop], wide=wide) for wide in (False, True))
    asked = kit.prompts(tokenizer, ROWS)
    grammar = kit.Grammar(tokenizer, layout, profile)
    ours = [decoder.decode([Request(one)])[0].ids for one in asked]
    rules = (grammar, stop, decoder.rules.limit)
    plain = [kit.follow(model, *pair, *rules) for pair in zip(asked, ours, strict=True)]
    texts = [tokenizer.decode(one.ids) for one in plain]
    free = [text.split(grammar.begin)[0] if grammar.begin else "" for text in texts]
    return Case(decoder, wide, grammar, asked, plain, texts, free, actions)


def same(case: Case, rows: list[int], answers: list[Any]) -> None:
    for row, answer in zip(rows, answers, strict=True):
        assert list(answer.ids) == case.plain[row].ids
        assert answer.text == case.texts[row]
        assert answer.ending is Ending.JSON
        found = [logits for choice in answer.choices.values() for logits in every(choice)]
        assert len(found) == len(case.plain[row].logits)
        for ours, theirs in zip(found, case.plain[row].logits, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-4)


def every(choice: Any) -> list[Any]:
    return [logits for logits in (choice.sign, choice.integer, *choice.digits) if logits is not None]


def draft(case: Case, row: int, kind: str) -> Draft:
    text, values = case.free[row], case.values(row)
    words = text.split(" ")
    if kind == "half":
        kept = {name: value if i % 2 else 0.5 for i, (name, value) in enumerate(values.items())}
        return Draft(" ".join(words[: len(words) // 2] + words[len(words) // 2 + 1 :]), kept)
    if kind == "wrong":
        return Draft(" ".join(reversed(words)), {name: 0.9 - value for name, value in values.items()})
    if kind == "nonsense":
        odd = [float("nan"), float("inf"), -1e9, 1e300, -0.0]
        return Draft("{}\n<|im_end|> 1 2 3 \u20ac\ufffd", {name: odd[i % 5] for i, name in enumerate(CSV_ORDER)})
    if kind == "other layout":
        return Draft('{"analysis": {"brows": "x"}, "arkit": {"EyeBlinkLeft": 0.5, "Eye', {"HeadYaw": 3.0, "Unknown": 1})
    if kind == "neighbour":
        return Draft(case.free[(row + 1) % ROWS], case.values((row + 1) % ROWS))
    return Draft("" if kind == "values alone" else text, None if kind == "text alone" else values)
