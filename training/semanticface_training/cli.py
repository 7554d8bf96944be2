"""The `semanticface-train` command: from recorded takes to a checkpoint that the backend reads.

It speaks as `semanticface` does: with `--json` standard output carries one JSON object a line and nothing else, exit
codes are those of `semanticface.cli.output.ExitCode`. Each command stands in its own module under `commands/`, which
parses and calls one room; rooms and heavy libraries are imported when a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from semanticface import __version__
from semanticface.cli.output import run_command
from semanticface_training.commands.bench import bench
from semanticface_training.commands.benchmark import benchmark
from semanticface_training.commands.chain import demo
from semanticface_training.commands.dataset import dataset
from semanticface_training.commands.describe import describe
from semanticface_training.commands.emotions import emotions
from semanticface_training.commands.evaluate import evaluate
from semanticface_training.commands.evaluator import evaluator
from semanticface_training.commands.fit import fit
from semanticface_training.commands.synthesize import synthesize

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.info.help = "Train a SemanticFace model and measure it: datasets, descriptions, fine-tuning, evaluation."
dataset.command()(emotions)
app.add_typer(dataset, name="dataset")
app.add_typer(benchmark, name="benchmark")
app.add_typer(evaluator, name="evaluator")
app.add_typer(bench, name="bench")
app.command()(describe)
app.command()(fit)
app.command()(synthesize)
app.command()(demo)
app.command()(evaluate)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"semanticface-train {__version__}")
        raise typer.Exit
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # tells of kernels that nothing here asks for


def main() -> None:
    """Entry point of the console script."""
    run_command(app)
