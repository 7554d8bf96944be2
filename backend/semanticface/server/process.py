"""One worker process: spawned, watched, killed, and what it wrote to stderr before it died.

Runs in the front. This module knows nothing of jobs, and of the worker only its command line.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Protocol

TAIL_BYTES = 4096
TAIL_LINES = 15
MAX_LOG = 4 << 20

log = logging.getLogger(__name__)


class Process(Protocol):
    """What the supervisor needs of a process; tests bring their own."""

    pid: int

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def tail(self) -> str: ...


class WorkerProcess:
    """A worker for one engine. Its secret goes through stdin, which also tells it when the front is gone."""

    def __init__(self, endpoint: str, engine: str, secret: bytes, stderr: Path) -> None:
        self._path = stderr
        stderr.parent.mkdir(parents=True, exist_ok=True)
        if stderr.exists() and stderr.stat().st_size > MAX_LOG:
            stderr.replace(stderr.with_suffix(".old.log"))
        command = [sys.executable, "-P", "-m", "semanticface.server.worker", endpoint, engine]
        flags = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW
        # Torch numbers cards by speed unless told to count as nvidia-smi does, by which `auto` judges them.
        environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **os.environ}
        with stderr.open("ab") as stream:
            self._offset = stream.tell()
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=stream, stderr=stream, env=environment, creationflags=flags
            )
        self.pid = self._process.pid
        self._feed(self._process.stdin, secret)

    @staticmethod
    def _feed(stdin: IO[bytes] | None, secret: bytes) -> None:
        if stdin is None:
            return
        try:
            stdin.write(secret + b"\n")
            stdin.flush()
        except OSError as error:  # it died at once; `poll` will tell
            log.warning("a worker did not take its secret: %s", error)

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it lives."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once. It holds nothing that needs saving, and only the end of a process surely frees a GPU."""
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError as error:
                log.debug("closing a worker's stdin: %s", error)

    def tail(self) -> str:
        """The last lines that this process wrote to stderr."""
        try:
            with self._path.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(max(self._offset, size - TAIL_BYTES))
                text = stream.read().decode("utf-8", "replace")
        except OSError as error:
            return f"({self._path} can't be read: {error})"
        return "\n".join(text.strip().splitlines()[-TAIL_LINES:])


def exit_text(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    import signal

    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
