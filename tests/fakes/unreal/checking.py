"""Holds the fake to Epic's signatures: which methods exist, what they take, how wrong calls are refused.

`@faked` on a class says "this is the behaviour of the class of this name". What it defines must be in the signatures
under the same names and arguments; it gets what the file says beside it (defaults, properties), and each method is
wrapped: wrong number or names of arguments raise TypeError as native functions do, wrong types TypeError as the editor
words it, calls off the game thread crash. Implementations receive all arguments, converted and with defaults, by
position, and return plain Python: lists, str and dicts become Array, Name and Map as the signature says.

Properties are stored by themselves. Behaviour for one: `_get_<name>(self)` and `_set_<name>(self, value)`.
Helpers of a behaviour start with an underscore; `_plain = True` leaves the methods of a class unwrapped. What has no
behaviour raises NotImplementedError when it is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

from unreal_process import enter_native

from unreal.nativize import Refused, converter, zero
from unreal.registry import REGISTRY
from unreal.signatures import REQUIRED, Argument, Described, Property, Signature, described, function, function_names

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


def known(name: str) -> Any:
    """The class of this name, with its behaviour where a module gave it one."""
    return REGISTRY.known(name)


def faked(made: C) -> C:
    """Take this class as the behaviour of the class of its name. Raises TypeError where it departs from the file."""
    try:
        entry = described(made.__name__)
    except KeyError:
        raise TypeError(f"{made.__name__} isn't in the signatures") from None
    base = next(parent.__name__ for parent in made.__mro__[1:] if parent is object or parent.__name__ in REGISTRY)
    if base != entry.base and entry.base in REGISTRY:
        raise TypeError(f"{made.__name__} rests on {entry.base}, not on {base}")
    equip(made, entry)
    REGISTRY.add(made)
    return made


def faked_function(made: F) -> F:
    """Likewise for a function of the module."""
    name = made.__name__
    if name not in function_names():
        raise TypeError(f"{name} isn't in the signatures")
    signature = function(name)
    compare(name, made, signature, bound=False)

    def call(*args: Any, **kwargs: Any) -> Any:
        enter_native(name)
        values, named = bind(signature, name, name, None, args, kwargs)
        return returned(made(*values, **named), signature, name)

    call.__name__ = call.__qualname__ = name
    return call  # type: ignore[return-value]


def make(name: str) -> Any:
    """A class of the file without behaviour: enums, structs and their properties work, methods don't."""
    entry = described(name)
    base = object if entry.base == "object" else REGISTRY.known(entry.base) if entry.base in REGISTRY else object
    made = type(base)(name, (base,), {"__module__": "unreal"})
    equip(made, entry)
    return made


REGISTRY.maker = make


def equip(made: Any, entry: Described) -> None:
    """Wrap what is there, add what is missing."""
    made.__module__ = "unreal"
    made.fake_kind = entry.kind
    made.fake_described = entry
    own = dict(vars(made))
    refuse_strangers(made, own, entry)
    wrap_methods(made, own, entry)
    wrap_class_methods(made, own, entry)
    if entry.kind == "python" and entry.init is not None and "__init__" in own and not is_plain(made):
        made.__init__ = wrapped(entry.name, "__init__", entry.init, own["__init__"])
    for name, property_ in entry.properties.items():
        described_property(made, name, property_, own)
    made.fake_members = {}
    for name, value in entry.members.items():
        member = object.__new__(made)
        object.__setattr__(member, "name", name)
        object.__setattr__(member, "value", value)
        made.fake_members[name] = member
        setattr(made, name, member)


def is_plain(made: Any) -> bool:
    return bool(getattr(made, "_plain", False))


def wrap_methods(made: Any, own: dict[str, Any], entry: Described) -> None:
    for name, signature in {**overridden(made, own, "methods"), **entry.methods}.items():
        behaviour = own.get(name)
        if behaviour is not None:
            compare(f"{entry.name}.{name}", behaviour, signature)
        if behaviour is None and (hasattr(object, name) or (is_plain(made) and hasattr(made, name))):
            continue
        if behaviour is None or not is_plain(made):
            setattr(made, name, wrapped(entry.name, name, signature, behaviour))


def wrap_class_methods(made: Any, own: dict[str, Any], entry: Described) -> None:
    for name, signature in {**overridden(made, own, "class_methods"), **entry.class_methods}.items():
        behaviour = own.get(name)
        if behaviour is not None and not isinstance(behaviour, classmethod):
            raise TypeError(f"{entry.name}.{name} is a method of the class")
        function_ = behaviour.__func__ if isinstance(behaviour, classmethod) else None
        if function_ is not None:
            compare(f"{entry.name}.{name}", function_, signature)
        if function_ is None or not is_plain(made):
            setattr(made, name, classmethod(wrapped(entry.name, name, signature, function_)))


def overridden(made: type, own: dict[str, Any], part: str) -> dict[str, Signature]:
    """Methods of the bases that the class has a behaviour of its own for."""
    found: dict[str, Signature] = {}
    for parent in reversed(made.__mro__[1:]):
        inherited = getattr(vars(parent).get("fake_described"), part, {})
        found |= {name: signature for name, signature in inherited.items() if name in own}
        other = "methods" if part == "class_methods" else "class_methods"
        replaced = getattr(vars(made).get("fake_described"), other, {})
        found = {name: signature for name, signature in found.items() if name not in replaced}
    return found


def refuse_strangers(made: type, own: dict[str, Any], entry: Described) -> None:
    """Public names that Epic's class doesn't have."""
    allowed = {"fake_kind", "fake_described", "fake_members", "of", *entry.methods, *entry.class_methods}
    allowed |= {*entry.properties, *entry.members}
    allowed |= {*overridden(made, own, "methods"), *overridden(made, own, "class_methods")}
    for name, value in own.items():
        if not name.startswith("_") and name not in allowed:
            raise TypeError(f"{made.__name__}.{name} isn't in the signatures")
        if name.startswith(("_get_", "_set_")) and callable(value):
            property_ = entry.properties.get(name[5:])
            if property_ is None or (name.startswith("_set_") and not property_.writable):
                raise TypeError(f"{made.__name__} has no such property to {name[1:4]}: {name[5:]}")


def compare(where: str, behaviour: Any, signature: Signature, bound: bool = True) -> None:
    """Argument names and order, and defaults where the behaviour states any."""
    if isinstance(behaviour, classmethod | staticmethod):
        raise TypeError(f"{where} is a method of the instance")
    parameters = [
        parameter
        for parameter in inspect.signature(behaviour).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ][bound:]
    names = [argument.name for argument in signature.arguments]
    if [parameter.name for parameter in parameters] != names:
        raise TypeError(f"{where} takes ({', '.join(names)}) in the signatures, the fake's takes {parameters}")
    for parameter, argument in zip(parameters, signature.arguments, strict=True):
        stated = parameter.default
        if stated is not parameter.empty and stated is not None and argument.default != repr(stated):
            raise TypeError(f"{where}: the default of {argument.name} is {argument.default}")


def wrapped(owner: str, name: str, signature: Signature, behaviour: Any) -> Callable[..., Any]:
    """A method that checks, calls the behaviour and fits what it returns."""
    where = f"{owner}.{name}"

    def call(on: Any, *args: Any, **kwargs: Any) -> Any:
        enter_native(where)
        values, named = bind(signature, owner, name, on, args, kwargs)
        if behaviour is None:
            raise NotImplementedError(f"the fake has no behaviour for {where}")
        return returned(behaviour(on, *values, **named), signature, where)

    call.__name__, call.__qualname__ = name, where
    call.fake_behaviour = behaviour is not None  # type: ignore[attr-defined]
    return call


def bind(
    signature: Signature, owner: str, name: str, on: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by position, converted. With `star` what is beyond the named ones goes through as it is."""
    arguments = signature.arguments
    if signature.star:
        return list(args), kwargs
    if len(args) + len(kwargs) > len(arguments):
        given = len(args) + len(kwargs)
        raise TypeError(f"{name}() takes at most {len(arguments)} arguments ({given} given)")
    refuse_names(signature, name, len(args), kwargs)
    values = []
    for position, argument in enumerate(arguments):
        if position < len(args):
            values.append(fitted(args[position], argument, owner, name, on))
        elif argument.name in kwargs:
            values.append(fitted(kwargs[argument.name], argument, owner, name, on))
        elif argument.default is REQUIRED:
            raise TypeError(f"{name}() missing required argument '{argument.name}' (pos {position + 1})")
        else:
            values.append(default(argument))
    return values, {}


def refuse_names(signature: Signature, name: str, positional: int, given: Iterable[str]) -> None:
    """Arguments by names that aren't there, or that came by position already."""
    names = [argument.name for argument in signature.arguments] if given else []
    for key in given:
        if key not in names:
            raise TypeError(f"'{key}' is an invalid keyword argument for {name}()")
        if names.index(key) < positional:
            raise TypeError(f"argument for {name}() given by name ('{key}') and position ({names.index(key) + 1})")


def fitted(value: Any, argument: Argument, owner: str, name: str, on: Any) -> Any:
    try:
        return converter(argument.type)(value)
    except Refused as why:
        where = on if isinstance(on, type) or on is None else type(on)
        target = getattr(where, "__name__", owner)
        raise TypeError(
            f"{owner}: Failed to convert parameter '{argument.name}' when calling function '{owner}.{camel(name)}' on "
            f"'{target}'\n  TypeError: NativizeProperty: Cannot nativize '{type(value).__name__}' as "
            f"'{camel(argument.name)}' ({argument.type})\n    TypeError: {why}"
        ) from None


def default(argument: Argument) -> Any:
    """The default, converted; a fresh one where it can be changed."""
    value = _default(argument)
    return value.copy() if hasattr(value, "copy") else value


@cache
def _default(argument: Argument) -> Any:
    text = argument.default
    if argument.type.isidentifier() and argument.type[0].isupper() and argument.type not in {*REGISTRY, "Any"}:
        return None  # of a type that nobody listed
    scope = {name: REGISTRY.known(name) for name in identifiers(text) if name in REGISTRY}
    value = eval(text, {"__builtins__": {}}, scope)  # text of our own committed file
    if value is None or value is Ellipsis:
        return None
    return converter(argument.type)(value)


def identifiers(text: str) -> list[str]:
    return [
        word for word in "".join(c if c.isalnum() or c == "_" else " " for c in text).split() if word.isidentifier()
    ]


def returned(value: Any, signature: Signature, where: str) -> Any:
    try:
        return converter(signature.returns)(value)
    except Refused as why:
        raise RuntimeError(f"the fake's {where} must return {signature.returns}: {why}") from None


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


class NativeProperty:
    """An attribute of native objects and structs, stored or with the behaviour's own getter and setter."""

    def __init__(self, owner: str, property_: Property, read: Any, write: Any) -> None:
        self.owner, self.described, self._read, self._write = owner, property_, read, write

    def __get__(self, on: Any, owner: Any = None) -> Any:
        if on is None:
            return self
        return self.read(on)

    def __set__(self, on: Any, value: Any) -> None:
        if not self.described.writable or (not self.described.attribute and on.fake_kind != "struct"):
            raise AttributeError(f"attribute '{self.described.name}' of '{self.owner}' objects is not writable")
        self.write(on, value)

    def read(self, on: Any) -> Any:
        """What is stored is handed out as a copy where it is a struct or a container."""
        name = self.described.name
        enter_native(f"{self.owner}.{name}")
        if self._read is not None:
            return converter(self.described.type)(self._read(on))
        values = on.__dict__["_values"]
        if name not in values:
            if not self.described.writable and on.fake_kind == "object":
                raise NotImplementedError(f"the fake has no behaviour for {self.owner}.{name}")
            values[name] = zero(self.described.type)
        return converter(self.described.type)(values[name]) if values[name] is not None else None

    def write(self, on: Any, value: Any) -> None:
        """Raises TypeError for a value of another type."""
        name = self.described.name
        enter_native(f"{self.owner}.{name}")
        try:
            value = converter(self.described.type)(value)
        except Refused as why:
            raise TypeError(
                f"{self.owner}: Failed to convert type '{type(value).__name__}' to property '{camel(name)}' "
                f"({self.described.type}) for attribute '{name}' on '{type(on).__name__}'\n  TypeError: {why}"
            ) from None
        if self._write is not None:
            self._write(on, value)
        else:
            on.__dict__["_values"][name] = value


def described_property(made: Any, name: str, property_: Property, own: dict[str, Any]) -> None:
    """An attribute, or an entry that only get_editor_property reaches."""
    read, write = own.get(f"_get_{name}"), own.get(f"_set_{name}")
    descriptor = NativeProperty(made.__name__, property_, read, write)
    if "fake_properties" not in vars(made):
        made.fake_properties = {}
    made.fake_properties[name] = descriptor
    if property_.attribute:
        setattr(made, name, descriptor)


def editor_property(on: Any, name: Any, writing: bool = False) -> NativeProperty:
    """The property that get_editor_property and set_editor_property reach. Raises Exception where there is none."""
    for owner in type(on).__mro__:
        found = vars(owner).get("fake_properties", {}).get(str(name))
        if found is not None:
            if writing and not found.described.writable:
                raise Exception(
                    f"{type(on).__name__}: Property '{camel(str(name))}' for attribute '{name}' on "
                    f"'{type(on).__name__}' is read-only and cannot be set"
                )
            return found  # type: ignore[no-any-return]
    raise Exception(
        f"{type(on).__name__}: Failed to find property '{name}' for attribute '{name}' on '{type(on).__name__}'"
    )
