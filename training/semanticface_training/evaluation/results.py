"""What an evaluation found, as data: `results.json`, from which every table and page is made.

    R/
      run.json               which dataset (its folder here), split and protocol: what a later run goes on with
      predictions/<method>/  see `store`
      results.json           this module's EvaluationResults; names no folder of this machine
      report/                pages and tables, made by `evaluation.report` from the three above

All numbers are plain values of JSON; what is undefined is null, never 0. N is in every table. This module computes
nothing and knows no metric, no engine and no page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface.take import write_atomic
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.run_pictures import open_pictures
from semanticface_training.evaluation.store import Predictions, read_predictions

FORMAT = "semanticface-evaluation"
VERSION = 1
RESULTS_NAME = "results.json"
RUN_NAME = "run.json"
PREDICTIONS_NAME = "predictions"
REPORT_NAME = "report"


class Protocol(StrEnum):
    """What is being asked; the paper's tables and figures that it fills."""

    PAIRED = "paired"
    """Pictures with their true coefficients: Tables 1, 5, 6 and 7."""
    WILD = "wild"
    """Pictures without truth: Table 2."""
    ABLATION = "ablation"
    """The same as paired, and tests between methods: Tables 3 and 4."""
    DOMAIN = "domain"
    """How many pictures of each kind (cartoon, occluded, turned ...) get an answer at all: Figures 6 and 7."""


class Table(StrEnum):
    """The keys of `MethodRow.tables`: each holds the `to_dict()` of a metric, over the frames that all answered.

    MSE .. AGREEMENT are maps with `n`. OWN is a second `mse`, over all frames that this method itself answered.
    PER_COEFFICIENT is {"n", "rows": [...], "average": {...}}. TAGS is {tag: mse map}, for the kinds of pictures.
    RETRIEVAL is the method's row under shuffled batches, with that of batches out of one sequence as "same_sequence".
    DETECTION is {"rows": [{"tag", "asked", "answered", "rate", "statuses"}]}, "" being all pictures.
    """

    MSE = "mse"
    OWN = "mse_own"
    CROSS13 = "cross13"
    CROSS14 = "cross14"
    PER_COEFFICIENT = "per_coefficient"
    HEAD_POSE = "head_pose"
    RETRIEVAL = "retrieval"
    SIDES = "sides"
    CONSISTENCY = "consistency"
    SWEEP = "sweep"
    TEMPORAL = "temporal"
    AGREEMENT = "agreement"
    DETECTION = "detection"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """Which rows were asked about. `name`: the folder's own name; `n` rows of `split`, in so many sequences.

    `truth`: whether their coefficients are measured (else they are placeholders, and no error is computed).
    `selection`: SHA-256 over the ids of the rows. `common`: rows that all methods answered, on which they are compared.
    `probes`: rows of sweeps and mirrored pairs, which count in their own tables only. `actions`: what errors are over.
    `truth_decimals`: to how many the truth was rounded before errors were computed, None for not at all.
    """

    name: str
    digest: str
    split: str
    n: int
    sequences: int
    subjects: tuple[str, ...]
    truth: bool
    selection: str
    common: int
    probes: int = 0
    actions: tuple[str, ...] = CSV_ORDER
    truth_decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Rows that a method was asked about and that it answered; `statuses` counts all of them by how they ended."""

    asked: int
    answered: int
    statuses: Mapping[str, int]

    @property
    def rate(self) -> float | None:
        """answered / asked, None for nothing asked."""
        return self.answered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One row of every table: a method with its numbers, by `Table`.

    `predictions`: the folder under `predictions/` that the numbers were computed from; two rows may share one
    (`reading`: "values", or "expectation" of a language model's digits). `key`: of the predictions (model, options and
    data). `facts`: as in method.json. `seconds`: mean time until the next answer, None where it was not measured.
    `undefined`: tables that can't be computed for this method, and why.
    """

    name: str
    label: str
    engine: str
    key: str
    coverage: Coverage
    predictions: str
    reading: str = "values"
    seconds: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    undefined: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A test between two methods on the frames that both answered: `a` minus `b`, per-frame MSE.

    `result` is metrics.significance.Comparison.to_dict(), empty where `undefined` says why there is none.
    """

    a: str
    b: str
    measure: str
    result: Mapping[str, Any]
    undefined: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """The whole of `results.json`.

    `shared`: tables that are no method's own, by `Table`: under "retrieval" what `retrieval.table` returns but for its
    methods (ground truth, chance and shuffled pairs, for each way to form batches). `notes`: sentences that a reader of
    the tables must see. `code`: version, and SHA-256 over the programs that compute the numbers.
    """

    dataset: DatasetFacts
    protocol: Protocol
    methods: tuple[MethodRow, ...]
    comparisons: tuple[ComparisonRow, ...] = ()
    shared: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    command: str = ""
    seconds: float = 0.0

    def method(self, name: str) -> MethodRow:
        """Raises InputError for a name that is no row's."""
        for row in self.methods:
            if row.name == name:
                return row
        raise InputError(f"there is no method {name!r}", f"there are {', '.join(row.name for row in self.methods)}")

    def to_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = RESULTS_NAME) -> EvaluationResults:
        """Raises InputError that names `where` for anything but a whole EvaluationResults of this version."""
        try:
            if data["format"] != FORMAT or data["version"] != VERSION:
                raise ValueError(f"format {data['format']!r}, version {data['version']!r}")
            fields = {name: value for name, value in data.items() if name not in ("format", "version")}
            facts = dict(fields.pop("dataset"))
            methods = [MethodRow(**{**row, "coverage": Coverage(**row["coverage"])}) for row in fields.pop("methods")]
            comparisons = tuple(ComparisonRow(**row) for row in fields.pop("comparisons"))
            return cls(
                dataset=DatasetFacts(
                    **{**facts, "subjects": tuple(facts["subjects"]), "actions": tuple(facts["actions"])}
                ),
                protocol=Protocol(fields.pop("protocol")),
                methods=tuple(methods),
                comparisons=comparisons,
                notes=tuple(fields.pop("notes")),
                **fields,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{where} is no evaluation: {error}", "semanticface-train evaluate writes it") from error


def write_results(out: Path, results: EvaluationResults) -> Path:
    """Write `results.json` whole or not at all. Raises InputError for a number that JSON doesn't have (NaN)."""
    file = out / RESULTS_NAME
    try:
        text = json.dumps(results.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{file} can't be written: {error}", "a metric gives null where it is undefined") from error
    try:
        write_atomic(file, text + "\n")
    except OSError as error:
        raise InputError(f"{file} can't be written: {error.strerror or error}") from error
    return file


def read_results(out: Path) -> EvaluationResults:
    """The results in the folder R. Raises InputError that names the file."""
    return EvaluationResults.from_dict(_read(out / RESULTS_NAME), str(out / RESULTS_NAME))


@dataclass(frozen=True, slots=True)
class Run:
    """What `run.json` holds.

    `dataset`, `evaluator` and `features` (the network that the evaluator reads pictures with) are folders on this
    machine, "" for none. `methods`: names in the order of the tables. `actions`, `truth_decimals`: what
    errors are over, and to what the truth is rounded for them. `beside`: label -> folder with other methods' pictures.
    """

    dataset: str
    digest: str
    split: str
    protocol: Protocol
    methods: tuple[str, ...] = ()
    evaluator: str = ""
    features: str = ""
    actions: tuple[str, ...] = CSV_ORDER
    truth_decimals: int | None = None
    beside: Mapping[str, str] = field(default_factory=dict)

    def with_methods(self, names: Sequence[str]) -> Run:
        """With these names after those that are there."""
        return replace(self, methods=tuple(dict.fromkeys((*self.methods, *names))))


def write_run(out: Path, run: Run) -> None:
    write_atomic(out / RUN_NAME, json.dumps(asdict(run), indent=1, ensure_ascii=False) + "\n")


def read_run(out: Path) -> Run:
    """Raises InputError that names the file."""
    data = _read(out / RUN_NAME)
    try:
        lists = {name: tuple(data[name]) for name in ("methods", "actions")}
        return Run(**{**data, **lists, "protocol": Protocol(data["protocol"])})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{out / RUN_NAME} is damaged: {error}", "evaluate into another folder") from error


def open_dataset(out: Path) -> Dataset:
    """The dataset that R was computed from. Raises InputError when it is gone, or is another one now."""
    run = read_run(out)
    found = open_pictures(Path(run.dataset))
    if found.digest != run.digest:
        raise InputError(f"{run.dataset} has changed since {out} was computed", "evaluate again into another folder")
    return found


def predictions_of(out: Path, row: MethodRow, dataset: Dataset, indices: Sequence[int]) -> Predictions:
    """A row's predictions, with `values` as the row reads them. Raises InputError (see `store.read_predictions`)."""
    found = read_predictions(out / PREDICTIONS_NAME / row.predictions, dataset, indices)
    return replace(found, values=found.expectation) if row.reading == "expectation" else found


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} can't be read: {error}", "semanticface-train evaluate writes it") from error
    if not isinstance(data, dict):
        raise InputError(f"{file} is no evaluation", "semanticface-train evaluate writes it")
    return data
