"""The synthetic benchmark: one fixed set of rendered heads with exact labels, and every engine that can run here on it.

    OUT/dataset/       the set (see `synthetic`): drawn once, gone on with after a kill
    OUT/evaluation/    what `evaluate` writes: predictions, results.json, pages
    OUT/benchmark.json, benchmark.md   the kinds of pictures read apart (see `parts`)

Its seed and sizes never change, so that numbers of different days compare; what a set was drawn from is in its digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from semanticface.errors import InputError
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.benchmark.parts import PartRow, markdown, part_rows
from semanticface_training.evaluation.results import PREDICTIONS_NAME, Protocol
from semanticface_training.evaluation.run import Progress as EvaluationProgress
from semanticface_training.evaluation.run import Request, evaluate
from semanticface_training.evaluation.store import Predictions, read_predictions
from semanticface_training.synthetic.build import Progress, synthesize
from semanticface_training.synthetic.draw import Source
from semanticface_training.synthetic.plan import SetOptions


class Size(StrEnum):
    """`full` is the benchmark; `small` shows in minutes that all of it works, and its numbers mean little."""

    FULL = "full"
    SMALL = "small"


OPTIONS = {
    Size.FULL: SetOptions(train=1600, val=200, test=400, sweeps=1, mirror_pairs=60),
    Size.SMALL: SetOptions(train=160, val=40, test=60, per_identity=10, sweeps=1, levels=2, mirror_pairs=4),
}
ENGINES = (
    "baseline:mean",
    "mediapipe=landmarks",
    "calibrated=landmarks,calibration=on",
    "baseline:deadface",
    "baseline:deadface-fixed",
    "baseline:sbca",
    "baseline:ridge",
)
"""Who takes part on any machine: `mediapipe` is the landmark engine itself, as it comes."""
MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`rows`: every method on every part; `left_out`: why an engine of this machine takes no part, a sentence each."""

    digest: str
    rows: tuple[PartRow, ...]
    left_out: tuple[str, ...]


def participants() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(words for `evaluate --engine`, why SemanticFace itself takes no part, where it doesn't)."""
    from semanticface.engines.choose import SEMANTICFACE, choose_engine
    from semanticface.engines.mllm.checkpoint import list_checkpoints

    choice = choose_engine()
    if choice.engine != SEMANTICFACE:
        return ENGINES, (f"SemanticFace takes no part: {choice.reason}",)
    return (*ENGINES, f"checkpoint:{list_checkpoints()[0].name}"), ()


def run_benchmark(
    out: Path,
    options: SetOptions,
    source: Source,
    more: tuple[str, ...] = (),
    processes: int = 1,
    on_drawn: Callable[[Progress], None] | None = None,
    on_answered: Callable[[EvaluationProgress], None] = lambda _: None,
    command: str = "",
) -> Outcome:
    """Draw the set (`OPTIONS[size]`), ask everybody, write the tables. `more` are further words for `--engine`.

    A run that was killed goes on. Raises what `synthesize` and `evaluate` raise.
    """
    dataset = synthesize(out / "dataset", options, source, processes, on_drawn)
    words, left_out = participants()
    request = Request(
        out=out / "evaluation",
        dataset=out / "dataset",
        engines=(*words, *more),
        protocol=Protocol.PAIRED,
        command=command,
    )
    results = evaluate(request, on_answered)
    names = [name for name in dict.fromkeys(row.predictions for row in results.methods)]
    outcome = Outcome(dataset.digest, part_rows(dataset, _read(out, dataset, names), MEAN), left_out)
    _write(out, options, outcome)
    return outcome


def _read(out: Path, dataset: Dataset, names: list[str]) -> list[Predictions]:
    indices = dataset.indices("test")
    return [read_predictions(out / "evaluation" / PREDICTIONS_NAME / name, dataset, indices) for name in names]


def _write(out: Path, options: SetOptions, outcome: Outcome) -> None:
    size = next((size.value for size, known in OPTIONS.items() if known == options), "other")
    facts = {"format": "semanticface-benchmark", "version": 1, "size": size, **asdict(outcome)}
    text = markdown(f"Synthetic benchmark, size {size}, digest {outcome.digest[:16]}", outcome.rows)
    if outcome.left_out:
        text += "\n" + "\n".join(f"- {line}" for line in outcome.left_out) + "\n"
    try:
        (out / "benchmark.json").write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        (out / "benchmark.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} can't be written: {error.strerror or error}") from error
