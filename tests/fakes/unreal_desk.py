"""The interactive side of the fake editor: ticks, dialogs, slow tasks, selection, and what the user at the desk does.

Plain state; the classes of the fake `unreal` act on it, tests turn its knobs through `FakeEditor`. Knows no class of
the fake itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

FRAME = 1 / 60
"""Seconds that a tick takes which nobody asked for: one of a modal window."""


class NobodyAnswers(BaseException):
    """A dialog stands open and the test has no answer for it: a real editor would wait for ever."""


@dataclass(eq=False, slots=True)
class Handle:
    """What a registration gives back. Opaque, as the editor's."""

    callback: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user does in a dialog: `edits` first (property -> value, or a function of the object), then `button`,
    the name of an AppReturnType such as "OK" or "CANCEL"."""

    button: str = "OK"
    edits: Mapping[str, Any] | Callable[[Any], None] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A dialog that was open. `object` is that of a details view."""

    title: str
    message: str
    button: str
    object: Any = None


@dataclass(eq=False, slots=True)
class SlowTask:
    """One that is entered. `work` of `total` lies behind or in the current frame."""

    total: float
    text: str
    enabled: bool = True
    work: float = 0.0
    current: float = 0.0
    owns_window: bool = False
    delayed: tuple[float, bool] | None = None
    """When the dialog is due (monotonic seconds) and whether it can be cancelled."""


class Desk:
    """`crash(reason)` ends the editor, `complain(error)` logs what a callback raised. `attended` is False with
    -unattended, `slate` is False in a commandlet, which has no windows and no ticks."""

    def __init__(
        self, crash: Callable[[str], NoReturn], complain: Callable[[Exception], None], *, attended: bool, slate: bool
    ) -> None:
        self._crash, self._complain = crash, complain
        self.attended, self.slate = attended and slate, slate
        self.pre: list[Handle] = []
        self.post: list[Handle] = []
        self.shutdown: list[Handle] = []
        self.later: list[tuple[int, Callable[[], object]]] = []
        self.playing = self.loading_assets = False
        """Whether the level is being played in the editor, and whether it still looks for the project's assets."""
        self.in_callback = 0
        self.modal = 0
        self.ticks = 0
        self.answers: deque[Answer] = deque()
        self.shown: list[Shown] = []
        self.tasks: list[SlowTask] = []
        self.window: SlowTask | None = None
        self.cancellable = False
        self.cancelled = False
        self.cancel_after: int | None = None
        self.progress: list[str] = []
        self.titles: list[str] = []
        self.selected_assets: list[Any] = []
        self.selected_folders: list[str] = []
        self.selected_actors: list[Any] = []
        self.actors: list[Any] = []
        self.world: Any = None
        self.tool_menus: Any = None
        self.refreshed = 0
        self.opened_sequence: Any = None
        self.built_in_menus: list[str] = []
        self.console: dict[str, Any] = {"__name__": "__main__"}

    # Ticks.

    def tick(self, seconds: float = FRAME) -> None:
        """One Slate tick. Does nothing in a commandlet. What a callback raises is logged, and it stays registered."""
        if not self.slate:
            return
        self.ticks += 1
        for registered in (self.pre, self.post):
            for handle in list(registered):
                if handle in registered:  # one callback may take another away
                    self._call(handle, seconds)

    def call_later(self, callback: Callable[[], object], frames: int) -> None:
        """Once, from the engine's own loop, after so many of its frames. It stands still while a dialog is open."""
        self.later.append((max(1, frames), callback))

    def core_tick(self) -> None:
        """The engine's own loop, of which Slate's tick is another part."""
        due = [callback for frames, callback in self.later if frames <= 1]
        self.later = [(frames - 1, callback) for frames, callback in self.later if frames > 1]
        for callback in due:
            try:
                callback()
            except Exception as error:
                self._complain(error)

    def _call(self, handle: Handle, seconds: float) -> None:
        self.in_callback += 1
        try:
            handle.callback(seconds)
        except Exception as error:
            self._complain(error)
        finally:
            self.in_callback -= 1

    def end(self) -> None:
        """The editor shuts down: callbacks registered for it run, in order."""
        for handle in list(self.shutdown):
            try:
                handle.callback()
            except Exception as error:
                self._complain(error)
        self.shutdown.clear()
        self.pre.clear()
        self.post.clear()
        self.later.clear()

    # Dialogs.

    def dialog(self, title: str, message: str, buttons: tuple[str, ...], thing: Any = None) -> str:
        """Opens a modal dialog, waits for the user, and gives the button pressed. Slate ticks meanwhile."""
        self._refuse_in_callback(f"the dialog {title!r}")
        if not self.answers:
            raise NobodyAnswers(f"{title}: {message}")
        answer = self.answers.popleft()
        if answer.button not in buttons:
            raise NobodyAnswers(f"{title!r} has the buttons {', '.join(buttons)}, the test presses {answer.button}")
        self.modal += 1
        try:
            self.tick()
            if callable(answer.edits):
                answer.edits(thing)
            for name, value in (answer.edits or {}).items() if not callable(answer.edits) else ():
                thing.set_editor_property(name, value)
            self.tick()
        finally:
            self.modal -= 1
        self.shown.append(Shown(title, message, answer.button, thing))
        return answer.button

    def _refuse_in_callback(self, what: str) -> None:
        if self.in_callback:
            self._crash(f"{what} is opened or closed inside a tick callback: Slate's windows change while they tick")

    # Slow tasks.

    @contextmanager
    def slow_task(self, text: str) -> Iterator[None]:
        """One of the editor's own, with a window: saving has it."""
        task = SlowTask(1.0, text)
        self.enter_task(task)
        self.open_window(task, False)
        try:
            yield
        finally:
            self.leave_task(task)

    def enter_task(self, task: SlowTask) -> None:
        self.tasks.append(task)

    def leave_task(self, task: SlowTask) -> None:
        """Closes its window too. Tasks end in the reverse order of their beginning."""
        if not self.tasks or self.tasks[-1] is not task:
            self._crash("a slow task ends while one inside it is open")
        if task.owns_window:
            self._refuse_in_callback("a slow task's window")
            self.window, self.cancellable, self.cancelled = None, False, False
        self.tasks.pop()

    def open_window(self, task: SlowTask, can_cancel: bool) -> None:
        """The first task that asks has the window; a commandlet has none. `-unattended` alone doesn't keep it away."""
        if not self.slate or not task.enabled or self.window is not None:
            return
        self._refuse_in_callback("a slow task's window")
        self.window, task.owns_window = task, True
        self.cancellable = can_cancel
        self.titles.append(task.text)
        self.tick()

    def advance(self, task: SlowTask, work: float, text: str) -> str:
        """A frame of the task begins. Slate ticks where there is a window. Gives what the editor complains of."""
        if not task.enabled:
            return ""
        task.work += task.current
        left = task.total - task.work
        complaint = ""
        if work > 1.01 * task.total - task.work:
            complaint = "Work overflow in slow task. Please revise call-site to account for entire progress range."
        task.current = min(left, work)
        self.progress.append(text or task.text)
        if self.window is None and task.delayed is not None and time.monotonic() >= task.delayed[0]:
            self.open_window(task, task.delayed[1])
        self._pump()
        if self.cancel_after is not None and self.window is not None:
            self.cancel_after -= 1
            if self.cancel_after <= 0:
                self.cancelled, self.cancel_after = self.cancellable, None
        return complaint

    def asked_to_cancel(self, task: SlowTask) -> bool:
        """Whether the user pressed Cancel. Asking ticks Slate as well."""
        if not task.enabled:
            return False
        self._pump()
        return self.window is not None and self.cancelled

    def _pump(self) -> None:
        if self.window is not None:
            self.tick()
