"""Finding the backend: explicit choice, environment, this Python, register, PATH, in this order."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from semanticface import installation
from semanticface.installation import Verdict, find_backend, write_register

SERVER = ("-m", "semanticface.server")


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a host's Python: no backend libraries, nothing set, nothing on PATH."""
    monkeypatch.setattr(installation, "NEEDED", ("no_such_library_here",))
    monkeypatch.delenv(installation.BACKEND_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "")


def write_program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_this_python_is_used_when_it_has_the_libraries(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(installation.BACKEND_VARIABLE, raising=False)
    monkeypatch.setattr(installation, "NEEDED", ("json",))
    assert find_backend().command == (sys.executable, *SERVER)


@pytest.mark.usefixtures("bare")
def test_nothing_found_says_how_to_install() -> None:
    found = find_backend()
    assert found.verdict is Verdict.NOT_INSTALLED
    assert 'pip install "semanticface[backend]"' in found.message


@pytest.mark.usefixtures("bare")
def test_a_backend_that_ran_once_is_found_by_its_register(monkeypatch: pytest.MonkeyPatch) -> None:
    write_register()
    found = find_backend()
    assert found.verdict is Verdict.OK
    assert found.command == (sys.executable, *SERVER)
    assert found.version == "0.1.0"


@pytest.mark.usefixtures("bare")
def test_a_register_that_names_a_removed_python_is_passed_over() -> None:
    path = write_register()
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"command": ["/gone/python", *SERVER]}))
    assert find_backend().verdict is Verdict.NOT_INSTALLED
    path.write_text("no json")
    assert find_backend().verdict is Verdict.NOT_INSTALLED


@pytest.mark.usefixtures("bare")
def test_a_program_on_path_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write_program(tmp_path / "bin" / "semanticface")
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_backend().command == (str(program), "serve")
    write_register()
    assert find_backend().command == (sys.executable, *SERVER)


@pytest.mark.usefixtures("bare")
def test_the_environment_goes_before_the_register_and_an_explicit_choice_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_register()
    first, second = write_program(tmp_path / "a" / "python"), write_program(tmp_path / "b" / "python")
    monkeypatch.setenv(installation.BACKEND_VARIABLE, str(first))
    assert find_backend().command == (str(first), *SERVER)
    assert find_backend(str(second)).command == (str(second), *SERVER)


def test_a_choice_may_be_a_python_an_environment_a_program_or_a_command(home: Path, tmp_path: Path) -> None:
    python = write_program(tmp_path / "my env" / "bin" / "python3")
    program = write_program(tmp_path / "my env" / "bin" / "semanticface", f"#!{python}\n")
    assert find_backend(str(python)).command == (str(python), *SERVER)
    assert find_backend(str(tmp_path / "my env")).command == (str(python), *SERVER)
    assert find_backend(str(program)).command == (str(python), *SERVER)
    alone = write_program(tmp_path / "alone" / "semanticface")
    assert find_backend(str(alone)).command == (str(alone), "serve")
    mock = find_backend(f'"{sys.executable}" -m semanticface.mock')
    assert mock.command == (sys.executable, "-m", "semanticface.mock")


@pytest.mark.parametrize("choice", ["/no/such/python", "no_such_program", '"unclosed', " "])
def test_a_choice_that_is_not_there_is_said(home: Path, choice: str) -> None:
    found = find_backend(choice)
    assert found.verdict is Verdict.CANNOT_RUN
    assert choice in found.message


@pytest.mark.clock
def test_finding_is_quick_enough_for_a_hosts_main_thread(home: Path) -> None:
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        find_backend()
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.010


def test_verifying_runs_the_python_and_knows_its_version(home: Path) -> None:
    found = find_backend(f"{sys.executable} -m semanticface.mock", verify=True)
    assert (found.verdict, found.version) == (Verdict.OK, "0.1.0")


@pytest.mark.parametrize(
    ("script", "verdict", "text"),
    [
        ("echo \"ModuleNotFoundError: No module named 'semanticface'\" >&2; exit 1", Verdict.NOT_INSTALLED, "no sem"),
        ("echo broken library >&2; exit 1", Verdict.CANNOT_RUN, "broken library"),
        ("echo '{}'", Verdict.CANNOT_RUN, "code 0"),
        ("""echo '{"version": "9", "major": 1, "missing": ["cv2"]}'""", Verdict.CANNOT_RUN, "lacks cv2"),
        ("""echo '{"version": "0.0", "major": 0, "missing": []}'""", Verdict.TOO_OLD, "update the backend"),
        ("""echo '{"version": "9.0", "major": 9, "missing": []}'""", Verdict.TOO_NEW, "update this client"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for a Python")
def test_each_verdict_says_what_to_do(home: Path, tmp_path: Path, script: str, verdict: Verdict, text: str) -> None:
    python = write_program(tmp_path / "python", f"#!/bin/sh\n{script}\n")
    found = find_backend(str(python), verify=True)
    assert found.verdict is verdict
    assert text in found.message
