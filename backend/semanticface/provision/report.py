"""Writes down how far the work is, at most a few times a second, and notices that somebody wants it to end."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import IO

from semanticface import processes
from semanticface.errors import BackendError
from semanticface.provision.order import Order
from semanticface.provision.progress import Outcome, Progress, Step, cancel_path, write_progress
from semanticface.provision.trouble import Cause, ProvisionError

EVERY = 0.2
"""Seconds between two writes while only the fraction moves."""


class Reporter:
    """`log` takes the words of all programs; `tell` gets each new line of progress, for a shell."""

    def __init__(
        self, order: Order, log: IO[str], tell: Callable[[str], None] = lambda text: None, ticket: str = ""
    ) -> None:
        pid = os.getpid()
        self.progress = Progress(
            work=order.work,
            outcome=Outcome.RUNNING,
            step=Step.CHECK,
            pid=pid,
            started=processes.start_time(pid),
            folder=str(order.folder),
            ticket=ticket,
        )
        self._log, self._tell = log, tell
        self._written = 0.0

    def step(self, step: Step, message: str = "") -> None:
        """The next step, or another message of the same. Raises ProvisionError when it was cancelled."""
        self._note(replace(self.progress, step=step, message=message, fraction=None))
        self._tell(self.progress.line())
        self.watch()

    def message(self, message: str, fraction: float | None = None) -> None:
        """What is under way within the step."""
        self._note(replace(self.progress, message=message, fraction=fraction), EVERY)

    def began(self, pid: int) -> None:
        started = processes.start_time(pid)
        self._note(replace(self.progress, child=None if started is None else (pid, started)))

    def said(self, line: str) -> None:
        """A line that a program printed."""
        with contextlib.suppress(OSError):  # a full disk is named by the program that needs the space
            self._log.write(line + "\n")
            self._log.flush()

    def remark(self, text: str) -> None:
        """Something that the user should know at the end."""
        self.said(f"# {text}")
        self._note(replace(self.progress, remarks=(*self.progress.remarks, text)))
        self._tell(text)

    def watch(self) -> None:
        """Raises ProvisionError when somebody has asked for the end."""
        if cancel_path().exists():
            cancel_path().unlink(missing_ok=True)
            raise ProvisionError(Cause.CANCELLED, "cancelled")

    def done(self) -> Progress:
        self._note(replace(self.progress, outcome=Outcome.DONE, message="", fraction=None, child=None))
        return self.progress

    def fail(self, error: ProvisionError) -> Progress:
        outcome = Outcome.CANCELLED if error.cause is Cause.CANCELLED else Outcome.FAILED
        self.said(f"# {outcome}: {error}")
        self.progress = replace(
            self.progress,
            outcome=outcome,
            fraction=None,
            child=None,
            cause=error.cause,
            error=error.message,
            hint=error.hint,
        )
        with contextlib.suppress(BackendError):  # where not even this can be written, the exit code still tells
            write_progress(self.progress)
        return self.progress

    def _note(self, progress: Progress, spacing: float = 0.0) -> None:
        self.progress = progress
        now = time.monotonic()
        if now - self._written >= spacing:
            self._written = now
            write_progress(progress)
