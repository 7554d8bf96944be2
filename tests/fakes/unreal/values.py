"""Names, texts, containers, enums and structs: what the engine hands out by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unreal.checking import bind, editor_property, faked
from unreal.nativize import Refused, converter, zero


@faked
class _WrapperBase:
    def __setattr__(self, name: str, value: Any) -> None:
        native = type(self).__module__ == "unreal"
        if native and not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        object.__setattr__(self, name, value)


@faked
class Name(_WrapperBase):
    """Compares without letter case, as FName does, and with str too. Keeps the spelling that it was made with."""

    _plain = True

    def __init__(self, value: Any = "None") -> None:
        if not isinstance(value, str | Name):
            raise TypeError(f"Name: Failed to convert init value: Cannot nativize '{type(value).__name__}' as 'Name'")
        self._text = str(value) or "None"

    @classmethod
    def cast(cls, object: Any) -> Name:
        return cls(object)

    def is_valid(self) -> bool:
        return True

    def is_none(self) -> bool:
        return self._text.lower() == "none"

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f'Name("{self._text}")'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name | str) and self._text.lower() == str(other).lower()

    def __lt__(self, other: object) -> bool:
        return self._text.lower() < str(other).lower()

    def __hash__(self) -> int:
        return hash(self._text.lower())


@faked
class Text(_WrapperBase):
    _plain = True

    def __init__(self, value: Any = "") -> None:
        if not isinstance(value, str | Text):
            raise TypeError(f"Text: Failed to convert init value: Cannot nativize '{type(value).__name__}' as 'Text'")
        self._text = str(value)

    @classmethod
    def cast(cls, object: Any) -> Text:
        return cls(object)

    def is_empty(self) -> bool:
        return not self._text

    def is_empty_or_whitespace(self) -> bool:
        return not self._text.strip()

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f'Text("{self._text}")'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text | str) and self._text == str(other)

    def __hash__(self) -> int:
        return hash(self._text)


class _Container(_WrapperBase):
    """Elements are converted as they come in, and structs copied as they go out."""

    _plain = True
    _items: Any
    _types: list[str]

    def _fit(self, value: Any, position: int = 0) -> Any:
        try:
            return converter(self._types[position])(value)
        except Refused as why:
            raise TypeError(f"{type(self).__name__}: {why}") from None

    def _out(self, value: Any, position: int = 0) -> Any:
        return self._fit(value, position) if getattr(value, "fake_kind", "") == "struct" else value

    def __len__(self) -> int:
        return len(self._items)

    def __bool__(self) -> bool:
        return bool(self._items)

    def __eq__(self, other: object) -> bool:
        mine = self._items
        if isinstance(other, _Container):
            return bool(mine == other._items)
        return bool(mine == (list(other) if isinstance(other, tuple) else other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{self._items}"

    @classmethod
    def of(cls, types: list[str], items: Any) -> Any:
        """One of these types with items that fit already."""
        made = cls.__new__(cls)
        made._types, made._items = types, items
        return made

    def copy(self) -> Any:
        return type(self).of(self._types, self._items.copy())

    __copy__ = copy

    def clear(self) -> None:
        self._items.clear()


def _type_name(wanted: Any) -> str:
    """`float` in `unreal.Array(float)`, as the signatures write it."""
    return str(getattr(wanted, "__name__", wanted))


@faked
class Array(_Container):
    def __init__(self, type: Any) -> None:
        self._types, self._items = [_type_name(type)], []

    @classmethod
    def cast(cls, type: Any, obj: Any) -> Any:
        return converter(f"Array[{_type_name(type)}]")(obj)

    @classmethod
    def __class_getitem__(cls, *args: Any) -> Any:
        return cls

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self).of(self._types, self._items[index])
        return self._out(self._items[index])

    def __setitem__(self, index: int, value: Any) -> None:
        self._items[index] = self._fit(value)

    def __iter__(self) -> Iterator[Any]:
        return (self._out(item) for item in list(self._items))

    def __contains__(self, value: object) -> bool:
        return value in self._items

    def append(self, value: Any) -> None:
        self._items.append(self._fit(value))

    def count(self, value: Any) -> int:
        return int(self._items.count(value))

    def extend(self, values: Any) -> None:
        self._items.extend([self._fit(value) for value in values])

    def index(self, value: Any, start: int = 0, stop: int = -1) -> int:
        return int(self._items.index(value, start, len(self._items) if stop < 0 else stop))

    def insert(self, index: int, value: Any) -> None:
        self._items.insert(index, self._fit(value))

    def pop(self, index: int = -1) -> Any:
        return self._items.pop(index)

    def remove(self, value: Any) -> None:
        self._items.remove(value)

    def reverse(self) -> None:
        self._items.reverse()

    def sort(self, key: Any = None, reverse: bool = False) -> None:
        self._items.sort(key=key, reverse=reverse)

    def resize(self, len: int) -> None:
        del self._items[len:]
        self._items += [zero(self._types[0]) for _ in range(len - self._items.__len__())]


@faked
class Set(_Container):
    """Kept as a list, as elements need not be hashable in Python."""

    def __init__(self, type: Any) -> None:
        self._types, self._items = [_type_name(type)], []

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._items))

    def __contains__(self, value: object) -> bool:
        return value in self._items

    def add(self, value: Any) -> None:
        value = self._fit(value)
        if value not in self._items:
            self._items.append(value)

    def discard(self, value: Any) -> None:
        if value in self._items:
            self._items.remove(value)

    def remove(self, value: Any) -> None:
        if value not in self._items:
            raise KeyError(value)
        self._items.remove(value)


@faked
class Map(_Container):
    def __init__(self, key: Any, value: Any) -> None:
        self._types, self._items = [_type_name(key), _type_name(value)], {}

    def __getitem__(self, key: Any) -> Any:
        return self._out(self._items[self._fit(key)], 1)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[self._fit(key)] = self._fit(value, 1)

    def __contains__(self, key: object) -> bool:
        return self._fit(key) in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._items))

    def get(self, key: Any, default: Any = None) -> Any:
        return self._items.get(self._fit(key), default)

    def items(self) -> Any:
        return self._items.items()

    def keys(self) -> Any:
        return self._items.keys()

    def values(self) -> Any:
        return self._items.values()


class _EnumType(type):
    """Enum classes list their members, and none can be replaced."""

    def __iter__(cls) -> Iterator[Any]:
        return iter(cls.fake_members.values())  # type: ignore[attr-defined]

    def __len__(cls) -> int:
        return len(cls.fake_members)  # type: ignore[attr-defined]


@faked
class EnumBase(_WrapperBase, metaclass=_EnumType):
    """Members are single objects, compared by identity."""

    def __init__(self) -> None:
        raise TypeError(f"cannot create '{type(self).__name__}' instances")

    @classmethod
    def cast(cls, object: Any) -> Any:
        if isinstance(object, cls):
            return object
        raise TypeError(f"Cannot cast type '{type(object).__name__}' to '{cls.__name__}'")

    def get_display_name(self) -> str:
        return self.name.replace("_", " ").title()  # type: ignore[attr-defined,no-any-return]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self.name}: {self.value}>"  # type: ignore[attr-defined]

    __str__ = __repr__

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


@faked
class StructBase(_WrapperBase):
    """Values by property name. A copy is whole; what is read from it is a copy again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        entry = type(self).fake_described
        object.__setattr__(self, "_values", {})
        if entry.init is None:
            if args or kwargs:
                given = len(args) + len(kwargs)
                raise TypeError(f"{entry.name}: Struct has 0 initialization parameters, but was given {given}")
            return
        values, _ = bind(entry.init, entry.name, entry.name, type(self), args, kwargs)
        for argument, value in zip(entry.init.arguments, values, strict=True):
            found = entry.properties.get(argument.name)
            if found is not None and found.type != argument.type and value is not None:
                value = converter(found.type)(value)
            self._values[argument.name] = value

    def _post_init(self) -> None:
        return None

    @classmethod
    def cast(cls, object: Any) -> Any:
        return converter(cls.__name__)(object)

    def copy(self) -> Any:
        made = type(self).__new__(type(self))
        values = {}
        for name, value in self._values.items():
            copied = isinstance(value, StructBase | _Container)
            values[name] = value.copy() if copied else value
        object.__setattr__(made, "_values", values)
        return made

    def __copy__(self) -> Any:
        return self.copy()

    def assign(self, other: Any) -> None:
        object.__setattr__(self, "_values", type(self).cast(other)._values)

    def to_tuple(self) -> Any:
        return tuple(self.get_editor_property(name) for name in type(self).fake_described.properties)

    def get_editor_property(self, name: Any) -> Any:
        return editor_property(self, name).read(self)

    def set_editor_property(self, name: Any, value: Any, notify_mode: Any = None) -> None:
        editor_property(self, name, writing=True).write(self, value)

    def set_editor_properties(self, properties: Mapping[str, Any]) -> None:
        for name, value in properties.items():
            self.set_editor_property(name, value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return False
        names = {*self._values, *other._values} | set(type(self).fake_described.properties)
        return all(self._read(name) == other._read(name) for name in names)

    def _read(self, name: str) -> Any:
        found = type(self).fake_described.properties.get(name)
        return self.get_editor_property(name) if found is not None else self._values.get(name)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *(str(self._read(name)) for name in sorted(self._values))))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}: {value}" for name, value in self._values.items())
        return f"<Struct '{type(self).__name__}' {{{values}}}>"
