"""The way to the backend as a host's timer sees it: find, start or join, connect, and notice the end.

    OFF -> STARTING -> CONNECTING -> CONNECTED
     ^---------+-------------+------------+      refused, failed or lost: `error` says why

Starting and connecting are `launch`'s and `pump`'s; this only puts them after one another, for every host in the same
way. Nothing here waits, and nothing here knows of a host.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from semanticface.connection import ConnectionState
from semanticface.errors import BackendMissing, SemanticFaceError
from semanticface.launch import Starter, StartStage, find_backend, live_run_file
from semanticface.pump import Event, Lost, Pump

if TYPE_CHECKING:
    from subprocess import Popen


class LinkState(StrEnum):
    OFF = "off"
    STARTING = "starting"
    CONNECTING = "connecting"
    CONNECTED = "connected"


class BackendLink:
    """At most one backend at a time."""

    def __init__(self, app: str) -> None:
        self.error: SemanticFaceError | None = None
        self.message = ""
        self.pump: Pump | None = None
        self._app = app
        self._starter: Starter | None = None
        self._children: list[Popen[bytes]] = []
        """Backends that were started from here: their exit codes are taken in `poll`."""

    @property
    def state(self) -> LinkState:
        if self._starter is not None:
            return LinkState.STARTING
        if self.pump is None:
            return LinkState.OFF
        return LinkState.CONNECTED if self.pump.state is ConnectionState.CONNECTED else LinkState.CONNECTING

    def open(self, command: str | None, start: bool) -> None:
        """Join the running backend, or with `start` bring one up. Does nothing when that is under way or done.

        Raises BackendMissing when none runs and none may be started.
        """
        if self.state is not LinkState.OFF:
            return
        self.error = None
        if not start and live_run_file() is None:
            raise BackendMissing("no backend is running", "press Start Backend, or start it with `semanticface serve`")
        self._starter = Starter(find_backend(command), reap=self._children.append)
        self.message = "Looking for the backend"

    def poll(self, budget: float) -> list[Event]:
        """Go on with whatever is under way; a start that failed comes as Lost, too."""
        self._children[:] = [child for child in self._children if child.poll() is None]
        if self._starter is not None:
            return self._poll_starter(self._starter)
        if self.pump is None:
            return []
        events = self.pump.poll(budget)
        for event in events:
            if isinstance(event, Lost):
                self._end(event.error)
        return events

    def close(self) -> None:
        """Stop using the backend, within 0.1 s; one that was started here and isn't ready is ended."""
        starter, self._starter = self._starter, None
        pump, self.pump = self.pump, None
        self.message = ""
        if starter is not None:
            starter.close()
        if pump is not None:
            pump.close()

    def describe(self) -> str:
        """One line for the panel."""
        if self.pump is not None and self.pump.welcome is not None:
            return f"Backend {self.pump.welcome['backend']}"
        return self.message or "Not connected"

    def engine(self) -> str:
        """Which engine the backend takes and why, as it said when it was joined; empty while that is unknown."""
        rows = [] if self.pump is None or self.pump.welcome is None else self.pump.welcome["engines"]
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, Mapping) and row.get("auto"):
                return f"engine: {row.get('name')} — {row.get('reason')}"[:400]
        return ""

    def _poll_starter(self, starter: Starter) -> list[Event]:
        state = starter.poll()
        self.message = state.message
        if state.stage is StartStage.READY and state.run is not None:
            self._starter = None
            self.pump = Pump(state.run, app=self._app)
        elif state.stage is StartStage.FAILED:
            error = state.error or BackendMissing(state.message)
            self._end(error)
            return [Lost(error)]
        return []

    def _end(self, error: SemanticFaceError) -> None:
        self.close()
        self.error = error
