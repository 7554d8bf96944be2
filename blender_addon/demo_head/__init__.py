# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo head: a head made by our own code alone, with the 52 ARKit shape keys, eyeballs, and empties that turn them.

No mesh, scan, picture or measurement of anyone else's went into it. Files, from the ground up: `proportions` (where
things sit), `surface` (the skin as a function), `mesh` (arrays of faces), `eyelids`, `lips`, `skin`, `teeth`,
`features` (the neutral head's pieces), `model` (put together), `fields`, `tongue` and `shapes` (what each action
moves), `controls` (names and axes for whoever keys it), and `builder`, the only file that needs Blender and the only
one that isn't imported until a head is asked for.
"""

from __future__ import annotations

from typing import Any

from .controls import EYE_AXES, HEAD_AXES, ROTATION_MODE, DemoHead


def build_demo_head(context_or_scene: Any, name: str = "SemanticFace Head") -> DemoHead:
    """Builds the head into the scene; returns the names of what was made (`builder.build_demo_head`)."""
    from .builder import build_demo_head as build

    return build(context_or_scene, name)


__all__ = ["EYE_AXES", "HEAD_AXES", "ROTATION_MODE", "DemoHead", "build_demo_head"]
