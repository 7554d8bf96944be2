"""Fifty sequences on a farm whose processes are killed: in the end the same assets, and no frame computed twice.

Real backend, landmark engine, the plugin's own code in the fake editor. SEMANTICFACE_KILLS=10 kills more often, and
SEMANTICFACE_KILL_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from farm_kit import assets, cut, make_project, results, run_farm, write_batch

from semanticface import paths
from semanticface.assets import MODELS_VARIABLE
from semanticface.client import Client
from semanticface.launch import live_run_file, stop

pytestmark = pytest.mark.plugin

SEQUENCES, FRAMES = 50, 4
TOTAL = SEQUENCES * FRAMES
KILLS = int(os.environ.get("SEMANTICFACE_KILLS", "1"))
MOST_LINES = 2 * SEQUENCES if KILLS == 1 else 4 * SEQUENCES // KILLS
"""Of a run up to its kill; an undisturbed one has three for each sequence."""


@dataclass(frozen=True)
class Studio:
    """The footage, and what an undisturbed run makes of it."""

    footage: Path
    assets: dict[str, Any]


@pytest.fixture(scope="module")
def studio(samples: Path, face_landmarker: Path, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("studio")
    cut(samples / "rom_head.mp4", folder / "in", SEQUENCES, FRAMES)
    with home_with_a_backend(folder / "home", face_landmarker):
        project, manifest = batch(folder, folder / "in")
        ran = run_farm(project, manifest, folder / "home")
        assert ran.code == 0 and ran.computed == TOTAL == computed(), ran.log[-3000:]
    return Studio(folder / "in", assets(project))


@contextmanager
def home_with_a_backend(home: Path, model: Path) -> Iterator[Path]:
    """A home that knows the landmark model; its backend is stopped in the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(home))
        patch.setenv(MODELS_VARIABLE, str(model.parent))
        try:
            yield home
        finally:
            stop()


@dataclass
class Killer:
    """Kills once, `wait` seconds after so many lines about new work: the editor, or `backend` the backend under it."""

    heard: int
    wait: float
    backend: bool = False
    lines: int = 0
    killed: bool = False
    results: list[int] = field(default_factory=list)
    """How many results the takes held right after the backend's death."""

    def __call__(self, line: str, editor: subprocess.Popen[str], manifest: Path) -> None:
        self.lines += "stage=probed" in line or "computed=0" not in line
        if self.killed or self.lines < self.heard:
            return
        self.killed = True
        time.sleep(self.wait)
        run = live_run_file()
        if not self.backend:
            editor.kill()
        elif run is not None:
            os.kill(run.pid, signal.SIGKILL)
            self.results.append(sum(results(manifest).values()))


@pytest.fixture
def home(tmp_path: Path, face_landmarker: Path) -> Iterator[Path]:
    with home_with_a_backend(tmp_path / "home", face_landmarker) as folder:
        yield folder


def batch(folder: Path, footage: Path) -> tuple[Path, Path]:
    manifest = write_batch(folder / "batch", footage, SEQUENCES, rate=30, engine="landmarks", head=True)
    return make_project(folder / "project"), manifest


def computed() -> int:
    """Results that the engines of the living backend have given, whoever asked for them."""
    with Client.connect(app="tests", start=False) as client:
        return sum(worker["computed"] for worker in client.status()["workers"])


def dice() -> random.Random:
    seed = os.environ.get("SEMANTICFACE_KILL_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"SEMANTICFACE_KILL_SEED={seed}")
    return random.Random(seed)


def test_an_editor_that_is_killed_goes_on_where_it_stood(studio: Studio, home: Path, tmp_path: Path) -> None:
    chance = dice()
    project, manifest = batch(tmp_path, studio.footage)
    killed = 0
    for _ in range(KILLS):
        killer = Killer(chance.randrange(1, MOST_LINES), chance.uniform(0, 0.05))
        if run_farm(project, manifest, home, each=killer).code != -signal.SIGKILL:
            break
        killed += 1
        kept = len(assets(project)), sum(results(manifest).values())
        print(f"killed after {killer.heard} lines and {killer.wait:.3f} s, with {kept[0]} assets and {kept[1]} results")
    last = run_farm(project, manifest, home)
    assert killed, "the run came to its end before it was killed"
    assert last.code == 0 and last.verdict.startswith("SEMANTICFACE-BATCH RESULT=OK"), last.log[-3000:]
    assert assets(project) == studio.assets and len(studio.assets) == SEQUENCES
    assert computed() == TOTAL
    assert results(manifest) == {f"s{place:02d}": FRAMES for place in range(SEQUENCES)}


def test_a_backend_that_is_killed_costs_no_frame_it_had_answered(studio: Studio, home: Path, tmp_path: Path) -> None:
    chance = dice()
    project, manifest = batch(tmp_path, studio.footage)
    killer = Killer(chance.randrange(SEQUENCES // 2, 3 * SEQUENCES // 2), chance.uniform(0, 0.05), backend=True)
    ran = run_farm(project, manifest, home, each=killer)
    print(f"killed after {killer.heard} lines and {killer.wait:.3f} s, with {killer.results} results")
    assert ran.code == 0 and ran.verdict.startswith("SEMANTICFACE-BATCH RESULT=OK done=50"), ran.log[-3000:]
    assert assets(project) == studio.assets
    assert computed() == TOTAL - killer.results[0]
    assert results(manifest) == {f"s{place:02d}": FRAMES for place in range(SEQUENCES)}
