# SPDX-License-Identifier: GPL-3.0-or-later
"""SemanticFace in Blender: footage in, keys on ARKit shape keys out, with a written reason for every frame.

Registers the modules below and nothing else. Nothing is imported until then, so that `blender_addon.keying.fcurves` can
be used without the rest. The work on footage happens in the backend process; here are the panel, the connection to
that process and the keying.
"""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "preferences",
    "properties",
    "backend.operators",
    "analysis.operators",
    "keying.operators",
    "take.operators",
    "target.operators",
    "backend.panel",
    "footage.panel",
    "target.panel",
    "analysis.panel",
    "take.panel",
    "session",
)
"""Panels stand in the sidebar in this order."""


def register() -> None:
    for name in _MODULES:
        import_module(f".{name}", __package__).register()


def unregister() -> None:
    for name in reversed(_MODULES):
        import_module(f".{name}", __package__).unregister()
