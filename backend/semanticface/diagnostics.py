"""What every host's report for a bug has in common: the ends of the logs, and no folder of the user's in it.

Knows nothing of hosts; each collects what it knows of itself. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from semanticface import paths
from semanticface.provision.progress import log_tail
from semanticface.runfile import live_run_file

LOG_LINES, INSTALL_LINES, TAIL_BYTES = 30, 25, 32 << 10

_ADDRESS = re.compile(r"://[^/@\s]+@")
_DEEP = r"(?<![\w.:/\\])(?:[A-Za-z]:)?[\\/]+(?:[^\\/\s'\"<>|:;,]+[\\/]+)+"
"""The folders before a file's name, from the root on."""


def log_lines() -> list[str]:
    """The end of the backend's log, the living one's or else the newest, and of the installation's."""
    run = live_run_file()
    newest = max(paths.log_dir().glob("backend-*.log"), default=None)
    log = Path(run.log) if run is not None and run.log else newest
    lines = [] if log is None else [f"Backend's log: {line}" for line in _tail(log)]
    return lines + [f"Installation's log: {line}" for line in log_tail(INSTALL_LINES)]


def without_folders(text: str, known: Mapping[str, str], spare: Callable[[str], bool] = lambda _folders: False) -> str:
    """`known` folders by the names given for them (`<data>`, `~`), of all other paths the file's name alone.

    Folders for which `spare` is true stay. Names and passwords in addresses go.
    """
    for folder, name in sorted(known.items(), key=lambda pair: -len(pair[0])):
        if len(folder) > 1:
            text = text.replace(folder, name).replace(json.dumps(folder)[1:-1], name)
    behind_names = "".join(f"(?<!{re.escape(name)})" for name in set(known.values()) if name.startswith("<"))
    deep = re.compile(behind_names + _DEEP)
    return _ADDRESS.sub("://", deep.sub(lambda found: found[0] if spare(found[0]) else "…/", text))


def _tail(file: Path) -> list[str]:
    try:
        with file.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            return stream.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:]
    except OSError as error:
        return [f"can't be read: {error.strerror}"]
