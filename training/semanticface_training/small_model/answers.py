"""Answers as the two dialects write them, made from coefficients that are known exactly.

The words are `analysis.describe`'s. `analysis.parse` is the reading side. Knows nothing of pictures or tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.engines.mllm.profile import Layout
from semanticface.errors import OptionsError
from semanticface.results import Analysis


def rounded(coefficients: Mapping[str, float], decimals: int) -> dict[str, float]:
    """All 61 values in CSV order, as a text with so many decimals gives them back; a small negative becomes -0.0."""
    return {name: float(f"{coefficients[name]:.{decimals}f}") for name in CSV_ORDER}


def answer(coefficients: Mapping[str, float], layout: Layout, decimals: int) -> str:
    """The whole answer to a picture with these coefficients; its words describe the rounded values."""
    values = rounded(coefficients, decimals)
    words = describe(values)
    if layout is Layout.BARE:
        return f"{markdown(words)}\n\n{numbers(values, decimals)}"
    if layout is Layout.PAPER:
        return f'{{"analysis": {json.dumps(words.to_dict())}, "arkit": {numbers(values, decimals)}}}'
    raise OptionsError(f"no answer is written in the layout {layout}")


def numbers(values: Mapping[str, float], decimals: int) -> str:
    """One object on one line, every value with so many decimals and the sign of its zero."""
    return "{" + ", ".join(f'"{name}": {value:.{decimals}f}' for name, value in values.items()) + "}"


def markdown(words: Analysis) -> str:
    """The released checkpoint's numbered list; its lines end in two blanks, Markdown's line break."""
    lines = [f"1. **Facial Expression Category**: {words.expression_category}"]
    lines.append("2. **Detailed Facial Muscle Movements**:")
    lines += [f"   - **{region.capitalize()}**: {text}" for region, text in words.muscle_movements.items()]
    lines.append(f"3. **Emotional Implication**: {words.emotional_implication}")
    lines.append(f"4. **Symmetry**: {words.symmetry}")
    return "  \n".join(lines)
