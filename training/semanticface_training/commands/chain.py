"""`semanticface-train demo`: the whole chain on a CPU, from drawn faces to held-out faces read by the backend."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from semanticface.cli.output import console, print_json
from semanticface.errors import OptionsError


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run. Run again to go on after a kill.")] = Path(
        "out/train-demo"
    ),
    ict: Annotated[
        Path | None, typer.Option(help="ict_facekit.npz, ICT-FaceKit packed. Without it: our demo head.")
    ] = None,
    recording: Annotated[
        list[Path] | None, typer.Option(help="A Live Link Face CSV to take expressions from; give any number.")
    ] = None,
    steps: Annotated[str, typer.Option(help="full (20 minutes on two cores) or short (4, learns little).")] = "full",
    processes: Annotated[int, typer.Option(help="Processes or threads at a time; 0: one a core.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")] = False,
) -> None:
    """Draw faces, describe them, train A0, A1 and A2 from nothing, and let the backend read faces never seen."""
    from semanticface_training.chain.plan import BUDGETS, Demo, Length
    from semanticface_training.chain.run import run
    from semanticface_training.synthetic.build import default_demo_head
    from semanticface_training.synthetic.draw import Source

    if steps not in list(Length):
        raise OptionsError(f"--steps is {steps[:40]!r}", "full or short")
    source = Source(ict, None if ict else default_demo_head(), tuple(recording or ()))
    wanted = Demo(out, Length(steps), BUDGETS[Length(steps)], source, processes or _cores())

    def say(words: str) -> None:
        if json:
            print_json({"event": "progress", "text": words})
        else:
            console().print(words, markup=False)

    done = run(wanted, say)
    if json:
        print_json({"event": "done", "path": str(out), "seconds": done.seconds, **done.results.to_dict()})
    else:
        typer.echo(done.text)
        console().print(f"{out}: report.md, results.json, checkpoints/, predictions/", markup=False)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
