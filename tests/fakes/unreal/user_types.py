"""Classes that Python defines for the engine: `@unreal.uclass()` and what goes with it, with the engine's refusals.

The engine sees of such a class what is declared: properties of `uproperty`, functions of `ufunction`. A method that
isn't declared is Python's alone, so it overrides nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from unreal_process import enter_native

from unreal.checking import NativeProperty, faked, known
from unreal.nativize import Refused, converter
from unreal.registry import REGISTRY
from unreal.signatures import Described, Property, Signature, described

EVENTS = {
    "ToolMenuEntryScript": {
        "can_execute", "construct_menu_entry", "execute", "get_check_state", "get_icon", "get_label", "get_tool_tip",
        "is_visible", "show_in_toolbar_top_level",
    },
    "ToolMenuSectionDynamic": {"construct_sections"},
}  # fmt: skip
"""Functions of native classes that may be overridden: those declared as events. All others are not."""

PLAIN = {bool: "bool", int: "int32", float: "float", str: "str"}
"""A Python float is taken for one of 32 bits: the narrower of the two that an engine may make of it."""


@faked
class ValueDef:
    def __init__(self, val: Any, meta: Any) -> None:
        self._val, self._meta = val, meta


@faked
class PropertyDef:
    def __init__(self, type: Any, meta: Any, getter: Any, setter: Any) -> None:
        if meta is not None and not isinstance(meta, dict):
            raise TypeError(f"PropertyDef: Failed to convert 'meta': '{meta.__class__.__name__}' is no dict")
        self._type, self._meta, self._getter, self._setter = type, meta, getter, setter


@faked
class FunctionDef:
    def __init__(
        self,
        func: Any,
        meta: Any,
        ret: Any,
        params: Any,
        override: Any,
        static: Any,
        pure: Any,
        getter: Any,
        setter: Any,
    ) -> None:
        self._func, self._meta, self._ret, self._params = func, meta, ret, params
        self._override, self._static, self._getter, self._setter = override, static, getter, setter


def uproperty(type: Any, meta: Any = None, getter: Any = None, setter: Any = None) -> Any:
    """`type` may be an object too, such as `unreal.Array(str)`; whether it will do shows when the class is made."""
    made = PropertyDef(object, meta, getter, setter)
    made._type = type
    return made


def uvalue(val: Any, meta: Any = None) -> Any:
    return ValueDef(val, meta)


def ufunction(
    meta: Any = None,
    ret: Any = None,
    params: Any = None,
    override: Any = None,
    static: Any = None,
    pure: Any = None,
    getter: Any = None,
    setter: Any = None,
) -> Callable[[Any], Any]:
    return lambda func: FunctionDef(func, meta, ret, params, override, static, pure, getter, setter)


def uclass() -> Callable[[Any], Any]:
    def decorated(made: Any) -> Any:
        enter_native("generate_class")
        generate_class(made)
        return made

    return decorated


def ustruct() -> Callable[[Any], Any]:
    raise NotImplementedError("the fake has no behaviour for ustruct")


def uenum() -> Callable[[Any], Any]:
    def decorated(made: Any) -> Any:
        enter_native("generate_enum")
        generate_enum(made)
        return made

    return decorated


def generate_class(made: Any) -> None:
    """Turn the definitions in the class into properties and functions. Raises Exception as the engine does."""
    if not (isinstance(made, type) and issubclass(made, known("_ObjectBase"))):
        raise Exception(f"generate_class: {made!r} is not derived from an Unreal class type")
    if "__init__" in vars(made):
        raise Exception(f"{made.__name__}: the engine makes objects without calling __init__; use _post_init")
    made.fake_described = Described(made.__name__, "object", made.__bases__[0].__name__)
    made.fake_properties = {}
    overrides = dict(getattr(made, "fake_overrides", {}))
    for name, value in list(vars(made).items()):
        if isinstance(value, ValueDef):
            raise Exception(f"{made.__name__}: Classes do not support ValueDef")
        elif isinstance(value, PropertyDef):
            add_property(made, name, value)
    for name, value in list(vars(made).items()):
        if isinstance(value, FunctionDef):
            overrides.update(function(made, name, value))
    made.fake_overrides = overrides


def add_property(made: Any, name: str, definition: PropertyDef) -> None:
    if any(name in vars(base).get("fake_properties", {}) for base in made.__mro__[1:]):
        raise Exception(f"{made.__name__}: Property '{name}' cannot override a property from the base type")
    if is_made(definition._type):
        described_ = Property(name, definition._type.__name__, writable=True, attribute=True, editor=True)
        made.fake_properties[name] = UserProperty(made.__name__, described_, definition._type)
        setattr(made, name, made.fake_properties[name])
        return
    kind = type_name(definition._type)
    if kind is None:
        raise Exception(f"{made.__name__}: Failed to create property for '{name}' ({said(definition._type)})")
    described_ = Property(name, kind, writable=True, attribute=True, editor=True)
    made.fake_properties[name] = NativeProperty(made.__name__, described_, None, None)
    setattr(made, name, made.fake_properties[name])


def type_name(wanted: Any) -> str | None:
    """As the signatures write it; None for what the engine has no property for (list, dict, tuple, foreign classes)."""
    if isinstance(wanted, type) and wanted in PLAIN:
        return PLAIN[wanted]
    container = type(wanted).__name__
    if container in ("Array", "Set", "Map") and type(wanted).__module__ == "unreal":
        return f"{container}[{', '.join(wanted._types)}]"
    if isinstance(wanted, type) and getattr(wanted, "fake_kind", "") == "enum":
        return wanted.__name__
    if isinstance(wanted, type) and wanted.__name__ in REGISTRY and wanted.__module__ == "unreal":
        return None if wanted.__name__ in ("Array", "Set", "Map") else wanted.__name__
    return None


def is_made(wanted: Any) -> bool:
    """Whether it is a class or an enum that Python defined for the engine."""
    own = isinstance(wanted, type) and wanted.__module__ != "unreal" and "fake_described" in vars(wanted)
    return own and wanted.fake_kind in ("enum", "object")


def said(wanted: Any) -> str:
    return wanted.__name__ if isinstance(wanted, type) else type(wanted).__name__


def function(made: Any, name: str, definition: FunctionDef) -> dict[str, Any]:
    """Checks one, puts it into the class, and gives it by name where it overrides a native event."""
    base = native_function(made, name)
    where = f"{made.__name__}: Method '{name}'"
    if definition._override and (definition._ret is not None or definition._params is not None):
        raise Exception(f"{where} specified as 'override' cannot also specify 'ret' or 'params'")
    if definition._override and (definition._static or definition._getter or definition._setter):
        raise Exception(f"{where} specified as 'override' cannot also specify 'static', 'getter', or 'setter'")
    if base is not None and not definition._override:
        raise Exception(f"{where} cannot override a method from the base type (did you forget 'override=True'?)")
    if base is None and definition._override:
        raise Exception(f"{where} was set to 'override', but no method was found to override")
    parameters = list(inspect.signature(definition._func).parameters)[0 if definition._static else 1 :]
    expected = len(base[1].arguments) if base else len(definition._params or ())
    if len(parameters) != expected:
        raise Exception(
            f"{made.__name__}: Incorrect number of arguments specified for '{name}' (expected {expected}, got "
            f"{len(parameters)})"
        )
    for kind in [] if base else [*(definition._params or ()), *([definition._ret] if definition._ret else [])]:
        if type_name(kind) is None and not isinstance(kind, tuple):
            raise Exception(f"{made.__name__}: Failed to create property ({said(kind)}) for function '{name}'")
    setattr(made, name, staticmethod(definition._func) if definition._static else definition._func)
    if base is None:
        return {}
    if name not in EVENTS.get(base[0], ()):
        raise Exception(f"{where} was set to 'override', but the method found to override was not a blueprint event")
    return {name: (definition._func, base[1])}


class UserProperty(NativeProperty):
    """Of an enum or a class that Python defined, which no signature names."""

    def __init__(self, owner: str, property_: Property, wanted: Any) -> None:
        super().__init__(owner, property_, None, None)
        self._wanted = wanted

    def read(self, on: Any) -> Any:
        first = next(iter(self._wanted.fake_members.values()), None) if self._wanted.fake_kind == "enum" else None
        return on.__dict__["_values"].get(self.described.name, first)

    def write(self, on: Any, value: Any) -> None:
        if not isinstance(value, self._wanted) and not (value is None and self._wanted.fake_kind == "object"):
            raise TypeError(
                f"{self.owner}: Failed to convert type '{type(value).__name__}' to property '{self.described.name}' "
                f"({self._wanted.__name__})"
            )
        on.__dict__["_values"][self.described.name] = value


def generate_enum(made: Any) -> None:
    """Turn the values in the class into members. Raises Exception as the engine does."""
    if not (isinstance(made, type) and issubclass(made, known("EnumBase"))):
        raise Exception(f"generate_enum: {made!r} is not derived from an Unreal enum type")
    made.fake_described = Described(made.__name__, "enum", "EnumBase")
    made.fake_members = {}
    for name, value in list(vars(made).items()):
        if isinstance(value, PropertyDef | FunctionDef):
            raise Exception(f"{made.__name__}: Enums do not support {type(value).__name__}")
        if not isinstance(value, ValueDef):
            continue
        if isinstance(value._val, bool) or not isinstance(value._val, int) or not 0 <= value._val <= 255:
            raise Exception(f"{made.__name__}: Failed to convert value '{name}' to a number from 0 to 255")
        member = object.__new__(made)
        object.__setattr__(member, "name", name)
        object.__setattr__(member, "value", value._val)
        made.fake_members[name] = member
        setattr(made, name, member)


def native_function(made: type, name: str) -> tuple[str, Signature] | None:
    """The native class that has it, and its signature."""
    for base in made.__mro__[1:]:
        if base.__module__ == "unreal" and base.__name__ in REGISTRY:
            entry = described(base.__name__)
            found = entry.methods.get(name) or entry.class_methods.get(name)
            if found is not None and not name.startswith("__"):
                return base.__name__, found
    return None


def call_event(thing: Any, name: str, *arguments: Any) -> Any:
    """What C++ gets when it calls an event of this object: the declared override, else the native behaviour.

    A result of another type is refused as when any value crosses over: raises TypeError.
    """
    found = getattr(type(thing), "fake_overrides", {}).get(name)
    if found is None:
        native = next(base for base in type(thing).__mro__ if base.__module__ == "unreal" and name in vars(base))
        return vars(native)[name](thing, *arguments)
    func, signature = found
    result = func(thing, *arguments)
    if signature.returns == "None":
        return None
    try:
        return converter(signature.returns)(result)
    except Refused as why:
        raise TypeError(f"{type(thing).__name__}: Failed to convert the return value of '{name}': {why}") from None
