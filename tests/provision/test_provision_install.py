"""The installer as a host starts it: a process of its own, real environments, real pip, wheels from a folder.

One environment takes some seconds to make, so each test follows one through several turns.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from provision_kit import Index, index, libraries, package, wheels

from semanticface import paths, processes
from semanticface.installation import Verdict, environment_path, find_backend, register_path
from semanticface.provision import places, runner
from semanticface.provision.order import Order, Work
from semanticface.provision.overview import InstallState, ending, look
from semanticface.provision.progress import Outcome, Progress, Step, log_tail
from semanticface.provision.runner import Installer
from semanticface.provision.trouble import Cause, ProvisionError

PATIENCE = 120.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def host(home: Path, plain_pip: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a host's Python, which has no backend."""
    monkeypatch.setattr("semanticface.installation.NEEDED", ("no_such_library_here",))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))  # what a host sets for itself must not reach the installer


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, log_tail()
        time.sleep(0.02)


def carry_out(order: Order) -> Progress:
    """Start it and poll it to its end, as a host does."""
    installer = Installer(order)
    seen: list[Progress] = []
    longest = 0.0

    def ended() -> bool:
        nonlocal longest
        start = time.perf_counter()
        progress = installer.poll()
        longest = max(longest, time.perf_counter() - start)
        seen.extend([progress] if progress is not None else [])
        return bool(seen) and seen[-1].outcome is not Outcome.RUNNING

    until(ended)
    assert not installer.running
    return seen[-1]


def test_from_a_folder_without_a_network_with_a_wheel_missing_at_first(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wheels with a space"
    package(folder)
    order = Order(wheels=folder, model_file=None)
    ended = carry_out(order)
    assert (ended.outcome, ended.step, ended.cause) == (Outcome.FAILED, Step.PACKAGES, Cause.WHEEL_MISSING), log_tail()
    assert look(find_backend(), order.folder).state is InstallState.INCOMPLETE
    assert find_backend().verdict is Verdict.NOT_INSTALLED, "nothing that is half made is found"
    (begun,) = places.environments(order.folder)
    assert not begun.whole

    libraries(folder)
    ended = carry_out(order)
    assert ended.outcome is Outcome.DONE, (ended, log_tail())
    (made,) = places.environments(order.folder)
    assert made.whole and made.folder == begun.folder, "the interrupted one was gone on with"
    assert find_backend().command == (str(made.python), "-m", "semanticface.server")
    found = subprocess.run([made.python, "-c", "import cv2; print(cv2.__file__)"], capture_output=True, text=True)
    assert str(made.folder) in found.stdout
    assert any("face model is not here" in remark for remark in ended.remarks), "said, and no reason to fail"
    register_path().unlink()
    assert find_backend().command[0] == str(made.python), "found without the register, too"

    (folder / "face_landmarker.task").write_bytes(b"model")
    again = carry_out(order)
    assert again.outcome is Outcome.DONE
    assert [remark for remark in again.remarks if "nothing was installed" in remark], "whole and right: left alone"
    assert (paths.models_dir() / "model.task").read_bytes() == b"model", "the model lay beside the wheels"

    removed = carry_out(replace(order, work=Work.REMOVE))
    assert removed.outcome is Outcome.DONE
    assert not order.folder.exists() and not environment_path().exists() and not register_path().exists()
    assert ending(removed) == ["The backend was removed"]


@pytest.mark.slow
def test_an_update_that_fails_leaves_what_worked_and_one_that_succeeds_replaces_it(tmp_path: Path) -> None:
    old = wheels(tmp_path / "old")
    assert carry_out(Order(wheels=old)).outcome is Outcome.DONE
    before = find_backend().command
    new = tmp_path / "new"
    package(new, "0.2.0")
    libraries(new, broken="av")
    order = Order(wheels=new, version="0.2.0")
    ended = carry_out(order)
    assert (ended.outcome, ended.step, ended.cause) == (Outcome.FAILED, Step.VERIFY, Cause.UNUSABLE)
    assert "av: ImportError: libGL.so.1" in ended.error
    assert find_backend().command == before
    assert subprocess.run([before[0], "-c", "import av"]).returncode == 0, "and it still works"

    libraries(new, extra={"note.txt": "mended"})
    (half,) = [place for place in places.environments(order.folder) if not place.whole]
    subprocess.run([half.python, "-m", "pip", "uninstall", "--yes", "-q", "tinylibs"], check=True)
    ended = carry_out(order)
    assert ended.outcome is Outcome.DONE, (ended, log_tail())
    assert find_backend().version == "0.2.0"
    assert [place.version for place in places.environments(order.folder)] == ["0.2.0"], "the old one is gone"


@pytest.mark.clock
@pytest.mark.slow
def test_cancelled_or_killed_in_the_middle_it_is_gone_on_with(tmp_path: Path) -> None:
    with index(wheels(tmp_path / "served")) as served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_INDEX_URL", f"{served.url}/simple")
        order = Order(online=True, package=package(tmp_path))
        served.stall = 60.0
        installer, pip = _stalled(served, order)
        with pytest.raises(ProvisionError, match="runs already"):
            Installer(order)
        begin = time.monotonic()
        installer.cancel()
        until(lambda: not installer.running)
        assert time.monotonic() - begin < runner.GRACE + 2
        ended = installer.poll()
        assert ended is not None and (ended.outcome, ended.cause) == (Outcome.CANCELLED, "cancelled")
        assert not processes.is_alive(*pip), "with all that it started"
        assert look(find_backend(), order.folder).state is InstallState.INCOMPLETE

        installer, pip = _stalled(served, order)
        os.kill(installer.poll().pid, signal.SIGKILL)  # type: ignore[union-attr]
        until(lambda: not installer.running)
        ended = installer.poll()
        assert ended is not None and (ended.outcome, ended.cause) == (Outcome.FAILED, "interrupted")
        assert look(find_backend(), order.folder).state is InstallState.INCOMPLETE, "also for a host that starts now"
        assert processes.is_alive(*pip), "pip lives on, and is ended by the next turn"

        served.stall = 0.0
        done = carry_out(order)
        assert done.outcome is Outcome.DONE, (done, log_tail())
        assert not processes.is_alive(*pip)
        assert any("went on with" in remark for remark in done.remarks)


def _stalled(served: Index, order: Order) -> tuple[Installer, tuple[int, float]]:
    """An installer whose pip waits for the index, and that pip."""
    served.stalled.clear()
    installer = Installer(order)
    until(served.stalled.is_set)
    last = installer.poll()
    assert last is not None and last.alive and last.step is Step.PACKAGES and last.child is not None
    assert look(find_backend(), order.folder).state is InstallState.INSTALLING
    return installer, last.child


def test_an_installer_that_does_not_listen_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\nsleep 60 & echo $! > " + str(tmp_path / "child") + "\nwait\n")
    deaf.chmod(0o755)
    monkeypatch.setattr(runner, "host_python", lambda: str(deaf))
    monkeypatch.setattr(runner, "GRACE", 0.2)
    installer = Installer(Order(online=True))
    until((tmp_path / "child").exists)
    until(lambda: (tmp_path / "child").read_text().strip())
    installer.cancel()
    until(lambda: (installer.poll(), not installer.running)[1])
    ended = installer.poll()
    assert ended is not None and ended.outcome is Outcome.CANCELLED
    until(lambda: processes.start_time(int((tmp_path / "child").read_text())) is None)


@pytest.mark.parametrize(
    ("order", "cause", "words"),
    [
        (Order(folder=Path(sys.prefix) / "environment", online=True), Cause.BAD_FOLDER, "belongs to the host program"),
        (Order(folder=Path(sys.base_prefix) / "lib" / "x", online=True), Cause.BAD_FOLDER, "belongs to the host"),
        (Order(folder=Path("/proc/environment"), online=True), Cause.NOT_WRITABLE, "/proc/environment"),
        (Order(online=True, room=10**18), Cause.DISK_FULL, "GB free, and 1000000000.0 GB are needed"),
        (Order(), Cause.NOT_ALLOWED, "may not be used"),
        (Order(wheels=Path("/nowhere")), Cause.WHEEL_MISSING, "/nowhere holds no wheels"),
        (Order(online=True, package=Path("/no.whl")), Cause.WHEEL_MISSING, "/no.whl is not there"),
        (Order(online=True, python="/no/such/python"), Cause.NO_PYTHON, "/no/such/python"),
    ],
    ids=["host", "base", "unwritable", "full", "offline", "no wheels", "no package", "no python"],
)
def test_what_cannot_be_done_is_refused_before_anything_is_made(
    home: Path, order: Order, cause: Cause, words: str
) -> None:
    if order.folder.parts[1] != "proc" and cause is not Cause.BAD_FOLDER:
        order = replace(order, folder=home / "environment")
    ended = carry_out(order)
    assert (ended.outcome, ended.cause) == (Outcome.FAILED, cause), ended
    assert words in ended.error and ended.hint
    assert places.environments(order.folder) == []


def test_a_folder_of_the_host_is_refused(home: Path, tmp_path: Path) -> None:
    inside = tmp_path / "blender" / "5.0"
    ended = carry_out(Order(folder=inside / "deep", online=True, keep_out=(tmp_path / "blender",)))
    assert ended.cause == Cause.BAD_FOLDER
    assert not inside.exists()


def test_a_running_backend_is_not_taken_away(home: Path, tmp_path: Path) -> None:
    order = Order(work=Work.REMOVE)
    folder = order.folder / "0.1.0-1"
    folder.mkdir(parents=True)
    places.write_mark(places.Environment(folder, True, "0.1.0", ("backend",)))
    pid = os.getpid()
    paths.run_dir().mkdir()
    (paths.run_dir() / "backend.json").write_text(json.dumps({"pid": pid, "started": processes.start_time(pid)}))
    ended = carry_out(order)
    assert ended.cause == Cause.BACKEND_RUNS and str(pid) in ended.error
    assert folder.is_dir()


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    order = Order(work=Work.REMOVE, folder=tmp_path / "mine")
    (tmp_path / "mine" / "photos-1").mkdir(parents=True)
    (tmp_path / "mine" / "photos-1" / "a.jpg").write_bytes(b"a")
    assert carry_out(order).outcome is Outcome.DONE
    assert (tmp_path / "mine" / "photos-1" / "a.jpg").is_file()
    with pytest.raises(ProvisionError, match="left alone"):
        places.remove_tree(tmp_path / "mine" / "photos-1", "removing it")


def test_from_a_shell(home: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "semanticface.provision", "--into", str(tmp_path / "made")]
    done = subprocess.run([*command, "--wheels", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "holds no wheels (choose the folder that holds them)" in done.stderr
    assert "Checking folder and disk (1 of 9)" in done.stdout


def test_the_installer_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import semanticface.provision.__main__;"
        "import semanticface.provision.overview, semanticface.provision.runner;"
        "print([n for n in ('zmq', 'msgpack', 'numpy') if n in sys.modules])"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT / "backend")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
