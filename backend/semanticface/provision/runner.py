"""The installer as a host sees it: a process of its own that is started, polled and cancelled, and never waited for.

It outlives its host: a host that is started while it works, or after it was killed, reads its progress all the same.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from semanticface import paths, processes
from semanticface.provision.order import Order
from semanticface.provision.progress import Outcome, Progress, cancel_path, log_path, read_progress
from semanticface.provision.trouble import Cause, ProvisionError, from_os_error
from semanticface.runfile import make_private

GRACE = 4.0
"""Seconds after which an installer that was asked to end is ended."""
OUTPUT_NAME = "installer-output.log"

# -I: nothing of the host's Python comes along; the folder of this package is all that it needs besides the library.
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));from semanticface.provision.__main__ import main; sys.exit(main())"
)


class Installer:
    """One installation that was started here. `poll` says how far it is, from a file, within a millisecond."""

    def __init__(self, order: Order) -> None:
        """Start it. Raises ProvisionError when it can't be, or when one runs already."""
        running = read_progress()
        if running is not None and running.alive:
            raise ProvisionError(Cause.BUSY, f"an installation runs already, process {running.pid}")
        self._cancelled: float | None = None
        self._ticket = os.urandom(8).hex()
        self._process = _start(order, self._ticket)
        self._pid = self._process.pid
        self._order = order

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def poll(self) -> Progress | None:
        """How far it is, None while it has not said anything yet. Raises nothing; an end is said once it has ended."""
        running = self.running  # asked first: what it wrote before its end is read after
        progress = read_progress()
        own = progress if progress is not None and progress.ticket == self._ticket else None
        if running:
            if self._cancelled is not None and time.monotonic() - self._cancelled > GRACE:
                self._kill()
            return own if own is None or own.outcome is Outcome.RUNNING else None
        if own is not None and own.outcome is not Outcome.RUNNING:
            return own
        return _died(own, self._order, self._cancelled is not None, self._process.returncode)

    def cancel(self) -> None:
        """Ask for the end, which comes within `GRACE` seconds. What was made so far stays, to be gone on with."""
        if self.running and self._cancelled is None:
            self._cancelled = time.monotonic()
            with contextlib.suppress(OSError):
                cancel_path().touch()

    def _kill(self) -> None:
        """The installer and all that it has started."""
        if sys.platform == "win32":
            tool = ["taskkill", "/T", "/F", "/PID", str(self._pid)]
            subprocess.Popen(tool, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **processes.detached())
        else:
            with contextlib.suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)
        cancel_path().unlink(missing_ok=True)


def cancel_running() -> bool:
    """Ask for the end of an installation that another host has started; whether there is one."""
    running = read_progress()
    if running is None or not running.alive:
        return False
    with contextlib.suppress(OSError):
        cancel_path().touch()
    return True


def host_python() -> str:
    """A Python that can run the installer: the host's own, which nothing is installed into. Raises ProvisionError."""
    own = Path(sys.executable or "")
    if own.is_file() and own.stem.lower().startswith("python"):
        return str(own)
    folder = Path(sys.prefix) / "bin"
    inside = [Path(sys.prefix) / "python.exe", folder / f"python{sys.version_info[0]}.{sys.version_info[1]}"]
    found = next((str(path) for path in inside if path.is_file()), None) or shutil.which("python3")
    if found is None:
        raise ProvisionError(Cause.NO_PYTHON, "no Python was found that could run the installer")
    return found


def _start(order: Order, ticket: str) -> subprocess.Popen[bytes]:
    import semanticface

    root = str(Path(semanticface.__file__).resolve().parents[1])
    command = [host_python(), "-I", "-c", _BOOT, root, *order.arguments(), "--ticket", ticket]
    try:
        make_private(paths.log_dir())
        cancel_path().unlink(missing_ok=True)
        log_path().unlink(missing_ok=True)
        with (paths.log_dir() / OUTPUT_NAME).open("wb") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=processes.child_environment(os.environ),
                cwd=paths.log_dir(),
                **processes.detached(),
            )
    except OSError as error:
        raise from_os_error(error, "starting the installer") from error


def _died(last: Progress | None, order: Order, cancelled: bool, code: int | None) -> Progress:
    """The end of an installer that could not say how it ended."""
    from dataclasses import replace

    from semanticface.provision.progress import Step
    from semanticface.provision.trouble import HINTS

    progress = last or Progress(order.work, Outcome.FAILED, Step.CHECK, folder=str(order.folder))
    cause = Cause.CANCELLED if cancelled else Cause.INTERRUPTED
    words = "" if last is not None else _output()
    error = "cancelled" if cancelled else f"the installer ended with code {code}{words}"
    outcome = Outcome.CANCELLED if cancelled else Outcome.FAILED
    return replace(progress, outcome=outcome, cause=cause, error=error, hint=HINTS[cause], child=None)


def _output() -> str:
    try:
        text = (paths.log_dir() / OUTPUT_NAME).read_bytes()[-600:].decode("utf-8", "replace")
    except OSError:
        return ""
    return f": {' '.join(text.split())}" if text.strip() else ""
