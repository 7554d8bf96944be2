# SPDX-License-Identifier: GPL-3.0-or-later
"""Yaw, pitch and roll of Live Link Face as Euler angles of a control, whatever its axes and rotation order are.

The head's rotation is R = yaw * pitch * roll (roll is applied first), each about the axis that the target names.
"""

from __future__ import annotations

import numpy as np
from mathutils import Euler, Matrix
from numpy.typing import NDArray

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def euler_angles(turns: NDArray[np.float64], axes: tuple[str, str, str], order: str) -> NDArray[np.float32]:
    """Euler angles (K, 3) float32 in radians for turns (K, 3): yaw, pitch, roll. `order` as in `rotation_mode`.

    When the order turns about the same axes in the same sequence, angles go over exactly; otherwise through the
    rotation matrix, continuous from key to key.
    """
    letters = tuple(axis[-1] for axis in axes)
    signs = np.array([-1.0 if axis.startswith("-") else 1.0 for axis in axes])
    signed = np.asarray(turns, np.float64) * signs
    if order == letters[2] + letters[1] + letters[0]:  # Blender names the axis that is applied first first
        angles = np.empty_like(signed)
        for column, letter in enumerate(letters):
            angles[:, "XYZ".index(letter)] = signed[:, column]
        return angles.astype(np.float32)
    return _through_matrices(signed, letters, order)


def _through_matrices(signed: NDArray[np.float64], letters: tuple[str, ...], order: str) -> NDArray[np.float32]:
    angles = np.empty(signed.shape, np.float32)
    before: Euler | None = None
    for row, (yaw, pitch, roll) in enumerate(signed.tolist()):
        matrix = (
            Matrix.Rotation(yaw, 3, letters[0])
            @ Matrix.Rotation(pitch, 3, letters[1])
            @ Matrix.Rotation(roll, 3, letters[2])
        )
        before = matrix.to_euler(order) if before is None else matrix.to_euler(order, before)
        angles[row] = before
    return angles
