"""Which Python an environment is made with: each is run before it is believed, the host's own comes last."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from semanticface.provision.pythons import Kind, choose_python
from semanticface.provision.trouble import Cause, ProvisionError


def fake(path: Path, version: str = "3.11.4", venv: bool = True, bits: int = 64, prefix: str = "/usr") -> Path:
    """A program that answers as a Python of that kind would."""
    data = {"version": [int(part) for part in version.split(".")], "bits": bits, "venv": venv, "kind": "cpython"}
    data |= {"executable": str(path), "prefixes": [prefix, prefix]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'looked {json.dumps(data)}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    return folder


def test_a_tried_version_goes_before_a_newer_one_and_both_before_the_hosts(path: Path) -> None:
    assert choose_python("", (), False).kind is Kind.HOST, "nothing else is there"
    assert choose_python("", (), False).path == Path(sys.executable)
    newest = fake(path / "python3", "3.19.0")
    assert choose_python("", (), False).path == newest
    good = fake(path / "python3.12", "3.12.8")
    found = choose_python("", (), False)
    assert (found.path, found.version, found.kind) == (good, (3, 12, 8), Kind.SYSTEM)


def test_what_will_not_do_is_passed_over_and_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(path / "python3.11", "3.11.0", venv=False)
    fake(path / "python3.12", "3.12.0", bits=32)
    fake(path / "python3.13", "3.9.1")
    (path / "python3").write_text("#!/bin/sh\nexit 3\n")
    (path / "python3").chmod(0o755)
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(ProvisionError) as caught:
        choose_python("", (), False)
    assert caught.value.cause is Cause.NO_PYTHON
    for words in ("lacks venv", "no 64-bit CPython", "it is 3.9", "doesn't run"):
        assert words in caught.value.message
    assert "python.org" in caught.value.hint


def test_a_system_whose_only_fault_is_missing_venv_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(path / "python3", "3.11.2", venv=False)
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(ProvisionError) as caught:
        choose_python("", (), False)
    assert caught.value.cause is Cause.NO_VENV
    assert "python3-venv" in caught.value.hint


def test_a_python_in_the_hosts_folder_counts_as_the_hosts(path: Path, tmp_path: Path) -> None:
    blender = tmp_path / "blender"
    fake(path / "python3.11", "3.11.0", prefix=str(blender / "5.0" / "python"))
    other = fake(path / "python3", "3.13.1")
    assert choose_python("", (blender,), False).path == other
    other.unlink()
    assert choose_python("", (blender,), False).kind is Kind.HOST


def test_uv_gives_a_python_that_it_has_and_fetches_one_only_when_it_may(path: Path, tmp_path: Path) -> None:
    python = fake(tmp_path / "uv-pythons" / "python3.12", "3.12.9")
    kept = tmp_path / "installed"
    (path / "uv").write_text(
        f'#!/bin/sh\nif [ "$2" = install ]; then /usr/bin/touch {kept}; exit 0; fi\n'
        f"if [ -e {kept} ]; then echo {python}; exit 0; fi\nexit 2\n"
    )
    (path / "uv").chmod(0o755)
    assert choose_python("", (), False).kind is Kind.HOST
    assert not kept.exists()
    found = choose_python("", (), True)
    assert (found.kind, found.path) == (Kind.UV, python)
    assert kept.exists()


def test_a_named_one_is_taken_or_refused_and_nothing_else_is(path: Path, tmp_path: Path) -> None:
    fake(path / "python3.11", "3.11.0")
    own = fake(tmp_path / "own" / "python", "3.14.0")
    assert choose_python(str(own), (), False).path == own
    with pytest.raises(ProvisionError, match=r"own.python can't be used .*it is 3\.8"):
        choose_python(str(fake(tmp_path / "own" / "python", "3.8.0")), (), False)
