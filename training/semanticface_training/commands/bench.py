"""`semanticface-train bench`: what parts of the training package cost, beside what is asked of them."""

from __future__ import annotations

from typing import Annotated

import typer

from semanticface.cli.output import ExitCode, print_json, print_table
from semanticface_training.commands.describe import Json

bench = typer.Typer(no_args_is_help=True, help="Measure what parts of the training package cost.")


@bench.callback()
def root() -> None:
    """Measure what parts of the training package cost."""


@bench.command()
def metrics(
    frames: Annotated[int, typer.Option(help="Frames of 61 actions.", min=1_200)] = 100_000,
    width: Annotated[int, typer.Option(help="Of the embeddings that R-Precision compares.", min=1, max=8_192)] = 512,
    json: Json = False,
) -> None:
    """All metrics over so many frames: time by metric and the peak of memory, in a process of its own."""
    from semanticface_training.evaluation.metrics.cost import ASKED_BYTES, ASKED_SECONDS, measure

    cost = measure(frames, width)
    if json:
        print_json(cost.to_dict())
    else:
        rows = [(name, f"{cost.seconds[name]:.2f}", f"{cost.processor[name]:.2f}") for name in cost.seconds]
        rows.append(
            (f"all (asked: under {ASKED_SECONDS:.0f})", f"{cost.total:.2f}", f"{sum(cost.processor.values()):.2f}")
        )
        print_table(f"{frames:,} frames of 61 actions, embeddings of {width}",
                    ("metric", "seconds", "of the processor"), rows)  # fmt: skip
        peak = "unknown here" if cost.peak_bytes is None else f"{cost.peak_bytes / (1 << 30):.2f} GB"
        typer.echo(f"memory at its peak: {peak} (asked: under {ASKED_BYTES >> 30} GB)")
        typer.echo(f"one text against its numbers: {cost.text_ms:.2f} ms (not in the sum)")
    if not cost.met:
        raise typer.Exit(ExitCode.FAILED)


@bench.command()
def describe(
    faces: Annotated[int, typer.Option(help="Different faces of 61 actions.", min=1)] = 10_000,
    json: Json = False,
) -> None:
    """Stage I by rules over so many faces, each text checked and written down; then the same run again."""
    from semanticface_training.stage1.cost import ASKED_SECONDS, measure

    cost = measure(faces)
    if json:
        print_json(cost.to_dict())
    else:
        rows = [
            (f"described, checked, written (asked: under {ASKED_SECONDS:.0f} s)", f"{cost.seconds:.1f} s"),
            ("the same again", f"{cost.again_seconds:.2f} s, {cost.again_texts:,} texts"),
            ("accepted, and lines of the file", f"{cost.accepted:,}, {cost.lines:,}"),
        ]
        print_table(f"{faces:,} faces, teacher rules", ("what", "measured"), rows)
    if not cost.met:
        raise typer.Exit(ExitCode.FAILED)
