"""A whole synthetic dataset: processes that draw, what they have done by now, and the dataset at the end.

Killed and started again with the same options it goes on where it stopped, with any number of processes. This module
neither draws nor knows what is drawn.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from semanticface.errors import AssetError, EngineError, OptionsError, SemanticFaceError, from_wire
from semanticface_training.dataset.table import Dataset
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.synthetic.draw import Source, heads_abilities, part_name, write_job
from semanticface_training.synthetic.plan import SetOptions, slots

RENDERER = 2
"""Raised when the same options give other pictures, so that no set is gone on with in another style."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS")
_ICT_LICENCE = "Rendered from ICT-FaceKit (USC Institute for Creative Technologies, MIT licence)."
_DEMO_LICENCE = "Rendered from SemanticFace's own demo head: the pictures are free to use."
_NOTES = (
    "Labels are exact: each picture was drawn from the numbers in its row.",
    "Eyes turn by 0.61 rad for an EyeLook coefficient of 1; eye roll is always 0.",
    "Tags: recorded, sparse (where the expression comes from), pose, occluded, toon, sweep:<Action>, mirror:<id>.",
)


@dataclass(frozen=True)
class Progress:
    """So many of all pictures are there; `drawn` of them in this run."""

    done: int
    total: int
    drawn: int


def default_demo_head() -> Path | None:
    """The Blender add-on's folder where this is a checkout of the sources, else None."""
    folder = Path(__file__).resolve().parents[3] / "blender_addon"
    return folder if (folder / "demo_head").is_dir() else None


def synthesize(
    out: Path,
    options: SetOptions,
    source: Source,
    processes: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> Dataset:
    """Draw the set into `out` and return it, opened.

    Raises OptionsError for options that give no picture, AssetError for a head that can't be read, ExchangeError for
    a recording, InputError for a folder that holds something else, EngineError when a drawing process fails.
    """
    _check(options, source, processes)
    meta = describe(options, source)
    claim = DatasetWriter(out, meta)
    if claim.finished:
        return claim.finish()
    claim.close()
    total = sum(1 for _ in slots(options, heads_abilities(source)[1]))
    before = _stored(out, meta, options, source)
    report = on_progress or (lambda progress: None)
    report(Progress(before, total, 0))
    if before < total:
        with tempfile.TemporaryDirectory(prefix="semanticface-synthesize-") as folder:
            jobs = [Path(folder) / f"job{number}.json" for number in range(processes)]
            for number, job in enumerate(jobs):
                write_job(job, options, source, meta, out, (number, processes))
            with _drawing(jobs) as finished:
                for drawn, _ in enumerate(finished, 1):
                    report(Progress(before + drawn, total, drawn))
    return DatasetWriter(out, meta).finish()


def _check(options: SetOptions, source: Source, processes: int) -> None:
    if not (options.train or options.val or options.test or options.sweeps or options.mirror_pairs):
        raise OptionsError("there is nothing to draw", "give a number of pictures for a split")
    if processes < 1:
        raise OptionsError(f"{processes} processes can't draw", "give 1 or more")
    for path in (source.ict, *source.recordings):
        if path is not None and not path.is_file():
            raise AssetError(f"there is no file {path}", "give the path of a file that exists")
    if source.ict is None and (source.demo_head is None or not (source.demo_head / "demo_head").is_dir()):
        raise AssetError(
            "there is no head to draw",
            "give ICT-FaceKit's data (--ict), or the folder of the Blender add-on (--demo-head)",
        )


def describe(options: SetOptions, source: Source) -> Meta:
    """What the dataset is made from: heads and recordings by name and SHA-256, options, licence."""
    sources: list[dict[str, Any]] = [{"head": "ict" if source.ict else "demo", "renderer": RENDERER}]
    files = [source.ict] if source.ict else sorted((source.demo_head or Path()).glob("demo_head/*.py"))
    sources[0]["sha256"] = hashlib.sha256(b"".join(_digest(path) for path in files)).hexdigest()
    sources += [{"recording": path.name, "sha256": _digest(path).hex()} for path in source.recordings]
    licence = _ICT_LICENCE if source.ict else _DEMO_LICENCE
    return Meta("synthetic", sources, asdict(options), licence, _NOTES)


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError as error:
        raise AssetError(f"can't read {path}: {error.strerror or error}", "is it the right file?") from error


def _stored(out: Path, meta: Meta, options: SetOptions, source: Source) -> int:
    """How many pictures a killed build has left."""
    count = 0
    for subject in sorted({slot.subject for slot in slots(options, heads_abilities(source)[1])}):
        with DatasetWriter(out, meta, part_name(subject)) as writer:
            count += len(writer.stored)
    return count


@contextmanager
def _drawing(jobs: list[Path]) -> Iterator[Iterator[str]]:
    """Processes at work; gives the ids that they report. They are ended, whatever happens."""
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}  # sums in one order: the same bytes everywhere
    command = [sys.executable, "-m", "semanticface_training.synthetic.draw"]
    errors = [job.with_suffix(".err") for job in jobs]
    running = []
    try:
        for job, error in zip(jobs, errors, strict=True):
            with error.open("wb") as stream:
                running.append(
                    subprocess.Popen([*command, str(job)], stdout=subprocess.PIPE, stderr=stream, env=environment)
                )
        yield _lines(running, errors)
    finally:
        for process in running:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _lines(running: list[subprocess.Popen[bytes]], errors: list[Path]) -> Iterator[str]:
    lines: Queue[tuple[int, str]] = Queue()

    def listen(number: int) -> None:
        for line in running[number].stdout or ():
            lines.put((number, line.decode().strip()))
        lines.put((number, ""))

    for number in range(len(running)):
        threading.Thread(target=listen, args=(number,), daemon=True).start()
    open_ends = len(running)
    while open_ends:
        number, line = lines.get()
        if line:
            yield line
            continue
        open_ends -= 1
        if running[number].wait() != 0:
            raise _failure(errors[number], running[number].returncode)


def _failure(stream: Path, status: int) -> SemanticFaceError:
    said = stream.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = said[-1] if said else f"exit code {status}"
    try:
        return from_wire(json.loads(last))
    except ValueError:
        return EngineError(f"a drawing process failed: {last}", "drawing needs the bpy module and Mesa's libEGL")
