"""Mock backends in threads, each with its own home, for the tests of the client; the true backend has its own file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from semanticface import paths
from semanticface.mock import MockBackend
from semanticface.mock_script import Script
from semanticface.runfile import RunFile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own for run file, register and logs."""
    folder = tmp_path / "home"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(folder))
    return folder


@dataclass
class RunningMock:
    """A mock that serves in a thread of the test."""

    backend: MockBackend
    run: RunFile
    thread: threading.Thread

    @property
    def types(self) -> list[str]:
        """The types of the messages that it has received, in order."""
        return [message.type for message in self.backend.received]


@pytest.fixture
def start_mock(home: Path) -> Iterator[Callable[..., RunningMock]]:
    """Call it with a Script's fields; the mocks end with the test."""
    running: list[RunningMock] = []

    def start(**behaviour: object) -> RunningMock:
        backend = MockBackend(Script(**behaviour))  # type: ignore[arg-type]
        run = backend.open()

        def serve() -> None:
            tidy = backend.serve()
            backend.close(tidy=tidy)

        thread = threading.Thread(target=serve)
        thread.start()
        running.append(RunningMock(backend, run, thread))
        return running[-1]

    yield start
    for mock in running:
        mock.backend.stopped = True
        mock.thread.join(5)
        assert not mock.thread.is_alive()
