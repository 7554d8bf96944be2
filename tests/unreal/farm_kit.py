"""A farm in miniature: a project with the plugin in it, footage cut from the sample, and the editor as a process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
from semanticface_unreal.batch.manifest import FORMAT

from semanticface import paths

TESTS = Path(__file__).resolve().parents[1]
PLUGIN = TESTS.parent / "unreal_plugin" / "SemanticFace"
FARM = Path("Plugins", "SemanticFace", "Content", "Python", "semanticface_farm.py")
SIDE = 160
"""Pixels: small pictures are read quickly, and the face is found in them."""

PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


def make_project(folder: Path) -> Path:
    """The path of a project's file, with the plugin linked into it."""
    (folder / "Plugins").mkdir(parents=True)
    (folder / "Content").mkdir()
    (folder / "Plugins" / "SemanticFace").symlink_to(PLUGIN, target_is_directory=True)
    project = folder / f"{folder.name}.uproject"
    project.write_text(json.dumps({"FileVersion": 3, "Plugins": [{"Name": "SemanticFace", "Enabled": True}]}))
    return project


def cut(video: Path, folder: Path, sequences: int, frames: int) -> None:
    """Sequences `s00`, `s01` ... of so many frames each, all of them different pictures of the video."""
    with av.open(str(video)) as container:
        for number, picture in enumerate(container.decode(video=0)):
            place, frame = divmod(number, frames)
            if place >= sequences:
                return
            image = cv2.resize(picture.to_ndarray(format="bgr24"), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            (folder / f"s{place:02d}").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"s{place:02d}" / f"f_{frame + 1:04d}.jpg"), image)
    raise AssertionError(f"{video} has too few frames")


def write_batch(folder: Path, footage: Path, sequences: int, **defaults: Any) -> Path:
    """A manifest of its own folder, so with takes of its own."""
    rows = [{"id": f"s{place:02d}", "source": str(footage / f"s{place:02d}")} for place in range(sequences)]
    folder.mkdir(parents=True)
    file = folder / "shots.json"
    file.write_text(json.dumps({"format": FORMAT, "version": 1, "defaults": defaults, "jobs": rows}))
    return file


@dataclass(frozen=True)
class Ran:
    """`code` is the editor's exit code, below 0 where it was killed; `lines` what it said of jobs and batch."""

    code: int
    lines: list[str]
    log: str

    @property
    def verdict(self) -> str:
        return self.lines[-1] if self.lines else ""

    @property
    def computed(self) -> int:
        """Frames that were analyzed for this run, as far as its jobs ended."""
        ended = [facts(line) for line in self.lines if " stage=done " in line]
        return sum(int(row["computed"]) for row in ended)


def facts(line: str) -> dict[str, Any]:
    """`key=value` pairs of a line, texts out of their quotes."""
    return {key: json.loads(value) if value.startswith('"') else value for key, value in PAIR.findall(line)}


def run_farm(
    project: Path,
    manifest: Path,
    home: Path,
    *arguments: str,
    each: Callable[[str, subprocess.Popen[str], Path], object] = lambda line, editor, manifest: None,
) -> Ran:
    """The editor's process from its start to its end; `each` hears every line as it comes, and may kill it."""
    script = " ".join([str(project.parent / FARM), "--manifest", str(manifest), *arguments])
    command = [sys.executable, str(TESTS / "fakes" / "unreal_editor_cmd.py"), str(project), "-run=pythonscript"]
    command += [f"-script={script}", "-unattended", "-nullrhi", f"-abslog={project.parent / 'farm.log'}"]
    environment = os.environ | {paths.HOME_VARIABLE: str(home), "OMP_NUM_THREADS": "1"}
    lines, log = [], []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as editor:
        try:
            assert editor.stdout is not None
            for line in editor.stdout:
                log.append(line)
                if "SEMANTICFACE" in line and ": SEMANTICFACE" in line:
                    lines.append(line[line.index("SEMANTICFACE") :].strip())
                    each(lines[-1], editor, manifest)
            editor.wait(30)
        finally:
            editor.kill()
    return Ran(editor.returncode, lines, "".join(log))


def assets(project: Path) -> dict[str, Any]:
    """What lies on disk of each asset, by its path: its curves and the like, and its tags but the take's place."""
    found = {}
    for file in sorted((project.parent / "Content").rglob("*.uasset")):
        said = json.loads(file.read_text("utf-8"))
        tags = {name: value for name, value in said["tags"].items() if name != "SemanticFace.Take"}
        found[said["path"]] = json.dumps([said["class"], said["data"], tags], sort_keys=True)
    return found


def results(manifest: Path) -> dict[str, int]:
    """Lines in each take of a batch: a frame that was computed twice has two."""
    takes = manifest.with_name(f"{manifest.stem}.takes")
    return {file.parent.name: len(file.read_text().splitlines()) for file in takes.glob("*/frames.jsonl")}
