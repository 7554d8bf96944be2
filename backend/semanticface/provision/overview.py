"""What can be said about the backend on this machine: one verdict for a panel, and the lines that explain it.

Made of what was found (`installation`), of the last installation's progress, and of what lies in the environment
folder. Looks at files only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from semanticface import __version__
from semanticface.installation import Installation, Verdict
from semanticface.provision import places
from semanticface.provision.progress import Outcome, Progress, read_progress


class InstallState(StrEnum):
    NOT_INSTALLED = "not_installed"
    INSTALLING = "installing"
    INCOMPLETE = "incomplete"
    """An installation was begun, and neither finished nor is it under way: repair goes on with it."""
    CANNOT_RUN = "cannot_run"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    NO_MODEL = "no_model"
    """All is there but the face model."""
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Overview:
    """`lines` explain the state and say what to do; `fraction` is of the file under way while INSTALLING, if known.

    `own`: the backend is in an environment that was made here, which can be repaired and removed. `newer`: the
    version that the host brings, when that is newer than the one in the environment.
    """

    state: InstallState
    lines: tuple[str, ...] = ()
    fraction: float | None = None
    version: str = ""
    own: bool = False
    newer: str = ""


_STATES = {
    Verdict.CANNOT_RUN: InstallState.CANNOT_RUN,
    Verdict.TOO_OLD: InstallState.TOO_OLD,
    Verdict.TOO_NEW: InstallState.TOO_NEW,
}

TODO: Mapping[InstallState, str] = {
    InstallState.NOT_INSTALLED: "Install puts it into an environment of its own; this program's Python stays as it is",
    InstallState.INCOMPLETE: "Repair goes on where it stopped",
    InstallState.CANNOT_RUN: "Repair makes the environment anew, or choose another backend in the preferences",
    InstallState.TOO_OLD: "Update installs the version that fits this extension",
    InstallState.TOO_NEW: "Update this extension, or install its own version of the backend",
    InstallState.NO_MODEL: "Get Face Model fetches it (3.8 MB), or import face_landmarker.task from a file",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a host says to do about a state, by the names of its own buttons and entries. `newer` of a backend that is
    older than what the host brings, `{version}`."""

    todo: Mapping[InstallState, str] = field(default_factory=lambda: TODO)
    newer: str = "This extension brings {version}: Update installs it"


def overview(
    found: Installation,
    progress: Progress | None,
    environments: Sequence[places.Environment] = (),
    words: Words | None = None,
) -> Overview:
    """`found`: the backend that would be started; `environments`: those in the environment folder."""
    words = words or Words()
    own = any(_inside(found, place.folder) for place in environments)
    if progress is not None and progress.alive:
        return Overview(InstallState.INSTALLING, (progress.line(),), progress.fraction, found.version, own)
    state = _STATES.get(found.verdict, InstallState.OK)
    lines = [found.message] if found.message else []
    if found.verdict is Verdict.NOT_INSTALLED:
        begun = [place for place in environments if not place.whole]
        state = InstallState.INCOMPLETE if begun else InstallState.NOT_INSTALLED
        lines = ["The installation of the backend is not finished" if begun else "The backend is not installed"]
        lines += _last_failure(progress)
    elif state is InstallState.OK and found.model is False:
        state, lines = InstallState.NO_MODEL, ["The backend is installed; the face model is missing"]
    elif state is InstallState.OK:
        lines = [f"Backend {found.version} is installed" if found.version else "A backend is installed"]
    newer = __version__ if own and found.version and _older(found.version) else ""
    if newer and state is InstallState.OK:
        lines.append(words.newer.format(version=newer))
    lines += [words.todo[state]] if state in words.todo else []
    return Overview(state, tuple(lines), None, found.version, own, newer)


def look(found: Installation, folder: Path, words: Words | None = None) -> Overview:
    """The same from what is in the files now; takes a few milliseconds."""
    return overview(found, read_progress(), places.environments(folder), words)


def ending(progress: Progress) -> list[str]:
    """What to tell the user when an installation has ended."""
    if progress.outcome is Outcome.DONE:
        first = {"remove": "The backend was removed", "model": "The face model is here"}
        return [first.get(progress.work, "The backend is installed"), *progress.remarks]
    return [f"{progress.error[:1].upper()}{progress.error[1:]}", progress.hint, *progress.remarks]


def _last_failure(progress: Progress | None) -> list[str]:
    if progress is None or progress.outcome is not Outcome.FAILED:
        return []
    return [f"Last time: {progress.error}", progress.hint]


def _inside(found: Installation, folder: Path) -> bool:
    return bool(found.command) and Path(found.command[0]).is_relative_to(folder)


def _older(version: str) -> bool:
    return _numbers(version) < _numbers(__version__)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in version.split(".")[:3])
