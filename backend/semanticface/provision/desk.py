"""The installation of the backend as a host's panel or menu sees it: looked at, checked, changed, without waiting.

Belongs to the host's session. What it shows is remade only when something happened, so that drawing costs nothing.
Knows no host.
"""

from __future__ import annotations

import time
from pathlib import Path

from semanticface.installation import Check, Installation, find_backend
from semanticface.provision import places
from semanticface.provision.order import Order
from semanticface.provision.overview import InstallState, Overview, Words, look, overview
from semanticface.provision.progress import Outcome, Progress, read_progress
from semanticface.provision.runner import Installer, cancel_running

EVERY = 0.25
"""Seconds between two looks at the progress."""


class Desk:
    """`view` is what is known, None before the first look; `found` the backend that it is about."""

    def __init__(self, words: Words | None = None) -> None:
        self._words = words or Words()
        self.view: Overview | None = None
        self.found: Installation | None = None
        self._installer: Installer | None = None
        self._check: Check | None = None
        self._folder = Path()
        self._command: str | None = None
        self._looked = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is under way that `step` has to follow."""
        return self._installer is not None or self._check is not None or self.installing

    @property
    def installing(self) -> bool:
        return self.view is not None and self.view.state is InstallState.INSTALLING

    def look(self, command: str | None, folder: Path) -> Overview:
        """Look at the files, within a few milliseconds. A backend that was checked before keeps its verdict."""
        self._command, self._folder = command, folder
        found = find_backend(command)
        if self.found is None or self.found.command != found.command:
            self.found = found
        self.view = look(self.found, folder, self._words)
        return self.view

    def check(self, command: str | None, folder: Path) -> None:
        """Run the backend's Python to be sure; `step` brings the verdict."""
        self.close()
        self.found = None
        self.look(command, folder)
        self._check = Check(find_backend(command))

    def begin(self, order: Order) -> None:
        """Start an installation. Raises ProvisionError when it can't be started, or one runs already."""
        self._installer = Installer(order)
        self._folder = order.folder
        self.view = Overview(InstallState.INSTALLING, ("Starting the installer",))

    def cancel(self) -> None:
        if self._installer is not None:
            self._installer.cancel()
        else:
            cancel_running()

    def step(self) -> Progress | None:
        """Go on with what is under way, within a few milliseconds; the end of an installation, once."""
        now = time.monotonic()
        if now - self._looked < EVERY:
            return None
        self._looked = now
        if self._check is not None:
            self._go_on_checking(self._check)
        return self._followed()

    def refresh(self) -> None:
        """Look at the files again."""
        self.look(self._command, self._folder)

    def close(self) -> None:
        """Stop looking; an installation goes on by itself."""
        check, self._check = self._check, None
        if check is not None:
            check.close()

    def _go_on_checking(self, check: Check) -> None:
        answer = check.poll()
        if answer is not None:
            self._check = None
            self.found = answer
            self.view = overview(answer, read_progress(), places.environments(self._folder), self._words)

    def _followed(self) -> Progress | None:
        """The end of an installation, also of one that another host has started."""
        if self._installer is None:
            if not self.installing:
                return None
            progress = read_progress()
            view = self.look(self._command, self._folder)
            return None if view.state is InstallState.INSTALLING else progress
        progress = self._installer.poll()
        if progress is None or progress.outcome is Outcome.RUNNING:
            if progress is not None:
                self.view = Overview(InstallState.INSTALLING, (progress.line(),), progress.fraction)
            return None
        self._installer = None
        self.found = None
        self.refresh()
        return progress
