"""The folders: one for each environment that was made, its mark, and which environment is in force.

    <folder>/0.1.0-1/      a Python environment; semanticface-environment.json in it says "whole" only at the very end
    <folder>/0.1.0-2/      one that is being made anew, while the first one stays in force
    environment.json       in the data folder: which one is in force (`installation.environment_path`)

Nothing without our mark is ever removed, and nothing is written into the host's own folders.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface import paths, processes
from semanticface.errors import BackendError
from semanticface.installation import MODULE, environment_path, register_path
from semanticface.provision.trouble import Cause, ProvisionError, from_os_error
from semanticface.runfile import MAX_SIZE, write_private
from semanticface.runfile import NAME as RUN_FILE

MARK = "semanticface-environment.json"
PATIENCE = 10.0
"""Seconds for which a file that cannot be removed is tried again: virus scanners hold new files for a moment."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One that was begun. `whole`: it was finished and checked; `version` and `extras` of what was wanted in it."""

    folder: Path
    whole: bool
    version: str
    extras: tuple[str, ...]

    @property
    def python(self) -> Path:
        return python_in(self.folder)


def python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def environments(base: Path) -> list[Environment]:
    """The marked ones, oldest first."""
    try:
        folders = [folder for folder in sorted(base.iterdir(), key=_number) if not folder.is_symlink()]
    except OSError:
        return []
    return [environment for environment in map(read_mark, folders) if environment is not None]


def read_mark(folder: Path) -> Environment | None:
    data = _read(folder / MARK)
    if data is None or not isinstance(data.get("whole"), bool) or not isinstance(data.get("extras"), list):
        return None
    return Environment(folder, data["whole"], str(data.get("version", "")), tuple(str(name) for name in data["extras"]))


def write_mark(environment: Environment) -> None:
    """Raises BackendError."""
    data = {"whole": environment.whole, "version": environment.version, "extras": list(environment.extras)}
    write_private(environment.folder / MARK, data)


def new_folder(base: Path, version: str) -> Path:
    """The next free name; nothing is made."""
    numbers = [_number(folder)[0] for folder in base.iterdir()] if base.is_dir() else []
    return base / f"{version}-{max(numbers, default=0) + 1}"


def in_force() -> Environment | None:
    """The environment that hosts find, None when there is none, or its folder is gone."""
    data = _read(environment_path())
    return None if data is None or not isinstance(data.get("folder"), str) else read_mark(Path(data["folder"]))


def put_in_force(environment: Environment) -> None:
    """Let hosts find this one from now on. Raises BackendError."""
    command = [str(environment.python), "-m", MODULE]
    data = {"folder": str(environment.folder), "version": environment.version, "command": command}
    write_private(environment_path(), data)
    write_private(register_path(), {"python": command[0], "version": environment.version, "command": command})


def forget(folders: Iterable[Path]) -> None:
    """Let hosts find none of these any more."""
    for path in (environment_path(), register_path()):
        data = _read(path)
        command = data.get("command") if data is not None else None
        if isinstance(command, list) and any(Path(str(command[0])).is_relative_to(folder) for folder in folders):
            path.unlink(missing_ok=True)


def refuse_host_folders(target: Path, keep_out: Iterable[Path]) -> None:
    """Raises ProvisionError when `target` lies in this Python, or in one of the folders."""
    wanted = target.expanduser().resolve()
    for folder in (Path(sys.prefix), Path(sys.base_prefix), *keep_out):
        place = folder.resolve()
        if place != Path(place.anchor) and wanted.is_relative_to(place):
            text = (
                f"the environment can't be made in {target}: that is inside {folder}, which belongs to the host program"
            )
            raise ProvisionError(Cause.BAD_FOLDER, text)


def require_writable(base: Path) -> None:
    """Make the folder if it isn't there. Raises ProvisionError."""
    probe = base / f".writable-{os.getpid()}"
    try:
        base.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        found = from_os_error(error, f"writing to {base}")
        cause = Cause.NOT_WRITABLE if found.cause is Cause.UNKNOWN else found.cause
        raise ProvisionError(cause, found.message) from error


def require_room(base: Path, needed: int) -> None:
    """Raises ProvisionError with both numbers when the disk has less than `needed` bytes free."""
    free = shutil.disk_usage(base).free
    if free < needed:
        text = f"{base} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed"
        raise ProvisionError(Cause.DISK_FULL, text)


def backend_lives() -> int:
    """The process number of a backend that runs for this user, 0 when there is none."""
    data = _read(paths.run_dir() / RUN_FILE)
    pid, started = (None, None) if data is None else (data.get("pid"), data.get("started"))
    if not isinstance(pid, int) or not isinstance(started, (int, float, type(None))):
        return 0
    return pid if processes.is_alive(pid, started) else 0


def remove_tree(folder: Path, doing: str) -> None:
    """Remove a folder with our mark; the mark goes last, so that a half removed one is known for what it is.

    Raises ProvisionError when a file can't be removed for `PATIENCE` seconds.
    """
    if read_mark(folder) is None:
        raise ProvisionError(Cause.BAD_FOLDER, f"{folder} is not an environment of ours: it is left alone")
    try:
        write_mark(Environment(folder, False, "", ()))
        for child in [child for child in folder.iterdir() if child.name != MARK]:
            _insist(lambda child=child: _remove(child))  # type: ignore[misc]
        _insist((folder / MARK).unlink)
        _insist(folder.rmdir)
    except (OSError, BackendError) as error:
        raise ProvisionError(Cause.FILES_HELD, f"{doing} failed: {error}") from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=_make_writable)
    else:
        path.unlink(missing_ok=True)


def _make_writable(function: Callable[[str], Any], path: str, info: Any) -> None:
    """A read-only file can't be removed on Windows; nor one in a read-only folder elsewhere."""
    for place in (Path(path).parent, Path(path)):
        with contextlib.suppress(OSError):
            place.chmod(place.stat().st_mode | stat.S_IWUSR | (stat.S_IXUSR if place.is_dir() else 0))
    function(path)


def _insist(remove: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            remove()
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def _number(folder: Path) -> tuple[int, str]:
    found = re.search(r"-(\d{1,6})$", folder.name)
    return int(found[1]) if found else 0, folder.name


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_bytes()[:MAX_SIZE])
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
