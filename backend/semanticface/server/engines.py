"""The engines by name: how each is built, and which one `auto` means. Only the worker builds one.

Light to import: an engine's own module is imported when it is built.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from semanticface.engines.base import Engine
from semanticface.errors import EngineError

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine. `hidden`: for tests, not offered. `decodes` False: its pictures are the undecoded bytes."""

    name: str
    title: str
    build: Callable[[], Engine]
    needs: tuple[str, ...] = ()
    hidden: bool = False
    decodes: bool = True

    @property
    def installed(self) -> bool:
        """Whether the libraries that it needs are there; nothing is imported to find out."""
        return all(importlib.util.find_spec(name) is not None for name in self.needs)


def _landmarks() -> Engine:
    from semanticface.engines.landmarks.engine import load

    return load()


def _echo() -> Engine:
    from semanticface.server.echo import EchoEngine

    return EchoEngine()


def _echo_batch() -> Engine:
    from semanticface.server.echo import EchoEngine

    return EchoEngine(sequential=False)


def _echo_blind() -> Engine:
    from semanticface.server.echo import BlindEngine

    return BlindEngine()


def _echo_unfit() -> Engine:
    raise EngineError("echo-unfit never starts", "it is there to test what happens then")


ENGINES: tuple[Entry, ...] = (
    Entry("landmarks", "Landmarks (embedded, any CPU)", _landmarks, ("ai_edge_litert", "cv2", "numpy")),
    Entry("echo", "Echo, for testing pipelines", _echo, ("numpy",), hidden=True),
    Entry("echo-batch", "Echo, frame by frame in batches", _echo_batch, ("numpy",), hidden=True),
    Entry("echo-blind", "Echo of undecoded bytes, for measuring", _echo_blind, ("numpy",), hidden=True, decodes=False),
    Entry("echo-unfit", "Echo that can't start", _echo_unfit, hidden=True),
)
"""Best first: `auto` takes the first that is installed and not hidden."""


def resolve(name: str) -> Entry:
    """The engine of this name, or the best one for `auto`. Raises EngineError that lists the names."""
    offered = [entry for entry in ENGINES if not entry.hidden]
    found = [entry for entry in ENGINES if entry.name == name]
    if name == AUTO:
        found = [entry for entry in offered if entry.installed] or offered[-1:]
    if not found:
        names = ", ".join([AUTO, *(entry.name for entry in offered)])
        raise EngineError(f"there is no engine {name[:80]!r}", f"choose one of {names}")
    entry = found[0]
    if not entry.installed:
        missing = ", ".join(library for library in entry.needs if importlib.util.find_spec(library) is None)
        raise EngineError(f"engine {entry.name} needs {missing}", "install the package's backend extra")
    return entry


def offered() -> list[dict[str, Any]]:
    """For `welcome`: name, title and whether it is installed, best first."""
    return [
        {"name": entry.name, "title": entry.title, "installed": entry.installed}
        for entry in ENGINES
        if not entry.hidden
    ]
