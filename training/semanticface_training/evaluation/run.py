"""An evaluation from beginning to end: predict what is not predicted yet, compute every number, write the results.

A run can be killed at any moment: answers are on disk as they come, and the same command goes on with the rows that
have none. Numbers are computed from stored predictions alone, so they can be had again in seconds. This module puts
the others together and knows of none how it works.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from semanticface import __version__
from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, OptionsError
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.evaluation import predict, protocols
from semanticface_training.evaluation.results import (
    PREDICTIONS_NAME,
    RUN_NAME,
    EvaluationResults,
    Protocol,
    Run,
    open_dataset,
    read_run,
    write_results,
    write_run,
)
from semanticface_training.evaluation.run_pictures import has_truth, open_pictures
from semanticface_training.evaluation.store import PredictionWriter, read_predictions

_TELL_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted. `engines`: see `predict`. With None or "" what an earlier run into `out` had is kept.

    `evaluator`: a saved retrieval evaluator; `features`: the network that it reads pictures with, where it needs one.
    `truth_decimals`: round the truth, as a paper did; -1 undoes that. `metrics_only`: predict nothing. `report`: make
    pages and tables, too. `command`: how to get the same again.
    """

    out: Path
    dataset: Path | None = None
    engines: tuple[str, ...] = ()
    split: str = "test"
    protocol: Protocol | None = None
    evaluator: Path | None = None
    features: Path | None = None
    actions: tuple[str, ...] | None = None
    truth_decimals: int | None = None
    beside: Mapping[str, Path] = field(default_factory=dict)
    metrics_only: bool = False
    report: bool = True
    command: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one method: rows asked about, those that an earlier run answered (`kept`), those of this run (`done`)."""

    method: str
    asked: int
    kept: int
    done: int
    seconds: float


Tell = Callable[[Progress], None]


def evaluate(request: Request, tell: Tell = lambda _: None) -> EvaluationResults:
    """Do it; `results.json` and, where wanted, pages are in `request.out` then.

    Raises InputError and OptionsError for what can't be evaluated, AssetError and EngineError of engines; what was
    predicted until then is kept.
    """
    begin = time.monotonic()
    if request.metrics_only and request.engines:
        raise OptionsError("--metrics-only predicts nothing", "leave --engine out, or --metrics-only")
    specs = predict.parse_all(request.engines)
    run, dataset = _begin(request)
    indices = dataset.indices(run.split)
    predict.check_has_pictures(dataset, indices, run.split)
    methods = len(set(run.methods) | {spec.name or spec.default_name for spec in specs})
    protocols.check(run.protocol, dataset, indices, methods, bool(run.evaluator))
    for spec in specs:
        predict.check(spec)
    if _retrieves(run):
        from semanticface_training.evaluation.protocols_retrieval import check_evaluator

        check_evaluator(Path(run.evaluator), dataset, run.protocol is Protocol.PAIRED)
    request.out.mkdir(parents=True, exist_ok=True)
    write_run(request.out, run)
    for spec in specs:
        _predict(spec, dataset, run.split, indices, request.out, tell)
    results = _measured(request, read_run(request.out), dataset, indices)
    results = replace(results, seconds=round(time.monotonic() - begin, 3))
    write_results(request.out, results)
    if request.report:
        from semanticface_training.evaluation.report import write_report

        write_report(request.out)
    return results


def _begin(request: Request) -> tuple[Run, Dataset]:
    """The run's settings, new or as they were but for what is asked anew, and its dataset."""
    out = request.out
    if (out / RUN_NAME).is_file():
        before = read_run(out)
        if request.dataset is not None:
            other = open_pictures(request.dataset)
            if other.digest != before.digest or (request.split != before.split and has_truth(other)):
                raise InputError(f"{out} holds an evaluation of other data or of another split", "choose another --out")
            return _changed(replace(before, dataset=str(request.dataset.resolve())), request), other
        return _changed(before, request), open_dataset(out)
    if request.dataset is None:
        raise InputError(f"{out} holds no evaluation yet", "name what to evaluate on: --dataset")
    if out.exists() and any(entry.name != predict.CACHE_NAME for entry in out.iterdir()):
        raise InputError(f"{out} exists and holds no evaluation", "choose a new or an empty folder")
    dataset = open_pictures(request.dataset)
    truth = has_truth(dataset)
    split = request.split if truth else Split.TEST.value
    protocol = request.protocol or (Protocol.PAIRED if truth else Protocol.WILD)
    run = Run(str(request.dataset.resolve()), dataset.digest, split, protocol)
    return _changed(run, request), dataset


def _retrieves(run: Run) -> bool:
    return bool(run.evaluator) and run.protocol in (Protocol.PAIRED, Protocol.WILD)


def _changed(run: Run, request: Request) -> Run:
    if request.protocol is not None:
        run = replace(run, protocol=request.protocol)
    if request.evaluator is not None:
        run = replace(run, evaluator=str(request.evaluator.resolve()), features="")
    if request.features is not None:
        run = replace(run, features=str(request.features.resolve()))
    if request.beside:
        for label, folder in request.beside.items():
            if not folder.is_dir():
                raise InputError(f"{label}: {folder} is no folder", "name one that holds the method's pictures")
        run = replace(
            run, beside={**run.beside, **{label: str(one.resolve()) for label, one in request.beside.items()}}
        )
    if request.actions is not None:
        run = replace(run, actions=request.actions)
    if request.truth_decimals is not None:
        decimals = request.truth_decimals
        run = replace(run, truth_decimals=None if decimals < 0 else decimals)
    return run


def _predict(spec: predict.Spec, dataset: Dataset, split: str, indices: Sequence[int], out: Path, tell: Tell) -> None:
    """Ask one method about the rows that have no answer yet; it has a row in the tables from its first answer on."""
    with ExitStack() as stack:
        predictor = predict.make(spec, dataset, split, out)
        stack.callback(getattr(predictor, "close", lambda: None))
        name = predictor.method.name
        writer = stack.enter_context(PredictionWriter.open(out / PREDICTIONS_NAME / name, predictor.method))
        write_run(out, read_run(out).with_methods([name]))
        todo = [index for index in indices if dataset.rows[index].id not in writer.done]
        kept = len(indices) - len(todo)
        begin = last = told = time.perf_counter()
        tell(Progress(name, len(indices), kept, 0, 0.0))
        done = 0
        if todo:
            for done, (index, result) in enumerate(predictor.predict(dataset, todo), 1):
                now = time.perf_counter()
                writer.add(dataset.rows[index].id, result, now - last)
                last = now
                if now - told >= _TELL_EVERY:
                    told = now
                    tell(Progress(name, len(indices), kept, done, now - begin))
        tell(Progress(name, len(indices), kept, done, time.perf_counter() - begin))


def _measured(request: Request, run: Run, dataset: Dataset, indices: Sequence[int]) -> EvaluationResults:
    predictions = [read_predictions(request.out / PREDICTIONS_NAME / name, dataset, indices) for name in run.methods]
    retrieve = None
    if _retrieves(run):
        from semanticface_training.evaluation.protocols_retrieval import retriever

        cache = request.out / predict.CACHE_NAME
        features = Path(run.features) if run.features else None
        retrieve = retriever(Path(run.evaluator), dataset, run.protocol is Protocol.PAIRED, cache, features)
    found = protocols.compute(
        run.protocol, dataset, run.split, indices, predictions, run.actions, retrieve, run.truth_decimals
    )
    return EvaluationResults(
        dataset=found.dataset,
        protocol=run.protocol,
        methods=found.methods,
        comparisons=found.comparisons,
        shared=found.shared,
        notes=found.notes,
        code=code_identity(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=request.command,
    )


def code_identity() -> dict[str, str]:
    """The program's version, and SHA-256 over the sources that compute the numbers."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        if "report" not in file.relative_to(folder).parts:
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return {"version": __version__, "evaluation": digest.hexdigest()[:16]}


def parse_actions(text: str) -> tuple[str, ...] | None:
    """`all`, `shapes` (the 52), or names with commas, in any spelling; None for "". Raises OptionsError."""
    from semanticface.actions import SHAPES, canonical_name

    if not text:
        return None
    known = {"all": CSV_ORDER, "shapes": SHAPES}
    if text in known:
        return known[text]
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    names = [canonical_name(part) for part in wanted]
    for part, name in zip(wanted, names, strict=True):
        if name is None:
            raise OptionsError(f"{part[:60]!r} is no facial action", "all, shapes, or names such as JawOpen,MouthClose")
    return tuple(name for name in CSV_ORDER if name in names)
