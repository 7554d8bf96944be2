"""`semanticface-train dataset`: build a dataset from recordings, check one, show what is in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    from semanticface_training.dataset.table import Dataset

dataset = typer.Typer(no_args_is_help=True, help="Datasets: build from recordings, check, show.")

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
Folder = Annotated[Path, typer.Argument(help="A dataset's folder.")]


@dataset.command()
def check(path: Folder, json: Json = False) -> None:
    """Decode every picture and compare everything with the table; code 3 and the row's name when something is wrong."""
    from semanticface_training.dataset.table import Dataset

    found = Dataset.open(path)
    found.check()
    if json:
        print_json({"path": str(path), "rows": len(found), "digest": found.digest, "problem": ""})
    else:
        console().print(f"{path}: {len(found):,} rows, all right", markup=False)


@dataset.command()
def show(path: Folder, json: Json = False) -> None:
    """Counts, splits, what was dropped and why, and the actions."""
    from semanticface_training.dataset.statistics import constant_actions, describe_values
    from semanticface_training.dataset.table import Dataset

    found = Dataset.open(path)
    statistics = describe_values(found.values)
    if json:
        print_json({**_facts(found), "constant_actions": constant_actions(statistics)})
        return
    header = found.header
    rows = [
        (split, f"{count:,}", ", ".join(header["subjects"][split][:12]))
        for split, count in header["counts"]["splits"].items()
    ]
    print_table(f"{path}: {len(found):,} rows, digest {found.digest[:16]}", ("split", "rows", "subjects"), rows)
    dropped = [(reason, f"{count:,}") for reason, count in header["counts"]["dropped_because"].items()]
    print_table(f"dropped: {header['counts']['dropped']:,}", ("why", "frames"), dropped)
    actions = [
        (s.action.name, f"{s.minimum:.3f}", f"{s.mean:.3f}", f"{s.maximum:.3f}", f"{s.active:.0%}", s.bars)
        for s in statistics
    ]
    print_table("actions", ("action", "min", "mean", "max", "active", "histogram"), actions)


def _facts(found: Dataset) -> dict[str, Any]:
    header = found.header
    return {"path": str(found.path), "digest": found.digest, "counts": header["counts"], "subjects": header["subjects"]}
