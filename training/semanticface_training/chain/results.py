"""The demo's numbers: each model against the training rows' mean on faces it has never seen, and each against each.

A model is read twice: greedily, as its text stands, and by expectation over its digits. Errors are over the sixteen
actions that are written. Pictures that a model has no values for are counted and never filled in: all numbers are over
the pictures that all models answered, but for a model that answered none, which has no numbers. This module computes
and writes no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface_training.chain.plan import ACTIONS
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.metrics.correlation import pearson
from semanticface_training.evaluation.metrics.significance import compare
from semanticface_training.evaluation.store import Predictions

COLUMNS = [CSV_ORDER.index(name) for name in ACTIONS]
WATCHED = ("JawOpen", "MouthSmileLeft", "MouthSmileRight")
AIMS = {"expectation": 0.30, "greedy": 0.20, "JawOpen": 0.85, "MouthSmileLeft": 0.70, "MouthSmileRight": 0.70}
"""What the full run is to reach: parts below the mean's error, and Pearson correlations by expectation."""
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """One model read in one way. `below_mean`: 1 - its error / the mean's. `pearson` by action, None where undefined.

    `low`, `high`: 95 % interval of `below_mean` when identities are drawn anew.
    """

    target: str
    way: str
    mse: float
    below_mean: float
    low: float | None
    high: float | None
    pearson: Mapping[str, float | None]

    @property
    def mean_pearson(self) -> float | None:
        known = [value for value in self.pearson.values() if value is not None]
        return float(np.mean(known)) if known else None


@dataclass(frozen=True, slots=True)
class Results:
    """`asked` pictures of `identities` people; `common`: those that all models answered which answered any.

    Where nothing was answered `common` is 0 and there are no readings and no `mean_mse`.
    """

    asked: int
    common: int
    identities: int
    mean_mse: float | None
    answered: Mapping[str, int]
    readings: tuple[Reading, ...]
    comparisons: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "actions": list(ACTIONS), "aims": dict(AIMS), "reached": self.reached()}

    def reached(self) -> dict[str, dict[str, bool]]:
        """Which aims each model reached."""
        out: dict[str, dict[str, bool]] = {}
        for reading in self.readings:
            met = out.setdefault(reading.target, {})
            met[reading.way] = reading.below_mean >= AIMS[reading.way]
            if reading.way == "expectation":
                met |= {name: (reading.pearson[name] or 0.0) >= AIMS[name] for name in WATCHED}
        return out


def measure(dataset: Dataset, found: Mapping[str, Predictions]) -> Results:
    """The numbers of all models on the held-out rows."""
    rows = np.array([int(row) for row in dataset.indices("test")])
    answered = {target: int(one.answered.sum()) for target, one in found.items()}
    able = {target: found[target] for target, count in answered.items() if count}
    common = np.all([one.answered for one in able.values()], axis=0) if able else np.zeros(len(rows), bool)
    if not common.any():
        strangers = {dataset.rows[int(row)].subject for row in rows}
        return Results(len(rows), 0, len(strangers), None, answered, (), ())
    truth = dataset.values[rows][common][:, COLUMNS].astype(np.float64)
    people = [dataset.rows[int(row)].subject for row in rows[common]]
    mean = dataset.values[dataset.indices("train")][:, COLUMNS].astype(np.float64).mean(0)
    base = ((mean - truth) ** 2).mean(1)
    errors: dict[tuple[str, str], Doubles] = {}
    readings = []
    for target, one in able.items():
        for way, values in (("greedy", one.values), ("expectation", one.expectation)):
            said = values[common][:, COLUMNS]
            errors[target, way] = ((said - truth) ** 2).mean(1)
            readings.append(_reading(target, way, said, truth, errors[target, way], base, people))
    return Results(
        asked=len(rows),
        common=int(common.sum()),
        identities=len(set(people)),
        mean_mse=float(base.mean()),
        answered=answered,
        readings=tuple(readings),
        comparisons=tuple(_comparisons(list(able), errors, people)),
    )


def _reading(
    target: str, way: str, said: Doubles, truth: Doubles, error: Doubles, base: Doubles, people: list[str]
) -> Reading:
    gap = compare(error, base, people)
    scale = float(base.mean())
    low, high = (None if end is None else -end / scale for end in (gap.high, gap.low))
    found = (None if np.isnan(one) else float(one) for one in pearson(said, truth))
    by_name = dict(zip(ACTIONS, found, strict=True))
    return Reading(target, way, float(error.mean()), 1 - float(error.mean()) / scale, low, high, by_name)


def _comparisons(
    targets: list[str], errors: Mapping[tuple[str, str], Doubles], people: list[str]
) -> list[dict[str, Any]]:
    """Each pair of models in both ways, and each model's two ways against each other."""
    pairs = [((a, way), (b, way)) for way in ("greedy", "expectation") for a, b in combinations(targets, 2)]
    pairs += [((target, "expectation"), (target, "greedy")) for target in targets]
    return [{"a": " ".join(a), "b": " ".join(b), **compare(errors[a], errors[b], people).to_dict()} for a, b in pairs]
