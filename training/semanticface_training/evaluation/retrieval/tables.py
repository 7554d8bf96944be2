"""The retrieval table: how well each method's motions fit the pictures, beside ground truth, chance and shuffled pairs.

All rows of a table are measured on the same frames, those that every method answered, in the same batches and by the
same code: a predictor that gives the truth scores exactly as ground truth does. What a method did not answer is counted
beside its figures. R-Precision itself is `metrics.retrieval`'s; this module knows nothing of how an evaluator is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.evaluation.metrics.retrieval import (
    REPETITIONS,
    SEED,
    Batches,
    Forming,
    Retrieval,
    batches,
    r_precision,
    relative_distance,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from semanticface_training.evaluation.retrieval.evaluator import RetrievalEvaluator


def table(
    evaluator: RetrievalEvaluator,
    dataset: Dataset,
    indices: Sequence[int],
    methods: Mapping[str, ArrayLike],
    *,
    truth: bool = True,
    repetitions: int = REPETITIONS,
    seed: int = SEED,
) -> dict[str, Any]:
    """Plain values of JSON. `methods`: name to (len(indices), 61) in `CSV_ORDER`, NaN in rows without an answer.

    `n`: rows asked about; `common`: rows that all methods answered, on which everything is measured; `seen`: of the
    common ones, those that the evaluator was trained or stopped on (above 0 the figures flatter); `evaluator`: its
    key and data; `same_data`: whether that is this dataset. `rows_per_method`: name to {asked, answered}. Then for
    each way to form batches, `shuffle` and `same_sequence`: `undefined` (why there are no figures, else ""),
    `chance` {r1, r2, r3}, and, as `Retrieval.to_dict()`, `ground_truth` (None without `truth`), `shuffled` (true
    motions given to other pictures at random, anew in each repetition; None without `truth`), and `methods` {name:
    the same with `relative_distance`, mm_dist by that of ground truth, and asked, answered}.

    Raises InputError that names the method whose values have another shape, and for no rows at all.
    """
    if not len(indices):
        raise InputError("retrieval is measured over no rows", "name a split that has rows")
    given = {name: _checked(values, len(indices), name) for name, values in methods.items()}
    answered = {name: np.isfinite(values).all(axis=1) for name, values in given.items()}
    common = np.flatnonzero(np.logical_and.reduce([np.ones(len(indices), bool), *answered.values()]))
    places = [indices[number] for number in common]
    embedded = {name: evaluator.embed_motions(values[common]) for name, values in given.items()}
    sides = _Sides(
        images=evaluator.embed_images(dataset, places),
        truth=evaluator.embed_motions(dataset.values[places]) if truth else None,
        methods=embedded,
        counts={name: {"asked": len(indices), "answered": int(found.sum())} for name, found in answered.items()},
        sequences=[dataset.rows[place].sequence for place in places],
    )
    size = evaluator.facts.options.batch
    return {
        "n": len(indices),
        "common": len(places),
        "seen": _seen(evaluator, dataset, places),
        "batch": size,
        "repetitions": repetitions,
        "evaluator": {
            "key": evaluator.facts.key,
            "digest": evaluator.facts.digest,
            "images": dict(evaluator.facts.images),
            "val_r1": evaluator.facts.best.r1,
        },
        "same_data": evaluator.facts.digest == dataset.digest,
        "rows_per_method": sides.counts,
        **{forming.value: _formed(sides, forming, size, repetitions, seed) for forming in Forming},
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Embeddings of the common rows, (M, D) each, and what else a block of the table needs."""

    images: NDArray[np.float32]
    truth: NDArray[np.float32] | None
    methods: Mapping[str, NDArray[np.float32]]
    counts: Mapping[str, Mapping[str, int]]
    sequences: Sequence[str]


def _formed(sides: _Sides, forming: Forming, size: int, repetitions: int, seed: int) -> dict[str, Any]:
    """One block: all rows under one way to form batches."""
    chance = {f"r{k}": min(k, size) / size for k in (1, 2, 3)}
    block: dict[str, Any] = {"undefined": "", "chance": chance, "ground_truth": None, "shuffled": None, "methods": {}}
    groups = sides.sequences if forming is Forming.SAME_SEQUENCE else None
    block["undefined"] = _why_undefined(sides, forming, size)
    if block["undefined"]:
        return block
    cut = batches(len(sides.images), size, repetitions, seed, groups)
    true = None
    if sides.truth is not None:
        true = r_precision(sides.images, sides.truth, cut)
        block["ground_truth"] = true.to_dict()
        block["shuffled"] = _shuffled(sides.images, sides.truth, cut, groups, seed).to_dict()
    for name, motions in sides.methods.items():
        found = r_precision(sides.images, motions, cut)
        relative = relative_distance(found, true) if true else None
        block["methods"][name] = {**found.to_dict(), "relative_distance": relative, **sides.counts[name]}
    return block


def _why_undefined(sides: _Sides, forming: Forming, size: int) -> str:
    count = len(sides.images)
    if count < size:
        return f"{count} rows were answered by all methods, a batch has {size}"
    if forming is Forming.SHUFFLE:
        return ""
    names, rows = np.unique(np.array(sides.sequences), return_counts=True)
    if len(names) == 1:
        return f"all rows are of the one sequence {names[0]!r}: its batches are the shuffled ones"
    if int(rows.max()) < size:
        return f"no sequence has {size} rows; the longest of {len(names)} has {int(rows.max())}"
    return ""


def _shuffled(
    images: NDArray[np.float32], motions: NDArray[np.float32], cut: Batches, groups: Sequence[str] | None, seed: int
) -> Retrieval:
    """Each repetition gives the motions to other pictures, within a sequence where batches are. One assignment for all
    repetitions would measure one accident twenty times, and call it narrow."""
    draw = np.random.default_rng([seed, 1])
    labels = np.zeros(len(images), np.int64) if groups is None else np.unique(groups, return_inverse=True)[1]
    found = []
    for rows in cut.repetitions:
        order = np.arange(len(images))
        for label in range(int(labels.max()) + 1):
            members = np.flatnonzero(labels == label)
            order[members] = draw.permutation(members)
        found.append(r_precision(images, motions[order], replace(cut, repetitions=(rows,))))
    figures = np.array([[one.r1, one.r2, one.r3, one.mm_dist] for one in found], np.float64)
    curve = np.array([one.curve for one in found]).mean(axis=0)
    mean = figures.mean(axis=0)
    spread = 1.96 * figures.std(axis=0) / np.sqrt(len(found))
    sampling = [float(1.96 * np.sqrt(p * (1 - p) / cut.used)) for p in mean[:3]]
    return replace(
        found[0],
        repetitions=len(found),
        r1=float(mean[0]),
        r2=float(mean[1]),
        r3=float(mean[2]),
        mm_dist=float(mean[3]),
        ci95=(float(spread[0]), float(spread[1]), float(spread[2])),
        sampling95=(sampling[0], sampling[1], sampling[2]),
        mm_ci95=float(spread[3]),
        curve=tuple(map(float, curve)),
    )


def _checked(values: ArrayLike, count: int, name: str) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.shape != (count, len(CSV_ORDER)):
        raise InputError(f"{name}: values of shape {array.shape}", f"({count}, {len(CSV_ORDER)}) were asked for")
    return array


def _seen(evaluator: RetrievalEvaluator, dataset: Dataset, places: Sequence[int]) -> int:
    if evaluator.facts.digest != dataset.digest:
        return 0
    return sum(dataset.rows[place].split is not Split.TEST for place in places)
