"""Write type information for `unreal` out of the committed signatures: `python tools/make_unreal_stub.py`.

It goes to build/unreal-stub/unreal.pyi, where mypy finds it (`mypy_path` in pyproject.toml), so that every call of the
plugin into the editor is checked against Epic's signatures. Arguments take what the editor coerces (str for Name, a
list for Array, a Python type for Class); results of an object's type may be absent without being said so, as the
editor's None can stand anywhere. Types that unreal_names.txt doesn't list exist with an underscore before their names,
so that values of them pass through, and nothing can be made of them. Knows nothing of the fake.

    --engine    5.6, the default, 5.5 or 5.4: what the plugin reaches must be there as well
    --out       the file
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from extract_unreal_signatures import OLDER, SIGNATURES, patched  # noqa: E402

STUB = ROOT / "build" / "unreal-stub" / "unreal.pyi"

NUMBERS = {"int32": "int", "int64": "int", "uint8": "int", "uint32": "int", "double": "float"}
TYPING = {"Any", "object", "str", "int", "float", "bool", "type", "None", "BaseException", "TracebackType", "_T", "..."}
CAST = ("@classmethod", "def cast(cls, object: object) -> Self: ...")
SEQUENCES = {"Array": "Sequence", "FixedArray": "Sequence", "Set": "Iterable", "Map": "Mapping"}
"""What an argument takes for the engine's containers."""
COERCED = {
    "Name": "Name | str",
    "Text": "Text | str",
    "str": "Name | str",
    "Class": "Class | type[_ObjectBase]",
}
"""What an argument of these takes beside themselves."""
OVERLOADS = 60
"""Classes with more editor properties than this have their names checked, not each one's type: mypy compares pairs."""

HEADER = """# mypy: ignore-errors
# Made by tools/make_unreal_stub.py from Unreal Engine {engine}. Don't edit.
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from types import TracebackType
from typing import Any, ClassVar, Literal, Optional, Self, Tuple, Type, TypeVar, Union, overload

_T = TypeVar("_T")
_K = TypeVar("_K")
_V = TypeVar("_V")
_F = TypeVar("_F", bound=Callable[..., Any])
_C = TypeVar("_C", bound=type)

class _WrapperBase: ...

class Name(_WrapperBase):
    def __init__(self, value: Name | str = ...) -> None: ...
    @classmethod
    def cast(cls, object: object) -> Name: ...
    def is_valid(self) -> bool: ...
    def is_none(self) -> bool: ...

class Text(_WrapperBase):
    def __init__(self, value: Text | str = ...) -> None: ...
    @classmethod
    def cast(cls, object: object) -> Text: ...
    @classmethod
    def as_number(cls, num: float) -> Text: ...
    def is_empty(self) -> bool: ...
    def is_empty_or_whitespace(self) -> bool: ...
    def format(self, *args: object, **named_args: object) -> Text: ...

class Array(_WrapperBase, MutableSequence[_T]):
    def __init__(self, type: type[_T]) -> None: ...
    @classmethod
    def cast(cls, type: type[_T], obj: object) -> Array[_T]: ...
    def copy(self) -> Array[_T]: ...
    def sort(self, key: Callable[[_T], object] | None = ..., reverse: bool = ...) -> None: ...
    def resize(self, len: int) -> None: ...
    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> Array[_T]: ...
    def __setitem__(self, index: int, value: _T) -> None: ...
    def __delitem__(self, index: int) -> None: ...
    def __len__(self) -> int: ...
    def insert(self, index: int, value: _T) -> None: ...

class Set(_WrapperBase, MutableSet[_T]):
    def __init__(self, type: type[_T]) -> None: ...
    def copy(self) -> Set[_T]: ...
    def __contains__(self, value: object) -> bool: ...
    def __iter__(self) -> Iterator[_T]: ...
    def __len__(self) -> int: ...
    def add(self, value: _T) -> None: ...
    def discard(self, value: _T) -> None: ...

class Map(_WrapperBase, MutableMapping[_K, _V]):
    def __init__(self, key: type[_K], value: type[_V]) -> None: ...
    def copy(self) -> Map[_K, _V]: ...
    def __getitem__(self, key: _K | str) -> _V: ...
    def __setitem__(self, key: _K | str, value: _V) -> None: ...
    def __delitem__(self, key: _K) -> None: ...
    def __iter__(self) -> Iterator[_K]: ...
    def __len__(self) -> int: ...

def uclass() -> Callable[[_C], _C]: ...
def ustruct() -> Callable[[_C], _C]: ...
def uenum() -> Callable[[_C], _C]: ...
@overload
def uproperty(type: type[_T], meta: Mapping[str, str] | None = ..., getter: str | None = ..., setter: str | None = ...) -> _T: ...
@overload
def uproperty(type: Array[_T], meta: Mapping[str, str] | None = ..., getter: str | None = ..., setter: str | None = ...) -> Array[_T]: ...
def uvalue(val: object, meta: Mapping[str, str] | None = ...) -> Any: ...
def ufunction(meta: Mapping[str, str] | None = ..., ret: object = ..., params: Sequence[object] | None = ..., override: bool | None = ..., static: bool | None = ..., pure: bool | None = ..., getter: bool | None = ..., setter: bool | None = ...) -> Callable[[_F], _F]: ...
def get_editor_subsystem(subsystem: type[_T]) -> _T | None: ...
def get_engine_subsystem(subsystem: type[_T]) -> _T | None: ...
def get_default_object(type: type[_T]) -> _T: ...
def new_object(type: type[_T], outer: Object | None = ..., name: Name | str = ..., base_type: Object | None = ...) -> _T: ...
"""  # noqa: E501  lines of the file that it becomes
BY_HAND = set(re.findall(r"^(?:class|def) (\w+)", HEADER, re.MULTILINE))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("make_unreal_stub", description="Type information for the module unreal.")
    parser.add_argument("--engine", choices=["5.4", "5.5", "5.6"], default="5.6")
    parser.add_argument("--out", type=Path, default=STUB)
    chosen = parser.parse_args(arguments)
    text = Stub(signatures(chosen.engine)).text()
    if not chosen.out.is_file() or chosen.out.read_text("utf-8") != text:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(text, "utf-8")
    print(f"{chosen.out}: {len(text) / 1000:.0f} kB", file=sys.stderr)
    return 0


def signatures(engine: str) -> dict[str, Any]:
    """Those of Unreal 5.6, 5.5 or 5.4."""
    newest: dict[str, Any] = json.loads(SIGNATURES.read_text("utf-8"))
    if newest["engine"].startswith(engine):
        return newest
    older = json.loads(OLDER.read_text("utf-8"))
    found = next(name for name in older if name.startswith(engine))
    return {**patched(newest, older[found]), "engine": found}


class Stub:
    """Gathers which types are mentioned while it writes."""

    def __init__(self, signatures: dict[str, Any]) -> None:
        self._signatures = signatures
        self._classes: dict[str, Any] = signatures["classes"]
        self._mentioned: set[str] = set()

    def text(self) -> str:
        lines = [HEADER.format(engine=self._signatures["engine"])]
        for name in self._ordered():
            lines += ["", *self._class(name)]
        for name, text in sorted(self._signatures["functions"].items()):
            if name not in BY_HAND:
                lines.append(self._function(name, text, "", ""))
        unlisted = sorted(self._mentioned - set(self._classes))
        lines += ["", *(f"class _{name}: ..." for name in unlisted)]
        return "\n".join(lines) + "\n"

    def _ordered(self) -> list[str]:
        """Bases before what rests on them."""
        placed: dict[str, None] = {}

        def place(name: str) -> None:
            if name in self._classes and name not in placed:
                place(self._classes[name]["base"])
                placed[name] = None

        for name in sorted(self._classes):
            place(name)
        return [name for name in placed if name not in BY_HAND]

    def _class(self, name: str) -> Iterator[str]:
        entry = self._classes[name]
        base = entry["base"] if entry["base"] in self._classes else ""
        yield f"class {name}({base}):" if base else f"class {name}:"
        body = [*self._members(name, entry), *self._attributes(entry), *self._properties(name, entry)]
        if "init" in entry and not entry["init"].startswith("(*args"):
            body.append(self._function("__init__", entry["init"], "self", ""))
        own = self._special(name)
        body += own
        taken = {found[1] for line in own if (found := re.search(r"def (\w+)", line))}
        for kind, first in (("methods", "self"), ("class_methods", "cls")):
            for method, text in sorted(entry.get(kind, {}).items()):
                if method not in taken and (not method.startswith("__") or method in ("__enter__", "__exit__")):
                    if first == "cls":
                        body.append("@classmethod")
                    body.append(self._function(method, text, first, name))
        yield from (f"    {line}" for line in body or ["..."])

    def _members(self, name: str, entry: dict[str, Any]) -> Iterator[str]:
        for member in entry.get("members", {}):
            yield f"{member}: ClassVar[{name}]"

    def _attributes(self, entry: dict[str, Any]) -> Iterator[str]:
        struct = entry["kind"] == "struct"
        for text in entry.get("attributes", ()):
            attribute = text.rstrip("=")
            said = self._editor(entry).get(attribute, "rw Any").split(" ", 1)[1]
            yield "@property"
            yield f"def {attribute}(self) -> {self._out(said)}: ..."
            if text.endswith("=") or struct:
                yield f"@{attribute}.setter"
                yield f"def {attribute}(self, value: {self._into(said, absent=True)}) -> None: ..."

    def _editor(self, entry: dict[str, Any]) -> dict[str, str]:
        """All editor properties, those of the bases included."""
        base = self._classes.get(entry["base"])
        return {**(self._editor(base) if base else {}), **entry.get("editor", {})}

    def _properties(self, name: str, entry: dict[str, Any]) -> Iterator[str]:
        """get_editor_property and set_editor_property for exactly the names that there are."""
        if not entry.get("editor"):
            return
        every = self._editor(entry)
        writable = {key: said for key, said in every.items() if said.startswith("rw ")}
        if len(every) > OVERLOADS:
            names = ", ".join(f'"{key}"' for key in sorted(every))
            yield f"def get_editor_property(self, name: Literal[{names}]) -> Any: ..."
            names = ", ".join(f'"{key}"' for key in sorted(writable))
            yield setter(f"Literal[{names}]", "Any")
            return
        for key, said in sorted(every.items()):
            yield from ["@overload"] if len(every) > 1 else []
            yield f'def get_editor_property(self, name: Literal["{key}"]) -> {self._out(said.split(" ", 1)[1])}: ...'
        for key, said in sorted(writable.items()):
            yield from ["@overload"] if len(writable) > 1 else []
            yield setter(f'Literal["{key}"]', self._into(said.split(" ", 1)[1], absent=True))

    def _special(self, name: str) -> list[str]:
        """What the signatures can't say: types that depend on the class."""
        if name == "EnumBase":
            return ["name: str", "value: int", *CAST]
        if name == "StructBase":
            return ["def copy(self) -> Self: ...", "def __copy__(self) -> Self: ...", *CAST]
        if name == "_ObjectBase":
            default = ["@classmethod", "def get_default_object(cls) -> Self: ..."]
            read = ["def get_editor_property(self, name: Name | str) -> Any: ..."]
            return [*CAST, *default, *read, setter("Name | str", "Any")]
        if name in ("ScopedSlowTask", "ScopedEditorTransaction"):
            given = "type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None"
            return [f"def __exit__(self, {given}) -> None: ..."]
        return []

    def _function(self, name: str, text: str, first: str, owner: str) -> str:
        node = ast.parse(f"def f{text}: ...").body[0]
        assert isinstance(node, ast.FunctionDef)
        arguments = [first] if first else []
        required = len(node.args.args) - len(node.args.defaults)
        for position, argument in enumerate(node.args.args):
            said = ast.unparse(argument.annotation) if argument.annotation else "Any"
            optional = position >= required
            absent = optional and ast.unparse(node.args.defaults[position - required]) == "None"
            kind = self._into(said, absent)
            arguments.append(f"{argument.arg}: {kind}{' = ...' if optional else ''}")
        if node.args.vararg:
            arguments.append("*args: Any")
        if node.args.kwarg:
            arguments.append("**kwargs: Any")
        returns = self._out(ast.unparse(node.returns)) if node.returns else "Any"
        return f"def {name}({', '.join(arguments)}) -> {'None' if name == '__init__' else returns}: ..."

    # Types.

    def _into(self, said: str, absent: bool = False) -> str:
        """What an argument takes. `absent`: None too, where the type is an object's."""
        kind = self._translated(ast.parse(said, mode="eval").body, taking=True)
        objects = self._classes.get(said, {}).get("kind") == "object" or said not in self._classes
        return f"{kind} | None" if absent and objects and said[0].isupper() and "None" not in kind else kind

    def _out(self, said: str) -> str:
        """What a call gives. `| Any`: an object may be missing, and asking for it is allowed but not demanded."""
        kind = self._translated(ast.parse(said, mode="eval").body, taking=False)
        named = self._classes.get(said, {}).get("kind") == "object" and said != "Class"
        return f"{kind} | Any" if named else kind

    def _translated(self, node: ast.expr, taking: bool) -> str:
        if isinstance(node, ast.Constant):
            return "None" if node.value is None else "..."
        if isinstance(node, ast.List):
            return f"[{', '.join(self._translated(part, taking) for part in node.elts)}]"
        if isinstance(node, ast.Subscript):
            return self._subscripted(node, taking)
        return self._named(NUMBERS.get(ast.unparse(node), ast.unparse(node)), taking)

    def _named(self, name: str, taking: bool) -> str:
        if taking and name in COERCED:
            return COERCED[name]
        if name in TYPING or name in self._classes or name in BY_HAND:
            return name
        if name.startswith("_"):
            return "Any"
        self._mentioned.add(name)
        return f"_{name}"

    def _subscripted(self, node: ast.Subscript, taking: bool) -> str:
        outer = ast.unparse(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inner = ", ".join(self._translated(part, taking) for part in parts)
        if taking:
            outer = {"Array": "Sequence", "FixedArray": "Sequence", "Set": "Iterable", "Map": "Mapping"}.get(
                outer, outer
            )
        outer = {"FixedArray": "Array", "Dict": "dict", "List": "list", "Type": "type"}.get(outer, outer)
        return f"{outer}[{inner}]"


def setter(names: str, value: str) -> str:
    return f"def set_editor_property(self, name: {names}, value: {value}, notify_mode: Any = ...) -> None: ..."


if __name__ == "__main__":
    raise SystemExit(main())
