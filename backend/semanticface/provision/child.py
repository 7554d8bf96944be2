"""One program run: its lines as they come, its end, or its end on request. Knows nothing of what the program does."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from semanticface import processes

# What a user set for other purposes, and what would send pip to another folder than the environment's.
_DROPPED = frozenset(
    {
        "VIRTUAL_ENV",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_PYTHON",
        "PIP_USER",
        "PIP_SRC",
    }
)
_NETWORK = frozenset({"PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE", "PIP_NO_INDEX"})

KEPT = 400
"""Lines that are kept of a program's words."""
GLANCE = 0.1
NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW; other systems lack the name


@dataclass(frozen=True, slots=True)
class Ended:
    """`stopped`: it was ended on request, or took too long."""

    code: int
    lines: tuple[str, ...]
    stopped: bool = False


def environment(offline: bool = False) -> dict[str, str]:
    """For a program: nothing of the host's Python; `offline`: pip knows neither index nor configuration."""
    kept = {name: value for name, value in processes.child_environment(os.environ).items() if name not in _DROPPED}
    kept |= {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_PROGRESS": "1"}
    if offline:
        kept = {name: value for name, value in kept.items() if name not in _NETWORK}
        kept |= {"PIP_CONFIG_FILE": os.devnull, "SEMANTICFACE_OFFLINE": "1", "UV_OFFLINE": "1"}
    return kept


def run(
    command: Sequence[str],
    *,
    offline: bool = False,
    line: Callable[[str], None] = lambda text: None,
    watch: Callable[[], None] = lambda: None,
    began: Callable[[int], None] = lambda pid: None,
    timeout: float = 3600.0,
    folder: Path | None = None,
) -> Ended:
    """Run it to its end. `line` gets each line, `watch` is called ten times a second and may raise to stop it.

    Standard output and error come together. Whatever is raised, the program has ended then. Raises OSError when it
    can't be run.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment(offline),
        cwd=folder or Path(command[0]).parent,
        creationflags=NO_WINDOW,
    )
    assert process.stdout is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    try:
        began(process.pid)
        return _follow(process, lines, line, watch, time.monotonic() + timeout)
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End it and what it has started, if it lives."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        tool = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(tool, capture_output=True, check=False, creationflags=NO_WINDOW)
    process.kill()
    process.wait()


def _follow(
    process: subprocess.Popen[str],
    lines: queue.SimpleQueue[str | None],
    line: Callable[[str], None],
    watch: Callable[[], None],
    until: float,
) -> Ended:
    kept: deque[str] = deque(maxlen=KEPT)
    while True:
        watch()
        try:
            text = lines.get(timeout=GLANCE)
        except queue.Empty:
            if time.monotonic() > until:
                kept.append("it took too long and was ended")
                return Ended(-1, tuple(kept), True)
            continue
        if text is None:
            break
        kept.append(text)
        line(text)
    while process.poll() is None and time.monotonic() < until:
        watch()
        time.sleep(GLANCE / 10)
    return Ended(process.returncode if process.returncode is not None else -1, tuple(kept))


def _read(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    with stream:
        for text in stream:
            lines.put(text.rstrip("\r\n"))
    lines.put(None)
