# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo head is made of, by name, and which Euler angle of which empty stands for each of the nine rotations.

For whoever keys the head. Knows nothing of geometry and needs no Blender.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROTATION_MODE = "YXZ"
"""Roll about Y first, then pitch about X, yaw about Z last: Live Link's yaw * pitch * roll in Blender's axes."""

HEAD_AXES: Mapping[str, tuple[int, int]] = {"HeadYaw": (2, -1), "HeadPitch": (0, 1), "HeadRoll": (1, 1)}
"""For each Live Link rotation of the head the Euler index (0 X, 1 Y, 2 Z) on the head's empty, and the sign.

`empty.rotation_euler[index] = sign * radians` gives: +yaw turns to the subject's right (-X), +pitch looks down, +roll
tilts the crown to the subject's left (+X).
"""

EYE_AXES: Mapping[str, tuple[str, int, int]] = {
    f"{side}Eye{turn}": (side, index, sign)
    for side in ("Left", "Right")
    for turn, index, sign in (("Yaw", 2, -1), ("Pitch", 0, 1), ("Roll", 1, 1))
}
"""The same for the eyes, with the side whose empty it is: (side, Euler index, sign).

Both eyes: +yaw to the subject's right, +pitch down.
"""


@dataclass(frozen=True, slots=True)
class DemoHead:
    """Names of the objects made: the mesh with the 52 shape keys, and the empties and eyeballs, each (left, right)."""

    face: str
    head_control: str
    eye_controls: tuple[str, str]
    eyes: tuple[str, str]
