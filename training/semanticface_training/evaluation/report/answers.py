"""What was asked and what was answered, as arrays, for the parts of a page that show single frames and their values.

Tables come from `results.json`; these come from the dataset and the stored predictions. Where either is gone, or is
not what the results were computed from, the page says so and goes on with its tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.diagnostics import without_folders
from semanticface.errors import SemanticFaceError
from semanticface_training.dataset.table import Dataset, Row
from semanticface_training.evaluation.protocols_tables import are_probes
from semanticface_training.evaluation.report.tables import mark_of
from semanticface_training.evaluation.results import EvaluationResults, open_dataset, predictions_of

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One method: `values` (N, 61) float64 in `CSV_ORDER`, NaN where it has none."""

    name: str
    label: str
    mark: str
    values: Doubles = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """`indices` (N,) are rows of the dataset, `truth` (N, 61) or None, `main` (N,) the rows that are compared."""

    dataset: Dataset
    indices: tuple[int, ...]
    truth: Doubles | None
    main: NDArray[np.bool_]
    methods: tuple[Answer, ...]

    @property
    def rows(self) -> list[Row]:
        return [self.dataset.rows[index] for index in self.indices]


def load(out: Path, results: EvaluationResults) -> tuple[Answers | None, str]:
    """The answers, or None and why there are none to show."""
    try:
        dataset = open_dataset(out)
        indices = dataset.indices(results.dataset.split)
        found = [predictions_of(out, row, dataset, indices) for row in results.methods]
    except SemanticFaceError as error:
        return None, f"Shown without pictures and single values: {without_folders(error.message, {})}."
    rows = [dataset.rows[index] for index in indices]
    methods = tuple(
        Answer(row.name, row.label, mark_of(place), np.asarray(one.values, np.float64))
        for place, (row, one) in enumerate(zip(results.methods, found, strict=True))
    )
    common = np.ones(len(rows), bool)
    for one in methods:
        answered = np.isfinite(one.values).all(axis=1)
        if answered.any():
            common &= answered
    main = common & ~are_probes(rows)
    if int(main.sum()) != results.dataset.common:
        return (
            None,
            "Shown without pictures and single values: the predictions have changed since the numbers were made.",
        )
    truth = dataset.values[indices].astype(np.float64) if results.dataset.truth else None
    return Answers(dataset, tuple(indices), truth, main, methods), ""
