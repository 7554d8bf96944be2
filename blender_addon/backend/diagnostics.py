# SPDX-License-Identifier: GPL-3.0-or-later
"""A text for a bug report: versions, the installation, the backend and its engines, the last messages and log lines.

Folders are left out: they carry the names of people, clients and productions.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy
import msgpack
import zmq

import semanticface
from semanticface import paths
from semanticface.diagnostics import log_lines, without_folders
from semanticface.installation import find_backend
from semanticface.link import LinkState
from semanticface.provision import places
from semanticface.provision.progress import read_progress
from semanticface.pump import Answer, Event, RequestFailed
from semanticface.runfile import live_run_file

from .. import names
from ..preferences import backend_command, environment_folder
from ..session import Session


def collect(context: bpy.types.Context, session: Session, status: Mapping[str, Any] | None = None) -> str:
    """Lines of `name: value`; `status` is what the backend says of itself, where it was asked."""
    lines = [
        f"SemanticFace: {semanticface.__version__}, as {names.ADDON}",
        f"Blender: {bpy.app.version_string}, background {bpy.app.background}",
        f"Python: {sys.version.split()[0]} on {platform.platform()}",
        f"pyzmq: {zmq.__version__}, libzmq {zmq.zmq_version()}, msgpack {'.'.join(map(str, msgpack.version))}",
        f"Online access: {getattr(bpy.app, 'online_access', 'no such setting')}",
        *_installation(context, session),
        *_backend(session, status),
        f"Job: {session.job.describe() if session.job else 'none'}",
        *(f"Note: {line}" for line in session.notes),
        *log_lines(),
    ]
    return _without_folders("\n".join(lines), context) + "\n"


class Ask:
    """A task that asks the backend for its state, then hands on the text; without an answer so after a while."""

    def __init__(self, session: Session, then: Any) -> None:
        self._then, self._ticks = then, 40
        connected = session.link.pump is not None and session.link.state is LinkState.CONNECTED
        self._number = session.link.pump.request("status") if connected else None

    def tick(self, now: Session, events: Sequence[Event], deadline: float) -> bool:
        status: Mapping[str, Any] | None = None
        self._ticks -= 1
        ended = self._number is None or self._ticks <= 0 or now.link.state is not LinkState.CONNECTED
        for event in events:
            if isinstance(event, (Answer, RequestFailed)) and event.re == self._number:
                ended = True
                status = event.message.get("status") if isinstance(event, Answer) else None
        if ended:
            self._then(collect(bpy.context, now, status))
        return not ended


def _installation(context: bpy.types.Context, session: Session) -> list[str]:
    found = session.desk.found or find_backend(backend_command(context))
    lines = [f"Installation: {found.verdict} {found.version} {' '.join(found.command)} {found.message}".rstrip()]
    if session.desk.view is not None:
        lines.append(f"State: {session.desk.view.state}, {' '.join(session.desk.view.lines)}")
    for place in places.environments(environment_folder(context)):
        whole = "whole" if place.whole else "not whole"
        lines.append(f"Environment: {place.folder.name}, {whole}, extras {', '.join(place.extras)}")
    last = read_progress()
    if last is not None:
        ended = f"{last.outcome} at {last.step} {last.cause} {last.error}".rstrip()
        lines.append(f"Last installation: {last.work}, {ended}")
        lines += [f"Remark: {remark}" for remark in last.remarks]
    return lines


def _backend(session: Session, status: Mapping[str, Any] | None) -> list[str]:
    run = live_run_file()
    lines = [
        "Running: no" if run is None else f"Running: pid {run.pid}, program {run.program}, log {run.log}",
        f"Link: {session.link.state}, {session.link.describe()}",
        f"Engine: {session.engine or 'unknown'}",
        f"Error: {session.link.error or 'none'}",
    ]
    welcome = session.link.pump.welcome if session.link.pump is not None else None
    if welcome is not None:
        lines += [f"Offers: {json.dumps(row, default=str)}" for row in welcome["engines"]]
    for name, value in (status or {}).items():
        lines.append(f"Status {name}: {json.dumps(value, default=str)}")
    return lines


def _without_folders(text: str, context: bpy.types.Context) -> str:
    """The text without the folders of the installation and of the open file."""
    known = {str(paths.data_dir()): "<data>", str(environment_folder(context)): "<environments>"}
    known |= {str(Path.home()): "~", **_project_folders(context)}
    return without_folders(text, known)


def _project_folders(context: bpy.types.Context) -> dict[str, str]:
    """Folders that the open file names, which may have blanks in their names."""
    settings = context.scene.semanticface if context.scene is not None else None
    files = {"<project>": bpy.data.filepath}
    if settings is not None:
        files |= {"<footage>": settings.filepath, "<takes>": settings.last_take}
    clips = {f"<clip {number}>": clip.filepath for number, clip in enumerate(bpy.data.movieclips)}
    return {str(Path(bpy.path.abspath(path)).parent): name for name, path in (files | clips).items() if path}
