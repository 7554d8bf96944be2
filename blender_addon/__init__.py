# SPDX-License-Identifier: GPL-3.0-or-later
"""SemanticFace in Blender: footage in, keys on ARKit shape keys out, with a written reason for every frame.

Registers what the rooms below name and nothing else. Nothing is imported until then, so that a single module, such as
`keying.fcurves`, can be used without the rest. The work on footage happens in the backend process; here are the panel,
the connection to that process and the keying.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

_ROOMS = ("backend", "footage", "target", "recipe", "analysis", "keying", "take")
"""Panels stand in the sidebar in this order. Each room names its modules: SETTINGS go before the scene's settings,
which are made of them, REST after."""


def _modules() -> list[ModuleType]:
    rooms = [import_module(f".{room}", __package__) for room in _ROOMS]
    settings = [f"{room.__name__}.{name}" for room in rooms for name in room.SETTINGS]
    rest = [f"{room.__name__}.{name}" for room in rooms for name in room.REST]
    own = [f"{__package__}.{name}" for name in ("compat", "preferences", "properties", "session")]
    return [import_module(name) for name in (*own[:2], *settings, own[2], *rest, own[3])]


def register() -> None:
    for module in _modules():
        module.register()


def unregister() -> None:
    for module in reversed(_modules()):
        module.unregister()
