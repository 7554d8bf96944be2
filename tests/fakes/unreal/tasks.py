"""`ScopedSlowTask`: progress with a window and a Cancel button, during which Slate ticks and callbacks run."""

from __future__ import annotations

import time
from typing import Any

from unreal_desk import SlowTask
from unreal_process import editor, enter_native

from unreal.checking import faked
from unreal.nativize import Refused, converter


@faked
class ScopedSlowTask:
    """Methods work between `with` and its end alone."""

    def __init__(self, work: float, desc: Any = "", enabled: bool = True) -> None:
        enter_native("ScopedSlowTask")
        wanted = {"work": (work, "float"), "desc": (desc, "Union[Text, str]"), "enabled": (enabled, "bool")}
        values = {}
        for name, (value, kind) in wanted.items():
            try:
                values[name] = converter(kind)(value)
            except Refused as why:
                raise TypeError(f"ScopedSlowTask: Failed to convert '{name}': {why}") from None
        self._task = SlowTask(values["work"], str(values["desc"]), values["enabled"])
        self._entered = False

    def __enter__(self) -> ScopedSlowTask:
        if self._entered:
            raise Exception("ScopedSlowTask: this slow task was entered already")
        self._entered = True
        editor().desk.enter_task(self._task)
        return self

    def __exit__(self, type: Any, value: Any, traceback: Any) -> bool:
        self._running()
        self._entered = False
        editor().desk.leave_task(self._task)
        return False

    def make_dialog(self, can_cancel: bool, allow_in_pie: bool) -> None:
        self._running()
        editor().desk.open_window(self._task, can_cancel)

    def make_dialog_delayed(self, delay: float, can_cancel: bool, allow_in_pie: bool) -> None:
        self._running()
        self._task.delayed = (time.monotonic() + delay, can_cancel)

    def enter_progress_frame(self, work: float, desc: Any) -> None:
        self._running()
        complaint = editor().desk.advance(self._task, work, str(desc))
        if complaint:
            editor().log_file.write("error", f"Ensure condition failed: {complaint}")

    def should_cancel(self) -> bool:
        self._running()
        return editor().desk.asked_to_cancel(self._task)

    def _running(self) -> None:
        if not self._entered:
            raise Exception("ScopedSlowTask: Internal Error - SlowTask is null! (it works inside `with` alone)")
