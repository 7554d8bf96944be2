"""Which Python an environment can be made with: one that the user has, uv's, or as the last choice the host's own.

Each candidate is run once, because a name on the search path says nothing: it may be a shop's placeholder, lack
`venv` as Debian's does, or be the host's. Knows nothing of what is installed afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from semanticface.provision import child
from semanticface.provision.trouble import Cause, ProvisionError

OLDEST = (3, 11)
NEWEST = (3, 13)
"""Versions in between have wheels of everything; a newer one is tried when there is nothing else."""
NAMES = ("3.11", "3.12", "3.13")
SECONDS = 30.0
UV_SECONDS = 600.0

_LOOK = """
import importlib.util as u, json, sys
print("looked " + json.dumps({"version": list(sys.version_info[:3]), "bits": sys.maxsize.bit_length() + 1,
    "venv": bool(u.find_spec("venv") and u.find_spec("ensurepip")), "executable": sys.executable,
    "prefixes": [sys.prefix, sys.base_prefix], "kind": sys.implementation.name}))
"""


class Kind(StrEnum):
    CHOSEN = "chosen"
    SYSTEM = "system"
    UV = "uv"
    HOST = "host"
    """The host's own; an environment made with it needs the host's folder to stay where it is."""


@dataclass(frozen=True, slots=True)
class Python:
    path: Path
    version: tuple[int, int, int]
    kind: Kind

    @property
    def name(self) -> str:
        return f"Python {'.'.join(map(str, self.version))}"


def choose_python(
    chosen: str,
    keep_out: Sequence[Path],
    online: bool,
    watch: Callable[[], None] = lambda: None,
) -> Python:
    """The best one. `keep_out` are the host's folders; a Python in them counts as the host's. With `online`, uv may
    fetch one. Raises ProvisionError that lists what was found and why it won't do.
    """
    refused: list[str] = []
    spare: Python | None = None
    for kind, command in _candidates(chosen, online, watch):
        found = _look(command, kind, keep_out, watch)
        if isinstance(found, str):
            refused.append(f"{command[-1] if kind is Kind.SYSTEM else command[0]}: {found}")
        elif found.kind is Kind.HOST or (found.version[:2] > NEWEST and found.kind is not Kind.CHOSEN):
            spare = spare if spare is not None and spare.kind is not Kind.HOST else found
        else:
            return found
        if chosen:
            break
    if spare is not None:
        return spare
    said = f" ({'; '.join(dict.fromkeys(refused))})"[:500] if refused else ""
    what = f"{chosen} can't be used" if chosen else "no Python 3.11 or later was found"
    cause = Cause.NO_VENV if refused and all("venv" in text for text in refused) else Cause.NO_PYTHON
    raise ProvisionError(cause, f"{what}{said}")


def _candidates(chosen: str, online: bool, watch: Callable[[], None]) -> Iterator[tuple[Kind, list[str]]]:
    if chosen:
        yield Kind.CHOSEN, [shutil.which(chosen) or chosen]
        return
    launcher = shutil.which("py") if sys.platform == "win32" else None
    if launcher:
        yield from ((Kind.SYSTEM, [launcher, f"-{name}"]) for name in NAMES)
    seen = set()
    for name in [*(f"python{name}" for name in NAMES), "python3", "python"]:
        path = shutil.which(name, path=_search_path())
        if path and path not in seen:
            seen.add(path)
            yield Kind.SYSTEM, [path]
    found = _from_uv(online, watch)
    if found:
        yield Kind.UV, [found]
    if sys.executable:
        yield Kind.HOST, [sys.executable]


def _search_path() -> str:
    """PATH, and where Pythons are on a Mac, whose programs are started without the shell's PATH."""
    places = [os.environ.get("PATH", "")]
    if sys.platform == "darwin":
        frameworks = "/Library/Frameworks/Python.framework/Versions"
        places += ["/opt/homebrew/bin", "/usr/local/bin", *(f"{frameworks}/{name}/bin" for name in NAMES)]
    return os.pathsep.join(filter(None, places))


def _from_uv(online: bool, watch: Callable[[], None]) -> str:
    """The path of a Python that uv has, or fetches when it may; "" without uv."""
    own = [str(Path.home() / folder / "uv") for folder in (".local/bin", ".cargo/bin")]
    program = next(filter(None, map(shutil.which, ["uv", *own])), None)
    if program is None:
        return ""
    find = [program, "python", "find", "--no-project", f">={NAMES[0]},<3.{NEWEST[1] + 1}"]
    for command in ([], [program, "python", "install", NAMES[1]]):
        if command and (not online or _quiet(command, watch, UV_SECONDS) is None):
            return ""
        path = _quiet(find, watch, SECONDS)
        if path:
            return path[-1].strip()
    return ""


def _quiet(command: list[str], watch: Callable[[], None], timeout: float) -> tuple[str, ...] | None:
    try:
        done = child.run(command, watch=watch, timeout=timeout)
    except OSError:
        return None
    return done.lines if done.code == 0 and not done.stopped else None


def _look(command: list[str], kind: Kind, keep_out: Sequence[Path], watch: Callable[[], None]) -> Python | str:
    """The Python, or why it won't do."""
    try:
        done = child.run([*command, "-I", "-c", _LOOK], watch=watch, timeout=SECONDS)
        data = json.loads(next(line for line in done.lines if line.startswith("looked ")).removeprefix("looked "))
        version = tuple(int(part) for part in data["version"])
        prefixes = [Path(text).resolve() for text in data["prefixes"]]
        path = Path(data["executable"] or command[0])
    except OSError as error:
        return str(error.strerror or error)
    except (StopIteration, ValueError, KeyError, TypeError):
        return "it doesn't run"
    if version[:2] < OLDEST:
        return f"it is {version[0]}.{version[1]}"
    if data["bits"] < 64 or data["kind"] != "cpython":
        return "it is no 64-bit CPython"
    if not data["venv"]:
        return "it lacks venv and ensurepip (Debian, Ubuntu: apt install python3-venv)"
    if kind is not Kind.CHOSEN and any(place.is_relative_to(out.resolve()) for place in prefixes for out in keep_out):
        kind = Kind.HOST
    return Python(path, (version[0], version[1], version[2]), kind)
