"""Starting the backend: ready means an answered hello; every failure is said with the end of the log."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from semanticface import launch, paths, processes
from semanticface.client import Client
from semanticface.errors import BackendLost, BackendMissing, VersionMismatch
from semanticface.installation import Installation, Verdict
from semanticface.launch import Starter, StartStage, StartState


def command_of(*words: str) -> Installation:
    return Installation(Verdict.OK, (sys.executable, *words))


MOCK = command_of("-m", "semanticface.mock")


@pytest.fixture
def stopping(home: Path) -> Iterator[None]:
    """Whatever the test has started ends with it."""
    yield
    launch.stop()


def wait_for(starter: Starter, seconds: float = 20) -> StartState:
    deadline = time.monotonic() + seconds
    while starter.poll().stage is StartStage.STARTING and time.monotonic() < deadline:
        time.sleep(0.005)
    return starter.state


@pytest.mark.usefixtures("stopping")
def test_a_start_ends_ready_with_the_run_file_of_a_living_backend() -> None:
    starter = Starter(MOCK)
    assert starter.state.stage is StartStage.STARTING
    state = wait_for(starter)
    assert state.stage is StartStage.READY
    assert state.run == launch.live_run_file()
    assert starter.poll() is state
    assert state.run is not None
    assert Path(state.run.log).parent == paths.log_dir()


@pytest.mark.clock
@pytest.mark.usefixtures("stopping")
def test_polling_a_start_never_holds_up_the_host() -> None:
    starter = Starter(MOCK)
    longest = 0.0
    spawning = True
    while starter.state.stage is StartStage.STARTING:
        begin = time.perf_counter()
        starter.poll()
        if not spawning:
            longest = max(longest, time.perf_counter() - begin)
        spawning = False
        time.sleep(0.01)
    assert starter.state.stage is StartStage.READY
    assert longest < 0.05  # mostly 1 ms; two cores are shared with the backend that comes up


@pytest.mark.usefixtures("stopping")
def test_a_host_without_threads_takes_the_exit_codes_itself() -> None:
    children: list[subprocess.Popen[bytes]] = []
    state = wait_for(Starter(MOCK, reap=children.append))
    assert state.run is not None and [child.pid for child in children] == [state.run.pid]
    assert not any(thread.name == "semanticface-reaper" for thread in threading.enumerate())
    children[0].kill()
    assert children[0].wait(10) != 0


@pytest.mark.usefixtures("stopping")
def test_two_starters_at_once_end_with_one_backend() -> None:
    starters = [Starter(MOCK) for _ in range(4)]
    for starter in starters:
        starter.poll()
    states = [wait_for(starter) for starter in starters]
    assert {state.stage for state in states} == {StartStage.READY}
    assert len({state.run.instance for state in states if state.run is not None}) == 1
    assert sum(starter._process is not None for starter in starters) == 1


@pytest.mark.usefixtures("stopping")
def test_a_second_program_joins_what_the_first_has_started() -> None:
    first = launch.start(MOCK)
    broken = Installation(Verdict.NOT_INSTALLED, message="must not matter")
    assert launch.start(broken) == first


@pytest.mark.usefixtures("stopping")
def test_a_stale_run_file_does_not_keep_a_backend_from_starting() -> None:
    run = launch.own_run_file(endpoint="tcp://127.0.0.1:9", instance="old", public_key="k" * 40, token="t")
    launch.write_run_file(replace(run, started=1.0))
    assert launch.start(MOCK).instance != "old"


def test_a_missing_installation_is_said_before_anything_is_started(home: Path) -> None:
    state = Starter(Installation(Verdict.NOT_INSTALLED, message="install it")).poll()
    assert state.stage is StartStage.FAILED
    assert isinstance(state.error, BackendMissing)
    assert "install it" in state.message


def test_a_program_that_is_gone_is_a_missing_backend(home: Path) -> None:
    with pytest.raises(BackendMissing, match="/gone/python"):
        launch.start(Installation(Verdict.OK, ("/gone/python",)))


def test_a_backend_that_dies_while_it_starts_shows_the_end_of_its_log(home: Path) -> None:
    code = "import sys; print('libEGL is missing', file=sys.stderr); sys.exit(3)"
    with pytest.raises(BackendLost, match=r"code 3(.|\n)*libEGL is missing"):
        launch.start(command_of("-c", code))


def test_a_backend_that_never_gets_ready_is_ended_after_the_timeout(home: Path) -> None:
    code = f"import os, pathlib, time; pathlib.Path({str(home)!r}, 'pid').write_text(str(os.getpid())); time.sleep(60)"
    with pytest.raises(BackendLost, match=r"not ready within 1 s"):
        launch.start(command_of("-c", code), timeout=1.0)
    pid = int((home / "pid").read_text())
    deadline = time.monotonic() + 5
    while processes.start_time(pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_giving_up_a_start_ends_what_it_has_started(home: Path) -> None:
    starter = Starter(command_of("-c", "import time; time.sleep(60)"))
    starter.poll()
    process = starter._process
    assert process is not None
    starter.close()
    assert process.wait(5) != 0
    assert starter.state.stage is StartStage.FAILED


def test_after_a_failed_start_the_next_one_is_free_to_try(home: Path) -> None:
    with pytest.raises(BackendLost):
        launch.start(command_of("-c", "raise SystemExit(1)"))
    launch.start(MOCK)
    assert launch.stop()


def test_a_living_backend_of_another_version_is_refused_with_the_side_to_update(start_mock) -> None:
    start_mock(protocol=(2, 0))
    with pytest.raises(VersionMismatch, match="update this client"):
        launch.start(MOCK)


@pytest.mark.clock
def test_a_living_process_that_answers_nothing_fails_the_start_and_is_not_killed(home: Path) -> None:
    run = launch.own_run_file(endpoint="tcp://127.0.0.1:9", instance="mute", public_key="k" * 40, token="t")
    launch.write_run_file(run)
    begin = time.monotonic()
    with pytest.raises(BackendLost):
        launch.start(MOCK, timeout=1.0)
    assert time.monotonic() - begin < 5
    assert launch.read_run_file() == run


@pytest.mark.usefixtures("stopping")
def test_the_hosts_python_variables_do_not_reach_the_backend(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/host/modules")
    monkeypatch.setenv("BLENDER_USER_RESOURCES", "/host")
    monkeypatch.setenv("HF_HOME", "/models")
    child = processes.child_environment(os.environ)
    assert "PYTHONPATH" not in child
    assert "BLENDER_USER_RESOURCES" not in child
    assert child["HF_HOME"] == "/models"
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # no Python starts with it
    assert launch.start(MOCK).pid > 0


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
@pytest.mark.usefixtures("stopping")
def test_the_backend_is_out_of_reach_of_the_hosts_ctrl_c() -> None:
    run = launch.start(MOCK)
    assert os.getsid(run.pid) == run.pid != os.getsid(0)


def test_old_logs_do_not_pile_up(home: Path) -> None:
    for _ in range(8):
        with pytest.raises(BackendLost):
            launch.start(command_of("-c", "raise SystemExit(1)"))
        for number, log in enumerate(sorted(paths.log_dir().glob("*.log"))):
            log.rename(log.with_name(f"backend-2000010{number}-000000-{os.urandom(3).hex()}.log"))
    assert len(list(paths.log_dir().glob("*.log"))) <= launch.KEPT_LOGS


def test_stop_without_a_backend_says_so(home: Path) -> None:
    assert not launch.stop()


def test_stop_ends_the_backend_and_its_run_file(home: Path) -> None:
    run = launch.start(MOCK)
    assert launch.stop()
    assert not processes.is_alive(run.pid, run.started)
    assert launch.read_run_file() is None


@pytest.mark.skipif(sys.platform == "win32", reason="a stopped process")
def test_stop_ends_a_backend_that_hangs(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "freeze.json"
    script.write_text('{"faults": {"0": "freeze"}}')
    run = launch.start(command_of("-m", "semanticface.mock", "--script", str(script)))
    with Client.connect(start=False) as client:
        with pytest.raises(BackendLost):
            list(client.analyze("/a.mp4"))
        assert launch.stop(timeout=2)
    assert not processes.is_alive(run.pid, run.started)


def test_no_thread_and_no_process_is_left_by_a_start(home: Path) -> None:
    launch.start(MOCK)
    assert launch.stop()
    deadline = time.monotonic() + 2
    while any(thread.name == "semanticface-reaper" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
