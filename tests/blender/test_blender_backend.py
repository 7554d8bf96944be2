"""The backend from inside Blender: installed without touching Blender's Python, restarted, freed for a render."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(scope="session")
def kit() -> ModuleType:
    """The tiny wheels that the installer's own tests use."""
    file = Path(__file__).resolve().parents[1] / "provision" / "provision_kit.py"
    spec = importlib.util.spec_from_file_location("provision_kit", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


def _text(lines: list[str]) -> str:
    return " ".join(" ".join(line.removeprefix("label ") for line in lines).split())


@pytest.mark.clock
def test_from_nothing_to_a_backend_and_back(blender: Run, kit: ModuleType, tmp_path: Path) -> None:
    whole = kit.wheels(tmp_path / "wheels")
    kit.package(tmp_path / "broken")
    model = tmp_path / "face_landmarker.task"
    model.write_bytes(b"model")
    arguments = {"wheels": str(whole), "broken": str(tmp_path / "broken"), "model": str(model)}
    seen = blender("backend_rooms:installed", timeout=300, **arguments)
    state, drawn = seen["nothing"]
    assert state == "not_installed"
    assert "The backend is not installed" in _text(drawn) and "operator semanticface.install_backend" in _text(drawn)
    assert "operator semanticface.connect_backend" not in _text(drawn), "there is nothing to start"
    assert "operator semanticface.connect_backend" in _text(seen["unknown"])
    assert "may not be used" in seen["offline"] and "folder of wheels" in seen["offline"]
    assert "no folder of wheels is chosen" in seen["no folder"]
    assert "tinylibs" in seen["broken"] and "folder of wheels" in seen["broken"]
    state, drawn = seen["incomplete"]
    assert state == "incomplete" and "Repair goes on" in _text(drawn)
    assert "operator semanticface.cancel_install" in _text(seen["installing"])
    assert any("Installing packages (5 of 9)" in line for line in seen["lines"]), seen["lines"]
    assert seen["notes"][0] == "The backend is installed" and "face model is not here" in " ".join(seen["notes"])
    state, drawn = seen["done"]
    assert state == "no_model" and "operator semanticface.get_face_model" in _text(drawn)
    assert seen["made"] == ["0.1.0-1"], "the interrupted one was gone on with"
    assert "may not be used" in seen["second"] and "Import Face Model" in seen["second"]
    assert seen["imported"] == ""
    state, drawn = seen["ok"]
    assert state == "ok" and "Backend 0.1.0 is installed" in _text(drawn)
    assert "operator semanticface.remove_backend" in _text(drawn)
    assert (seen["removed"], seen["end"]) == ("", "not_installed")
    assert seen["untouched"], "nothing in the site-packages of the Python that Blender runs"
    assert seen["longest"] < 0.1, "every tick while it was installed"


@pytest.mark.clock
def test_an_installation_is_cancelled_from_the_panel(blender: Run, kit: ModuleType, tmp_path: Path) -> None:
    seen = blender("backend_rooms:cancelled", wheels=str(kit.wheels(tmp_path / "wheels")), timeout=120)
    assert seen["polls"] == [False, True]
    assert seen["state"] == "incomplete"
    assert seen["notes"][0] == "Cancelled" and "go on where it stopped" in seen["notes"][1]
    assert seen["longest"] < 0.1


def test_the_backend_is_freed_restarted_and_ended(blender: Run) -> None:
    seen = blender("backend_rooms:process")
    first, second = seen["pids"]
    assert first != second
    assert seen["freed"] == ["Memory and GPU are free again: mock ended"]
    assert "operator semanticface.release_memory" in _text(seen["drawn"])
    assert seen["off"] is False


@pytest.mark.clock
def test_a_render_frees_the_memory_of_the_engines_without_waiting(blender: Run, movie: Path) -> None:
    command = f"{sys.executable} -m semanticface.server"
    seen = blender("backend_rooms:rendered", command=command, movie=str(movie), timeout=180)
    assert seen["before"] == ["echo"]
    assert seen["off"] == [["echo"], 0], "the preference is off"
    assert seen["busy"][0] == ["echo"] and "an analysis is running" in seen["busy"][1][0]
    assert seen["after"] == []
    assert seen["notes"] == ["Memory and GPU are free again: echo ended"]
    assert max(seen["seconds"]) < 0.02, "how long the render waits for us, in seconds"
    assert seen["disconnected"] == 0


def test_a_render_beside_the_window_leaves_the_asking_to_the_main_thread(blender: Run) -> None:
    seen = blender("backend_rooms:from_a_thread")
    assert (seen["noted"], seen["asked"]) == (True, 0)
    assert seen["later"] == [False, 1]
    assert seen["notes"] == ["Memory and GPU are free again: mock ended"]


def test_the_render_handler_stays_with_files_and_goes_with_the_addon(blender: Run) -> None:
    assert blender("backend_rooms:handlers") == [1, 1, 0, 1]


def test_diagnostics_tell_all_but_folders(blender: Run, tmp_path: Path) -> None:
    seen = blender("backend_rooms:diagnosed")
    text = seen["text"]
    for words in ("Installation: ok", "State: ok", "Running: pid", "Status worker:", "Offers: ", "Online access:"):
        assert words in text, words
    for secret in ("Client X", "secret project", str(tmp_path), str(Path.home()), "anna", "pass@"):
        assert secret not in text, text
    assert "can't read <footage>/clip.mp4" in text.replace("\\", "/")
    assert "can't be written" in seen["refused"] and "another folder" in seen["refused"]
    assert "Status worker:" not in seen["plain"], "only where the backend was asked"
