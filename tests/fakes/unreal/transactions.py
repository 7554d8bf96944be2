"""ScopedEditorTransaction."""

from __future__ import annotations

from typing import Any

from unreal_process import editor

from unreal.checking import faked


@faked
class ScopedEditorTransaction:
    def __init__(self, desc: Any) -> None:
        self._desc, self._entered = str(desc), False

    def __enter__(self) -> ScopedEditorTransaction:
        editor().undo_history.begin(self._desc)
        self._entered = True
        return self

    def __exit__(self, type: Any, value: Any, traceback: Any) -> bool:
        editor().undo_history.end()
        self._entered = False
        return False

    def cancel(self) -> None:
        if self._entered:
            editor().undo_history.cancel()
