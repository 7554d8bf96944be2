"""Blender in a window: Debian's program on a display in memory, used with a mouse and a keyboard (xdotool).

SEMANTICFACE_WINDOW_BLENDER names another Blender program. Where a program is missing, the tests skip and say which.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk
from screen import Screen

from semanticface.launch import stop

BLENDER_VARIABLE = "SEMANTICFACE_WINDOW_BLENDER"
OpenDesk = Callable[..., Desk]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "open_desk" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.window)


@pytest.fixture(scope="session")
def window_blender() -> str:
    blender = os.environ.get(BLENDER_VARIABLE) or shutil.which("blender")
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if blender is None or missing:
        names = ", ".join((["Blender"] if blender is None else []) + missing)
        pytest.skip(f"not installed: {names} (Debian: apt-get install blender xvfb xdotool)")
    return blender


@pytest.fixture(scope="session")
def screen(tmp_path_factory: pytest.TempPathFactory, window_blender: str) -> Iterator[Screen]:
    screen = Screen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.close()


@pytest.fixture
def open_desk(
    window_blender: str,
    screen: Screen,
    host_modules: Path,
    face_landmarker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[OpenDesk]:
    """`open_desk()` -> a Blender with the sidebar open on our tab, its backend the real one, both in a home of its own.

    `server` is the command of another backend. Without `pretty` Blender leaves out what takes a processor long to draw.
    """
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    desks: list[Desk] = []

    def open_one(
        server: str = f"{sys.executable} -m semanticface.server", wider: int = 60, pretty: bool = False
    ) -> Desk:
        environment = {"SEMANTICFACE_HOME": str(tmp_path / "home"), "SEMANTICFACE_BACKEND": server}
        folder = tmp_path / f"desk{len(desks)}"
        folder.mkdir()
        desk = Desk(window_blender, screen, folder, host_modules, environment)
        desks.append(desk)
        assert desk.ask("asked:hello", timeout=120)["enabled"], desk.tail()
        if not pretty:
            desk.ask("asked:draw_little")
        desk.show_sidebar(wider)
        return desk

    yield open_one
    for desk in desks:
        desk.close()
    stop()


@pytest.fixture(scope="session")
def face_movie(samples: Path) -> Path:
    return samples / "rom_head.mp4"
