"""Answers to parse: written here in both dialects, and the released checkpoint's own where they are at hand."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface.analysis.describe import describe
from semanticface.results import Analysis

RELEASED_FILE = Path(__file__).parents[2].parent / "shared" / "data" / "semanticface" / "released_outputs.jsonl"


@dataclass(frozen=True)
class Sample:
    """One answer: its text and the values as it spells them."""

    name: str
    text: str
    spelled: dict[str, str]


def released_texts() -> list[str]:
    if not RELEASED_FILE.is_file():
        return []
    return [json.loads(line)["response"] for line in RELEASED_FILE.read_text().splitlines()]


def bare_object(spelled: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in spelled.items()) + "}"


def in_released_dialect(analysis: Analysis, spelled: dict[str, str]) -> str:
    regions = "".join(f"   - **{region.title()}**: {words}  \n" for region, words in analysis.muscle_movements.items())
    return (
        f"1. **Facial Expression Category**: {analysis.expression_category}  \n"
        f"2. **Detailed Facial Muscle Movements**:  \n{regions}"
        f"3. **Emotional Implication**: {analysis.emotional_implication}  \n"
        f"4. **Symmetry**: {analysis.symmetry}\n\n{bare_object(spelled)}"
    )


def in_paper_dialect(analysis: Analysis, spelled: dict[str, str], indent: int | None = None) -> str:
    """Rendered by the standard library, values put in as they are spelled."""
    marks = {name: f"<{name}>" for name in spelled}
    text = json.dumps({"analysis": analysis.to_dict(), "arkit": marks}, indent=indent, ensure_ascii=indent is None)
    for name, value in spelled.items():
        text = text.replace(f'"<{name}>"', value)
    return text


def random_spelling(rng: random.Random, decimals: int) -> dict[str, str]:
    """Half of the values zeros; among the rotations negative ones and negative zeros."""
    out = {}
    for name in CSV_ORDER:
        value = rng.choice((0.0, rng.random()))
        out[name] = f"{value if name in SHAPES else value * rng.choice((1, -1)):.{decimals}f}"
    return out


def spelling_of(text: str) -> dict[str, str]:
    """How a released answer spells its values, by splitting at commas: no parser of ours takes part."""
    body = text[text.rindex("{") + 1 : text.rindex("}")]
    pairs = (cell.split(":") for cell in body.split(","))
    return {name.strip().strip('"'): value.strip() for name, value in pairs}


def samples() -> list[Sample]:
    out = []
    for seed in range(2):
        spelled = random_spelling(random.Random(seed), 1)
        analysis = describe({name: float(value) for name, value in spelled.items()})
        out.append(Sample(f"own {seed}", in_released_dialect(analysis, spelled), spelled))
        finer = random_spelling(random.Random(seed), 3)
        out.append(Sample(f"own paper {seed}", in_paper_dialect(analysis, finer, (None, 2)[seed]), finer))
    for number, text in enumerate(released_texts()):
        spelled = spelling_of(text)
        words = text[: text.rindex("{")].strip()
        analysis = Analysis(words, {"face": words}, words, "mostly symmetric")
        finer = {name: f"{value}00" for name, value in spelled.items()}
        out.append(Sample(f"released {number}", text, spelled))
        out.append(Sample(f"paper {number}", in_paper_dialect(analysis, finer, (None, 2, 4)[number % 3]), finer))
    return out
