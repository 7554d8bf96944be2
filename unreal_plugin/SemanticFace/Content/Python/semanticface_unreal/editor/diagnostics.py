"""A text for a bug report: versions, settings, the backend, the last run and the last messages.

Folders are left out: they carry the names of people, clients and productions. Unreal's Python can't fill the
clipboard, so the text goes into a file.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from dataclasses import asdict
from pathlib import Path

import msgpack
import numpy as np
import zmq

import semanticface
from semanticface import paths
from semanticface.diagnostics import LOG_LINES, log_lines, without_folders
from semanticface.errors import InputError
from semanticface.installation import find_backend
from semanticface.runfile import live_run_file
from semanticface_unreal.editor.running import rows
from semanticface_unreal.editor.session import Session
from semanticface_unreal.engine import OPTIONAL, optional, unreal

FILE_NAME = "diagnostics.txt"
_CONTENT = re.compile(r"(?<![\w.:/\\])/(?:Game|MetaHumanCharacter)/")
"""Content paths begin so; they name assets, which a report needs."""


def write(session: Session) -> tuple[Path, list[str]]:
    """The text into a file of the project's Saved folder and into the log. Raises InputError where there is no room."""
    lines = collect(session)
    file = session.places.data / FILE_NAME
    for line in lines:
        unreal.log(f"SemanticFace: {line}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", "utf-8")
    except OSError as error:
        raise InputError(
            f"{file} can't be written: {error.strerror or error}", "the text is in the Output Log"
        ) from error
    return file, lines


def collect(session: Session) -> list[str]:
    """Lines of `name: value`."""
    lines = [
        f"SemanticFace: {semanticface.__version__}",
        f"Unreal: {unreal.SystemLibrary.get_engine_version()}",
        f"Python: {sys.version.split()[0]} on {platform.platform()}",
        f"pyzmq: {zmq.__version__}, libzmq {zmq.zmq_version()}, msgpack {'.'.join(map(str, msgpack.version))}, "
        f"numpy {np.__version__}",
        *(f"{name}: {'there' if optional(name) is not None else 'its plugin is off'}" for name in OPTIONAL),
        f"Settings: {json.dumps(asdict(session.settings), default=str)}",
        *(f"Environment: {field} is set by {variable}" for field, variable in session.loaded.forced.items()),
        *(f"Trouble: {line}" for line in session.loaded.troubles),
        *_backend(session),
        f"Status: {session.describe()}",
        *(f"Job {row}" for row in _jobs(session)),
        *(f"Notice: {line}" for line in session.notices.history),
        *log_lines(),
    ]
    text = without_folders("\n".join(lines), _known(session), lambda path: _CONTENT.match(path) is not None)
    return text.splitlines()


def _backend(session: Session) -> list[str]:
    found = find_backend(session.settings.backend or None)
    run = live_run_file()
    lines = [
        f"Installation: {found.verdict} {found.version} {' '.join(found.command)} {found.message}".rstrip(),
        "Running: no" if run is None else f"Running: pid {run.pid}, program {run.program}",
        f"Link: {session.link.state}, {session.link.describe()}",
        f"Engine: {session.link.engine() or 'unknown'}",
        f"Error: {session.link.error or 'none'}",
    ]
    return lines + [f"Installer: {line}" for line in session.installer.look().lines]


def _jobs(session: Session) -> list[str]:
    progress = session.run.progress if session.run is not None else session.last
    return rows(progress)[:LOG_LINES] if progress is not None else []


def _known(session: Session) -> dict[str, str]:
    places = session.places
    return {
        str(paths.data_dir()): "<data>",
        str(places.data): "<saved>",
        str(places.project): "<project>",
        str(Path.home()): "~",
    }
