"""A backend that breaks the protocol costs the jobs concerned, not the queue. With the mock, which can break it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_kit import MemoryEditor, batch, footage, run
from semanticface_unreal.batch.job import Stage
from semanticface_unreal.batch.progress import Outcome
from semanticface_unreal.batch.runner import Runner, RunOptions

from semanticface import paths
from semanticface.mock import MockBackend
from semanticface.mock_script import Fault, Script


@pytest.fixture
def mock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MockBackend]]:
    """Starts a mock in a thread, in a home of its own."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    running: list[tuple[MockBackend, threading.Thread]] = []

    def start(**behaviour: Any) -> MockBackend:
        backend = MockBackend(Script(**{"frames": 3, **behaviour}))
        backend.open()
        thread = threading.Thread(target=lambda: backend.close(tidy=backend.serve()))
        thread.start()
        running.append((backend, thread))
        return backend

    yield start
    for backend, thread in running:
        backend.stopped = True
        thread.join(10)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.FAIL_JOB, "job_failed", ""),
        (Fault.LOSE, "protocol", "ended without 1 of its frames: 1"),
        (Fault.TWICE, "protocol", "a second result for frame 1"),
        (Fault.STRANGE, "protocol", "not asked for"),
        (Fault.BAD_RESULT, "protocol", ""),
        (Fault.MALFORMED, "protocol", "ended without 1 of its frames: 1"),
    ],
)
def test_what_breaks_the_protocol_fails_the_job_that_it_concerns(
    tmp_path: Path, mock: Callable[..., MockBackend], fault: Fault, kind: str, words: str
) -> None:
    footage(tmp_path, "one two")
    mock(faults={1: fault})
    each = {"two": {"frames": "0,2"}}  # which never comes to the frame in question
    progress = run(batch(tmp_path, "one two", {"one": {"frames": "0-2"}, **each}, engine="auto"), MemoryEditor())
    one, two = progress.jobs
    assert progress.outcome is Outcome.FAILED and one.stage is Stage.FAILED
    assert one.error is not None and one.error.kind == kind and words in one.error.message
    assert two.done == 2


def test_a_job_that_is_done_without_a_take_is_told_and_not_tried_for_ever(
    tmp_path: Path, mock: Callable[..., MockBackend]
) -> None:
    footage(tmp_path, "one")
    backend = mock()
    progress = run(batch(tmp_path, "one", engine="auto"), MemoryEditor())
    assert "is not a take" in str(progress.jobs[0].error)
    assert sum(message.type == "submit" for message in backend.received) == 1
    assert progress.engine.startswith("engine: mock")


def test_jobs_are_asked_for_as_the_manifest_says(tmp_path: Path, mock: Callable[..., MockBackend]) -> None:
    footage(tmp_path, "one")
    backend = mock(frames=200)
    fields = {"frames": "0-9:3,100-", "engine": "mock", "options": {"face": 1}, "rate": "30000/1001"}
    run(batch(tmp_path, "one", {"one": fields}), MemoryEditor())
    (asked,) = [message for message in backend.received if message.type == "submit"]
    assert asked["frames"] == [(0, 9, 3), (100, 199, 1)] and asked["engine"] == "mock"
    assert asked["options"] == {"face": 1} and asked["media"]["rate"] == [30000, 1001]
    assert asked["take"] == str(tmp_path / "batch.takes" / "one") and asked["priority"] == "batch"


def test_no_more_jobs_are_with_the_backend_than_are_wanted_ahead(
    tmp_path: Path, mock: Callable[..., MockBackend]
) -> None:
    footage(tmp_path, "a b c d e f")
    backend = mock(delay=0.01)
    most: list[int] = []

    def watch(runner: Runner) -> None:
        most.append(len(backend._jobs.running))

    run(batch(tmp_path, "a b c d e f", engine="auto"), MemoryEditor(), RunOptions(start=False, ahead=2), watch)
    assert max(most) == 2


def test_a_cancelled_run_does_not_wait_for_a_backend_that_hangs(
    tmp_path: Path, mock: Callable[..., MockBackend]
) -> None:
    footage(tmp_path, "one two")
    mock(faults={1: Fault.FREEZE}, delay=0.01)

    def cancel(runner: Runner) -> None:
        if all(job.doing == "analyzing" for job in runner.progress.jobs):
            time.sleep(0.2)  # by now it answers nothing any more
            runner.cancel()

    def hurried() -> float:
        return time.monotonic() * 20

    each = {"one": {"frames": "1"}, "two": {"frames": "1"}}
    manifest = batch(tmp_path, "one two", each, engine="auto")
    progress = run(manifest, MemoryEditor(), RunOptions(start=False), cancel, hurried)
    assert progress.outcome is Outcome.CANCELLED and progress.count(Stage.CANCELLED) == 2
