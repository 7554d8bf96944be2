# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tongue comes out between the lips, with the mouth opening just enough to let it."""

from __future__ import annotations

import numpy as np

from .fields import Push, Vertices, open_jaw, push
from .proportions import JAW_OPEN_ANGLE, Array, smoothstep
from .teeth import TONGUE_ROOT_Y, TONGUE_TIP_Y

REACH = 3.3
"""How far the tip comes forward, in cm."""
PARTING = 0.34
"""Share of jawOpen that tongueOut brings along, to make room between the teeth."""


def stick_out(v: Vertices) -> Array:
    """The tongue forward over the lower teeth and lip, its tip bent down; jaw and lips make way."""
    delta = open_jaw(v, PARTING * JAW_OPEN_ANGLE)
    lips = (
        Push((0.0, -5.8), (1.6, 0.8), (0.0, -0.06, 0.16), "upper"),
        Push((0.0, -6.8), (1.6, 0.9), (0.0, -0.10, -0.12), "lower"),
    )
    delta += push(v, *lips)
    along = v.tongue * np.clip((TONGUE_ROOT_Y - v.at[:, 1]) / (TONGUE_ROOT_Y - TONGUE_TIP_Y), 0.0, 1.05)
    lifted = 0.62 * smoothstep(along, 0.1, 0.55)
    bend = -0.95 * smoothstep(along, 0.62, 1.05) ** 1.5
    delta[:, 1] -= REACH * along
    delta[:, 2] += v.tongue * (lifted + bend)
    delta[:, 0] -= 0.10 * v.at[:, 0] * v.tongue
    return delta
