"""Callbacks that the editor calls: before and after each Slate tick, and at its end. A commandlet never ticks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unreal_desk import Handle
from unreal_process import editor

from unreal.checking import faked_function


@faked_function
def register_slate_pre_tick_callback(callable: Callable[[float], object]) -> Handle:
    return _registered(editor().desk.pre, callable)


@faked_function
def register_slate_post_tick_callback(callable: Callable[[float], object]) -> Handle:
    return _registered(editor().desk.post, callable)


@faked_function
def register_python_shutdown_callback(callable: Callable[[], object]) -> Handle:
    return _registered(editor().desk.shutdown, callable)


@faked_function
def unregister_slate_pre_tick_callback(handle: Any) -> None:
    _unregistered(editor().desk.pre, handle, "unregister_slate_pre_tick_callback")


@faked_function
def unregister_slate_post_tick_callback(handle: Any) -> None:
    _unregistered(editor().desk.post, handle, "unregister_slate_post_tick_callback")


@faked_function
def unregister_python_shutdown_callback(handle: Any) -> None:
    _unregistered(editor().desk.shutdown, handle, "unregister_python_shutdown_callback")


def _registered(callbacks: list[Handle], callback: Callable[..., object]) -> Handle:
    handle = Handle(callback)
    callbacks.append(handle)
    return handle


def _unregistered(callbacks: list[Handle], handle: Any, where: str) -> None:
    """Anything but a handle is refused; a handle that is gone already is passed over without a word."""
    if not isinstance(handle, Handle):
        raise TypeError(f"{where}: Cannot convert argument '{type(handle).__name__}' to '_DelegateHandle'")
    if handle in callbacks:
        callbacks.remove(handle)
