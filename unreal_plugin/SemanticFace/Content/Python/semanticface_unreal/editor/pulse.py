"""A call from the engine's own loop, outside of Slate's tick: where assets may be loaded and saved.

Saving opens and closes a progress window, and closing one inside Slate's tick crashes the editor (5.4 to 5.8). Python
has no callback of its own elsewhere, so this takes the delay that the editor has for blueprints, which the engine's
loop ends. Its factory has no glue in Python and is called through reflection.
"""

from __future__ import annotations

from collections.abc import Callable

from semanticface.errors import EngineError
from semanticface_unreal.engine import unreal

FRAMES = 1
"""The next frame."""


class Pulse:
    """Calls back once for each `ask`. Nothing of the caller's is raised into the engine: `callback` must not raise."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback = callback
        self._waiting: unreal.AsyncEditorDelay | None = None  # held, or the engine would collect it
        self._closed = False

    def ask(self) -> None:
        """Have a call in the next frame, unless one is on its way. Raises EngineError where the engine gives none."""
        if self._waiting is not None or self._closed:
            return
        try:
            factory = unreal.get_default_object(unreal.AsyncEditorDelay)
            made = factory.call_method("AsyncEditorDelay", (0.0, FRAMES))
            made.complete.add_callable(self._on_complete)
        except Exception as error:  # whatever reflection raises where a version has another delay
            why = f"this editor can't write assets between two frames: {error}"
            raise EngineError(why, "choose Run and Wait, which needs no such call") from error
        self._waiting = made

    def close(self) -> None:
        """No more calls, also not the one on its way."""
        self._closed, self._waiting = True, None

    def _on_complete(self) -> None:
        if not self._closed:
            self._waiting = None
            self._callback()
