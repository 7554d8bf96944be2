# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures of the demo head, in centimetres: where everything on it sits.

Axes are Blender's: +X is the subject's left, the face looks toward -Y, +Z is up. The numbers were chosen by eye for
this head; none comes from a scan or from another model. This module knows nothing of meshes, shape keys or Blender.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RAY_ORIGIN = np.array([0.0, 0.0, -1.5])
"""Point inside the skull from which the whole face can be seen: rays from here make the head's grid."""

EYE_CENTER = np.array([3.25, -6.55, 0.1])
"""Centre of the left eyeball; the right one mirrors it."""
EYE_RADIUS = 1.75
LID_THICKNESS = 0.13
LID_RADIUS = EYE_RADIUS + LID_THICKNESS
IRIS_ANGLE = 25.0
PUPIL_ANGLE = 10.5

CANTHUS_INNER_X = -1.45
CANTHUS_OUTER_X = 1.58
"""Corners of the eye opening, as x from the eye's centre."""
CANTHUS_INNER_ELEVATION = -4.5
CANTHUS_OUTER_ELEVATION = 2.0
LID_UPPER_RISE = 25.0
LID_LOWER_DROP = 20.0
"""How far the lid margins stand from the line between the corners, in degrees seen from the eye's centre."""

MOUTH_HALF_WIDTH = 2.55
MOUTH_LINE_Z = -6.2
LIP_FRONT_Y = -9.2
"""About where the lips touch in the middle; the teeth stand behind it."""
LIP_UPPER_HEIGHT = 0.62
LIP_LOWER_HEIGHT = 0.80

JAW_HINGE = np.array([0.0, 0.6, -2.2])
JAW_OPEN_ANGLE = 17.0

NECK_PIVOT = np.array([0.0, 1.8, -8.0])
"""Top of the neck: the head turns about this point."""
NECK_END_Z = -15.5

EAR_CENTER = np.array([7.15, 0.7, -0.9])


def mirror_x(points: Array) -> Array:
    """The points seen in a mirror held against the head's middle plane; shape kept."""
    return np.asarray(points * np.array([-1.0, 1.0, 1.0]))


def smoothstep(value: Array, start: float, end: float) -> Array:
    """0 at `start`, 1 at `end` (either may be the larger), with flat ends."""
    t = np.clip((value - start) / (end - start), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def lid_angles(tau: Array) -> tuple[Array, Array, Array]:
    """The eye opening from the inner corner (tau -1) to the outer (tau 1).

    Returns x from the eye's centre, and the elevations of the upper and lower lid margin in radians.
    """
    x = np.interp(tau, [-1.0, 1.0], [CANTHUS_INNER_X, CANTHUS_OUTER_X])
    corner = np.interp(tau, [-1.0, 1.0], [CANTHUS_INNER_ELEVATION, CANTHUS_OUTER_ELEVATION])
    inside = np.clip(1.0 - np.abs(tau) ** 2.2, 0.0, 1.0)
    upper = corner + LID_UPPER_RISE * inside**0.72
    lower = corner - LID_LOWER_DROP * inside**0.80
    return x, np.radians(upper), np.radians(lower)


def mouth_line(x: Array) -> Array:
    """Height z of the line on which the lips meet, for x across the mouth."""
    t = x / MOUTH_HALF_WIDTH
    return np.asarray(MOUTH_LINE_Z + 0.20 * t * t - 0.05 * np.exp(-((x / 0.5) ** 2)))
