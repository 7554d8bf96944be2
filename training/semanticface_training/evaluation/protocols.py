"""What is asked of which rows, and who is compared with whom: the paper's settings as functions over predictions.

    paired    Tables 1, 5, 6, 7: errors against measured coefficients; with an evaluator also retrieval
    wild      Table 2: no truth; retrieval against embeddings of the pictures
    ablation  Tables 3, 4: distribution of errors, and paired tests between all methods
    domain    Figures 6, 7: who answers at all, by kind of picture

Methods are compared on the frames that all of them answered; a method that answered none is told and left out of that.
Each row says how many it was asked about and how many it answered. This module reads no files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, OptionsError
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.metrics.arrays import as_written
from semanticface_training.evaluation.protocols_tables import (
    NOBODY,
    Doubles,
    Scope,
    Tables,
    are_probes,
    detection_rates,
    error_tables,
    truthless_tables,
)
from semanticface_training.evaluation.results import (
    ComparisonRow,
    Coverage,
    DatasetFacts,
    MethodRow,
    Protocol,
    Table,
)
from semanticface_training.evaluation.run_pictures import has_truth
from semanticface_training.evaluation.store import Predictions

Retrieve = Callable[[Dataset, Sequence[int], Mapping[str, Doubles]], Mapping[str, Any]]
"""What `evaluation.retrieval.table` does with an evaluator: it returns that function's map."""
FORMING = ("shuffle", "same_sequence")
"""Ways to form batches; the first one is the paper's, and fills the columns of the tables."""
EXPECTATION = "expectation"
_SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A row of the tables: predictions, and which reading of them. `values`: (N, 61), NaN without an answer."""

    name: str
    label: str
    predictions: Predictions
    reading: str
    values: Doubles = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a protocol found; the parts of `EvaluationResults` that it decides."""

    dataset: DatasetFacts
    methods: tuple[MethodRow, ...]
    comparisons: tuple[ComparisonRow, ...]
    shared: Mapping[str, Any]
    notes: tuple[str, ...]


def compute(
    protocol: Protocol,
    dataset: Dataset,
    split: str,
    indices: Sequence[int],
    predictions: Sequence[Predictions],
    names: Sequence[str] = CSV_ORDER,
    retrieve: Retrieve | None = None,
    truth_decimals: int | None = None,
) -> Outcome:
    """Every number of this protocol. `predictions` are of these rows, in their order.

    `truth_decimals`: errors are against the truth rounded to so many; retrieval sees it as it is.

    Raises InputError when there is no row, no method, or no truth where the protocol needs one, OptionsError when the
    protocol can't be had with what is given.
    """
    check(protocol, dataset, indices, len(predictions), retrieve is not None)
    entrants = [entrant for one in predictions for entrant in _entrants(one)]
    scope = _scope(dataset, indices, entrants, names, truth_decimals)
    collected = {entrant.name: _tables(protocol, scope, entrant) for entrant in entrants}
    shared = {}
    if protocol in (Protocol.PAIRED, Protocol.WILD):
        shared = _retrieval(dataset, indices, np.flatnonzero(scope.main), entrants, collected, retrieve)
    rows = tuple(_row(entrant, collected[entrant.name]) for entrant in entrants)
    tests = _comparisons(scope, entrants) if protocol in (Protocol.PAIRED, Protocol.ABLATION) else ()
    return Outcome(
        _facts(dataset, scope, split, truth_decimals),
        rows,
        tests,
        shared,
        tuple(_notes(scope, entrants, truth_decimals)),
    )


def check(protocol: Protocol, dataset: Dataset, indices: Sequence[int], methods: int, evaluator: bool) -> None:
    """Whether the protocol can be had; asked before hours are spent. Raises InputError or OptionsError."""
    if not indices:
        raise InputError(f"{dataset.path}: no row is asked about", "choose a split that has rows")
    if not methods:
        raise OptionsError("no method is named", "such as --engine landmarks")
    if protocol in (Protocol.PAIRED, Protocol.ABLATION) and not has_truth(dataset):
        raise InputError(f"{dataset.path} has pictures without coefficients", "take --protocol wild or domain")
    if protocol is Protocol.ABLATION and methods < 2:
        raise OptionsError("an ablation compares at least two methods", "such as a0=..., a1=..., a2=...")
    if protocol is Protocol.WILD and not evaluator:
        raise OptionsError(
            "pictures without truth are judged by a trained evaluator",
            "--evaluator FOLDER, made by `semanticface-train evaluator fit`",
        )


def _entrants(predictions: Predictions) -> list[Entrant]:
    """A row for the values, and one for the expectation of the digits where it differs."""
    method = predictions.method
    out = [Entrant(method.name, method.label, predictions, "values", predictions.values)]
    told = np.isfinite(predictions.expectation).all(axis=1)
    differs = np.abs(predictions.expectation[told] - predictions.values[told]) > _SAME
    if differs.any() and bool((told == predictions.answered).all()):
        name, label = f"{method.name}+{EXPECTATION}", f"{method.label}, {EXPECTATION}"
        out.append(Entrant(name, label, predictions, EXPECTATION, predictions.expectation))
    return out


def _scope(
    dataset: Dataset,
    indices: Sequence[int],
    entrants: Sequence[Entrant],
    names: Sequence[str],
    truth_decimals: int | None,
) -> Scope:
    rows = tuple(dataset.rows[index] for index in indices)
    common = np.ones(len(rows), bool)
    for entrant in entrants:
        if entrant.predictions.answered.any():
            common &= entrant.predictions.answered
    if not any(entrant.predictions.answered.any() for entrant in entrants):
        common[:] = False
    truth = dataset.values[list(indices)].astype(np.float64) if has_truth(dataset) else None
    if truth is not None and truth_decimals is not None:
        truth = as_written(truth, truth_decimals)
    return Scope(rows, truth, common, are_probes(rows), tuple(names))


def _tables(protocol: Protocol, scope: Scope, entrant: Entrant) -> Tables:
    predictions, tables = entrant.predictions, Tables()
    tables.made[Table.DETECTION.value] = detection_rates(scope.rows, predictions.status, predictions.answered)
    if not predictions.answered.any():
        tables.undefined[Table.MSE.value] = f"it answered none of {len(scope.rows)} frames"
        return tables
    if scope.truth is not None and protocol is not Protocol.WILD:
        error_tables(scope, entrant.values, predictions.answered, tables, protocol is not Protocol.ABLATION)
    if protocol is not Protocol.ABLATION:
        truthless_tables(scope, predictions, entrant.values, tables)
    return tables


def _retrieval(
    dataset: Dataset,
    indices: Sequence[int],
    places: NDArray[np.intp],
    entrants: Sequence[Entrant],
    tables: Mapping[str, Tables],
    retrieve: Retrieve | None,
) -> dict[str, Any]:
    """Fill each method's row of retrieval on the rows at `places`; returns the rows that are nobody's."""
    given = {one.name: one.values[places] for one in entrants if one.predictions.answered.any()}
    try:
        if retrieve is None:
            raise InputError("no evaluator was given (--evaluator FOLDER)")
        if not len(places):
            raise InputError(NOBODY)
        found = dict(retrieve(dataset, [indices[place] for place in places], given))
    except InputError as error:
        for collected in tables.values():
            collected.undefined[Table.RETRIEVAL.value] = error.message
        return {}
    blocks = {forming: dict(found[forming]) for forming in FORMING}
    rows = {forming: block.pop("methods") for forming, block in blocks.items()}
    shuffle, same = FORMING
    for name in given:
        if blocks[shuffle]["undefined"]:
            tables[name].undefined[Table.RETRIEVAL.value] = blocks[shuffle]["undefined"]
            continue
        beside = rows[same].get(name, {"n": len(places), "undefined": blocks[same]["undefined"]})
        tables[name].made[Table.RETRIEVAL.value] = {**rows[shuffle][name], same: beside}
    return {Table.RETRIEVAL.value: {**found, **blocks}}


def _row(entrant: Entrant, tables: Tables) -> MethodRow:
    predictions = entrant.predictions
    asked, answered = len(predictions.ids), int(predictions.answered.sum())
    timed = predictions.seconds[np.isfinite(predictions.seconds)]
    return MethodRow(
        name=entrant.name,
        label=entrant.label,
        engine=predictions.method.engine,
        key=predictions.method.key,
        coverage=Coverage(asked, answered, predictions.counts),
        predictions=predictions.method.name,
        reading=entrant.reading,
        seconds=float(timed.mean()) if len(timed) else None,
        facts=predictions.method.facts,
        tables=tables.made,
        undefined=tables.undefined,
    )


def _comparisons(scope: Scope, entrants: Sequence[Entrant]) -> tuple[ComparisonRow, ...]:
    """Table 4: each method with each that stands before it, on the frames that these two answered."""
    from semanticface_training.evaluation.metrics.errors import per_frame_mse
    from semanticface_training.evaluation.metrics.significance import compare

    assert scope.truth is not None
    out = []
    for before, after in combinations(entrants, 2):
        both = before.predictions.answered & after.predictions.answered & ~scope.probes
        places = np.flatnonzero(both)
        if not len(places):
            out.append(ComparisonRow(after.name, before.name, "mse", {}, "no frame was answered by both"))
            continue
        truth = scope.truth[places][:, scope.columns]
        a, b = (per_frame_mse(truth, one.values[places][:, scope.columns], scope.names) for one in (after, before))
        tested = compare(a, b, [scope.rows[place].sequence for place in places])
        out.append(ComparisonRow(after.name, before.name, "mse", tested.to_dict()))
    return tuple(out)


def _facts(dataset: Dataset, scope: Scope, split: str, truth_decimals: int | None) -> DatasetFacts:
    rows = scope.rows
    return DatasetFacts(
        name=dataset.path.resolve().name,
        digest=dataset.digest,
        split=split,
        n=len(rows),
        sequences=len({row.sequence for row in rows}),
        subjects=tuple(sorted({row.subject for row in rows})),
        truth=scope.truth is not None,
        selection=hashlib.sha256("\n".join(row.id for row in rows).encode()).hexdigest(),
        common=int(scope.main.sum()),
        probes=int(scope.probes.sum()),
        actions=scope.names,
        truth_decimals=truth_decimals,
    )


def _notes(scope: Scope, entrants: Sequence[Entrant], truth_decimals: int | None) -> list[str]:
    """What a reader has to know before the tables."""
    out = []
    asked, common, probes = len(scope.rows), int(scope.main.sum()), int(scope.probes.sum())
    if probes:
        out.append(f"{probes} of {asked} pictures are sweeps or mirrored pairs; they count in those tables only.")
    if common < asked - probes:
        out.append(f"Methods are compared on the {common} of {asked - probes} pictures that all of them answered.")
    for entrant in entrants:
        got = int(entrant.predictions.answered.sum())
        if not got:
            out.append(f"{entrant.label} answered no picture; the others are compared without it.")
    if len(scope.names) < len(CSV_ORDER):
        out.append(f"Errors are over {len(scope.names)} of 61 actions.")
    if truth_decimals is not None:
        out.append(f"Errors are against the truth rounded to steps of {10.0**-truth_decimals:g}.")
    if scope.truth is not None:
        out += _about_sequences(scope)
    pseudo = sum("pseudo" in row.tags for row in scope.rows)
    if pseudo:
        out.append(f"The coefficients of {pseudo} pictures are what an engine said, not measurements.")
    for entrant in entrants:
        out += _remarks(entrant) if entrant.reading == "values" else []
    return out


def _about_sequences(scope: Scope) -> list[str]:
    sequences = Counter(row.sequence for row, probe in zip(scope.rows, scope.probes, strict=True) if not probe)
    if len(sequences) == 1:
        return ["All pictures are of one sequence: tests that resample sequences are undefined."]
    if sequences and max(sequences.values()) == 1:
        return ["Each sequence is a single picture: pictures are resampled as if they were independent."]
    return []


def _remarks(entrant: Entrant) -> list[str]:
    """The commonest remark that a method makes on pictures that it answered."""
    said: NDArray[np.bool_] = entrant.predictions.answered
    remarks = Counter(entrant.predictions.messages[place] for place in np.flatnonzero(said))
    del remarks[""]
    return [f"{entrant.label}, on {count} pictures: {text[:200]}" for text, count in remarks.most_common(1)]
