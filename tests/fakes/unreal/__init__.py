"""A strict stand-in for Unreal Editor's Python module: every name, argument and member as the editor itself lists them.

Behaviour stands in the modules of this package, each class under `@faked` (see `checking`). A class or a method of the
signatures without behaviour raises NotImplementedError when it is used; what the signatures don't have is no attribute.
State belongs to the editor that runs, `unreal_testing.FakeEditor`.
"""

from __future__ import annotations

import importlib as _importlib
import pkgutil as _pkgutil
from typing import Any

from unreal.registry import REGISTRY as _REGISTRY
from unreal.signatures import function_names as _function_names

_FIRST = ("values", "objects", "functions", "transactions", "assets", "animation")
"""Those that others rest on; every further module of this package brings behaviour too."""
_OPTIONAL = "importing"
"""The module with classes of plugins that may be off, which no signatures list."""

_MODULES = [_importlib.import_module(f"unreal.{_name}") for _name in _FIRST]
_MODULES += [_importlib.import_module(f"unreal.{_found.name}") for _found in _pkgutil.iter_modules(__path__)]
_FUNCTIONS = {name: getattr(module, name) for module in _MODULES for name in _function_names() if hasattr(module, name)}


def __getattr__(name: str) -> Any:
    if name in _REGISTRY:
        return _REGISTRY.known(name)
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name in _function_names():
        raise NotImplementedError(f"the fake has no behaviour for unreal.{name}")
    found = _optional(name)
    if found is None:
        raise AttributeError(f"module 'unreal' has no attribute '{name}'")
    return found


def _optional(name: str) -> Any:
    """A class of a plugin that is on in the editor that runs."""
    from unreal_process import PROCESS

    if PROCESS.editor is None or name not in PROCESS.editor.optional_plugins:
        return None
    return next((getattr(module, name, None) for module in _MODULES if module.__name__.endswith(_OPTIONAL)), None)


def __dir__() -> list[str]:
    return sorted([*_REGISTRY, *_function_names()])


for _module in _MODULES:
    globals().pop(_module.__name__.rpartition(".")[2], None)
for _name in ("annotations", "nativize", "registry", "signatures"):
    globals().pop(_name, None)
