"""What goes wrong around a batch: the backend dies, the user cancels, the disk is full, another holds the take."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from batch_kit import MemoryEditor, by_id, footage, run
from batch_kit import batch as batch_of
from semanticface_unreal.batch.analysis import Analysis, Request
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.journal import Journal
from semanticface_unreal.batch.progress import Outcome
from semanticface_unreal.batch.runner import Runner, RunOptions

from semanticface import paths
from semanticface.client import Client
from semanticface.errors import InputError
from semanticface.launch import live_run_file, start, stop
from semanticface.link import BackendLink
from semanticface.media.source import MediaRef
from semanticface.pump import Answer, Connected, Event, Lost, Pump

START = RunOptions(start=True, ahead=3)
FRAMES = 6


@pytest.fixture
def editor() -> MemoryEditor:
    return MemoryEditor()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Five sequences, and a home in which a backend may be started and killed."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    footage(tmp_path / "in", "a b c d e", FRAMES)
    yield tmp_path
    stop()


def slow(folder: Path, names: str = "a b c d e", delay: float = 0.03) -> Any:
    each = {name: {"source": str(folder / "in" / name)} for name in names.split()}
    return batch_of(folder, names, each, options={"delay": delay})


def lines(folder: Path) -> dict[str, int]:
    """Results in each take: a frame that was computed twice has two lines."""
    takes = folder / "batch.takes"
    return {take.parent.name: len(take.read_text().splitlines()) for take in takes.glob("*/frames.jsonl")}


def test_a_backend_that_is_killed_is_started_again_and_no_frame_is_computed_twice(
    folder: Path, editor: MemoryEditor
) -> None:
    killed: list[int] = []

    def kill(runner: Runner) -> None:
        backend = live_run_file()
        if not killed and backend is not None and sum(job.done for job in runner.progress.jobs) >= 5:
            killed.append(sum(lines(folder).values()))
            os.kill(backend.pid, signal.SIGKILL)

    progress = run(slow(folder), editor, START, kill)
    assert killed and 0 < killed[0] < 5 * FRAMES
    assert progress.outcome is Outcome.OK and len(editor.assets) == 5
    assert lines(folder) == dict.fromkeys("abcde", FRAMES)


def test_a_loss_that_comes_right_after_an_answer_is_no_fault_of_the_job(folder: Path) -> None:
    start()
    run_file = live_run_file()
    assert run_file is not None
    pump = Pump(run_file, "tests")
    wait_for(pump, Connected)
    media = MediaRef.from_user(str(folder / "in" / "a"), rate=Fraction(24))
    analysis = Analysis(Request(media, "", "echo", {}, folder / "take", True), pump)
    answer = wait_for(pump, Answer)
    os.kill(run_file.pid, signal.SIGKILL)
    wait_for(pump, Lost)
    assert analysis.handle(answer) and not analysis.ended


def wait_for(pump: Pump, kind: type[Event]) -> Event:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        pump.wait(0.05)
        for event in pump.poll(0.01):
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__} came")


def test_a_backend_that_dies_again_and_again_is_given_up(folder: Path, editor: MemoryEditor) -> None:
    def kill(runner: Runner) -> None:
        backend = live_run_file()
        if backend is not None and any(job.doing == "analyzing" for job in runner.progress.jobs):
            os.kill(backend.pid, signal.SIGKILL)

    hurried = Hurry()
    progress = run(slow(folder, "a b", delay=5.0), editor, START, kill, clock=hurried)
    assert progress.outcome is Outcome.FAILED and progress.count(Stage.FAILED) == 2
    assert {job.error.kind for job in progress.jobs if job.error is not None} == {"backend_lost"}


class Hurry:
    """A clock on which waiting for the next start takes no time."""

    def __call__(self) -> float:
        return time.monotonic() * 50


def test_without_a_backend_every_job_says_so(folder: Path, editor: MemoryEditor) -> None:
    progress = run(slow(folder), editor, RunOptions(start=False))
    assert progress.outcome is Outcome.FAILED
    assert {job.error.kind for job in progress.jobs if job.error is not None} == {"backend_missing"}


def test_a_command_that_is_no_backend_is_told(folder: Path, editor: MemoryEditor) -> None:
    progress = run(slow(folder, "a"), editor, RunOptions(command="/nowhere/python"))
    assert progress.jobs[0].error is not None and "/nowhere/python" in str(progress.jobs[0].error)


@pytest.mark.clock
def test_a_cancelled_run_ends_soon_and_the_next_one_goes_on(folder: Path, editor: MemoryEditor) -> None:
    since: list[float] = []

    def cancel(runner: Runner) -> None:
        if not since and runner.progress.count(Stage.DONE) >= 1:
            since.append(time.monotonic())
            runner.cancel()

    first = run(slow(folder), editor, START, cancel)
    assert time.monotonic() - since[0] < 3
    assert first.outcome is Outcome.CANCELLED and first.count(Stage.CANCELLED) >= 1
    assert first.count(Stage.DONE) + first.count(Stage.CANCELLED) == 5
    second = run(slow(folder), editor, START)
    assert second.outcome is Outcome.OK and second.kept == first.count(Stage.DONE)
    assert lines(folder) == dict.fromkeys("abcde", FRAMES)


def test_cancelling_before_anything_has_begun(folder: Path, editor: MemoryEditor) -> None:
    with Journal.open(slow(folder).journal) as journal:
        runner = Runner(slow(folder), editor, BackendLink("tests"), journal)
        runner.cancel()
        assert not runner.step(time.perf_counter()) and runner.progress.count(Stage.CANCELLED) == 5
    assert live_run_file() is None


def test_a_full_disk_ends_the_run_and_harms_nothing(folder: Path, editor: MemoryEditor) -> None:
    start()
    manifest = slow(folder, delay=0.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(runner: Runner) -> None:
        if runner.progress.count(Stage.DONE) >= 2:
            size = manifest.journal.stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))

    try:
        first = run(manifest, editor, START, fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert first.outcome is Outcome.FAILED and first.ended and "can't be written" in str(first.error)
    second = run(manifest, editor, START)
    assert second.outcome is Outcome.OK and len(editor.assets) == 5
    assert sorted(editor.written) == sorted(set(editor.written))
    assert lines(folder) == dict.fromkeys("abcde", FRAMES)


def test_a_take_that_another_job_still_writes_is_waited_for(folder: Path, editor: MemoryEditor) -> None:
    """As that of a process which was killed, and whose lease the backend still honours."""
    manifest = slow(folder, "a", delay=0.25)
    seen: set[str] = set()
    start()
    with Client.connect(app="other") as client:
        media = {"kind": "sequence", "path": str(folder / "in" / "a"), "rate": [24, 1]}
        take = str(manifest.take(manifest.jobs[0]))
        other = client.analyze(media, engine="echo", options={"delay": 0.25}, take=take)
        next(other)

        def watch(runner: Runner) -> None:
            seen.add(runner.progress.jobs[0].doing)
            if any("another job writes to" in doing for doing in seen):
                list(other)

        progress = run(manifest, editor, START, watch)
    assert any("another job writes to" in doing for doing in seen)
    assert progress.outcome is Outcome.OK and progress.jobs[0].computed == 0
    assert lines(folder) == {"a": FRAMES}


def test_two_runs_of_one_manifest_are_refused(folder: Path, editor: MemoryEditor) -> None:
    with Journal.open(slow(folder).journal), pytest.raises(InputError, match="being run by another process"):
        run(slow(folder), editor, START)


@pytest.mark.clock
def test_a_step_keeps_to_its_budget(folder: Path, editor: MemoryEditor) -> None:
    """Steps of 10 ms, by the time that this thread works; what exceeds it is a single piece of work."""
    start()
    spent: list[float] = []
    link = BackendLink("tests")
    with Journal.open(slow(folder).journal) as journal:
        runner = Runner(slow(folder, delay=0.005), editor, link, journal, START)
        more = True
        while more:
            since = time.thread_time()
            more = runner.step(time.perf_counter() + 0.01)
            spent.append(time.thread_time() - since)
            time.sleep(0.005)
    link.close()
    assert by_id(runner.progress)["e"].stage is Stage.DONE
    assert sorted(spent)[int(len(spent) * 0.9)] < 0.015
