# SPDX-License-Identifier: GPL-3.0-or-later
"""What each of the 52 ARKit actions moves, after Apple's descriptions of `ARFaceAnchor.BlendShapeLocation`.

Left and right are the subject's own. A two-sided action is one symmetric movement split at the midline, so that left
and right at once give the whole movement. Knows nothing of Blender.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .fields import (
    Push,
    Vertices,
    close_lids,
    describe,
    narrow,
    off_the_eyes,
    one_side,
    open_jaw,
    push,
    slide,
    squash,
    turn_lids,
)
from .model import Head
from .proportions import JAW_OPEN_ANGLE, Array
from .tongue import stick_out

Movement = Callable[[Vertices], Array]

CLOSED_SHARE = 0.40
"""With the jaw open and the lips closed, how far down the jaw's way the lips meet."""


def _brow_down(v: Vertices) -> Array:
    inner = Push((1.5, 1.95), (1.5, 1.0), (-0.26, -0.18, -0.62))
    return push(
        v, inner, Push((4.0, 2.1), (1.5, 0.95), (-0.05, -0.04, -0.36)), Push((0.4, 1.5), (0.6, 0.9), (0.0, -0.12, -0.1))
    )


def _brow_inner_up(v: Vertices) -> Array:
    return push(v, Push((1.2, 2.2), (1.45, 1.3), (-0.06, 0.08, 0.95)), Push((1.0, 4.3), (2.0, 1.0), (0.0, -0.10, 0.25)))


def _brow_outer_up(v: Vertices) -> Array:
    return push(v, Push((4.1, 2.4), (1.85, 1.3), (0.0, 0.10, 0.90)), Push((3.6, 4.4), (1.6, 1.0), (0.0, -0.06, 0.2)))


def _cheek_squint(v: Vertices) -> Array:
    return push(v, Push((3.8, -2.9), (1.9, 1.25), (0.0, -0.48, 0.78))) + turn_lids(v, 0.0, 7.0)


def _eye_squint(v: Vertices) -> Array:
    return turn_lids(v, -6.0, 10.0) + push(v, Push((3.6, -2.4), (1.8, 0.8), (0.0, -0.10, 0.22)))


def _nose_sneer(v: Vertices) -> Array:
    wing = Push((1.35, -3.7), (0.75, 1.0), (0.14, -0.10, 0.52))
    fold = Push((2.2, -3.2), (1.0, 1.1), (0.0, -0.22, 0.25))
    lip = Push((1.3, -5.5), (1.1, 0.9), (0.05, -0.02, 0.34), "upper")
    bridge = Push((0.7, 0.4), (0.6, 1.0), (0.0, -0.12, 0.12))
    return push(v, wing, fold, lip, bridge, Push((1.3, 2.3), (1.1, 0.9), (-0.08, -0.05, -0.28)))


def _smile(v: Vertices) -> Array:
    corner = Push((2.8, -6.1), (2.0, 1.4), (0.85, 0.10, 0.80))
    middle = Push((0.0, -5.9), (1.3, 0.9), (0.0, 0.0, 0.12))
    cheek = Push((3.9, -3.6), (1.7, 1.4), (0.12, -0.36, 0.42))
    fold = Push((2.6, -4.5), (0.7, 1.0), (0.08, 0.10, 0.05))
    return push(v, corner, middle, cheek, fold) + squash(v, 0.14, 0.06) + turn_lids(v, 0.0, 3.5)


def _frown(v: Vertices) -> Array:
    corner = Push((2.6, -6.2), (1.15, 1.15), (0.10, 0.06, -0.85))
    below = Push((2.5, -7.5), (1.3, 1.0), (0.05, -0.10, -0.20))
    return push(v, corner, below, Push((0.0, -6.9), (1.1, 1.0), (0.0, -0.05, 0.16)))


def _dimple(v: Vertices) -> Array:
    corner = Push((2.6, -6.1), (1.25, 1.2), (0.52, 0.22, 0.10))
    return push(
        v, corner, Push((3.35, -6.0), (0.5, 0.6), (-0.05, 0.28, 0.0)), Push((4.2, -5.6), (0.9, 1.1), (0.12, -0.14, 0.1))
    )


def _stretch(v: Vertices) -> Array:
    corner = Push((2.6, -6.3), (1.6, 1.5), (0.85, 0.12, -0.30))
    return push(v, corner, Push((3.0, -8.6), (1.6, 1.3), (0.25, 0.0, -0.22))) + squash(v, 0.18, 0.08)


def _press(v: Vertices) -> Array:
    pinch = Push((2.7, -6.1), (0.9, 1.0), (0.12, 0.10, 0.05))
    bulges = Push((1.5, -5.0), (1.1, 0.6), (0.0, -0.12, 0.0)), Push((1.5, -7.5), (1.1, 0.6), (0.0, -0.16, 0.06))
    return squash(v, 0.42, 0.16) + push(v, pinch, *bulges)


def _upper_up(v: Vertices) -> Array:
    lip = Push((1.0, -5.8), (1.45, 0.95), (0.05, -0.08, 0.62), "upper")
    middle = Push((0.0, -5.7), (0.8, 0.95), (0.0, -0.04, 0.24), "upper")
    return push(v, lip, middle, Push((2.1, -4.3), (0.9, 1.0), (0.08, -0.18, 0.28)))


def _lower_down(v: Vertices) -> Array:
    lip = Push((1.0, -6.7), (1.45, 1.0), (0.08, 0.0, -0.66), "lower")
    return push(v, lip, Push((1.6, -8.0), (1.2, 0.8), (0.0, -0.10, -0.18)))


def _mouth_left(v: Vertices) -> Array:
    whole = slide(v, (0.0, -6.3), (3.3, 1.9), (1.05, 0.0, 0.0))
    return whole + one_side(v, push(v, Push((2.8, -6.0), (1.2, 1.2), (0.05, -0.12, 0.18))), 1.0)


def _pucker(v: Vertices) -> Array:
    lips = (
        Push((0.0, -5.75), (1.0, 0.5), (0.0, -0.18, 0.12), "upper"),
        Push((0.0, -6.7), (1.0, 0.5), (0.0, -0.18, -0.12), "lower"),
    )
    return narrow(v, -6.2, (3.9, 1.9), 0.46, 0.55) + push(v, *lips)


def _funnel(v: Vertices) -> Array:
    upper = Push((0.0, -5.7), (2.3, 0.9), (0.0, -0.35, 0.46), "upper")
    lower = Push((0.0, -6.8), (2.3, 0.9), (0.0, -0.40, -0.52), "lower")
    return narrow(v, -6.2, (3.9, 2.0), 0.36, 0.30) + push(v, upper, lower)


def _shrug_lower(v: Vertices) -> Array:
    chin = Push((0.0, -8.7), (1.6, 1.0), (0.0, -0.18, 0.42))
    return push(v, Push((0.0, -6.6), (2.1, 1.0), (0.0, -0.16, 0.46)), chin) + squash(v, 0.10, -0.10, "lower")


def _shrug_upper(v: Vertices) -> Array:
    return push(v, Push((0.0, -5.8), (2.0, 0.85), (0.0, -0.24, 0.36))) + squash(v, -0.12, 0.0, "upper")


def _close(v: Vertices) -> Array:
    """The corrective: with the jaw fully open it brings both lips to one line, part of the way down."""
    together = open_jaw(v, JAW_OPEN_ANGLE, np.full(len(v.at), CLOSED_SHARE)) - open_jaw(v, JAW_OPEN_ANGLE)
    return together * (v.lips * (v.soft > 0.0))[:, None]


def _puff(v: Vertices) -> Array:
    cheek = Push((4.1, -5.6), (1.7, 1.7), (0.95, -0.80, 0.05))
    return push(
        v, cheek, Push((1.2, -4.9), (1.2, 0.6), (0.0, -0.20, 0.05)), Push((1.2, -7.4), (1.2, 0.6), (0.0, -0.20, -0.05))
    )


def _jaw_shift(v: Vertices, move: tuple[float, float, float]) -> Array:
    return np.asarray(v.jaw[:, None] * np.asarray(move))


def _jaw_forward(v: Vertices) -> Array:
    lips = (
        Push((0.0, -5.9), (2.2, 0.8), (0.0, -0.30, -0.05), "upper"),
        Push((0.0, -6.6), (2.2, 0.8), (0.0, 0.12, 0.10), "lower"),
    )
    return _jaw_shift(v, (0.0, -0.85, 0.0)) + push(v, *lips)


BOTH_SIDES: Mapping[str, Movement] = {
    "eyeBlink": lambda v: close_lids(v, 0.20),
    "eyeLookDown": lambda v: turn_lids(v, -14.0, -5.0),
    "eyeLookIn": lambda v: turn_lids(v, -0.5, 0.5, sideways=-4.0),
    "eyeLookOut": lambda v: turn_lids(v, -0.5, 0.5, sideways=4.0),
    "eyeLookUp": lambda v: turn_lids(v, 8.0, 3.5),
    "eyeSquint": _eye_squint,
    "eyeWide": lambda v: turn_lids(v, 12.0, -4.0),
    "mouthSmile": _smile,
    "mouthFrown": _frown,
    "mouthDimple": _dimple,
    "mouthStretch": _stretch,
    "mouthPress": _press,
    "mouthLowerDown": _lower_down,
    "mouthUpperUp": _upper_up,
    "browDown": _brow_down,
    "browOuterUp": _brow_outer_up,
    "cheekSquint": _cheek_squint,
    "noseSneer": _nose_sneer,
}
"""Actions with a Left and a Right of their own, as the movement of both."""

WHOLE: Mapping[str, Movement] = {
    "jawForward": _jaw_forward,
    "jawLeft": lambda v: _jaw_shift(v, (0.95, 0.08, 0.0)),
    "jawOpen": lambda v: open_jaw(v, JAW_OPEN_ANGLE),
    "mouthClose": _close,
    "mouthFunnel": _funnel,
    "mouthPucker": _pucker,
    "mouthLeft": _mouth_left,
    "mouthRollLower": lambda v: squash(v, 0.62, 0.38, "lower"),
    "mouthRollUpper": lambda v: squash(v, 0.62, 0.34, "upper"),
    "mouthShrugLower": _shrug_lower,
    "mouthShrugUpper": _shrug_upper,
    "browInnerUp": _brow_inner_up,
    "cheekPuff": _puff,
    "tongueOut": stick_out,
}
"""Actions of the whole face; `mouthRight` and `jawRight` are the mirror images of their left ones."""

_ORDER = """
eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft eyeBlinkRight
eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight jawForward jawRight jawLeft
jawOpen mouthClose mouthFunnel mouthPucker mouthRight mouthLeft mouthSmileLeft mouthSmileRight mouthFrownLeft
mouthFrownRight mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper
mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft
mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
cheekSquintRight noseSneerLeft noseSneerRight tongueOut
"""
SHAPE_NAMES: tuple[str, ...] = tuple(_ORDER.split())
"""The 52 names as ARKit spells them, in the order of Live Link Face's columns."""


def mirrored_delta(head: Head, delta: Array) -> Array:
    """The movement seen in a mirror: each vertex takes its partner's, with x turned round."""
    return np.asarray(delta[head.mirror] * np.array([-1.0, 1.0, 1.0]))


def all_deltas(head: Head) -> dict[str, Array]:
    """Movement (V, 3) in centimetres of every vertex at full strength, for each of SHAPE_NAMES."""
    v = describe(head)
    found: dict[str, Array] = {}
    for name, movement in BOTH_SIDES.items():
        whole = off_the_eyes(v, movement(v))
        whole = 0.5 * (whole + mirrored_delta(head, whole))
        found[f"{name}Left"] = one_side(v, whole, 1.0)
        found[f"{name}Right"] = mirrored_delta(head, found[f"{name}Left"])
    for name, movement in WHOLE.items():
        whole = off_the_eyes(v, movement(v))
        lopsided = name in {"jawLeft", "mouthLeft"}
        found[name] = whole if lopsided else 0.5 * (whole + mirrored_delta(head, whole))
    for name in ("jaw", "mouth"):
        found[f"{name}Right"] = mirrored_delta(head, found[f"{name}Left"])
    still = head.ranges["hair"]
    for delta in found.values():
        delta[still] = 0.0
    return {name: found[name] for name in SHAPE_NAMES}
