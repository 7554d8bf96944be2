"""For the tests of the editor's side: the plugin in a fake editor, footage that is quick to analyze, and a backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semanticface_unreal.editor import startup
from semanticface_unreal.editor.session import Session
from semanticface_unreal.settings import Settings, save
from unreal_testing import FakeEditor

FACE = "/Game/MetaHumans/Common/Face"
MENU = "LevelEditor.MainMenu.SemanticFace"
PATIENCE = 30.0


@contextmanager
def plugin(project: Path, settings: Settings | None = None, **options: Any) -> Iterator[tuple[FakeEditor, Session]]:
    """The plugin started in an editor with a user; by default footage is answered by the quick engine `echo`."""
    save(settings or Settings(engine="echo", rate="24"), project / "Saved" / "SemanticFace")
    with FakeEditor(project, **options) as editor:
        try:
            assert startup.start()
            session = startup.current()
            assert session is not None
            yield editor, session
        finally:
            if editor.crashed:  # nothing runs any more in an editor that died; its sockets are closed with its process
                session = startup.current()
                startup._State.session = startup._State.handle = None
                if session is not None:
                    session.link.close()
            startup.stop()


def tick_until(editor: FakeEditor, done: Callable[[], bool]) -> int:
    """Let the editor tick as it does, until `done`; how many ticks that took."""
    until, count = time.monotonic() + PATIENCE, 0
    while not done():
        assert time.monotonic() < until, editor.log[-10:]
        editor.tick()
        count += 1
        time.sleep(0.002)
    return count


def queue(editor: FakeEditor, folder: Path, *, run_now: bool = False, **edits: Any) -> None:
    """The user queues a folder through the dialog."""
    import unreal

    editor.answer("OK", {"folder": unreal.DirectoryPath(str(folder)), "run_now": run_now, **edits})
    editor.click("QueueFootage")
