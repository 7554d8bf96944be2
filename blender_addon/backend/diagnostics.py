# SPDX-License-Identifier: GPL-3.0-or-later
"""A text for a bug report: versions, what is known of the backend, the last messages. The user's home is left out."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import bpy
import msgpack
import zmq

import semanticface
from semanticface.launch import find_backend, live_run_file

from .. import names
from ..preferences import backend_command
from ..session import Session


def collect(context: bpy.types.Context, session: Session) -> str:
    """Lines of `name: value`."""
    found = find_backend(backend_command(context))
    run = live_run_file()
    lines = [
        f"SemanticFace: {semanticface.__version__}, as {names.ADDON}",
        f"Blender: {bpy.app.version_string}, background {bpy.app.background}",
        f"Python: {sys.version.split()[0]} on {platform.platform()}",
        f"pyzmq: {zmq.__version__}, libzmq {zmq.zmq_version()}, msgpack {'.'.join(map(str, msgpack.version))}",
        f"Installation: {found.verdict} {found.version} {' '.join(found.command)} {found.message}".rstrip(),
        "Running: no" if run is None else f"Running: pid {run.pid}, program {run.program}, log {run.log}",
        f"Link: {session.link.state}, {session.link.describe()}",
        f"Error: {session.link.error or 'none'}",
        f"Job: {session.job.describe() if session.job else 'none'}",
        *(f"Note: {line}" for line in session.notes),
    ]
    return "\n".join(lines).replace(str(Path.home()), "~") + "\n"
