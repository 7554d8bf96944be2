"""What the chat server answers: texts in both layouts about known values, and their tokens with probabilities."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe

_TOKEN = re.compile(r"[ \[]-(?=\d)| (?=\d)|\d|\.|[A-Za-z]+|[^A-Za-z0-9]")


def values_of(level: float) -> dict[str, float]:
    """An asymmetric frame with a negative rotation and a negative zero; JawOpen is the picture's brightness."""
    values = dict.fromkeys(CSV_ORDER, 0.0)
    values |= {"JawOpen": level, "MouthSmileLeft": 0.7, "MouthSmileRight": 0.2, "HeadYaw": -0.3, "HeadRoll": -0.0}
    return values


def spelled(values: Mapping[str, float], decimals: int) -> str:
    return "{" + ", ".join(f'"{name}": {values[name]:.{decimals}f}' for name in CSV_ORDER) + "}"


def bare_answer(values: Mapping[str, float], decimals: int = 1) -> str:
    analysis = describe(values)
    regions = "".join(f"   - **{region.title()}**: {words}  \n" for region, words in analysis.muscle_movements.items())
    return (
        f"1. **Facial Expression Category**: {analysis.expression_category}  \n"
        f"2. **Detailed Facial Muscle Movements**:  \n{regions}"
        f"3. **Emotional Implication**: {analysis.emotional_implication}  \n"
        f"4. **Symmetry**: {analysis.symmetry}\n\n{spelled(values, decimals)}"
    )


def paper_answer(values: Mapping[str, float], decimals: int = 3) -> str:
    analysis = json.dumps(describe(values).to_dict())
    return f'{{"analysis": {analysis}, "arkit": {spelled(values, decimals)}}}'


def peaked(digit: int, count: int) -> list[float]:
    """Most of the probability on a digit, the rest on its neighbours."""
    weights = [math.exp(-4 * abs(other - digit)) for other in range(count)]
    return [weight / sum(weights) for weight in weights]


@lru_cache(512)
def entries(
    text: str, distribution: Callable[[int, int], list[float]], ends: bool, rather: str
) -> tuple[dict[str, Any], ...]:
    """Tokens as Qwen's tokenizer cuts them where it matters: every digit alone, ` -`, ` `, `[-` and `[` before them."""
    out = []
    for token in _TOKEN.findall(text):
        alternatives = {token: 0.999}
        if token.isdigit():
            alternatives = {str(d): p for d, p in enumerate(distribution(int(token), 10)) if p > 0}
        elif token in (" ", " -", "[", "[-"):
            alternatives |= {token[:1] if token[1:] else token + "-": 0.001}
        chance = alternatives[token]
        if rather:
            alternatives = {rather: 0.9} | {spelling: p / 10 for spelling, p in alternatives.items() if p > 0}
        top = sorted(alternatives.items(), key=lambda item: -item[1])
        pairs = [{"token": t, "logprob": math.log(p), "bytes": list(t.encode())} for t, p in top]
        chosen = {"token": token, "logprob": math.log(chance), "bytes": list(token.encode())}
        out.append({"shown": token, "lp": {**chosen, "top_logprobs": pairs}})
    if ends:
        end = {"token": "<|im_end|>", "logprob": 0.0, "bytes": list(b"<|im_end|>")}
        out.append({"shown": "", "lp": {**end, "top_logprobs": [end]}})
    return tuple(out)
