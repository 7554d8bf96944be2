"""How far an installation is: written down by its process, read by any host, also by one that was started later.

One file in the user's data folder, because one installation runs at a time. Knows nothing of the steps' content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface import paths, processes
from semanticface.runfile import write_private

MAX_SIZE = 64 << 10
VERSION = 1


class Step(StrEnum):
    """The steps, in their order."""

    CHECK = "check"
    PYTHON = "python"
    VENV = "venv"
    PIP = "pip"
    PACKAGES = "packages"
    VERIFY = "verify"
    REGISTER = "register"
    MODEL = "model"
    TIDY = "tidy"

    @property
    def label(self) -> str:
        return _TITLES[self]


_TITLES: Mapping[Step, str] = {
    Step.CHECK: "Checking folder and disk",
    Step.PYTHON: "Looking for a Python",
    Step.VENV: "Making the environment",
    Step.PIP: "Preparing pip",
    Step.PACKAGES: "Installing packages",
    Step.VERIFY: "Trying the packages out",
    Step.REGISTER: "Putting it in force",
    Step.MODEL: "Getting the face model",
    Step.TIDY: "Tidying up",
}


class Outcome(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """`fraction` is that of the file under way, None where nothing can be said.

    `pid` and `started` are the installer's, `child` those of the program that it runs. `cause`, `error` and `hint`
    stand after FAILED and CANCELLED; `remarks` are for the user in any case. `ticket` is what the host gave along to
    know its own installation by: a process number won't do, as a Python on Windows may start another one.
    """

    work: str
    outcome: Outcome
    step: Step
    message: str = ""
    fraction: float | None = None
    cause: str = ""
    error: str = ""
    hint: str = ""
    remarks: tuple[str, ...] = ()
    pid: int = 0
    started: float | None = None
    child: tuple[int, float] | None = None
    folder: str = ""
    ticket: str = ""

    @property
    def alive(self) -> bool:
        """Whether its process still works on it. False for one that was killed and could not say so."""
        return self.outcome is Outcome.RUNNING and processes.is_alive(self.pid, self.started)

    def line(self) -> str:
        """One line for a panel: step, count and what is under way."""
        steps = list(Step)
        text = f"{self.step.label} ({steps.index(self.step) + 1} of {len(steps)})"
        return f"{text}: {self.message}" if self.message else text


def progress_path() -> Path:
    return paths.data_dir() / "installing.json"


def lock_path() -> Path:
    return paths.data_dir() / "installing.lock"


def cancel_path() -> Path:
    """A host makes this file to have the installation cancelled."""
    return paths.data_dir() / "installing.cancel"


def log_path() -> Path:
    """What pip and the others printed, of the last installation."""
    return paths.log_dir() / "installing.log"


def write_progress(progress: Progress) -> None:
    """Raises BackendError when it can't be written."""
    write_private(progress_path(), {"version": VERSION, **asdict(progress)})


def read_progress() -> Progress | None:
    """The last installation, running or ended; None when there was none, or its file can't be read."""
    try:
        with progress_path().open("rb") as file:
            return _from_dict(json.loads(file.read(MAX_SIZE)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def log_tail(lines: int = 40) -> list[str]:
    """The last lines of the log."""
    try:
        with log_path().open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - MAX_SIZE))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def _from_dict(data: Any) -> Progress:
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r}")
    child, started, fraction = data["child"], data["started"], data["fraction"]
    return Progress(
        work=str(data["work"]),
        outcome=Outcome(data["outcome"]),
        step=Step(data["step"]),
        message=str(data["message"]),
        fraction=None if fraction is None else min(1.0, max(0.0, float(fraction))),
        cause=str(data["cause"]),
        error=str(data["error"]),
        hint=str(data["hint"]),
        remarks=tuple(str(remark) for remark in data["remarks"]),
        pid=int(data["pid"]),
        started=None if started is None else float(started),
        child=None if child is None else (int(child[0]), float(child[1])),
        folder=str(data["folder"]),
        ticket=str(data["ticket"]),
    )
