"""`semanticface-train benchmark`: the synthetic benchmark, and calibrations of the landmark engine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json, print_table
from semanticface.errors import OptionsError

if TYPE_CHECKING:
    from semanticface_training.evaluation.benchmark.suite import Outcome

benchmark = typer.Typer(help="The synthetic benchmark: known coefficients, unseen people, every engine that runs here.")
Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
_EVERY = 2.0


@benchmark.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Folder of set and results. Run again to go on.")] = None,
    size: Annotated[str, typer.Option(help="full, or small for a look in minutes.")] = "full",
    ict: Annotated[Path | None, typer.Option(help="ict_facekit.npz. Without it: our demo head.")] = None,
    demo_head: Annotated[
        Path | None, typer.Option(help="The Blender add-on's folder, where this isn't a checkout of the sources.")
    ] = None,
    recording: Annotated[
        list[Path] | None, typer.Option(help="A Live Link Face CSV to take expressions from; give any number.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(help="One more that takes part, as for `evaluate --engine`. Repeatable.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Drawing processes; 0: one a core.")] = 1,
    json: Json = False,
) -> None:
    """Draw the fixed set, ask every engine that can run here, and write the tables."""
    if context.invoked_subcommand is not None:
        return
    from semanticface_training.evaluation.benchmark.suite import OPTIONS, Size, run_benchmark
    from semanticface_training.synthetic.build import default_demo_head
    from semanticface_training.synthetic.draw import Source

    if out is None:
        raise OptionsError("the benchmark needs a folder", "semanticface-train benchmark --out FOLDER")
    if size not in list(Size):
        raise OptionsError(f"there is no size {size[:40]!r}", f"choose one of {', '.join(Size)}")
    teller = _Teller(json)
    outcome = run_benchmark(
        out,
        OPTIONS[Size(size)],
        Source(ict, None if ict else demo_head or default_demo_head(), tuple(recording or ())),
        tuple(engine or ()),
        processes or os.cpu_count() or 1,
        on_drawn=lambda progress: teller("drawn", progress.done, progress.total),
        on_answered=lambda progress: teller(progress.method, progress.kept + progress.done, progress.asked),
        command=f"semanticface-train benchmark --size {size}",
    )
    _show(outcome, out, json)


@benchmark.command()
def calibrate(
    dataset: Annotated[Path, typer.Option(help="A dataset with known coefficients: training and validation split.")],
    out: Annotated[Path, typer.Option(help="The calibration to write, an .npz file.")],
    cache: Annotated[Path, typer.Option(help="Folder that keeps what was seen in the pictures.")],
    shapes: Annotated[str, typer.Option(help="Shapes that it takes over: names with commas, or all.")] = "all",
    json: Json = False,
) -> None:
    """Fit a calibration of the landmark engine: shapes read from landmarks instead of taken as scores."""
    from semanticface.engines.landmarks.calibration import write_calibration
    from semanticface_training.dataset.table import Dataset
    from semanticface_training.evaluation.baselines.design import material
    from semanticface_training.evaluation.benchmark.calibrate import CALIBRATABLE, fit_calibration
    from semanticface_training.evaluation.features.extract import Extractor
    from semanticface_training.evaluation.features.records import FeatureCache

    if out.suffix != ".npz":
        raise OptionsError(f"--out {out.name} is no .npz file", "the engine takes no other")
    names = CALIBRATABLE if shapes == "all" else tuple(part.strip() for part in shapes.split(",") if part.strip())
    opened, extractor, teller = Dataset.open(dataset), Extractor(), _Teller(json)
    rows = material(opened, FeatureCache(cache, extractor.model), extractor, teller)
    calibration = fit_calibration(opened, rows, extractor.model, names)
    write_calibration(out, calibration)
    if json:
        facts = {"pictures": rows.asked, "with_face": rows.found, "digest": calibration.digest}
        print_json({"event": "done", "path": str(out), "shapes": list(names), **facts})
    else:
        console().print(f"{out}: {len(names)} shapes, from {rows.found} of {rows.asked} pictures", markup=False)
        console().print(f"use it: --option calibration={out.resolve()}", markup=False)


@benchmark.command()
def calibration(
    footage: Annotated[Path, typer.Option(help="A clip of a real face, or an image sequence.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures and comparison.json.")],
    calibration: Annotated[Path | None, typer.Option(help="An .npz file; the shipped one by default.")] = None,
    shapes: Annotated[str, typer.Option(help="Shapes to draw: names with commas; all that it takes over.")] = "",
    json: Json = False,
) -> None:
    """Show a calibration beside the raw scores on footage: curves, and the faces at the frames that decide."""
    from semanticface.engines.landmarks.calibration import SHIPPED, read_calibration
    from semanticface_training.evaluation.benchmark.comparison import compare, write_comparison
    from semanticface_training.evaluation.features.extract import Extractor

    read = read_calibration(calibration or SHIPPED)
    only = tuple(part.strip() for part in shapes.split(",") if part.strip())
    if unknown := [name for name in only if name not in read.names]:
        raise OptionsError(f"the calibration has no {unknown[0][:40]}", f"it has: {', '.join(read.names)}")
    found = compare(footage, read, Extractor())
    pages = write_comparison(footage, found, out, only)
    if json:
        print_json({"event": "done", "frames": len(found.frames), "pages": [str(page) for page in pages]})
        return
    lines = [
        (line.name, "-" if line.agreement is None else f"{line.agreement:.2f}", *_ranges(line.raw, line.calibrated))
        for line in found.lines()
    ]
    print_table(f"{footage.name}: {len(found.frames)} frames", ("shape", "r", "raw", "calibrated"), lines)
    for page in pages:
        console().print(str(page), markup=False)


def _ranges(*ranges: tuple[float, float, float]) -> list[str]:
    return [" / ".join(f"{value:.2f}" for value in one) for one in ranges]


def _show(outcome: Outcome, out: Path, json: bool) -> None:
    if json:
        for row in outcome.rows:
            print_json({"event": "row", **_plain(row)})
        print_json({"event": "done", "path": str(out), "digest": outcome.digest, "left_out": list(outcome.left_out)})
        return
    for part in dict.fromkeys(row.part for row in outcome.rows):
        rows = [row for row in outcome.rows if row.part == part]
        table = [
            (
                row.method,
                f"{row.answered}/{row.asked}",
                str(row.n),
                *(_shown(value) for value in (row.mse, row.against_mean, row.against_raw, row.pearson)),
            )
            for row in rows
        ]
        print_table(part, ("method", "answered", "N", "MSE", "below the mean", "below raw", "Pearson"), table)
    for line in outcome.left_out:
        console().print(line, markup=False)
    console().print(f"{out / 'benchmark.md'}, {out / 'evaluation'}", markup=False)


def _plain(row: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(row)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


class _Teller:
    """Tells of progress every two seconds, and of the end of each thing."""

    def __init__(self, json: bool) -> None:
        self._json, self._last = json, 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < _EVERY and done < total:
            return
        self._last = now
        if self._json:
            print_json({"event": "progress", "what": what, "done": done, "total": total})
        else:
            console().print(f"{what}: {done:,} of {total:,}", markup=False)
