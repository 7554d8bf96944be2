"""`semanticface analyze`: footage through the backend, with progress for people or JSON lines for pipelines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.cli.output import ExitCode, console, print_json
from semanticface.client import Client
from semanticface.errors import OptionsError
from semanticface.media.frames import parse_frames
from semanticface.media.source import MediaRef
from semanticface.results import FrameResult, Status

GOOD = {Status.OK, Status.NO_FACE}


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """The command's arguments as typed."""

    source: str
    frames: str
    engine: str
    out: Path | None
    face: str
    smoothing: bool
    rate: str
    json: bool


def engine_options(face: str, smoothing: bool) -> dict[str, Any]:
    """`--face` and `--smoothing` as engine options. Raises OptionsError that says what is wrong."""
    options: dict[str, Any] = {} if smoothing else {"smoothing": False}
    if face == "largest":
        return options
    try:
        numbers = [float(part) for part in face.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0].is_integer() and numbers[0] >= 0:
        return options | {"face": int(numbers[0])}
    if len(numbers) == 4:
        return options | {"face": numbers}
    raise OptionsError(f"--face {face!r} is not understood", "largest, a number from the left, or a box x,y,w,h")


def run_analyze(request: AnalyzeRequest) -> ExitCode:
    """Analyze and report. Results stream to standard output with --json; the take grows meanwhile."""
    options = engine_options(request.face, request.smoothing)
    media = MediaRef.from_user(request.source, rate=request.rate or None).to_dict()
    with Client.connect(app="semanticface analyze") as client:
        info = client.probe(media)
        frames = parse_frames(request.frames, info["frame_count"]) if request.frames else None
        total = len(frames) if frames is not None else info["frame_count"]
        take = str(request.out.absolute()) if request.out else None
        tally: Counter[Status] = Counter()
        with _progress(total, request.json) as step:
            for result in client.analyze(media, frames=frames, engine=request.engine, options=options, take=take):
                tally[result.status] += 1
                step(result)
    return _summary(tally, request, info)


@contextmanager
def _progress(total: int, as_json: bool) -> Iterator[Callable[[FrameResult], None]]:
    if as_json:
        yield lambda result: print_json(result.to_dict())
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("analyzing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=console()) as bar:
        task = bar.add_task("analyzing", total=total, now="")

        def step(result: FrameResult) -> None:
            now = result.analysis.expression_category if result.analysis else result.status.value
            bar.update(task, advance=1, now=now[:40])

        yield step


def _summary(tally: Mapping[Status, int], request: AnalyzeRequest, info: Mapping[str, Any]) -> ExitCode:
    bad = sum(count for status, count in tally.items() if status not in GOOD)
    if not request.json:
        out = console()
        words = ", ".join(f"{count} {status.value}" for status, count in sorted(tally.items()))
        out.print(f"{sum(tally.values())} frames of {request.source} ({info['rate']} fps): {words or 'none'}")
        if request.out:
            out.print(f"take: {request.out}")
    return ExitCode.FRAMES if bad else ExitCode.OK
