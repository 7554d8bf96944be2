"""Python values into what a native argument takes, and refusals as the editor words them.

What the editor coerces is coerced: str to Name and Text, Name to str, int to float, sequences to Array, Set and
structs, dict to Map and structs, a Python type to its Class, None to an object that isn't there. `float` is 32 bits
wide as in the engine, `double` 64. Two coercions of the editor's are refused here, because in our code they would be
mistakes: float to int, which it cuts off silently, and None to bool. bool is no number, and an enum takes its members
alone.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from unreal.registry import REGISTRY

ANYTHING = frozenset({"Any", "_T", "_ElemType", "_KeyType", "_ValueType", "BaseException", "TracebackType"}) | {
    "_EditorSubsystemTypeVar",
    "_EngineSubsystemTypeVar",
}
"""Annotations that take what comes: variables of the stub's own, which stand for the type of another argument."""
INTEGERS = {
    "int": (-(2**63), 2**63 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "uint8": (0, 255),
}
Converter = Callable[[Any], Any]


class Refused(Exception):
    """Why a value doesn't fit; the caller says to which argument."""


def refused(value: Any, wanted: str, why: str = "") -> Refused:
    return Refused(f"Nativize: Cannot nativize '{type(value).__name__}' as '{wanted}'{f': {why}' if why else ''}")


@cache
def converter(annotation: str) -> Converter:
    """The function that fits a value to this type or raises Refused."""
    return _converter(ast.parse(annotation, mode="eval").body)


def _converter(node: ast.expr) -> Converter:
    if isinstance(node, ast.Constant) and node.value is None:
        return _none
    if isinstance(node, ast.Subscript):
        return _subscripted(ast.unparse(node.value), node.slice)
    name = ast.unparse(node)
    if name in INTEGERS:
        return lambda value: _integer(value, name)
    simple = {"bool": _boolean, "float": _single, "double": _double, "str": _string, "type": _type, "object": _anything}
    if name in simple:
        return simple[name]
    if name in ANYTHING:
        return _anything
    if name == "Class":
        return _class
    return lambda value: _instance(value, name)


def _subscripted(name: str, inner: ast.expr) -> Converter:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Callable":
        return _callable
    if name == "Type" and ast.unparse(inner) == "BaseException":
        return _anything
    if name.lower() == "type":
        return _type
    converters = [_converter(part) for part in parts]
    if name == "Optional":
        return lambda value: None if value is None else converters[0](value)
    if name == "Union":
        return lambda value: _either(value, converters, ast.unparse(inner))
    if name == "Tuple":
        return lambda value: _tuple(value, converters)
    if name in ("Array", "Set", "Map", "FixedArray", "Iterable", "Mapping"):
        types = [ast.unparse(part) for part in parts]
        return lambda value: _container(value, name, types, converters)
    return _anything


def _none(value: Any) -> None:
    if value is not None:
        raise refused(value, "None")


def _anything(value: Any) -> Any:
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refused(value, "bool")
    return value


def _integer(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise refused(value, name)
    low, high = INTEGERS[name]
    if not low <= value <= high:
        raise refused(value, name, "value out of range")
    return int(value)


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(value, "double")
    return float(value)


def _single(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(value, "float")
    return single(float(value))


def single(value: float) -> float:
    """The nearest 32-bit number; what is too large becomes infinite."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, REGISTRY.known("Name")):
        return str(value)
    raise refused(value, "String")


def _type(value: Any) -> Any:
    if isinstance(value, (type, REGISTRY.known("Class"))):
        return value
    raise refused(value, "type")


def _callable(value: Any) -> Any:
    if not callable(value):
        raise refused(value, "callable")
    return value


def _class(value: Any) -> Any:
    if value is None or isinstance(value, REGISTRY.known("Class")):
        return value
    if isinstance(value, type) and issubclass(value, REGISTRY.known("_ObjectBase")):
        return value.static_class()
    raise refused(value, "Class")


def _either(value: Any, converters: Iterable[Converter], wanted: str) -> Any:
    for convert in converters:
        try:
            return convert(value)
        except Refused:
            continue
    raise refused(value, wanted)


def _tuple(value: Any, converters: list[Converter]) -> tuple[Any, ...]:
    if not isinstance(value, tuple | list) or len(value) != len(converters):
        raise refused(value, "Tuple")
    return tuple(convert(part) for convert, part in zip(converters, value, strict=True))


def _container(value: Any, name: str, types: list[str], converters: list[Converter]) -> Any:
    if name in ("Iterable", "Mapping"):
        return value
    made = REGISTRY.known("Array" if name == "FixedArray" else name)
    if name == "Map":
        if not isinstance(value, Mapping):
            raise refused(value, "Map")
        return made.of(types, {converters[0](key): converters[1](item) for key, item in value.items()})
    sequence = isinstance(value, list | tuple | set | frozenset) or type(value).__name__ in ("Array", "Set")
    if not sequence:
        raise refused(value, name)
    items = []
    for index, item in enumerate(value):
        try:
            items.append(converters[0](item))
        except Refused as why:
            raise refused(value, name, f"element {index}: {why}") from None
    return made.of(types, items)


def _instance(value: Any, name: str) -> Any:
    """Of a class, struct or enum by its name."""
    if name not in REGISTRY:
        if value is None:
            return None
        raise refused(value, name, "the fake knows no such type; list it in unreal_names.txt")
    wanted = REGISTRY.known(name)
    if name in ("Name", "Text"):
        if isinstance(value, wanted):
            return value
        if isinstance(value, str):
            return wanted(value)
        raise refused(value, name)
    if isinstance(value, wanted):
        return value.copy() if wanted.fake_kind == "struct" else value
    if wanted.fake_kind == "object" and value is None:
        return None
    if wanted.fake_kind == "struct":
        return _struct(value, wanted, name)
    if wanted.fake_kind == "object":
        raise Refused(
            f"NativizeObject: Cannot nativize '{type(value).__name__}' as 'Object' (allowed Class type: '{name}')"
        )
    raise refused(value, name)


def _struct(value: Any, wanted: Any, name: str) -> Any:
    try:
        if isinstance(value, Mapping):
            return wanted(**value)
        if isinstance(value, list | tuple):
            return wanted(*value)
    except TypeError as why:
        raise refused(value, name, str(why)) from None
    raise refused(value, name)


def zero(annotation: str) -> Any:
    """What a property of this type holds before anybody sets it."""
    plain: dict[str, Any] = {"bool": False, "float": 0.0, "double": 0.0, "str": ""} | dict.fromkeys(INTEGERS, 0)
    if annotation in plain:
        return plain[annotation]
    if annotation.startswith(("Array[", "Set[", "FixedArray[")):
        return converter(annotation)([])
    if annotation.startswith("Map["):
        return converter(annotation)({})
    if annotation in ("Name", "Text"):
        return REGISTRY.known(annotation)()
    if annotation not in REGISTRY:
        return None
    made = REGISTRY.known(annotation)
    if made.fake_kind == "enum":
        return min(made.fake_members.values(), key=lambda member: member.value, default=None)
    return made() if made.fake_kind == "struct" else None
