"""Find, start, join and stop the local backend.

    STARTING -> READY       a backend answered hello; another one than ours where two hosts started at once
             -> FAILED      the process ended, never became ready, or speaks another version

Readiness is the run file and an answered hello, nothing that is printed. A `Starter` never waits, so a host can
poll it from a timer; `start` waits with it. Whoever starts holds a lock of the operating system, so that the second
of two hosts joins what the first one starts. This module knows nothing of jobs.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING

from semanticface import paths, processes
from semanticface.connection import Connection, ConnectionState
from semanticface.errors import BackendError, BackendLost, BackendMissing, ProtocolError, SemanticFaceError
from semanticface.installation import Installation, Verdict, find_backend, register_path, write_register
from semanticface.runfile import (
    LOG_VARIABLE,
    RunFile,
    live_run_file,
    make_private,
    own_run_file,
    read_run_file,
    remove_run_file,
    write_run_file,
)

if TYPE_CHECKING:
    import subprocess

__all__ = [
    "Installation",
    "RunFile",
    "StartStage",
    "StartState",
    "Starter",
    "Verdict",
    "find_backend",
    "live_run_file",
    "own_run_file",
    "read_run_file",
    "register_path",
    "remove_run_file",
    "start",
    "stop",
    "write_register",
    "write_run_file",
]

START_TIMEOUT = 60.0
JOIN_TIMEOUT = 5.0
"""How long a living process that somebody else started may leave hello unanswered."""

OTHER_RUNS = 4
"""The backend's exit code when another one lives."""

LOCK_NAME = "starting.lock"
KEPT_LOGS = 5
TAIL = 2000


class StartStage(StrEnum):
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StartState:
    """Where a start stands. READY has `run`; FAILED has `error`; `message` is one for the user in any stage."""

    stage: StartStage
    run: RunFile | None = None
    error: SemanticFaceError | None = None
    message: str = ""


def _reap_in_thread(process: subprocess.Popen[bytes]) -> None:
    threading.Thread(target=process.wait, name="semanticface-reaper", daemon=True).start()


class Starter:
    """Brings up a backend, or joins the one that is up. Call `poll` until the stage is READY or FAILED."""

    def __init__(
        self,
        installation: Installation,
        lease: bool = True,
        *,
        timeout: float = START_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        reap: Callable[[subprocess.Popen[bytes]], object] | None = None,
    ) -> None:
        """`lease`: the backend ends when no client is left.

        Someone must take a child's exit code, whenever that comes, or it stays a zombie: `reap` is handed the child,
        None leaves it to a thread. A host that threads of Python don't go well with calls the child's `poll` at times.
        """
        self.state = StartState(StartStage.STARTING, message="looking for a backend")
        self._installation, self._lease, self._clock = installation, lease, clock
        self._deadline = clock() + timeout
        self._timeout = timeout
        self._lock = _StartLock()
        self._reap = reap or _reap_in_thread
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._greeting: Connection | None = None
        self._unanswered: tuple[float, SemanticFaceError] | None = None  # since when, and the last error

    def poll(self) -> StartState:
        """Do what can be done without waiting; returns the state. Raises nothing."""
        if self.state.stage is not StartStage.STARTING:
            return self.state
        try:
            self._step()
        except SemanticFaceError as error:
            self._fail(error)
        except OSError as error:
            self._fail(BackendError(f"can't start the backend: {error}", "check the rights of the data folder"))
        return self.state

    def close(self) -> None:
        """Give up: a process that was started here and is not ready yet is ended."""
        if self.state.stage is StartStage.STARTING:
            self._fail(BackendError("the start was given up"))

    def _step(self) -> None:
        run = live_run_file()
        if run is not None:
            self._greet(run)
        elif self._process is None and self._lock.acquire():
            if live_run_file() is None:  # the one who held the lock before may have just finished
                self._spawn()
        elif self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            if code == OTHER_RUNS and self._clock() < self._deadline:
                self._process = None  # somebody has started one without our lock; its run file comes
                return
            raise BackendLost(f"the backend ended with code {code} while it started{self._tail()}", "see its log")
        elif self._process is None:
            self.state = StartState(StartStage.STARTING, message="another program is starting the backend")
        if self.state.stage is StartStage.STARTING and self._clock() > self._deadline:
            raise self._overdue()

    def _greet(self, run: RunFile) -> None:
        """Say hello to the living process until it answers; only then it is a backend that is ready."""
        if self._greeting is None or self._greeting.run != run:
            self._drop_greeting()
            self._greeting = Connection(run, "starter")
            self._greeting.open()
        while self._greeting.receive() is not None:
            pass
        self._greeting.tick()
        if self._greeting.state is ConnectionState.CONNECTED:
            self._succeed(run)
        elif self._greeting.state is ConnectionState.REFUSED and self._greeting.error is not None:
            raise self._greeting.error
        elif self._greeting.state is ConnectionState.LOST and self._greeting.error is not None:
            since = self._clock() if self._unanswered is None else self._unanswered[0]
            self._unanswered = since, self._greeting.error
            self._drop_greeting()
            if self._process is None and self._clock() - since > JOIN_TIMEOUT:
                raise self._unanswered[1]

    def _spawn(self) -> None:
        found = self._installation
        if found.verdict is not Verdict.OK:
            raise BackendMissing(found.message or f"the backend is {found.verdict}", "see `semanticface doctor`")
        import subprocess  # a seventh of the client's import time, and only a start needs it

        self._log = _new_log()
        environment = processes.child_environment(os.environ) | {LOG_VARIABLE: str(self._log)}
        with self._log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    [*found.command, *(("--lease",) if self._lease else ())],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    cwd=self._log.parent,  # `python -m` looks for modules in its folder first, so it must be ours
                    **processes.detached(),
                )
            except OSError as error:
                raise BackendMissing(f"can't run {found.command[0]}: {error}", "choose the backend's python") from error
        self.state = StartState(StartStage.STARTING, message=f"starting {found.command[0]}")

    def _succeed(self, run: RunFile) -> None:
        self.state = StartState(StartStage.READY, run, message=f"backend {run.program} is ready")
        self._drop_greeting()
        self._lock.release()
        if self._process is not None:
            self._reap(self._process)

    def _fail(self, error: SemanticFaceError) -> None:
        self.state = StartState(StartStage.FAILED, error=error, message=str(error))
        self._drop_greeting()
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            self._reap(process)
        self._lock.release()

    def _overdue(self) -> SemanticFaceError:
        if self._unanswered is not None:
            return self._unanswered[1]
        return BackendLost(f"the backend was not ready within {self._timeout:.0f} s{self._tail()}", "see its log")

    def _tail(self) -> str:
        if self._log is None:
            return ""
        try:
            text = self._log.read_bytes()[-TAIL:].decode("utf-8", "replace").strip()
        except OSError:
            text = ""
        return f"; {self._log} ends with:\n{text}\n" if text else f"; {self._log} is empty"

    def _drop_greeting(self) -> None:
        greeting, self._greeting = self._greeting, None
        if greeting is not None:
            greeting.close()


def start(installation: Installation | None = None, *, lease: bool = True, timeout: float = START_TIMEOUT) -> RunFile:
    """Start the backend, or join the living one, and wait until it is ready.

    Raises BackendMissing, BackendLost with the end of its log, VersionMismatch or another SemanticFaceError.
    """
    starter = Starter(installation or find_backend(), lease, timeout=timeout)
    try:
        while (state := starter.poll()).stage is StartStage.STARTING:
            time.sleep(0.01)
    finally:
        starter.close()
    if state.run is None:
        raise state.error or BackendError(state.message)
    return state.run


def stop(timeout: float = 10.0) -> bool:
    """End the living backend; False when there is none.

    Asks with `shutdown`; if it doesn't answer, ends the process, which is known by number and start time. Raises
    BackendError when it lives on.
    """
    run = live_run_file()
    if run is None:
        return False
    deadline = time.monotonic() + timeout
    patience = deadline - timeout / 2 if _ask_to_shut_down(run, timeout / 2) else 0.0
    while run.pid != os.getpid() and processes.is_alive(run.pid, run.started):
        if run.started is not None and time.monotonic() > patience:
            patience = deadline
            processes.terminate(run.pid, run.started)
        if time.monotonic() > deadline:
            raise BackendError(f"the backend, process {run.pid}, doesn't end", "end it with the system's task manager")
        time.sleep(0.02)
    remove_run_file(run.instance)
    return True


def _ask_to_shut_down(run: RunFile, timeout: float) -> bool:
    """Whether it said that it will."""
    connection = Connection(run, "stop")
    deadline = time.monotonic() + timeout
    asked = False
    try:
        connection.open()
        while time.monotonic() < deadline and connection.state in (
            ConnectionState.CONNECTING,
            ConnectionState.CONNECTED,
        ):
            message = connection.receive()
            if message is not None and asked:
                return not isinstance(message, ProtocolError) and message.type == "done"
            if connection.state is ConnectionState.CONNECTED and not asked:
                connection.request("shutdown")
                asked = True
            connection.tick()
            connection.wait(0.05)
        return False
    finally:
        connection.close()


def _new_log() -> Path:
    folder = paths.log_dir()
    make_private(folder)
    for old in sorted(folder.glob("backend-*.log"))[: -(KEPT_LOGS - 1)]:
        with contextlib.suppress(OSError):  # on Windows one that is still written to
            old.unlink()
    return folder / f"backend-{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(4).hex()}.log"


class _StartLock:
    """A lock of the operating system on a file; it is free again when its holder ends, however that happens."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Whether this starter holds it (now)."""
        if self._file is not None:
            return True
        make_private(paths.run_dir())
        file = (paths.run_dir() / LOCK_NAME).open("ab")
        if not processes.try_lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
