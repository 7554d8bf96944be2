"""Runs inside Blender: times every function of the add-on that Blender calls on its main thread.

Panels and lists that draw, polls, operators, timers, handlers, update callbacks of properties: each call's wall
time, processor time, and how often the system took the processor away in it. Blender's own drawing isn't in it.
"""

from __future__ import annotations

import functools
import inspect
import resource
import time
from collections.abc import Callable
from typing import Any, ClassVar

import bpy
from asked import _Chosen

COMMIT = "commit at the job's end"
_CLASSES = (
    bpy.types.Panel,
    bpy.types.UIList,
    bpy.types.Operator,
    bpy.types.Menu,
    bpy.types.Header,
    bpy.types.AddonPreferences,
)
_METHODS = (
    "draw",
    "draw_header",
    "draw_header_preset",
    "draw_item",
    "filter_items",
    "poll",
    "execute",
    "invoke",
    "modal",
)


Call = tuple[float, float, int]
"""Wall seconds, processor seconds, times that the thread lost its processor to another."""


class _Watch:
    on = False
    committed = False
    calls: ClassVar[dict[str, list[Call]]] = {}
    restore: ClassVar[list[Callable[[], None]]] = []
    timers: ClassVar[dict[Any, Any]] = {}


def _timed(label: str, function: Any) -> Any:
    """The function, with each call written down under the label while the watch is on."""

    @functools.wraps(function)
    def timed(*args: Any, **named: Any) -> Any:
        if not _Watch.on:
            return function(*args, **named)
        is_timer = label.startswith("timer ")
        if is_timer:
            _Watch.committed = False
        lost, wall, cpu = _lost(), time.perf_counter(), time.thread_time()
        try:
            return function(*args, **named)
        finally:
            spent = (time.perf_counter() - wall, time.thread_time() - cpu, _lost() - lost)
            if "key_take.execute" in label:
                _Watch.committed = True
            entry = COMMIT if is_timer and _Watch.committed else label
            if not (_Watch.committed and "key_take.execute" in label):  # it is in the timer's figure
                _Watch.calls.setdefault(entry, []).append(spent)

    return _declaring_as_many(function, timed)


def _declaring_as_many(function: Any, timed: Any) -> Any:
    """Blender passes as many arguments as a function declares, so that the timed one has to declare them, too."""
    if function.__code__.co_flags & inspect.CO_VARARGS:
        return timed
    names = ", ".join(f"a{number}" for number in range(function.__code__.co_argcount))
    return functools.wraps(function)(eval(f"lambda {names}: of({names})", {"of": timed}))


def _lost() -> int:
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def prepare() -> None:
    """Call before the add-on is imported: what it gives to Blender at registration is timed from then on."""
    for name in [name for name in dir(bpy.props) if name.endswith("Property") and name != "RemoveProperty"]:
        setattr(bpy.props, name, _with_timed_callbacks(getattr(bpy.props, name)))
    timers = bpy.app.timers
    register, unregister, is_registered = timers.register, timers.unregister, timers.is_registered

    def ours(function: Any) -> Any:
        if not _is_ours(function):
            return function
        if function not in _Watch.timers:
            _Watch.timers[function] = _timed(f"timer {_name(function)}", function)
        return _Watch.timers[function]

    timers.register = lambda function, **named: register(ours(function), **named)
    timers.unregister = lambda function: unregister(ours(function))
    timers.is_registered = lambda function: is_registered(ours(function))


_CALLBACKS = ("update", "get", "set", "poll", "search", "items")


def _with_timed_callbacks(make: Any) -> Any:
    def made(*args: Any, **named: Any) -> Any:
        for kind in _CALLBACKS:
            function = named.get(kind)
            if _is_ours(function):
                named[kind] = _timed(f"{kind} {_name(function)}", function)
        return make(*args, **named)

    return made


def _is_ours(function: Any) -> bool:
    return callable(function) and str(getattr(function, "__module__", "")).startswith(_Chosen.addon or "semanticface_")


def _name(function: Any) -> str:
    module = function.__module__.partition(".")[2]
    return f"{module}.{function.__qualname__}".replace(".<locals>", "").replace("<lambda>", "poll")


def start() -> None:
    """Forget what was measured, and measure from now on."""
    stop()
    _Watch.calls.clear()
    for base in _CLASSES:
        for kind in base.__subclasses__():
            if kind.__module__.startswith(_Chosen.addon):
                _wrap_class(kind)
    for handlers in (getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)):
        if isinstance(handlers, list):
            _wrap_handlers(handlers)
    _Watch.on = True


def _wrap_class(kind: Any) -> None:
    for name in _METHODS:
        original = kind.__dict__.get(name)
        if original is None:
            continue
        label = f"{name} {kind.__name__}" if name != "execute" else f"{kind.__name__.partition('_OT_')[2]}.execute"
        if isinstance(original, classmethod):
            setattr(kind, name, classmethod(_timed(label, original.__func__)))
        else:
            setattr(kind, name, _timed(label, original))
        _Watch.restore.append(functools.partial(setattr, kind, name, original))


def _wrap_handlers(handlers: list[Any]) -> None:
    for index, handler in enumerate(handlers):
        if _is_ours(handler):
            timed = bpy.app.handlers.persistent(_timed(f"handler {_name(handler)}", handler))
            handlers[index] = timed

            def restore(handlers: list[Any] = handlers, timed: Any = timed, handler: Any = handler) -> None:
                if timed in handlers:
                    handlers[handlers.index(timed)] = handler

            _Watch.restore.append(restore)


def stop() -> dict[str, list[Call]]:
    """Measure no more; every call, by what was called."""
    _Watch.on = False
    for restore in _Watch.restore:
        restore()
    _Watch.restore.clear()
    return dict(_Watch.calls)
