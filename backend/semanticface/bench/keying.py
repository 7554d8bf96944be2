"""Keying in Blender: bulk keys against `keyframe_insert`, and a whole take on three meshes against the time asked for.

Blender may hang or crash when the bpy module ends, so it runs as a child process with a time limit. This module
imports nothing of Blender; `keying_child` and `keying_take_child` are the children.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from semanticface.errors import EngineError, OptionsError

TIMEOUT = 300.0
MARK = "semanticface-keying "
ASKED_SECONDS = 0.3
"""A take of 600 frames: retargeting, recipe and keying of 61 curves on 3 meshes."""


def run(frames: int = 600, addon: Path | None = None, python: Path | None = None) -> dict[str, Any]:
    """Time both ways for 61 channels: 52 shape keys, 9 Euler angles on 3 objects.

    `addon` is the folder `blender_addon` or the checkout that holds it; `python` one that has bpy (default: this
    one). Returns `blender`, `frames`, `channels`, `insert_seconds`, `bulk_seconds` (median of 5), `ratio` (bulk to
    insert) and `equal`: whether both ways gave the same keys, bit for bit. Raises OptionsError for a wrong folder,
    EngineError when Blender fails.
    """
    return run_child("keying_child.py", frames, addon, python)


def run_take(frames: int = 600, addon: Path | None = None, python: Path | None = None) -> dict[str, Any]:
    """Time a take with noise of 0.02, from results in memory to keys: 52 shapes on each of 3 meshes, 9 rotations.

    Returns for the `standard` recipe and for the `raw` values: `seconds` (median of 5), `slowest`, `keys`, `values`,
    `channels` and the median of each of the `stages`; also `read_seconds` for the take from disk, `asked_seconds`, and
    whether both were `met`. Arguments and errors are those of `run`.
    """
    figures = run_child("keying_take_child.py", frames, addon, python)
    met = max(figures[recipe]["seconds"] for recipe in ("standard", "raw")) < ASKED_SECONDS
    return figures | {"asked_seconds": ASKED_SECONDS, "met": met}


def run_child(name: str, frames: int, addon: Path | None, python: Path | None) -> dict[str, Any]:
    if frames < 1:
        raise OptionsError(f"{frames} frames can't be keyed", "give 1 or more")
    root = _checkout(addon)
    command = [str(python or sys.executable), str(Path(__file__).with_name(name)), str(root), str(frames)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"Blender did not end within {TIMEOUT:.0f} s", "try fewer frames") from error
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            report: dict[str, Any] = json.loads(line.removeprefix(MARK))
            return report
    tail = "\n".join(done.stderr.strip().splitlines()[-5:])
    raise EngineError(f"Blender ended with code {done.returncode} and no figures:\n{tail}", "is bpy installed here?")


def _checkout(addon: Path | None) -> Path:
    start = addon or Path(__file__).resolve().parents[3]
    for root in (start, start.parent):
        if (root / "blender_addon" / "keying" / "fcurves.py").is_file():
            return root.resolve()
    raise OptionsError(f"there is no blender_addon in {start}", "run it in a checkout of the repository")
