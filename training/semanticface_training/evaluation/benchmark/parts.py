"""The benchmark's kinds of pictures read apart: plain, turned, occluded, drawn as a cartoon, sweeps, mirrored pairs.

Errors are over the 51 shapes that rendered heads can show (all but TongueOut), on the pictures of a part that every
method answered; each row says its own coverage. This module knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER, SHAPES
from semanticface_training.dataset.table import Dataset, Row
from semanticface_training.evaluation.metrics.coefficients import average, per_coefficient
from semanticface_training.evaluation.metrics.errors import mse_summary
from semanticface_training.evaluation.store import Predictions

SHOWN = tuple(name for name in CSV_ORDER if name in SHAPES and name != "TongueOut")
_COLUMNS = [CSV_ORDER.index(name) for name in SHOWN]
PARTS = {
    "all": "unseen people, every kind of picture",
    "plain": "not turned far, nothing in front, not a cartoon",
    "pose": "turned far",
    "occluded": "glasses, a hand or a bar in front",
    "toon": "drawn as a cartoon",
    "sweep": "one action alone, step by step",
    "mirror": "pairs of mirror images",
}
_SPECIAL = {"pose", "occluded", "toon"}


@dataclass(frozen=True, slots=True)
class PartRow:
    """One method on one part. `asked`, `answered`: pictures of the part; `n`: those that all methods answered.

    `mse` over n x 51, `against_mean` and `against_raw` how much lower than the training mean's and than the raw scores'
    (0.4: 40 % lower), `pearson` the mean over the `defined` of 51 shapes that have one. None: undefined.
    """

    part: str
    method: str
    asked: int
    answered: int
    n: int
    mse: float | None
    against_mean: float | None
    against_raw: float | None
    pearson: float | None
    defined: int


def in_part(row: Row, part: str) -> bool:
    """Whether a row belongs to a part; sweeps and mirrored pairs belong to no other."""
    kinds = {tag.partition(":")[0] for tag in row.tags}
    probes = kinds & {"sweep", "mirror"}
    if part in ("sweep", "mirror"):
        return part in probes
    if probes:
        return False
    if part == "plain":
        return not kinds & _SPECIAL
    return part == "all" or part in kinds


def part_rows(
    dataset: Dataset, predictions: Sequence[Predictions], mean: str = "mean", raw: str = "mediapipe"
) -> tuple[PartRow, ...]:
    """Every method on every part of the test split that has pictures. `predictions` are of the test split's rows."""
    indices = dataset.indices("test")
    out: list[PartRow] = []
    for part in PARTS:
        places = np.array([in_part(dataset.rows[index], part) for index in indices], bool)
        if places.any():
            truth = dataset.values[indices][places].astype(np.float64)[:, _COLUMNS]
            out += _part(part, truth, places, predictions, mean, raw)
    return tuple(out)


def _part(
    part: str, truth: NDArray[np.float64], places: NDArray[np.bool_], predictions: Sequence[Predictions], *names: str
) -> list[PartRow]:
    answered = {one.method.name: one.answered[places] for one in predictions}
    common = np.logical_and.reduce([mask for mask in answered.values() if mask.any()] or [np.zeros(places.sum(), bool)])
    errors: dict[str, float] = {}
    found = []
    for one in predictions:
        name = one.method.name
        pearson, defined = None, 0
        if common.any() and answered[name].any():
            values = one.values[places][common][:, _COLUMNS]
            errors[name] = mse_summary(truth[common], values, SHOWN).mean
            summary = average(per_coefficient(truth[common], values, SHOWN))
            pearson, defined = summary.pearson, summary.correlated
        found.append((name, pearson, defined))
    rows = []
    for name, pearson, defined in found:
        lower = [_lower(errors.get(name), errors.get(other)) for other in names]
        counts = (len(truth), int(answered[name].sum()), int(common.sum()))
        rows.append(PartRow(part, name, *counts, errors.get(name), lower[0], lower[1], pearson, defined))
    return rows


def _lower(error: float | None, other: float | None) -> float | None:
    return None if error is None or not other else 1 - error / other


def markdown(title: str, rows: Sequence[PartRow]) -> str:
    """The table of each part, with what the part is."""
    lines = [f"# {title}", "", "MSE over 51 shapes, on the pictures that all methods answered.", ""]
    for part in dict.fromkeys(row.part for row in rows):
        lines += [
            f"## {part}: {PARTS[part]}",
            "",
            "| method | answered | N | MSE | below the mean | below raw | Pearson | shapes |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for row in (row for row in rows if row.part == part):
            numbers = (_shown(row.mse, 5), _share(row.against_mean), _share(row.against_raw), _shown(row.pearson, 3))
            lines.append(
                f"| {row.method} | {row.answered}/{row.asked} | {row.n} | {' | '.join(numbers)} | {row.defined} |"
            )
        lines.append("")
    return "\n".join(lines)


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
