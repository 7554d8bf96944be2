"""A batch from the command line, without anybody to click: arguments in, log lines and a report out.

    semanticface_farm.py --manifest FILE [--only ID,ID] [--retry-failed] [--report FILE] [--backend COMMAND]

Lines begin with SEMANTICFACE and hold `key=value` pairs; the last one says how it ended. The report is removed at the
start and written last, in one piece: a farm may take it as the marker of a run that came to its end. Knows the editor
as a port, and where to say something as a function.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Never

from semanticface.errors import InputError, OptionsError, SemanticFaceError
from semanticface.link import BackendLink
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.journal import Journal
from semanticface_unreal.batch.manifest import Manifest, read_manifest
from semanticface_unreal.batch.progress import Outcome, Progress
from semanticface_unreal.batch.runner import Runner, RunOptions
from semanticface_unreal.batch.summary import changed, job_line, progress_line, result_line, summary, write_summary
from semanticface_unreal.ports import Editor

STEP = 0.05
"""Seconds of a step, and of a wait for the backend."""
TELL_EVERY = 10.0
"""Seconds between two lines about the progress of the whole."""


class Level(StrEnum):
    """How loud a line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Say = Callable[[Level, str], object]


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments as typed. `only` are ids, none for all jobs; `report` is None for the file beside the manifest."""

    manifest: Path
    only: tuple[str, ...] = ()
    retry_failed: bool = False
    report: Path | None = None
    backend: str | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Never:
        """Raises instead of ending the process: the run's last line must be written."""
        raise OptionsError(message, self.format_usage().strip())


def parse(arguments: Sequence[str]) -> Request:
    """Raises OptionsError that says what is wrong."""
    parser = _Parser("semanticface_farm.py", description="Run a batch manifest.", allow_abbrev=False)
    parser.add_argument("--manifest", type=Path, required=True, help="absolute path of the manifest")
    parser.add_argument("--only", default="", help="ids of jobs, with commas: these alone")
    parser.add_argument("--retry-failed", action="store_true", help="only jobs that failed before, or whose frames did")
    parser.add_argument("--report", type=Path, help="where the summary goes (default: beside the manifest)")
    parser.add_argument("--backend", help="the backend's Python or command (default: the one that is found)")
    chosen = parser.parse_args(list(arguments))
    for path in (chosen.manifest, chosen.report):
        if path is not None and not path.is_absolute():
            raise OptionsError(f"{path} is not an absolute path", "the editor has a working folder of its own")
    only = tuple(part.strip() for part in chosen.only.split(",") if part.strip())
    return Request(chosen.manifest, only, chosen.retry_failed, chosen.report, chosen.backend)


def run_headless(arguments: Sequence[str], editor: Editor, say: Say) -> Outcome:
    """Run to the end, saying what happens; the report is the last that is written, the result line the last said."""
    began = datetime.now(UTC)
    report: Path | None = None
    manifest = Path()
    try:
        request = parse(arguments)
        manifest = request.manifest
        report = request.report or Manifest(manifest, ()).summary
        _clear(report)
        progress = _run(request, editor, say)
    except SemanticFaceError as error:
        progress = Progress((), ended=True, error=error)
    if report is not None:
        try:
            write_summary(report, summary(progress, manifest, began))
        except InputError as error:
            progress = replace(progress, error=progress.error or error)
    if progress.error is not None:
        say(Level.ERROR, str(progress.error))
    say(Level.INFO if progress.outcome is Outcome.OK else Level.ERROR, result_line(progress))
    return progress.outcome


def _run(request: Request, editor: Editor, say: Say) -> Progress:
    """Raises InputError where it can't begin."""
    manifest = read_manifest(request.manifest)
    if request.only:
        manifest = manifest.only(request.only)
    link = BackendLink("unreal farm")
    with _logging(say), Journal.open(manifest.journal) as journal:
        options = RunOptions(command=request.backend, retry_failed=request.retry_failed)
        runner = Runner(manifest, editor, link, journal, options)
        try:
            return _drive(runner, say)
        finally:
            link.close()


def _drive(runner: Runner, say: Say) -> Progress:
    before: Progress | None = None
    told = time.monotonic()
    more = True
    while more:
        more = runner.step(time.perf_counter() + STEP)
        now = runner.progress
        for job in changed(before, now):
            say(Level.ERROR if job.stage is Stage.FAILED else Level.INFO, job_line(job))
            for remark in job.remarks if job.ended else ():
                say(Level.INFO, f"{job.id}: {remark}")
        before = now
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            say(Level.INFO, progress_line(now))
        runner.wait(STEP)
    return runner.progress


def _clear(report: Path) -> None:
    try:
        report.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{report} can't be removed: {error.strerror or error}", "is it open elsewhere?") from error


@contextmanager
def _logging(say: Say) -> Iterator[None]:
    """What the library logs goes the same way: the editor takes every line on stderr for an error of the run."""
    handler = _Handler(say)
    loggers = [logging.getLogger(name) for name in ("semanticface", "semanticface_unreal")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(Level.WARNING, self.format(record))
