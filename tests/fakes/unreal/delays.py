"""`AsyncEditorDelay`: a call from the engine's own loop some frames later, outside of Slate's tick.

Its factory is made for blueprints and has no glue in Python, so it is called through reflection: `call_method`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known


@faked
class MulticastDelegateBase(known("_WrapperBase")):  # type: ignore[misc]
    """Callables in order; each is bound once for each time that it was added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        object.__setattr__(self, "_bound", [])

    def add_callable(self, callable: Callable[..., Any]) -> None:
        self._bound.append(callable)

    def remove_callable(self, callable: Callable[..., Any]) -> None:
        self._bound[:] = [bound for bound in self._bound if bound != callable]

    def clear(self) -> None:
        self._bound.clear()

    def is_bound(self) -> bool:
        return bool(self._bound)

    def broadcast(self, *args: Any) -> None:
        for bound in list(self._bound):
            bound(*args)


@faked
class AsyncEditorDelay(known("EditorUtilityBlueprintAsyncActionBase")):  # type: ignore[misc]
    def _post_init(self) -> None:
        self._values["complete"] = known("AsyncDelayComplete")()

    def call_method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name != "AsyncEditorDelay":
            return super().call_method(name, *args, **kwargs)
        seconds, frames = args[0]
        if not isinstance(seconds, float) or isinstance(frames, bool) or not isinstance(frames, int):
            raise TypeError("AsyncEditorDelay: call_method: seconds is a float and the least number of frames an int")
        made = type(self)(None, "None")
        editor().desk.call_later(made._values["complete"].broadcast, frames)
        return made
