"""`semanticface-train evaluate`: predictions of any methods on a dataset, and every table of the paper from them."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json, print_table
from semanticface.errors import OptionsError

if TYPE_CHECKING:
    from semanticface_training.evaluation.results import EvaluationResults, MethodRow, Protocol
    from semanticface_training.evaluation.run import Progress


def evaluate(
    out: Annotated[
        Path, typer.Option(help="Folder of the results. Run again to go on after a stop, or to add methods.")
    ],
    dataset: Annotated[Path | None, typer.Option(help="A dataset, or a folder of pictures without truth.")] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            help="[NAME=]landmarks, checkpoint:ID or FOLDER, remote:NAME or URL, baseline:NAME, predictions:FILE or "
            "FOLDER; with ,option=value behind it. Repeatable."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    protocol: Annotated[
        str, typer.Option(help="paired, wild, ablation or domain. Default: paired; wild for pictures without truth.")
    ] = "",
    evaluator: Annotated[
        Path | None, typer.Option(help="A folder of `semanticface-train evaluator fit`, for retrieval.")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="The embedding model's folder, for an evaluator that was trained on its features."),
    ] = None,
    actions: Annotated[str, typer.Option(help="What errors are over: all, shapes, or names with commas.")] = "",
    truth_decimals: Annotated[
        int | None, typer.Option(help="Round the truth before errors are computed, as papers do; -1: as it is.", max=9)
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FOLDER with another method's renders, named as the dataset's pictures, for the report's figure."
        ),
    ] = None,
    metrics_only: Annotated[
        bool, typer.Option("--metrics-only", help="Compute all numbers again from the stored predictions.")
    ] = False,
    report: Annotated[bool, typer.Option(help="Write the page and the tables, too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")] = False,
) -> None:
    """Evaluate methods on a dataset: predict once, compare on the same frames, say N everywhere."""
    from semanticface_training.evaluation.run import Request, parse_actions
    from semanticface_training.evaluation.run import evaluate as run

    request = Request(
        out=out,
        dataset=dataset,
        engines=tuple(engine or ()),
        split=split,
        protocol=_protocol(protocol),
        evaluator=evaluator,
        features=features,
        actions=parse_actions(actions),
        truth_decimals=truth_decimals,
        beside=_beside(beside or ()),
        metrics_only=metrics_only,
        report=report,
        command=as_shared(sys.argv[1:]),
    )
    results = run(request, _tell(json))
    if json:
        print_json({"results": str(out), "seconds": results.seconds, **_facts(results)})
    else:
        _print(results, out)


def _protocol(name: str) -> Protocol | None:
    from semanticface_training.evaluation.results import Protocol

    if name and name not in list(Protocol):
        raise OptionsError(f"there is no protocol {name[:40]!r}", f"choose one of {', '.join(Protocol)}")
    return Protocol(name) if name else None


def _beside(given: Sequence[str]) -> dict[str, Path]:
    pairs = [one.partition("=") for one in given]
    for name, _, folder in pairs:
        if not name or not folder:
            raise OptionsError(f"--beside {name[:60]!r} names no folder", "--beside NAME=FOLDER")
    return {name: Path(folder) for name, _, folder in pairs}


def as_shared(words: Sequence[str]) -> str:
    """The command as it was given, of paths from the root on only the end: results are passed on, folders are not."""
    from semanticface.diagnostics import without_folders

    return without_folders(shlex.join(["semanticface-train", *(_ROOTED.sub(r"\1", word) for word in words)]), {})


def _tell(as_json: bool) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        from dataclasses import asdict

        if as_json:
            print_json(asdict(progress))
            return
        done = progress.kept + progress.done
        rate = f", {progress.done / progress.seconds:.1f} a second" if progress.seconds and progress.done else ""
        kept = f", {progress.kept} of them before" if progress.kept else ""
        console().print(f"{progress.method}: {done} of {progress.asked}{kept}{rate}", markup=False)

    return tell


def _facts(results: EvaluationResults) -> dict[str, Any]:
    methods = [
        {
            "name": row.name,
            "asked": row.coverage.asked,
            "answered": row.coverage.answered,
            "n": _of(row, "mse", "n"),
            "mse": _of(row, "mse", "mean"),
            "r1": _of(row, "retrieval", "r1"),
            "undefined": dict(row.undefined),
        }
        for row in results.methods
    ]
    return {"protocol": results.protocol.value, "digest": results.dataset.digest, "methods": methods}


def _of(row: MethodRow, table: str, key: str) -> Any:
    return (row.tables.get(table) or {}).get(key)


def _print(results: EvaluationResults, out: Path) -> None:
    from semanticface_training.evaluation.results import Protocol

    data = results.dataset
    title = f"{data.name}, split {data.split}: {data.n} pictures, {data.common} compared, digest {data.digest[:16]}"
    if results.protocol is Protocol.DOMAIN:
        _print_detection(title, results)
    else:
        print_table(title, ("method", "answered", "N", *(column for column, *_ in _COLUMNS)), _numbers(results))
    if results.comparisons:
        tests = [
            (f"{one.a} - {one.b}", one.undefined or str(one.result["n"]), *_cells(one.result, _TESTS))
            for one in results.comparisons
        ]
        print_table("difference of per-frame MSE", ("methods", "N", *(key for key, _ in _TESTS)), tests)
    for note in results.notes:
        console().print(note, markup=False)
    console().print(f"results: {out}", markup=False)


def _numbers(results: EvaluationResults) -> list[tuple[str, ...]]:
    rows = []
    for row in results.methods:
        count = _of(row, "mse", "n") or _of(row, "retrieval", "n")
        cells = [_shown(_of(row, table, key), digits) for _, table, key, digits in _COLUMNS]
        answered = f"{row.coverage.answered}/{row.coverage.asked}"
        rows.append((row.label, answered, "-" if count is None else str(count), *cells))
    return rows


def _print_detection(title: str, results: EvaluationResults) -> None:
    """Answered of asked by kind of picture."""
    kinds = [line["tag"] or "all" for line in results.methods[0].tables["detection"]["rows"]]
    rows = [
        (row.label, *(f"{line['answered']}/{line['asked']}" for line in row.tables["detection"]["rows"]))
        for row in results.methods
    ]
    print_table(title, ("answered", *kinds), rows)


def _cells(values: Mapping[str, Any], keys: Sequence[tuple[str, int]]) -> list[str]:
    return [_shown(values.get(key), digits) for key, digits in keys]


_ROOTED = re.compile(r"(^|[=:,])(?:~|[A-Za-z]:(?=[\\/]))?[\\/](?:[^,\\/]+[\\/]+)*(?=[^\\/])")
"""Where a path from the root begins, in a word of its own or behind `name=`, `kind:` or a comma, but for its end."""
_COLUMNS = (
    ("MSE", "mse", "mean", 5),
    ("median", "mse", "median", 5),
    ("P90", "mse", "p90", 5),
    ("P corr 13", "cross13", "p_corr", 4),
    ("S corr 13", "cross13", "s_corr", 4),
    ("R@1", "retrieval", "r1", 4),
    ("MM dist", "retrieval", "mm_dist", 3),
)
_TESTS = (("difference", 5), ("low", 5), ("high", 5), ("t", 2), ("p_t", 5), ("p_sequences", 5), ("p_bootstrap", 5))


def _shown(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if abs(value) >= 10.0**-digits or value == 0 else f"{value:.1e}"
