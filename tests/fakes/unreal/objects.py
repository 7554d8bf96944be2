"""Objects and their classes: names, outers, paths, properties. Classes made in Python stand in `user_types`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from unreal_process import editor

from unreal.checking import editor_property, faked, known
from unreal.nativize import converter
from unreal.project import decode, encode
from unreal.values import _WrapperBase

TRANSIENT = "/Engine/Transient"
MODULES = {"LevelSequence": "LevelSequence", "ControlRigBlueprint": "ControlRigDeveloper"}


@faked
class _ObjectBase(_WrapperBase):
    """`_outer` and `_name` make the path; values of properties lie in `_values`."""

    def __init__(self, outer: Any = None, name: Any = "None") -> None:
        converter("Union[Name, str]")(name)
        if outer is not None and not isinstance(outer, _ObjectBase):
            raise TypeError(f"{type(self).__name__}: 'outer' must be an Object, not '{type(outer).__name__}'")
        object.__setattr__(self, "_values", {})
        self._outer = outer
        self._name = str(name) if str(name) != "None" else editor().unique_name(type(self).__name__)
        self._post_init()

    def _post_init(self) -> None:
        return None

    @classmethod
    def cast(cls, object: Any) -> Any:
        if isinstance(object, cls):
            return object
        raise TypeError(f"Cannot cast type '{type(object).__name__}' to '{cls.__name__}'")

    @classmethod
    def get_default_object(cls) -> Any:
        return editor().default_object(cls)

    @classmethod
    def static_class(cls) -> Any:
        return class_of(cls)

    def get_class(self) -> Any:
        return class_of(type(self))

    def get_name(self) -> str:
        return self._name

    def get_fname(self) -> str:
        return self._name

    def get_path_name(self) -> str:
        if self._outer is None:
            return f"{TRANSIENT}.{self._name}"
        mark = "." if isinstance(self._outer, Package) else ":"
        return f"{self._outer.get_path_name()}{mark}{self._name}"

    def get_full_name(self) -> str:
        return f"{type(self).__name__} {self.get_path_name()}"

    def get_outer(self) -> Any:
        return self._outer

    def get_typed_outer(self, type: Any) -> Any:
        wanted = type if inspect.isclass(type) else type._python
        outer = self._outer
        while outer is not None and not isinstance(outer, wanted):
            outer = outer._outer
        return outer

    def get_outermost(self) -> Any:
        return self.get_package()

    def get_package(self) -> Any:
        if isinstance(self, Package):
            return self
        return self._outer.get_package() if self._outer is not None else editor().transient_package()

    def get_world(self) -> Any:
        return None

    def modify(self, always_mark_dirty: bool = True) -> bool:
        editor().undo_history.touch(self)
        if always_mark_dirty:
            editor().project.mark_dirty(self)
        return True

    def get_editor_property(self, name: Any) -> Any:
        return editor_property(self, name).read(self)

    def set_editor_property(self, name: Any, value: Any, notify_mode: Any = None) -> None:
        found = editor_property(self, name, writing=True)
        self.modify()
        found.write(self, value)

    def set_editor_properties(self, properties: Mapping[str, Any]) -> None:
        for name, value in properties.items():
            self.set_editor_property(name, value)

    def call_method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, name)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Object '{self.get_path_name()}' Class '{type(self).__name__}'>"

    # What a file of an asset needs.

    def _dump(self) -> Any:
        return {name: encode(value) for name, value in self._values.items()}

    def _load(self, data: Any) -> None:
        self._values.update({name: decode(value) for name, value in data.items()})

    # What undo needs.

    def _state(self) -> Any:
        return {"_values": dict(self._values)}

    def _restore(self, state: Any) -> None:
        object.__setattr__(self, "_values", dict(state["_values"]))


@faked
class Object(_ObjectBase):
    pass


@faked
class Field(Object):
    pass


@faked
class Struct(Field):
    pass


@faked
class Class(Struct):
    """The engine's class object of a Python type, one for each."""

    def __init__(self, python: Any = None) -> None:
        if python is None:
            raise TypeError("Class: cannot be created from Python")
        object.__setattr__(self, "_values", {})
        self._python, self._outer, self._name = python, None, python.__name__

    def get_path_name(self) -> str:
        """In the engine's module, where all are that we ask the registry for but those of MODULES."""
        module = MODULES.get(self._name, "Engine") if self._python.__module__ == "unreal" else "PythonTypes"
        return f"/Script/{module}.{self._name}"

    def get_class_path_name(self) -> Any:
        return known("TopLevelAssetPath")(self.get_path_name().split(".")[0], self._name)


@faked
class Package(Object):
    """`_name` is its path; `_dirty` whether it has to be saved; `_tags` are the metadata tags of its asset."""

    def __init__(self, outer: Any = None, name: Any = "None") -> None:
        super().__init__(outer, name)
        self._dirty = False

    def get_path_name(self) -> str:
        return self._name


def class_of(python: type) -> Any:
    """The Class object that stands for a Python type."""
    found = vars(python).get("_class_object")
    if found is None:
        found = Class(python)
        type.__setattr__(python, "_class_object", found)
    return found


def python_of(class_: Any) -> Any:
    """The Python type of a Class or of itself."""
    return class_._python if isinstance(class_, Class) else class_
