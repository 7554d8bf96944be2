# SPDX-License-Identifier: GPL-3.0-or-later
"""Which data-blocks the scene's targets are animated on, and the take that animates them now."""

from __future__ import annotations

from typing import Any

import bpy

from ..keying.actions import animation_of
from ..keying.takes import signature_of


def blocks(settings: Any) -> list[bpy.types.ID]:
    """The shape keys of the chosen meshes and the objects of the chosen controls, each once. Cheap enough to draw."""
    meshes = [settings.mesh, *(item.mesh for item in settings.more_meshes)]
    keys = (getattr(mesh.data, "shape_keys", None) for mesh in meshes if mesh is not None)
    found = [block for block in keys if block is not None]
    found += [control for control in (settings.head, settings.left_eye, settings.right_eye) if control is not None]
    return list(dict.fromkeys(found))


def signature(settings: Any) -> str:
    """The signature of the first of them that is animated by a take; "" where none is."""
    return next(filter(None, (signature_of(animation_of(block)) for block in blocks(settings))), "")
