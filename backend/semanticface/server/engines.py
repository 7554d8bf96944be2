"""The engines by name: how each is built and what it needs. Only the worker builds one.

A name may carry a variant, `semanticface:NAME`: a checkpoint, or a server of the remote engine. Light to import: an
engine's own module is imported when it is built.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from semanticface.engines.base import Engine
from semanticface.engines.choose import INSTALL, LANDMARKS, SEMANTICFACE, Choice
from semanticface.errors import EngineError

AUTO = "auto"
_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine. `build` gets the variant, "" for the engine's own choice.

    `install` says how to get the libraries that it `needs`. `heavy`: it fills a graphics card, which has room for one
    such at a time. `variants`: whether it has any. `hidden`: for tests, not offered. `decodes` False: its pictures are
    the undecoded bytes.
    """

    name: str
    title: str
    build: Callable[[str], Engine]
    needs: tuple[str, ...] = ()
    install: str = "pip install 'semanticface[backend]'"
    heavy: bool = False
    variants: bool = False
    hidden: bool = False
    decodes: bool = True

    @property
    def missing(self) -> list[str]:
        """The libraries that are not there; nothing is imported to find out."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


@dataclass(frozen=True, slots=True)
class Named:
    """What a client's engine name stands for; `name` is the whole of it."""

    name: str
    entry: Entry
    variant: str = ""


def _landmarks(variant: str) -> Engine:
    from semanticface.engines.landmarks.engine import load

    return load()


def _semanticface(variant: str) -> Engine:
    from semanticface.engines.mllm.engine import load

    return load(variant)


def _remote(variant: str) -> Engine:
    from semanticface.engines.remote.engine import load

    return load(variant)


def _echo(variant: str) -> Engine:
    from semanticface.server.echo import EchoEngine

    return EchoEngine()


def _echo_batch(variant: str) -> Engine:
    from semanticface.server.echo import EchoEngine

    return EchoEngine(sequential=False, variant=variant)


def _echo_blind(variant: str) -> Engine:
    from semanticface.server.echo import BlindEngine

    return BlindEngine()


def _echo_unfit(variant: str) -> Engine:
    raise EngineError("echo-unfit never starts", "it is there to test what happens then")


_ECHO = ("numpy",)
_MODELS = ("torch", "transformers", "peft", "PIL")
_REMOTE = ("numpy", "PIL", "cv2", "httpx2")
ON_A_SERVER = "pip install 'semanticface[backend,remote]'"

ENGINES: tuple[Entry, ...] = (
    Entry(SEMANTICFACE, "SemanticFace (on a GPU)", _semanticface, _MODELS, INSTALL, heavy=True, variants=True),
    Entry(LANDMARKS, "Landmarks (embedded, any CPU)", _landmarks, ("ai_edge_litert", "cv2", "numpy")),
    Entry("remote", "SemanticFace on a server", _remote, _REMOTE, ON_A_SERVER, variants=True),
    Entry("echo", "Echo, for testing pipelines", _echo, _ECHO, hidden=True),
    Entry("echo-batch", "Echo, frame by frame in batches", _echo_batch, _ECHO, variants=True, hidden=True),
    Entry("echo-heavy", "Echo that fills a card", _echo_batch, _ECHO, heavy=True, variants=True, hidden=True),
    Entry("echo-blind", "Echo of undecoded bytes, for measuring", _echo_blind, _ECHO, hidden=True, decodes=False),
    Entry("echo-unfit", "Echo that can't start", _echo_unfit, hidden=True),
)


def resolve(name: str) -> Named:
    """The engine of this name, which is never `auto`: `engines.choose` says what that is.

    Raises EngineError that lists the names, or says what to install.
    """
    plain, colon, variant = name.partition(":")
    entry = next((entry for entry in ENGINES if entry.name == plain), None)
    if entry is None:
        names = ", ".join([AUTO, *(entry.name for entry in ENGINES if not entry.hidden)])
        raise EngineError(f"there is no engine {plain[:80]!r}", f"choose one of {names}")
    if colon and not entry.variants:
        raise EngineError(f"engine {plain} has no variants", f"write {plain}")
    if colon and not _VARIANT.fullmatch(variant):
        hint = "1 to 64 letters, digits, -, _ or ., a letter or digit first"
        raise EngineError(f"{variant[:80]!r} can't be the name of a variant of {plain}", hint)
    missing = entry.missing
    if missing:
        raise EngineError(f"engine {plain} needs {', '.join(missing)}", entry.install)
    return Named(name, entry, variant)


def belongs(name: str, to: str) -> bool:
    """Whether the engine `name` is `to` or one of its variants."""
    return name == to or name.startswith(f"{to}:")


def reader() -> str:
    """The engine whose worker looks into footage when none runs: a light one."""
    ready = [entry.name for entry in ENGINES if not entry.hidden and not entry.heavy and not entry.missing]
    return ready[0] if ready else LANDMARKS


def offered(choice: Choice | None) -> list[dict[str, Any]]:
    """For `welcome`: the engines, best first; which one `auto` takes, and why it does or why another can't be had."""
    rows = []
    for entry in ENGINES:
        if entry.hidden:
            continue
        row: dict[str, Any] = {"name": entry.name, "title": entry.title, "installed": not entry.missing}
        if choice is not None and choice.engine == entry.name:
            row |= {"auto": True, "reason": choice.reason}
        elif entry.missing:
            row["reason"] = f"needs {', '.join(entry.missing)} ({entry.install})"
        rows.append(row)
    return rows
