"""The run file: how a client finds the backend that lives on this machine, and what it needs to talk to it.

The backend's front writes it when its socket is bound and removes it when it ends. Whoever can read it can
reach the backend, so the folder has mode 0700 and the file 0600. A file whose process is gone is stale and is
cleaned by the next reader. Standard library only. This module knows nothing of sockets.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semanticface import __version__, paths, processes
from semanticface.errors import BackendError

FORMAT = "semanticface-run"
VERSION = 1
NAME = "backend.json"
MAX_SIZE = 64 << 10
LOG_VARIABLE = "SEMANTICFACE_LOG"
"""Names the file that holds the stderr of a backend that a host has started; goes into the run file."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """One living backend.

    `endpoint` is a ZeroMQ address. `pid` and `started` (`processes.start_time`) together identify the process on
    `host`. `public_key` is the server's CURVE key in Z85, `token` goes into `hello`. `instance` is new at each start.
    """

    endpoint: str
    pid: int
    started: float | None
    protocol: tuple[int, int]
    instance: str
    public_key: str
    token: str
    program: str = __version__
    log: str = ""
    host: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION, **asdict(self), "protocol": list(self.protocol)}

    @classmethod
    def from_dict(cls, data: Any) -> RunFile:
        """Validate and build; unknown keys are ignored (a newer writer). Raises ValueError that says what is wrong."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise ValueError("it is not a run file of SemanticFace")
        if data.get("version") != VERSION:
            raise ValueError(f"it has version {data.get('version')!r}, this program reads {VERSION}")
        texts = {name: data.get(name) for name in ("endpoint", "instance", "public_key", "token")}
        if not all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts.values()):
            raise ValueError("endpoint, instance, public_key and token must be texts")
        started, protocol = data.get("started"), data.get("protocol")
        if started is not None and not isinstance(started, (int, float)):
            raise ValueError("started must be a number")
        if not isinstance(protocol, list) or len(protocol) != 2 or not all(isinstance(part, int) for part in protocol):
            raise ValueError("protocol must be [major, minor]")
        if not isinstance(data.get("pid"), int) or data["pid"] <= 0:
            raise ValueError("pid must be a process number")
        extra = {name: str(data.get(name) or "") for name in ("program", "log", "host")}
        return cls(
            **{name: str(text) for name, text in texts.items()},
            pid=data["pid"],
            started=None if started is None else float(started),
            protocol=(protocol[0], protocol[1]),
            **extra,
        )


def own_run_file(*, endpoint: str, instance: str, public_key: str, token: str, log: str = "") -> RunFile:
    """The run file of the process that calls this; `log` defaults to the file that its starter gave it."""
    from semanticface.protocol import MAJOR, MINOR  # brings msgpack, which readers of the file may lack

    pid = os.getpid()
    return RunFile(
        endpoint=endpoint,
        pid=pid,
        started=processes.start_time(pid),
        protocol=(MAJOR, MINOR),
        instance=instance,
        public_key=public_key,
        token=token,
        log=log or os.environ.get(LOG_VARIABLE, ""),
        host=processes.host_name(),
    )


def make_private(folder: Path) -> None:
    """Create the folder, or take an existing one, with access for its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sys.platform != "win32":  # a profile folder is private there already
        folder.chmod(0o700)


def write_private(path: Path, data: Mapping[str, Any]) -> None:
    """Replace `path` by this JSON in one step, readable by its owner alone. Raises BackendError with the path."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        make_private(path.parent)
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
        _replace(temporary, path)
    except OSError as error:
        raise BackendError(f"can't write {path}: {error}", "check the folder's rights and the disk's space") from error


def write_run_file(run: RunFile, folder: Path | None = None) -> Path:
    """Publish this backend; returns the file's path. An older file there is replaced."""
    path = _path(folder)
    write_private(path, run.to_dict())
    return path


def read_run_file(folder: Path | None = None) -> RunFile | None:
    """What the run file says, whether or not its process lives; None when there is none. Raises BackendError."""
    path = _path(folder)
    try:
        _refuse_strangers_file(path)
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
        if len(data) > MAX_SIZE:
            raise ValueError(f"it is larger than {MAX_SIZE} bytes")
        return RunFile.from_dict(json.loads(data))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise BackendError(f"can't use the run file {path}: {error}", "delete it and start the backend anew") from error


def live_run_file(folder: Path | None = None) -> RunFile | None:
    """The run file of a process that lives on this machine, else None. A stale file is removed on the way."""
    try:
        run = read_run_file(folder)
    except BackendError:
        return None  # nothing that could be joined; the next backend's file replaces it
    if run is None:
        return None
    if run.host and run.host != processes.host_name():
        return None  # a home folder shared between machines: its loopback is not ours, and its file is not stale
    if processes.is_alive(run.pid, run.started):
        return run
    remove_run_file(run.instance, folder)
    return None


def remove_run_file(instance: str, folder: Path | None = None) -> bool:
    """Remove the run file if it is still this instance's; returns whether it was."""
    try:
        run = read_run_file(folder)
    except BackendError:
        return False
    if run is None or run.instance != instance:
        return False
    _path(folder).unlink(missing_ok=True)
    return True


def _path(folder: Path | None) -> Path:
    return (paths.run_dir() if folder is None else folder) / NAME


def _refuse_strangers_file(path: Path) -> None:
    if sys.platform == "win32":
        return
    status = path.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise ValueError("it belongs to another user or others may write it")


def _replace(source: Path, target: Path) -> None:
    for left in reversed(range(20)):
        try:
            source.replace(target)
            return
        except PermissionError:  # on Windows while a reader has the target open
            if left == 0:
                raise
            time.sleep(0.02)
