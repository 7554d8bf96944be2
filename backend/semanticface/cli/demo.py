"""`semanticface demo`: prints what the demonstration does, how far it was from the truth, and where to look."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from semanticface.cli.output import ExitCode, console, print_json, print_table
from semanticface.demo.compare import RegionError
from semanticface.demo.run import run_demo

_COLUMNS = ("region", "unit", "actions", "moving", "mean error", "90 % within", "correlation")


def _row(error: RegionError) -> tuple[str, ...]:
    correlation = "-" if error.correlation is None else f"{error.correlation:.2f}"
    counts = str(error.actions), str(error.moving)
    return (error.region, error.unit, *counts, f"{error.mean:.3f}", f"{error.p90:.3f}", correlation)


def run_demo_command(out: Path, sample: Path | None, as_json: bool) -> ExitCode:
    """Run it and report; OK also when only the Blender part could not run."""
    people = console()

    def say(text: str) -> None:
        people.print("[bold]>[/]", end=" ")
        people.print(text, markup=False)

    report = run_demo(out, sample, say)
    if as_json:
        regions = [dataclasses.asdict(error) for error in report.errors]
        files = [str(path) for path in report.files]
        print_json({"files": files, "errors": regions, "rows": report.rows, "seconds": report.seconds})
        return ExitCode.OK
    rows = [_row(error) for error in report.errors]
    print_table("Error against the sample's exact coefficients", _COLUMNS, rows)
    say(f"done in {report.seconds:.0f} s. Look at:")
    for path in report.files:
        people.print(f"    {path}", markup=False)
    return ExitCode.OK
