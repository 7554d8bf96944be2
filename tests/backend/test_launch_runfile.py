"""The run file: private, atomic, true only as long as its process lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from semanticface import launch, processes
from semanticface.errors import BackendError
from semanticface.runfile import RunFile

posix = pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")


@pytest.fixture
def run(home: Path) -> RunFile:
    return launch.own_run_file(endpoint="tcp://127.0.0.1:9", instance="one", public_key="k" * 40, token="secret")


def test_a_run_file_comes_back_as_written(run: RunFile) -> None:
    launch.write_run_file(run)
    assert launch.read_run_file() == run
    assert launch.live_run_file() == run


def test_no_run_file_is_no_backend(home: Path) -> None:
    assert launch.read_run_file() is None
    assert launch.live_run_file() is None


@posix
def test_only_its_owner_can_read_the_token(run: RunFile) -> None:
    path = launch.write_run_file(run)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@posix
def test_a_run_file_that_others_may_write_is_not_believed(run: RunFile) -> None:
    path = launch.write_run_file(run)
    path.chmod(0o666)
    assert launch.live_run_file() is None
    with pytest.raises(BackendError, match="others may write it"):
        launch.read_run_file()


def test_writing_replaces_in_one_step_and_leaves_nothing_beside(run: RunFile) -> None:
    launch.write_run_file(run)
    path = launch.write_run_file(replace(run, instance="two"))
    assert launch.read_run_file() == replace(run, instance="two")
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_file_of_a_dead_process_is_cleaned(run: RunFile) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    path = launch.write_run_file(replace(run, pid=child.pid, started=1.0))
    assert launch.live_run_file() is None
    assert not path.exists()


def test_a_recycled_process_number_is_another_process_and_is_left_alone(run: RunFile) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        started = processes.start_time(child.pid)
        assert started is not None
        assert processes.is_alive(child.pid, started)
        path = launch.write_run_file(replace(run, pid=child.pid, started=started - 100))
        assert not processes.terminate(child.pid, started - 100)
        assert launch.live_run_file() is None
        assert not path.exists()
        assert not launch.stop()
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


@posix
def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = processes.start_time(child.pid)
    assert processes.is_alive(child.pid, started)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, nobody has taken its exit code
    assert not processes.is_alive(child.pid, started)
    child.communicate()


def test_a_file_of_another_machine_is_neither_joined_nor_removed(run: RunFile) -> None:
    path = launch.write_run_file(replace(run, host="another-machine", pid=2**22 + 5))
    assert launch.live_run_file() is None
    assert path.exists()


def test_only_the_instance_itself_removes_its_file(run: RunFile) -> None:
    path = launch.write_run_file(run)
    assert not launch.remove_run_file("another")
    assert path.exists()
    assert launch.remove_run_file("one")
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "other"}, "not a run file"),
        ({"version": 2}, "version 2"),
        ({"token": ""}, "must be texts"),
        ({"endpoint": 7}, "must be texts"),
        ({"pid": -3}, "process number"),
        ({"pid": "12"}, "process number"),
        ({"started": "yes"}, "must be a number"),
        ({"protocol": [1]}, "major, minor"),
    ],
)
def test_a_broken_run_file_is_refused_with_its_reason(run: RunFile, change: dict[str, object], reason: str) -> None:
    path = launch.write_run_file(run)
    path.write_text(json.dumps(run.to_dict() | change))
    with pytest.raises(BackendError, match=reason):
        launch.read_run_file()
    assert launch.live_run_file() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "x" * 100_000, "\xff\xfe"])
def test_any_text_in_the_run_file_is_at_most_an_error(run: RunFile, text: str) -> None:
    path = launch.write_run_file(run)
    path.write_text(text, "latin-1")
    with pytest.raises(BackendError, match=r"backend\.json"):
        launch.read_run_file()
    launch.write_run_file(run)
    assert launch.live_run_file() == run


def test_a_newer_writer_may_add_fields(run: RunFile) -> None:
    path = launch.write_run_file(run)
    path.write_text(json.dumps(run.to_dict() | {"colour": "blue"}))
    assert launch.read_run_file() == run
