"""What the committed signatures say: classes, methods, arguments, types, defaults. Plain data; knows no behaviour."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "unreal_signatures.json"
REQUIRED = object()
"""The default of an argument without one."""


@dataclass(frozen=True)
class Argument:
    """`default` is source text, or REQUIRED."""

    name: str
    type: str
    default: Any = REQUIRED


@dataclass(frozen=True)
class Signature:
    """`star` where any number of arguments goes through unchecked, as `*args` in the stub says."""

    arguments: tuple[Argument, ...]
    returns: str
    star: bool = False


@dataclass(frozen=True)
class Property:
    """A property of an object or struct. `attribute` where it is a Python attribute beside an editor property."""

    name: str
    type: str
    writable: bool
    attribute: bool
    editor: bool


@dataclass(frozen=True)
class Described:
    """One class as it stands in the file, without what its bases say."""

    name: str
    kind: str
    base: str
    init: Signature | None = None
    methods: dict[str, Signature] = field(default_factory=dict)
    class_methods: dict[str, Signature] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)


@cache
def _file() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text("utf-8")))


def engine() -> str:
    """`5.6.0-43139311`."""
    return str(_file()["engine"])


def class_names() -> list[str]:
    return list(_file()["classes"])


def function_names() -> list[str]:
    return list(_file()["functions"])


@cache
def parsed(text: str) -> Signature:
    """`(time: float = 0.0) -> bool` as data."""
    node = ast.parse(f"def f{text}: ...").body[0]
    assert isinstance(node, ast.FunctionDef)
    names = node.args.args
    defaults: list[Any] = [REQUIRED] * (len(names) - len(node.args.defaults))
    defaults += [ast.unparse(default) for default in node.args.defaults]
    arguments = tuple(
        Argument(name.arg, ast.unparse(name.annotation) if name.annotation else "Any", default)
        for name, default in zip(names, defaults, strict=True)
    )
    return Signature(arguments, ast.unparse(node.returns) if node.returns else "Any", node.args.vararg is not None)


@cache
def described(name: str) -> Described:
    """Raises KeyError for a name that isn't in the file."""
    entry = _file()["classes"][name]
    properties = {}
    attributes = {text.rstrip("="): text.endswith("=") for text in entry.get("attributes", ())}
    for key, said in entry.get("editor", {}).items():
        access, type_ = said.split(" ", 1)
        properties[key] = Property(key, type_, access == "rw", key in attributes, True)
    for key, settable in attributes.items():
        if key not in properties:
            properties[key] = Property(key, _inherited_type(entry["base"], key), settable, True, False)
    return Described(
        name,
        entry["kind"],
        entry["base"],
        parsed(entry["init"]) if "init" in entry else None,
        {key: parsed(text) for key, text in entry.get("methods", {}).items()},
        {key: parsed(text) for key, text in entry.get("class_methods", {}).items()},
        properties,
        entry.get("members", {}),
    )


def _inherited_type(base: str, key: str) -> str:
    """The type of an attribute whose editor property stands with a base class; the struct's own name where nowhere."""
    while base in _file()["classes"]:
        said = _file()["classes"][base].get("editor", {}).get(key)
        if said:
            return str(said).split(" ", 1)[1]
        base = _file()["classes"][base]["base"]
    return "Any"


def function(name: str) -> Signature:
    """Raises KeyError for a name that isn't in the file."""
    return parsed(_file()["functions"][name])
