"""What happens around a running job: another file, a dead backend, the add-on switched off, Blender gone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, kill

from semanticface import processes
from semanticface.launch import RunFile, live_run_file
from semanticface.take import read_take

OpenDesk = Callable[..., Desk]
FRAMES = 282
SHORT_LEASE = f"{sys.executable} {Path(__file__).with_name('short_lease.py')}"


def _begin(desk: Desk, movie: Path) -> dict[str, Any]:
    """A demo head and a clip, Analyze pressed, some frames done."""
    desk.ask("asked:run", operator="semanticface.add_demo_head")
    desk.ask("asked:load_clip", movie=str(movie))
    desk.press("semanticface.analyze_footage")
    return desk.until(lambda state: state["job"] == "analyzing" and state["done"] >= 5)


def _backend() -> RunFile:
    run = live_run_file()
    assert run is not None
    return run


def _wait_for_end(run: RunFile, seconds: float) -> float:
    start = time.monotonic()
    while processes.is_alive(run.pid, run.started):
        assert time.monotonic() - start < seconds, "the backend lives on"
        time.sleep(0.1)
    return time.monotonic() - start


def _takes(home: Path) -> list[Path]:
    return sorted((home / "home" / "takes").glob("*"))


@pytest.mark.parametrize("other", ["a new file", "a file with objects of the same names"])
def test_a_job_outlives_another_file_and_keys_nothing_onto_it(
    open_desk: OpenDesk, face_movie: Path, tmp_path: Path, other: str
) -> None:
    desk = open_desk()
    if other == "a new file":
        _begin(desk, face_movie)
        desk.ask("asked:run", operator="wm.read_homefile", app_template="")
    else:
        desk.ask("asked:run", operator="semanticface.add_demo_head")
        desk.ask("asked:save", path=str(tmp_path / "other.blend"))
        desk.ask("asked:run", operator="wm.read_homefile", app_template="")
        desk.show_sidebar()
        _begin(desk, face_movie)
        desk.ask("asked:run", operator="wm.open_mainfile", filepath=str(tmp_path / "other.blend"))
        assert "SemanticFace Head Face" in desk.state()["objects"]
    assert desk.state()["job"] == "analyzing", "the job goes on"
    state = desk.until(lambda state: state["job"] is None, timeout=120)
    assert state["failed"]
    assert "Nothing was keyed" in state["notes"][0]
    assert state["actions"] == []
    assert desk.ask("asked:keys") == {}
    (take,) = _takes(tmp_path)
    assert len(read_take(take).results) == FRAMES, "nothing is lost: the whole take is on disk"


def test_a_killed_backend_is_told_its_frames_can_be_keyed_and_the_next_analysis_works(
    open_desk: OpenDesk, face_movie: Path
) -> None:
    desk = open_desk()
    _begin(desk, face_movie)
    kill(_backend().pid)
    state = desk.until(lambda state: state["job"] is None, timeout=20)
    assert state["failed"]
    assert state["actions"] == []
    text = desk.text()
    assert "is lost" in text
    assert "Key What Is Finished" in text
    desk.press("semanticface.key_take", "Key What Is Finished")
    state = desk.until(lambda state: bool(state["actions"]), timeout=20)
    assert not state["failed"], state["notes"]
    finished = len(read_take(Path(state["take"])).results)
    assert 5 <= finished < FRAMES
    assert f"Keyed {finished} frames" in desk.text()
    first = state["take"]
    desk.press("semanticface.analyze_footage")
    state = desk.until(lambda state: state["job"] is None, timeout=180)
    assert not state["failed"], state["notes"]
    assert state["take"] != first
    assert len(read_take(Path(state["take"])).results) == FRAMES


def test_the_addon_can_be_switched_off_and_on_while_a_job_runs(open_desk: OpenDesk, face_movie: Path) -> None:
    desk = open_desk()
    _begin(desk, face_movie)
    backend = _backend()
    assert not desk.ask("asked:disable"), "classes are left"
    desk.picture()  # Blender draws its window without us
    assert desk.ask("asked:enable")
    desk.open_tab()
    assert desk.state()["job"] is None
    assert processes.is_alive(backend.pid, backend.started), "the backend stays for whoever uses it next"
    desk.ask("asked:run", operator="semanticface.add_demo_head")
    desk.press("semanticface.analyze_footage")
    desk.until(lambda state: state["job"] == "analyzing" and state["done"] >= 5)
    assert _backend().pid == backend.pid
    state = desk.until(lambda state: state["job"] is None, timeout=120)
    assert not state["failed"], state["notes"]
    assert desk.ask("asked:keys")


@pytest.mark.parametrize("end", ["quits", "is killed"])
def test_blender_goes_while_a_job_runs_and_the_backend_ends_by_its_lease(
    open_desk: OpenDesk, face_movie: Path, end: str
) -> None:
    desk = open_desk(server=SHORT_LEASE)
    _begin(desk, face_movie)
    backend = _backend()
    if end == "quits":
        desk.ask("asked:leave")
        assert desk.process.wait(20) == 0, desk.tail()
        assert "Traceback" not in desk.tail()
    else:
        kill(desk.process.pid)
    _wait_for_end(backend, 30)
