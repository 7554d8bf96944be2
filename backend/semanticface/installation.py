"""Which Python on this machine has the backend: an explicit choice, the environment, this one, the register, PATH.

An add-on runs in its host's Python, which lacks the backend's libraries and must not get them; so each backend
writes itself into a register when it starts, and an add-on finds it there. The backend's own environment (`provision`)
is found even when the register is gone. Standard library only. This module starts nothing but a short check of a
Python, and that only when asked to; a host runs it with `Check`, which doesn't wait.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface import __version__, paths, processes
from semanticface.runfile import write_private

if TYPE_CHECKING:
    import subprocess

BACKEND_VARIABLE = "SEMANTICFACE_BACKEND"
MODULE = "semanticface.server"
NEEDED = ("numpy", "cv2", "av", "ai_edge_litert")
"""Import names that the extra `backend` brings."""

REGISTER_NAME = "backend-install.json"
ENVIRONMENT_NAME = "environment.json"
CHECK_TIMEOUT = 60.0
INSTALL_HINT = 'make an environment with Python 3.11 or later and run: pip install "semanticface[backend]"'

_CHECK = """
import importlib.util as u, json, sys
import semanticface, semanticface.protocol as p
from semanticface import assets
need = json.loads(sys.argv[1])
print(json.dumps({"version": semanticface.__version__, "major": p.MAJOR,
                  "model": assets.locate(assets.FACE_LANDMARKER) is not None,
                  "missing": [n for n in need if u.find_spec(n) is None]}))
"""


class Verdict(StrEnum):
    """What can be said about an installation before it is started."""

    OK = "ok"
    NOT_INSTALLED = "not_installed"
    """Nothing was found, or no backend is there."""
    CANNOT_RUN = "cannot_run"
    """It is there and doesn't work: no such program, libraries missing, the check failed."""
    TOO_OLD = "too_old"
    """It speaks an older protocol than this client."""
    TOO_NEW = "too_new"
    """It speaks a newer protocol than this client, which should be updated."""


@dataclass(frozen=True, slots=True)
class Installation:
    """`command` starts the backend; a host adds `--lease`. `version` is "" where it isn't known without starting it.

    `model`: whether the face model is on this machine; None where nobody looked, or none is needed.
    """

    verdict: Verdict
    command: tuple[str, ...] = ()
    version: str = ""
    message: str = ""
    model: bool | None = None


def find_backend(explicit: str | None = None, *, verify: bool = False) -> Installation:
    """The backend to start. Looks at files only, within milliseconds; `verify` runs its Python to be sure.

    `explicit` is a Python, an environment's folder, a `semanticface` program or a whole command. After it come the
    environment variable SEMANTICFACE_BACKEND (of the same form), this Python, the register, the backend's own
    environment, and PATH.
    """
    chosen = explicit or os.environ.get(BACKEND_VARIABLE, "")
    found = _from_text(chosen) if chosen else _this_python() or _registered() or _provisioned() or _on_path()
    if found is None:
        return Installation(Verdict.NOT_INSTALLED, message=f"no SemanticFace backend was found: {INSTALL_HINT}")
    return _verified(found) if verify and found.verdict is Verdict.OK else found


def register_path() -> Path:
    return paths.data_dir() / REGISTER_NAME


def write_register() -> Path:
    """Enter the Python that calls this as the backend of this user; returns the register's path."""
    command = [sys.executable, "-m", MODULE]
    path = register_path()
    write_private(path, {"python": sys.executable, "version": __version__, "command": command})
    return path


def environment_path() -> Path:
    """The file that says where the backend's own environment is, once it is whole."""
    return paths.data_dir() / ENVIRONMENT_NAME


class Check:
    """Runs the Python of an installation to see whether it would do, without waiting: `poll` until it answers."""

    def __init__(self, found: Installation) -> None:
        self._found = found
        self._until = time.monotonic() + CHECK_TIMEOUT
        self._process: subprocess.Popen[str] | None = None
        self._answer: Installation | None = None
        if found.verdict is not Verdict.OK or found.command[1:2] != ("-m",):
            self._answer = found  # nothing to run; of a program of its own kind only starting it tells
        else:
            self._begin()

    def poll(self) -> Installation | None:
        """What was found, None while that isn't known yet. Raises nothing."""
        if self._process is not None and self._process.poll() is not None:
            process, self._process = self._process, None
            out, err = process.communicate()  # both are far below a pipe's size
            self._answer = _judged(self._found.command, process.returncode, out, err)
        elif self._process is not None and time.monotonic() > self._until:
            self.close()
            self._answer = self._unusable(f"it has not answered within {CHECK_TIMEOUT:.0f} s")
        return self._answer

    def close(self) -> None:
        """Give up."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _begin(self) -> None:
        import subprocess

        needed = json.dumps(NEEDED if self._found.command[2] == MODULE else ())
        try:
            self._process = subprocess.Popen(
                [self._found.command[0], "-c", _CHECK, needed],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=processes.child_environment(os.environ),
                cwd=Path(self._found.command[0]).parent,  # `-c` looks for modules in its folder first
                **processes.detached(),
            )
        except OSError as error:
            self._answer = self._unusable(str(error))

    def _unusable(self, why: str) -> Installation:
        command = self._found.command
        return Installation(Verdict.CANNOT_RUN, command, "", f"{command[0]} can't be run: {why}")


def _from_text(text: str) -> Installation:
    path = Path(text).expanduser()
    if path.is_dir():
        inside = _python_in(path)
        if inside is None:
            return Installation(Verdict.CANNOT_RUN, message=f"{text} is a folder without a Python environment")
        path = inside
    if path.is_file():
        path = path.absolute()
        if path.stem.lower().startswith("semanticface"):
            return Installation(Verdict.OK, _command_of(path))
        return Installation(Verdict.OK, (str(path), "-m", MODULE))
    import shutil

    words = _words(text)
    program = shutil.which(words[0]) if words else None
    if program is None:
        return Installation(Verdict.CANNOT_RUN, message=f"{text}: no such program; name the backend's python")
    return Installation(Verdict.OK, (program, *(words[1:] or ("-m", MODULE))))


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command, posix=sys.platform != "win32")  # posix rules would eat backslashes
    except ValueError:
        return []
    return [word.strip('"') for word in words]


def _this_python() -> Installation | None:
    if not sys.executable or any(importlib.util.find_spec(name) is None for name in NEEDED):
        return None
    return Installation(Verdict.OK, (sys.executable, "-m", MODULE), __version__)


def _registered() -> Installation | None:
    return _noted(register_path())


def _provisioned() -> Installation | None:
    return _noted(environment_path())


def _noted(path: Path) -> Installation | None:
    """The backend that a file of ours names, if its Python is still there."""
    try:
        data: Any = json.loads(path.read_bytes()[: 64 << 10])
    except (OSError, ValueError):
        return None
    command = data.get("command") if isinstance(data, Mapping) else None
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return None
    if not Path(command[0]).is_file():
        return None  # it was uninstalled; the search goes on
    return Installation(Verdict.OK, tuple(command), str(data.get("version", "")))


def _on_path() -> Installation | None:
    import shutil

    program = shutil.which("semanticface")
    return None if program is None else Installation(Verdict.OK, _command_of(Path(program)))


def _command_of(program: Path) -> tuple[str, ...]:
    """The Python that a `semanticface` program runs in, by its first line, on Windows by its folder."""
    python = _python_in(program.resolve().parent.parent) if sys.platform == "win32" else _interpreter(program)
    return (str(program), "serve") if python is None else (str(python), "-m", MODULE)


def _interpreter(script: Path) -> Path | None:
    try:
        with script.open("rb") as file:
            line = file.readline(4096).decode("utf-8", "replace").strip()
    except OSError:
        return None
    path = Path(line[2:].strip())
    return path if line.startswith("#!") and path.name.startswith("python") and path.is_file() else None


def _python_in(folder: Path) -> Path | None:
    places = ("bin/python3", "bin/python", "Scripts/python.exe", "python.exe")
    return next((folder / place for place in places if (folder / place).is_file()), None)


def _verified(found: Installation) -> Installation:
    check = Check(found)
    try:
        while (answer := check.poll()) is None:
            time.sleep(0.01)
    finally:
        check.close()
    return answer


def _judged(command: tuple[str, ...], code: int, out: str, err: str) -> Installation:
    if code != 0 and "No module named 'semanticface" in err:
        return Installation(
            Verdict.NOT_INSTALLED, command, "", f"{command[0]} has no semanticface package: {INSTALL_HINT}"
        )
    from semanticface.protocol import MAJOR  # brings msgpack, which only a client needs

    try:
        data = json.loads(out)
        version, major, missing = str(data["version"]), int(data["major"]), [str(name) for name in data["missing"]]
    except (ValueError, KeyError, TypeError):
        tail = " ".join(err.split()[-40:]) or f"it ended with code {code}"
        return Installation(Verdict.CANNOT_RUN, command, "", f"{command[0]} can't be used: {tail}")
    if missing:
        text = f'{command[0]} lacks {", ".join(missing)}: run its pip install "semanticface[backend]"'
        return Installation(Verdict.CANNOT_RUN, command, version, text)
    if major != MAJOR:
        verdict, side = (Verdict.TOO_OLD, "the backend") if major < MAJOR else (Verdict.TOO_NEW, "this client")
        return Installation(verdict, command, version, f"backend {version} speaks protocol {major}: update {side}")
    model = bool(data.get("model")) if command[2:3] == (MODULE,) else None
    return Installation(Verdict.OK, command, version, model=model)
