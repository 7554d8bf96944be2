"""The backend is installed from inside Unreal by steps: real environments and real pip, wheels from a folder."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semanticface import paths, processes
from semanticface.installation import BACKEND_VARIABLE, find_backend
from semanticface.provision.order import Work
from semanticface.provision.overview import InstallState
from semanticface.provision.progress import (
    Outcome,
    Progress,
    Step,
    cancel_path,
    log_tail,
    progress_path,
    write_progress,
)
from semanticface.provision.trouble import HINTS, Cause, ProvisionError

pytestmark = pytest.mark.plugin

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0


@pytest.fixture(autouse=True)
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin's rooms and the tiny wheels on the path; a Python without a backend; a pip that fetches nothing."""
    for folder in (ROOT / "unreal_plugin" / "SemanticFace" / "Content" / "Python", ROOT / "tests" / "provision"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    monkeypatch.delenv("SEMANTICFACE_OFFLINE", raising=False)
    monkeypatch.setattr("semanticface.installation.NEEDED", ("only_in_the_tiny_wheel",))


def installer(tmp_path: Path, wheel: bool = True) -> Any:
    """One of a plugin that holds the wheel of a tiny backend, or none."""
    from provision_kit import package
    from semanticface_unreal.installing import BACKEND_WHEEL, Installer

    plugin = tmp_path / "Plugins" / "SemanticFace"
    if wheel:
        package(plugin / BACKEND_WHEEL)
    return Installer(plugin=plugin, keep_out=(tmp_path / "Engine",))


def wish(**fields: Any) -> Any:
    from semanticface_unreal.installing import Wish

    return Wish(**fields)


def run(one: Any) -> tuple[Any, float]:
    """Tick it to its end: how it stands then, and how long the longest tick took."""
    longest, until = 0.0, time.monotonic() + PATIENCE
    while True:
        start = time.perf_counter()
        done = one.step(start + 0.004)
        longest = max(longest, time.perf_counter() - start)
        if done:
            return one.progress, longest
        assert time.monotonic() < until, log_tail()
        time.sleep(0.01)


@pytest.mark.clock
def test_an_install_goes_from_tick_to_tick_and_ends_checked(tmp_path: Path) -> None:
    from provision_kit import libraries

    one = installer(tmp_path)
    assert one.look().state is InstallState.NOT_INSTALLED
    wheels = tmp_path / "wheels"
    libraries(wheels, extra={"only_in_the_tiny_wheel.py": ""})
    threads = threading.active_count()

    one.begin(wish(wheels=wheels))
    assert one.progress.state is InstallState.INSTALLING and one.progress.busy
    ended, longest = run(one)

    assert ended.ended is Outcome.DONE, (ended, log_tail())
    assert ended.state is InstallState.NO_MODEL, "the new backend was asked, and the folder held no model"
    assert any(line.startswith("Install Backend fetches the face model") for line in ended.lines)
    assert ended.lines[0] == "The backend is installed"
    assert find_backend().command[0].startswith(str(paths.data_dir() / "environment")), "outside engine and project"
    assert longest < 0.1, "a tick never waits for pip"
    assert threading.active_count() == threads

    one.begin(wish(work=Work.REMOVE))
    assert run(one)[0].lines[0] == "The backend was removed"
    assert one.look().state is InstallState.NOT_INSTALLED


def test_nothing_starts_without_leave_or_without_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = installer(tmp_path)
    with pytest.raises(ProvisionError, match="may not be used") as refused:
        one.begin(wish())
    assert refused.value.cause is Cause.NOT_ALLOWED
    assert "Preferences" not in str(refused.value), "which Unreal has not"

    with pytest.raises(ProvisionError, match="lacks the backend's wheel"):
        installer(tmp_path / "unbuilt", wheel=False).begin(wish(online=True))

    monkeypatch.setenv("SEMANTICFACE_OFFLINE", "1")
    with pytest.raises(ProvisionError, match="SEMANTICFACE_OFFLINE"):
        one.begin(wish(online=True))
    assert not progress_path().exists(), "no installer was started"
    assert not one.progress.busy


def test_the_engine_s_folder_is_kept_out_of_in_the_plugin_s_own_words(tmp_path: Path) -> None:
    one = installer(tmp_path)
    one.begin(wish(wheels=tmp_path, folder=tmp_path / "Engine" / "Content"))
    ended, _ = run(one)
    assert ended.ended is Outcome.FAILED
    text = " ".join(ended.lines)
    assert "belongs to the host program" in text
    assert "outside of engine and project" in text and "preferences" not in text
    assert not (tmp_path / "Engine").exists()


def test_an_installation_that_another_program_began_is_followed_and_cancelled(tmp_path: Path) -> None:
    pid = os.getpid()
    theirs = Progress("install", Outcome.RUNNING, Step.PACKAGES, pid=pid, started=processes.start_time(pid))
    write_progress(theirs)
    one = installer(tmp_path)
    assert one.look().state is InstallState.INSTALLING and one.progress.busy
    with pytest.raises(ProvisionError) as refused:
        one.begin(wish(online=True))
    assert refused.value.cause is Cause.BUSY
    one.cancel()
    assert cancel_path().exists(), "which that program's installer looks for"
    cause = Cause.CANCELLED
    write_progress(replace(theirs, outcome=Outcome.CANCELLED, cause=cause, error="cancelled", hint=HINTS[cause]))
    ended, _ = run(one)
    assert ended.ended is Outcome.CANCELLED
    assert ended.lines[:2] == ("Cancelled", "Install Backend goes on where it stopped")
