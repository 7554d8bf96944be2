"""For the tests of the batch: an editor in memory that keeps assets, footage as files, and runs to their end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from semanticface_unreal.batch.journal import Journal
from semanticface_unreal.batch.manifest import FORMAT, Manifest, manifest_of
from semanticface_unreal.batch.progress import JobProgress, Progress
from semanticface_unreal.batch.runner import Runner, RunOptions
from semanticface_unreal.curve_set import CurveSet
from semanticface_unreal.ports import AssetOrder, Existing, Written, unique_paths

from semanticface import paths
from semanticface.errors import EngineError, InputError
from semanticface.launch import start, stop
from semanticface.link import BackendLink
from semanticface.steps import Work

PATIENCE = 30.0
PLUGIN = Path(__file__).resolve().parents[2] / "unreal_plugin" / "SemanticFace" / "Content" / "Python"


@dataclass
class MemoryEditor:
    """Assets by path. `refused` are paths that `check` refuses, `broken` those whose writing fails."""

    assets: dict[str, tuple[CurveSet, AssetOrder]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)
    on_write: Callable[[str], object] = lambda path: None

    def check(self, order: AssetOrder) -> None:
        if order.path in self.refused:
            raise InputError(f"{order.path}: there is no skeleton {order.skeleton}", "choose one")

    def stamp(self, path: str) -> str:
        return self.assets[path][1].stamp if path in self.assets else ""

    def writing(self, curves: CurveSet, order: AssetOrder) -> Work[Written]:
        yield
        if order.path in self.broken:
            raise EngineError(f"{order.path} can't be saved")
        path = order.path
        if order.existing is Existing.UNIQUE:
            path = next(path for path in unique_paths(order.path) if path not in self.assets)
        self.on_write(path)
        self.assets[path] = curves, order
        self.written.append(path)
        return Written(path, len(curves.curves), curves.keys)


def footage(folder: Path, names: str, frames: int = 3) -> dict[str, str]:
    """An image sequence of small pictures for each name, each of its own brightness: what echo answers from."""
    for place, name in enumerate(names.split()):
        (folder / name).mkdir(parents=True)
        for number in range(frames):
            level = (40 * place + 7 * number + 11 * len(name)) % 255
            picture = np.full((8, 8, 3), level, np.uint8)
            cv2.imwrite(str(folder / name / f"f_{number:04d}.png"), picture)
    return {name: str(folder / name) for name in names.split()}


def batch(folder: Path, names: str, each: Mapping[str, Mapping[str, Any]] | None = None, **defaults: Any) -> Manifest:
    """A manifest in `folder` of jobs with these ids, analyzed by echo; `each` has more fields for some."""
    rows = [{"id": name, "source": name, **(each or {}).get(name, {})} for name in names.split()]
    common = {"rate": 24, "engine": "echo", **defaults}
    data = {"format": FORMAT, "version": 1, "defaults": common, "jobs": rows}
    path = folder / "batch.json"
    path.write_text(json.dumps(data))
    return manifest_of(data, path)


def run(
    manifest: Manifest,
    editor: MemoryEditor,
    options: RunOptions | None = None,
    each: Callable[[Runner], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Run to the end; `each` is called after every step."""
    link = BackendLink("tests")
    until = time.monotonic() + PATIENCE
    try:
        with Journal.open(manifest.journal) as journal:
            runner = Runner(manifest, editor, link, journal, options or RunOptions(start=False), clock=clock)
            while runner.step(time.perf_counter() + 0.01):
                if each is not None:
                    each(runner)
                assert time.monotonic() < until, runner.progress
                runner.wait(0.01)
            return runner.progress
    finally:
        link.close()


def by_id(progress: Progress) -> dict[str, JobProgress]:
    return {job.id: job for job in progress.jobs}


@contextmanager
def backend(home: Path) -> Iterator[None]:
    """A real backend in a home of its own, as a host starts it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(home))
        start()
        try:
            yield
        finally:
            stop()
