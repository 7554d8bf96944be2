"""What tests let the user at the fake editor do: wait, click, select, answer, cancel. A part of `FakeEditor`.

Entries are named by their name, their label, or `menu.name` where those are ambiguous, without regard to letter case.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import unreal_command_line
from unreal_desk import FRAME, Answer, Desk, Shown
from unreal_process import Log


@dataclass(frozen=True)
class FaceRecording:
    """What the import of a CSV put into a Level Sequence: `keys[column]` are (tick, value)."""

    subject: str
    source: tuple[int, int, int, int] | None
    keys: dict[str, list[tuple[int, float]]]


class NotClickable(AssertionError):
    """The user doesn't find the entry, or it is greyed out."""


class User:
    """Needs of the whole editor `desk` and `log_file`."""

    desk: Desk
    log_file: Log

    # Time.

    def tick(self, count: int = 1, seconds: float = FRAME) -> None:
        """Let the editor tick: callbacks run, as they would between two frames."""
        for _ in range(count):
            self.desk.tick(seconds)
            self.desk.core_tick()

    def tick_until(self, done: Callable[[], bool], limit: int = 10_000) -> None:
        """Ticks until `done()`. Raises AssertionError after `limit` ticks."""
        for _ in range(limit):
            if done():
                return
            self.tick()
        raise AssertionError(f"nothing came of {limit} ticks")

    @property
    def tick_callbacks(self) -> int:
        """How many are registered, before and after ticks."""
        return len(self.desk.pre) + len(self.desk.post)

    # Selection.

    def select_assets(self, paths: Iterable[str]) -> None:
        """In the content browser. Raises KeyError for a path where nothing is."""
        import unreal

        found = [(path, unreal.load_asset(path)) for path in paths]
        for path, asset in found:
            if asset is None:
                raise KeyError(path)
        self.desk.selected_assets = [asset for _, asset in found]

    def select_folders(self, paths: Iterable[str]) -> None:
        """`/Game/Shots`, in the content browser."""
        self.desk.selected_folders = list(paths)

    def place_actor(self, label: str, **meshes: str) -> Any:
        """Put an actor into the level, with a skeletal mesh component for each path of a mesh: `Face="/Game/..."`."""
        import unreal
        from unreal.actors import actor_of

        actor = actor_of(label, {name: unreal.load_asset(path) for name, path in meshes.items()})
        self.desk.actors.append(actor)
        return actor

    def select_actors(self, actors: Iterable[Any]) -> None:
        """In the level: actors that `place_actor` gave."""
        self.desk.selected_actors = list(actors)

    def live_link(self, path: str) -> FaceRecording:
        """Of a Level Sequence that was imported. Raises KeyError where there is none."""
        import unreal

        found = getattr(unreal.load_asset(path), "_live_link", None)
        if found is None:
            raise KeyError(path)
        keys = {name: [(tick, value) for tick, value in keys] for name, keys in found["keys"].items()}
        return FaceRecording(found["subject"], found["source"] and tuple(found["source"]), keys)

    # Dialogs and slow tasks.

    def answer(self, button: str = "OK", edits: Mapping[str, Any] | Callable[[Any], None] | None = None) -> None:
        """What the user does in the next dialog that has no answer yet: edits of the object's properties, and the
        button (OK, CANCEL, YES, NO ...). A dialog that nobody answers raises NobodyAnswers."""
        self.desk.answers.append(Answer(button.upper(), edits))

    @property
    def dialogs(self) -> list[Shown]:
        """Those that were open, in order."""
        return list(self.desk.shown)

    def cancel_slow_task_after(self, frames: int) -> None:
        """The user presses Cancel in the slow task's window during its frame number `frames`, counted from now."""
        self.desk.cancel_after = frames

    @property
    def slow_task_frames(self) -> list[str]:
        """The texts of all progress frames so far."""
        return list(self.desk.progress)

    @property
    def open_slow_tasks(self) -> int:
        return len(self.desk.tasks)

    # Menus.

    def entries(self) -> dict[str, str]:
        """`menu.name` -> label as the user sees it, of all entries that plugins added and the user can get at."""
        return {f"{entry.menu}.{entry.name}": self._label(entry) for entry in self._shown()}

    def label(self, name: str) -> str:
        """What the entry is called now. Raises NotClickable where there is none."""
        return self._label(self._entry(name))

    def can_click(self, name: str) -> bool:
        """Whether the entry isn't greyed out. Raises NotClickable where there is none."""
        return self._able(self._entry(name))

    def click(self, name: str) -> None:
        """The user chooses an entry of a menu. What it raises is logged, as the editor does. Raises NotClickable."""
        entry = self._entry(name)
        if entry.submenu:
            raise NotClickable(f"{name} is a menu")
        if not self._able(entry):
            raise NotClickable(f"{name} is greyed out")
        try:
            if entry.script is not None:
                self._event(entry, "execute")
            elif entry.command is not None:
                run_python(self.desk, entry.command)
        except Exception as error:
            self.complain(error)

    def complain(self, error: Exception) -> None:
        """An exception that came out of Python's code into the editor: a traceback in the log."""
        for line in "".join(traceback.format_exception(error)).splitlines():
            self.log_file.write("error", line)

    def _entry(self, name: str) -> Any:
        wanted = name.lower()
        shown = list(self._shown())
        for match in (
            lambda entry: f"{entry.menu}.{entry.name}".lower() == wanted,
            lambda entry: entry.name.lower() == wanted,
            lambda entry: self._label(entry).lower() == wanted,
        ):
            found = [entry for entry in shown if match(entry)]
            if len(found) == 1:
                return found[0]
            if found:
                raise NotClickable(f"{name} is in {', '.join(entry.menu for entry in found)}: say which")
        raise NotClickable(f"there is no entry {name!r}; the user sees {sorted(self.entries())}")

    def _shown(self) -> Iterable[Any]:
        """Entries in menus that are there to be opened."""
        import unreal
        from unreal.menus import SHOWN

        if not self.desk.slate:
            return
        menus = unreal.ToolMenus.get().__dict__["_menus"]
        names = list(self.desk.built_in_menus)
        names += [menu for menu in menus if self._context_menu(menu)]
        for menu in names:  # grows while it is gone through
            found = menus.get(menu.lower())
            for section in found._sections().values() if found is not None else ():
                for entry in section.entries.values():
                    if entry.submenu and entry.submenu.lower() not in (name.lower() for name in names):
                        names.append(entry.submenu)
                    in_bar = menu.lower() == SHOWN[0].lower()
                    if (entry.submenu or (entry.button and not in_bar)) and self._visible(entry):
                        yield entry

    def _context_menu(self, menu: str) -> bool:
        """Whether what is selected opens this menu of the content browser or the level."""
        assets = "contentbrowser.assetcontextmenu"
        if menu == assets:
            return bool(self.desk.selected_assets)
        if menu.startswith(f"{assets}."):
            wanted = menu.rsplit(".", 1)[1]
            kinds = [{base.__name__.lower() for base in type(asset).__mro__} for asset in self.desk.selected_assets]
            return bool(kinds) and all(wanted in kind for kind in kinds)
        if menu == "contentbrowser.foldercontextmenu":
            return bool(self.desk.selected_folders)
        return menu == "leveleditor.actorcontextmenu" and bool(self.desk.selected_actors)

    def _context(self, entry: Any) -> Any:
        """What C++ hands to the entry's events: in the content browser, the selection."""
        import unreal
        from unreal.menus import asset_context

        context = unreal.ToolMenuContext()
        if entry.menu.lower().startswith("contentbrowser.assetcontextmenu"):
            context._values["_objects"] = [asset_context(self.desk.selected_assets)]
        return context

    def _event(self, entry: Any, name: str) -> Any:
        from unreal.user_types import call_event

        return call_event(entry.script, name, self._context(entry))

    def _label(self, entry: Any) -> str:
        return str(self._event(entry, "get_label")) if entry.script is not None else entry.label or entry.name

    def _able(self, entry: Any) -> bool:
        return bool(self._event(entry, "can_execute")) if entry.script is not None else True

    def _visible(self, entry: Any) -> bool:
        return bool(self._event(entry, "is_visible")) if entry.script is not None else True


def run_python(desk: Desk, command: str) -> None:
    """A menu's string command: code in the console's scope, or a file where one is named."""
    found = unreal_command_line.python_file(command)
    if found is not None:
        raise NotImplementedError(f"the fake's menus run code, not files: {found[0]}")
    exec(compile(command, "<string>", "exec"), desk.console)
