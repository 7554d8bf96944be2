"""The control desk of the tests: an editor with a project, and what a user and a machine do to it.

    with FakeEditor(tmp_path) as editor:
        unreal.AssetToolsHelpers.get_asset_tools().create_asset(...)
        editor.sequence("/Game/Shots/AS_Shot").curves

Without one open, nothing of `unreal` that needs an editor can be called.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import unreal
from unreal.animation import SequenceState, sequence_state
from unreal.archetypes import furnish
from unreal.project import Project
from unreal_desk import Desk, NobodyAnswers
from unreal_history import History
from unreal_process import PROCESS, EditorCrash, Log, crash
from unreal_user import NotClickable, User

__all__ = ["EditorCrash", "FakeEditor", "NobodyAnswers", "NotClickable"]


class FakeEditor(User):
    """`project` is a folder; what was saved below its `Content` is there again. `optional_plugins` names classes of
    plugins that are on. `on_log(level, text)` hears every line of the log as it is written."""

    def __init__(
        self,
        project: Path,
        *,
        commandlet: bool = False,
        unattended: bool = False,
        command_line: str = "",
        optional_plugins: Iterable[str] = (),
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self.commandlet, self.unattended, self.command_line = commandlet, unattended, command_line
        self.optional_plugins = set(optional_plugins)
        self.interpreter = sys.executable
        self.log_file = Log(on_log)
        self.undo_history = History()
        self.project = Project(project)
        self.source_control: dict[str, str] | None = None
        self.desk = Desk(crash, self.complain, attended=not unattended, slate=not commandlet)
        self.dead = ""
        self._crash_unseen = False
        self._defaults: dict[Any, Any] = {}
        self._numbers: dict[str, itertools.count[int]] = {}
        self._open = ExitStack()

    def __enter__(self) -> FakeEditor:
        self._open.enter_context(PROCESS.running(self))
        furnish(self.project)
        self.desk.world = unreal.World(None, "Untitled")
        self.desk.console["unreal"] = unreal
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raises EditorCrash for a crash in another thread that nobody has seen."""
        try:
            if not self.dead:
                self.desk.end()
        finally:
            self._open.close()
        if self._crash_unseen and value is None:
            raise EditorCrash(self.dead)

    # What the fake's classes ask for.

    def unique_name(self, class_name: str) -> str:
        """`AnimSequenceFactory_0`."""
        return f"{class_name}_{next(self._numbers.setdefault(class_name, itertools.count()))}"

    def default_object(self, class_: Any) -> Any:
        """The one object of a subsystem or the default object of a class."""
        if class_ not in self._defaults:
            self._defaults[class_] = class_(None, f"Default__{class_.__name__}")
        return self._defaults[class_]

    def transient_package(self) -> Any:
        return self._defaults.setdefault("transient", unreal.Package(None, "/Engine/Transient"))

    def note_crash(self, reason: str, on_game_thread: bool) -> None:
        self.dead = self.dead or reason
        self._crash_unseen = not on_game_thread

    def import_task(self, task: Any) -> None:
        """An AssetImportTask; its factory imports."""
        factory = task.get_editor_property("factory")
        if factory is None or not hasattr(factory, "_import"):
            raise NotImplementedError("the fake imports with a task's own factory alone")
        factory._import(task)

    # What tests ask for.

    @property
    def log(self) -> list[tuple[str, str]]:
        """(level, text) of all lines so far."""
        return list(self.log_file.lines)

    def logged(self, level: str) -> list[str]:
        """The texts of one level."""
        return [text for found, text in self.log_file.lines if found == level]

    @property
    def crashed(self) -> str:
        """Why the editor died; "" while it lives."""
        self._crash_unseen = False
        return self.dead

    def undo(self) -> str:
        """The user presses Ctrl-Z. Gives the title of the step."""
        return self.undo_history.undo()

    @property
    def open_brackets(self) -> int:
        """Brackets of all loaded sequences that nobody closed."""
        assets = self.project.assets.values()
        return sum(asset._controller._depth for asset in assets if isinstance(asset, unreal.AnimSequence))

    @property
    def open_transactions(self) -> int:
        return self.undo_history.depth

    def sequence(self, path: str) -> SequenceState:
        """What an AnimSequence holds, loaded or saved. Raises KeyError where there is none."""
        return sequence_state(self.project, path)

    def saved(self, path: str) -> bool:
        """Whether the asset is on disk as it is in memory."""
        asset = self.project.load(path)
        return asset is not None and self.project.file(path).is_file() and not asset.get_package()._dirty
