"""Which classes of the signatures exist already, and how the others come into being. Knows no class itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from unreal.signatures import class_names


class Registry:
    """Name -> class. What no module gave a behaviour is made when it is asked for, by `maker`."""

    def __init__(self) -> None:
        self._classes: dict[str, Any] = {}
        self._names = frozenset(class_names())
        self.maker: Callable[[str], Any] | None = None
        self._defined: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._names or name in self._defined

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def known(self, name: str) -> Any:
        """The class. Raises KeyError for a name that the signatures don't have."""
        if name in self._defined:
            return self._defined[name]
        if name not in self._classes:
            if name not in self._names:
                raise KeyError(name)
            assert self.maker is not None
            self._classes[name] = self.maker(name)
        return self._classes[name]

    def define(self, made: type) -> None:
        """A type that Python made for the engine; one of the same name is replaced, as on a reload."""
        if made.__name__ in self._names:
            raise TypeError(f"{made.__name__} is a type of the engine's own")
        self._defined[made.__name__] = made

    def add(self, made: type) -> None:
        """Raises TypeError where the class was asked for before its behaviour was there."""
        if made.__name__ in self._classes:
            raise TypeError(f"{made.__name__} exists already: import the module with its behaviour earlier")
        self._classes[made.__name__] = made


REGISTRY = Registry()
