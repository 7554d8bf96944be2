"""Functions of the module: the log, finding and making objects, subsystems. Ticks and decorators stand on their own."""

from __future__ import annotations

from typing import Any

from unreal_process import editor

from unreal.checking import faked_function
from unreal.objects import python_of


@faked_function
def new_object(type: Any, outer: Any, name: Any, base_type: Any) -> Any:
    return python_of(type)(outer, str(name) or "None")


@faked_function
def get_default_object(type: Any) -> Any:
    return editor().default_object(python_of(type))


@faked_function
def load_asset(name: str, type: Any, follow_redirectors: bool) -> Any:
    found = editor().project.load(name)
    return found if found is not None and isinstance(found, python_of(type)) else None


@faked_function
def find_asset(name: str, type: Any, follow_redirectors: bool) -> Any:
    found = editor().project.loaded(name)
    return found if found is not None and isinstance(found, python_of(type)) else None


@faked_function
def load_object(outer: Any, name: str, type: Any, follow_redirectors: bool) -> Any:
    return load_asset(name, type, follow_redirectors)


@faked_function
def find_object(outer: Any, name: str, type: Any, follow_redirectors: bool) -> Any:
    """Of what is in memory: an actor of the level, else an asset."""
    actor = next((actor for actor in editor().desk.actors if actor.get_path_name() == name), None)
    return actor if isinstance(actor, python_of(type)) else find_asset(name, type, follow_redirectors)


@faked_function
def load_class(outer: Any, name: str, type: Any) -> Any:
    """`/Game/Rigs/X.X_C`: the class that a blueprint made."""
    return editor().project.blueprint_class(name)


@faked_function
def collect_garbage() -> None:
    return None


@faked_function
def flush_generated_type_reinstancing() -> None:
    return None


@faked_function
def get_editor_subsystem(subsystem: Any) -> Any:
    return editor().default_object(python_of(subsystem))


@faked_function
def get_engine_subsystem(subsystem: Any) -> Any:
    return editor().default_object(python_of(subsystem))


@faked_function
def log(arg: Any) -> None:
    editor().log_file.write("log", str(arg))


@faked_function
def log_warning(arg: Any) -> None:
    editor().log_file.write("warning", str(arg))


@faked_function
def log_error(arg: Any) -> None:
    editor().log_file.write("error", str(arg))


@faked_function
def log_flush() -> None:
    return None


@faked_function
def is_editor() -> bool:
    return True


@faked_function
def NSLOCTEXT(ns: str, key: str, source: str) -> Any:
    return source


@faked_function
def get_interpreter_executable_path() -> str:
    return editor().interpreter
