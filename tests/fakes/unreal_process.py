"""The process that the fake editor lives in: one editor at a time, its log, its death. Knows nothing of `unreal`.

The fake's classes ask here for the editor that runs; `unreal_testing.FakeEditor` puts itself here. It is the one place
with state of its own, as Unreal's Python module belongs to the one editor of its process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from unreal_testing import FakeEditor


class EditorCrash(BaseException):
    """The editor would be gone. No Exception, so that no handler of the plugin's can swallow it."""


class Log:
    """Lines as (level, text); levels are log, display, warning, error and fatal."""

    def __init__(self, also: Callable[[str, str], None] | None = None) -> None:
        self.lines: list[tuple[str, str]] = []
        self._also = also

    def write(self, level: str, text: str) -> None:
        self.lines.append((level, text))
        if self._also is not None:
            self._also(level, text)


class Process:
    """`editor` is the one that runs, None before and after."""

    def __init__(self) -> None:
        self.editor: FakeEditor | None = None
        self.thread: threading.Thread | None = None

    @contextmanager
    def running(self, editor: FakeEditor) -> Iterator[None]:
        """The calling thread becomes the game thread."""
        if self.editor is not None:
            raise RuntimeError("a fake editor runs already in this process")
        self.editor, self.thread = editor, threading.current_thread()
        try:
            yield
        finally:
            self.editor = self.thread = None


PROCESS = Process()


def editor() -> FakeEditor:
    """The running editor. Raises RuntimeError where none runs: a test has to open `unreal_testing.FakeEditor` first."""
    if PROCESS.editor is None:
        raise RuntimeError("no fake editor runs: open unreal_testing.FakeEditor(project) around this call")
    return PROCESS.editor


def crash(reason: str) -> NoReturn:
    """End the editor: whatever is called afterwards crashes again."""
    running = editor()
    running.log_file.write("fatal", f"Fatal error: {reason}")
    running.note_crash(reason, on_game_thread=threading.current_thread() is PROCESS.thread)
    raise EditorCrash(reason)


def enter_native(what: str) -> None:
    """Called before every call into the engine: right thread, living editor."""
    if PROCESS.editor is None:
        return
    if threading.current_thread() is not PROCESS.thread:
        crash(f"ASSERT: IsInGameThread() ({what} on thread {threading.current_thread().name})")
    if PROCESS.editor.dead:
        raise EditorCrash(f"{what} after the editor died: {PROCESS.editor.dead}")
