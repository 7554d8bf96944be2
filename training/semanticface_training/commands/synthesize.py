"""`semanticface-train synthesize`: a dataset of rendered heads whose labels are exact."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.output import console, print_json

if TYPE_CHECKING:
    from semanticface_training.synthetic.build import Progress

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]


def synthesize(
    out: Annotated[Path, typer.Argument(help="Folder for the dataset. Run again to go on after a kill.")],
    ict: Annotated[
        Path | None, typer.Option(help="ict_facekit.npz, ICT-FaceKit packed. Without it: our demo head.")
    ] = None,
    demo_head: Annotated[
        Path | None, typer.Option(help="The Blender add-on's folder, where this isn't a checkout of the sources.")
    ] = None,
    recording: Annotated[
        list[Path] | None, typer.Option(help="A Live Link Face CSV to take expressions from; give any number.")
    ] = None,
    train: Annotated[int, typer.Option(help="Pictures to train on.")] = 1600,
    val: Annotated[int, typer.Option(help="Pictures to validate on.")] = 200,
    test: Annotated[int, typer.Option(help="Pictures to test on.")] = 200,
    per_identity: Annotated[int, typer.Option(help="Pictures of one identity.")] = 20,
    size: Annotated[int, typer.Option(help="Side of a picture in px.")] = 256,
    seed: Annotated[int, typer.Option(help="Another seed gives other people and pictures.")] = 0,
    recorded: Annotated[float, typer.Option(help="Share with recorded expressions; the others are sparse.")] = 0.5,
    posed: Annotated[float, typer.Option(help="Share with the head turned far (tag pose).")] = 0.15,
    occluded: Annotated[float, typer.Option(help="Share behind glasses, a hand or a bar (tag occluded).")] = 0.10,
    toon: Annotated[float, typer.Option(help="Share drawn as a cartoon (tag toon).")] = 0.05,
    degrade: Annotated[bool, typer.Option(help="Noise, blur, compression, grey, exposure.")] = True,
    sweeps: Annotated[int, typer.Option(help="Test identities that show each action alone (tag sweep:).")] = 0,
    levels: Annotated[int, typer.Option(help="Levels of a sweep.")] = 5,
    mirror_pairs: Annotated[int, typer.Option(help="Pairs of mirrored test pictures (tag mirror:).")] = 0,
    favour: Annotated[
        list[str] | None, typer.Option(help="A shape that sparse expressions move more often; give any number.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Drawing processes; 0: one a core.")] = 1,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet there (.jpg, .png).")] = None,
    json: Json = False,
) -> None:
    """Draw faces with known coefficients: people, light, camera, occluders and image quality at random, by seed."""
    import os

    from semanticface_training.synthetic.build import default_demo_head
    from semanticface_training.synthetic.draw import Source
    from semanticface_training.synthetic.plan import SetOptions

    counts: dict[str, Any] = {
        "train": train,
        "val": val,
        "test": test,
        "per_identity": per_identity,
        "size": size,
        "seed": seed,
    }
    shares: dict[str, Any] = {"recorded": recorded, "posed": posed, "occluded": occluded, "toon": toon}
    extras: dict[str, Any] = {"sweeps": sweeps, "levels": levels, "mirror_pairs": mirror_pairs}
    options = SetOptions(**counts, **shares, **extras, degrade=degrade, favoured=tuple(favour or ()))
    source = Source(ict, None if ict else demo_head or default_demo_head(), tuple(recording or ()))
    _run(out, options, source, processes or os.cpu_count() or 1, sheet, json)


def _run(out: Path, options: Any, source: Any, processes: int, sheet: Path | None, json: bool) -> None:
    from semanticface_training.synthetic.build import synthesize as build
    from semanticface_training.synthetic.sheet import write_sheet

    if not source.recordings and options.recorded and not json:
        console().print("no --recording given: all expressions are sparse combinations", markup=False)
    teller = _Teller(json)
    dataset = build(out, options, source, processes, teller)
    shown = write_sheet(dataset, sheet) if sheet else 0
    if json:
        print_json(
            {**teller.facts(), "event": "done", "path": str(out), "rows": len(dataset), "digest": dataset.digest}
        )
    else:
        console().print(f"{out}: {len(dataset):,} pictures, digest {dataset.digest[:16]}", markup=False)
        if sheet:
            console().print(f"{sheet}: {shown} of them", markup=False)


class _Teller:
    """Tells of progress every two seconds."""

    def __init__(self, json: bool) -> None:
        self._json, self._begin, self._last = json, time.monotonic(), 0.0
        self._progress: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        self._progress = progress
        now = time.monotonic()
        if now - self._last < 2.0 and progress.done < progress.total:
            return
        self._last = now
        if self._json:
            print_json({**self.facts(), "event": "progress"})
        else:
            facts = self.facts()
            console().print(
                f"{facts['done']:,} of {facts['total']:,} drawn, {facts['rate']:.1f} a second", markup=False
            )

    def facts(self) -> dict[str, Any]:
        """Counts, seconds and pictures a second of this run."""
        if self._progress is None:
            return {"done": 0, "total": 0, "seconds": 0.0, "rate": 0.0}
        seconds = time.monotonic() - self._begin
        rate = self._progress.drawn / max(seconds, 1e-6)
        counts = {"done": self._progress.done, "total": self._progress.total}
        return {**counts, "seconds": round(seconds, 2), "rate": round(rate, 3)}
