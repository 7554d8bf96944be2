# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo head: a head made by our own code alone, with the 52 ARKit shape keys, eyeballs, and empties that turn them.

No mesh, scan, picture or measurement of anyone else's went into it. Files, from the ground up: `proportions` (where
things sit), `surface` (the skin as a function), `mesh` (arrays of faces), `eyelids`, `lips`, `skin`, `teeth`,
`features` (the neutral head's pieces), `model` (put together), `fields` and `shapes*` (what each action moves), and
`builder`, the only file that needs Blender and the only one not imported here until it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .builder import DemoHead

HEAD_AXES: Mapping[str, tuple[int, int]] = {"HeadYaw": (2, -1), "HeadPitch": (0, 1), "HeadRoll": (1, 1)}
"""For each Live Link rotation of the head the Euler index (0 X, 1 Y, 2 Z) on the head's empty, and the sign.

`empty.rotation_euler[index] = sign * radians`, with rotation mode YXZ (roll first, then pitch, yaw last), gives:
+yaw turns to the subject's right (-X), +pitch looks down, +roll tilts the crown to the subject's left (+X).
"""

EYE_AXES: Mapping[str, tuple[str, int, int]] = {
    f"{side}Eye{turn}": (side, index, sign)
    for side in ("Left", "Right")
    for turn, index, sign in (("Yaw", 2, -1), ("Pitch", 0, 1), ("Roll", 1, 1))
}
"""The same for the eyes' empties: (side, Euler index, sign). Both eyes: +yaw to the subject's right, +pitch down."""


def build_demo_head(context_or_scene: Any, name: str = "SemanticFace Head") -> DemoHead:
    """Builds the head into the scene; returns the names of what was made (`builder.build_demo_head`)."""
    from .builder import build_demo_head as build

    return build(context_or_scene, name)


__all__ = ["EYE_AXES", "HEAD_AXES", "build_demo_head"]
