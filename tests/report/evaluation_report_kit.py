"""A small evaluation from random numbers: a dataset with pictures, three methods, and everything computed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from report_kit import EVIL

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.results import FrameResult, Status
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.evaluation import protocols
from semanticface_training.evaluation.metrics.retrieval import batches, r_precision
from semanticface_training.evaluation.results import (
    PREDICTIONS_NAME,
    EvaluationResults,
    Protocol,
    Run,
    write_results,
    write_run,
)
from semanticface_training.evaluation.store import Method, PredictionWriter, read_predictions

COUNT = 40
METHODS = ("close", "far", "silent")
LABELS = {"close": "close_to 100 %", "far": EVIL, "silent": "=1+1"}


def make_dataset(folder: Path) -> Dataset:
    """Two sequences of 20 frames and a toon one in each; pictures 40 x 48."""
    random = np.random.default_rng(4)
    with DatasetWriter(folder, Meta("test")) as writer:
        for number in range(COUNT):
            phase = number / 6.0
            moved = {name: 0.5 + 0.5 * float(np.sin(phase + place)) for place, name in enumerate(CSV_ORDER[:40])}
            values = dict.fromkeys(CSV_ORDER, 0.0) | moved | {"HeadYaw": float(random.normal(0, 0.2))}
            sequence = f"s{number // 20}"
            row = Row(sequence, number % 20, f"subject{number // 20}", Split.TEST, values, time=number % 20 / 10,
                      sequence=sequence, tags=("toon",) if number % 10 == 0 else ())  # fmt: skip
            picture = np.full((48, 40, 3), number * 6, np.uint8)
            writer.add(row, cv2.imencode(".jpg", picture)[1].tobytes())
        return writer.finish()


def answer(dataset: Dataset, number: int, noise: float, random: np.random.Generator) -> FrameResult:
    true = dataset.values[number].astype(float)
    values = np.clip(true + random.normal(0, noise, len(true)), -0.5, 1.5)
    if number == 7:
        values = np.clip(true + noise * 4, -0.5, 1.5)  # the worst frame
    said = dict(zip(CSV_ORDER, values.tolist(), strict=True))
    return FrameResult(number, None, Status.OK, said, describe(said), 0.9)


def make_evaluation(folder: Path, protocol: Protocol = Protocol.PAIRED) -> tuple[Path, Dataset]:
    """The folder of the results, and the dataset. `far` misses frame 3, `silent` answers nothing."""
    dataset, out = make_dataset(folder / "data"), folder / "results"
    random = np.random.default_rng(5)
    out.mkdir()
    for name, noise in (("close", 0.02), ("far", 0.2), ("silent", 0.0)):
        method = Method(name, LABELS[name], "test", {}, f"key-{name}")
        with PredictionWriter.open(out / PREDICTIONS_NAME / name, method) as writer:
            for number, row in enumerate(dataset.rows):
                lost = name == "silent" or (name == "far" and number == 3)
                result = FrameResult(number, None, Status.NO_FACE) if lost else answer(dataset, number, noise, random)
                writer.add(row.id, result, 0.01)
    write_run(out, Run(str(dataset.path), dataset.digest, "test", protocol, METHODS))
    compute(out, dataset, protocol)
    return out, dataset


def compute(out: Path, dataset: Dataset, protocol: Protocol) -> None:
    indices = dataset.indices("test")
    given = [read_predictions(out / PREDICTIONS_NAME / name, dataset, indices) for name in METHODS]
    found = protocols.compute(protocol, dataset, "test", indices, given, retrieve=retrieve)
    results = EvaluationResults(
        found.dataset, protocol, found.methods, found.comparisons, found.shared, found.notes,
        {"version": "0"}, "2026-01-01T00:00:00+00:00", "semanticface-train evaluate",
    )  # fmt: skip
    write_results(out, results)


def retrieve(dataset: Dataset, indices: Sequence[int], given: Mapping[str, np.ndarray]) -> dict[str, object]:
    """What an evaluator would say whose embeddings are the numbers themselves."""
    true = dataset.values[list(indices)].astype(float)
    cut = batches(len(indices), 8, 3, 1)
    rows = {
        name: {**r_precision(true, values, cut).to_dict(), "relative_distance": 1.0} for name, values in given.items()
    }
    block = {"undefined": "", "chance": {f"r{k}": k / 8 for k in (1, 2, 3)}, "methods": rows,
             "ground_truth": r_precision(true, true, cut).to_dict(), "shuffled": None}  # fmt: skip
    other = {
        "undefined": "no sequence fills a batch",
        "chance": {},
        "methods": {},
        "ground_truth": None,
        "shuffled": None,
    }
    return {"n": len(indices), "common": len(indices), "seen": 0, "batch": 8, "repetitions": 3, "shuffle": block,
            "same_sequence": other}  # fmt: skip
