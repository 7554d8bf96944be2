"""Checkpoints of a run: which are whole, and whether a run may go on from one.

A checkpoint counts when its `whole.json` is there, which is written last and names every file with its size; what a
kill left half written is passed over. Weights, optimiser, schedule, random numbers and the place in the data are in it,
so that a run that goes on is the run that was never stopped, bit for bit, on the same number of processes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semanticface.errors import InputError
from semanticface.take import write_atomic
from semanticface_training.stage2.config import FitConfig

FOLDER, SETTINGS_NAME, MARK_NAME = "checkpoints", "fit.json", "whole.json"
FORMAT, VERSION = "semanticface-fit", 1
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_whole(folder: Path) -> None:
    """Say that a checkpoint is written to its end."""
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    files.pop(MARK_NAME, None)
    write_atomic(folder / MARK_NAME, json.dumps({"files": files}, indent=1, sort_keys=True) + "\n")


def is_whole(folder: Path) -> bool:
    try:
        files = json.loads((folder / MARK_NAME).read_text(encoding="utf-8"))["files"]
        return all((folder / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def checkpoints(run: Path) -> dict[int, Path]:
    """The whole checkpoints of a run by step, ascending."""
    folder = run / FOLDER
    named = ((_NAME.fullmatch(path.name), path) for path in (folder.iterdir() if folder.is_dir() else ()))
    found = {int(match[1]): path for match, path in named if match and is_whole(path)}
    return dict(sorted(found.items()))


def begin(config: FitConfig, facts: Mapping[str, Any]) -> None:
    """Note what the run is. Raises InputError when its folder holds something already."""
    if (config.out / SETTINGS_NAME).exists():
        raise InputError(f"{config.out} holds a training run already", "go on with --resume, or take another --out")
    if config.out.is_dir() and any(config.out.iterdir()):
        raise InputError(f"{config.out} is not empty", "take another --out")
    config.out.mkdir(parents=True, exist_ok=True)
    settings = {"format": FORMAT, "version": VERSION, "config": config.to_dict(), **facts}
    write_atomic(config.out / SETTINGS_NAME, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")


def read_settings(run: Path) -> dict[str, Any]:
    """What `begin` wrote. Raises InputError."""
    path = run / SETTINGS_NAME
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if settings.get("format") != FORMAT or settings.get("version") != VERSION:
            raise ValueError("another format")
        return dict(settings)
    except FileNotFoundError as error:
        raise InputError(f"{run} is no training run: it has no {SETTINGS_NAME}") from error
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} can't be read: {error}") from error


def check_same(config: FitConfig, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the run that is to go on. Raises InputError that names what differs from them."""
    settings = read_settings(config.out)
    before = FitConfig.from_dict(settings["config"])
    differing = config.differences(before) + [name for name, value in facts.items() if settings.get(name) != value]
    if differing:
        raise InputError(
            f"{config.out} was begun with another {', '.join(differing)}",
            "go on with the same settings and data, or begin another run",
        )
    return settings


def choose(run: Path, step: int | None = None) -> Path | None:
    """The checkpoint to go on from: that of `step`, else the last; None when there is none yet. Raises InputError."""
    found = checkpoints(run)
    if step is not None:
        if step not in found:
            there = ", ".join(map(str, found)) or "none"
            raise InputError(f"{run} has no whole checkpoint of step {step}", f"there are: {there}")
        return found[step]
    return list(found.values())[-1] if found else None
