# SPDX-License-Identifier: GPL-3.0-or-later
"""Guesses about which of its own axes a control turns, from how it rests in the world.

Taken for granted: the head stands upright and looks along the world's -Y, as Blender's Front view shows it. Then a
positive yaw, which is to the subject's right, turns about -Z, a positive pitch (down) about X, and a positive roll
(the crown to the subject's left) about Y. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import bpy
from mathutils import Matrix, Vector

from semanticface.errors import InputError

WORLD_AXES = (Vector((0.0, 0.0, -1.0)), Vector((1.0, 0.0, 0.0)), Vector((0.0, 1.0, 0.0)))
"""About which yaw, pitch and roll turn in the world."""
LETTERS = "XYZ"


@dataclass(frozen=True, slots=True)
class Guess:
    """`axes` of yaw, pitch and roll; `off` is the largest angle, in radians, between one and where it should point."""

    axes: tuple[str, str, str]
    off: float


def guess_axes(control: bpy.types.Object, bone: str = "") -> Guess:
    """The axes of an object, or of a bone of an armature, at rest. Raises InputError when it has no such bone."""
    rest = rest_orientation(control, bone)
    turned = [rest.col[index].normalized() for index in range(3)]  # where X, Y and Z of the control point

    def alignment(order: tuple[int, ...]) -> float:
        return sum(abs(turned[local].dot(world)) for local, world in zip(order, WORLD_AXES, strict=True))

    best = max(permutations(range(3)), key=alignment)
    dots = [turned[local].dot(world) for local, world in zip(best, WORLD_AXES, strict=True)]
    yaw, pitch, roll = (("" if dot >= 0 else "-") + LETTERS[local] for local, dot in zip(best, dots, strict=True))
    off = max(
        (turned[local] * (1 if dot >= 0 else -1)).angle(world)
        for local, dot, world in zip(best, dots, WORLD_AXES, strict=True)
    )
    return Guess((yaw, pitch, roll), off)


def rest_orientation(control: bpy.types.Object, bone: str = "") -> Matrix:
    """(3, 3) world orientation of a control whose own rotation is none: the frame that its Euler angles turn in."""
    if not bone:
        parent = control.matrix_world @ control.matrix_basis.inverted_safe()
        delta = control.delta_rotation_euler.to_matrix()
        return parent.to_3x3().normalized() @ delta
    found = control.data.bones.get(bone) if control.type == "ARMATURE" else None
    if found is None:
        raise InputError(f'"{control.name}" has no bone "{bone}"', "choose the bone again")
    return (control.matrix_world @ found.matrix_local).to_3x3().normalized()
