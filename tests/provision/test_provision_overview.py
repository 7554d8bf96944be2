"""What the panel says of an installation: one name for each state, with what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from semanticface import processes
from semanticface.installation import Check, Installation, Verdict, find_backend
from semanticface.provision import overview as room
from semanticface.provision.overview import InstallState, overview
from semanticface.provision.places import Environment
from semanticface.provision.progress import Outcome, Progress, Step, read_progress, write_progress

PYTHON = ("/env/0.1.0-1/bin/python", "-m", "semanticface.server")
OWN = Environment(Path("/env/0.1.0-1"), True, "0.1.0", ("backend",))
HALF = Environment(Path("/env/0.1.0-2"), False, "0.1.0", ("backend",))
NOTHING = Installation(Verdict.NOT_INSTALLED, message="no backend was found")


def running(**changes: object) -> Progress:
    pid = os.getpid()
    fields = {"pid": pid, "started": processes.start_time(pid), "message": "downloading numpy", **changes}
    return Progress("install", Outcome.RUNNING, Step.PACKAGES, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "environments", "state", "words"),
    [
        (NOTHING, (), InstallState.NOT_INSTALLED, "Install puts it into an environment of its own"),
        (NOTHING, (HALF,), InstallState.INCOMPLETE, "Repair goes on"),
        (Installation(Verdict.CANNOT_RUN, PYTHON, "", "it lacks av"), (OWN,), InstallState.CANNOT_RUN, "it lacks av"),
        (Installation(Verdict.TOO_OLD, PYTHON, "0.0.1"), (OWN,), InstallState.TOO_OLD, "Update installs"),
        (Installation(Verdict.TOO_NEW, PYTHON, "9.0"), (OWN,), InstallState.TOO_NEW, "Update this extension"),
        (Installation(Verdict.OK, PYTHON, "0.1.0", model=False), (OWN,), InstallState.NO_MODEL, "Get Face Model"),
        (Installation(Verdict.OK, PYTHON, "0.1.0", model=True), (OWN,), InstallState.OK, "Backend 0.1.0 is installed"),
        (Installation(Verdict.OK, PYTHON, "0.1.0"), (OWN,), InstallState.OK, "Backend 0.1.0 is installed"),
    ],
    ids=lambda value: str(value) if isinstance(value, InstallState) else "",
)
def test_each_state_has_its_name_and_its_remedy(
    found: Installation, environments: tuple[Environment, ...], state: InstallState, words: str
) -> None:
    seen = overview(found, None, environments)
    assert seen.state is state
    assert words in " ".join(seen.lines)
    assert overview(found, running(), environments).state is InstallState.INSTALLING


def test_an_installation_under_way_shows_its_step_and_one_that_died_does_not() -> None:
    seen = overview(NOTHING, running(fraction=0.5), (HALF,))
    assert seen.lines == ("Installing packages (5 of 9): downloading numpy",)
    assert seen.fraction == 0.5
    assert overview(NOTHING, running(started=1.0), (HALF,)).state is InstallState.INCOMPLETE


def test_the_last_failure_is_told_with_its_remedy() -> None:
    last = Progress(
        "install", Outcome.FAILED, Step.PACKAGES, cause="disk_full", error="the disk is full", hint="free some"
    )
    lines = " ".join(overview(NOTHING, last, (HALF,)).lines)
    assert "Last time: the disk is full" in lines and "free some" in lines


def test_an_older_environment_of_ours_may_be_updated_and_a_foreign_one_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "__version__", "0.10.0")
    found = Installation(Verdict.OK, PYTHON, "0.9.0", model=True)
    seen = overview(found, None, (OWN,))
    assert (seen.state, seen.own, seen.newer) == (InstallState.OK, True, "0.10.0")
    assert overview(found, None, ()).newer == ""


def test_what_is_written_down_is_read_again_and_rubbish_is_nothing(home: Path) -> None:
    assert read_progress() is None
    progress = running(fraction=0.25, remarks=("one", "two"), child=(7, 1.5))
    write_progress(progress)
    assert read_progress() == progress
    for rubbish in ("", "[]", "{}", '{"version": 1}', '{"version": 99}'):
        (home / "installing.json").write_text(rubbish)
        assert read_progress() is None


def test_a_check_does_not_wait_and_finds_what_a_verification_finds(home: Path) -> None:
    found = find_backend(sys.executable)
    check = Check(found)
    assert check.poll() is None, "it has only been started"
    while (answer := check.poll()) is None:
        pass
    assert (answer.verdict, answer.version) == (Verdict.OK, "0.1.0")
    assert answer.model in {True, False}
    mock = find_backend(f"{sys.executable} -m semanticface.mock", verify=True)
    assert mock.model is None, "a mock needs none"


def test_a_check_of_what_cannot_run_ends_too(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such library' >&2; exit 1\n")
    broken.chmod(0o755)
    check = Check(find_backend(str(broken)))
    while (answer := check.poll()) is None:
        pass
    assert answer.verdict is Verdict.CANNOT_RUN and "no such library" in answer.message
