"""Methods that fit nothing: the landmark engine's answer, and DeadFace's as it is published and with its faults mended.

DeadFace (github.com/Qaanaaq/DeadFace, MIT) runs MediaPipe's face landmarker and writes its scores as they are. What
it gets wrong in the nine rotations is kept in `deadface`, so that numbers of the paper's kind can be compared, and
put right in `deadface-fixed`. Read in its published source; it works on video with smoothing, here on single pictures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.engines.landmarks.coefficients import coefficients, eye_angles
from semanticface.engines.landmarks.geometry import head_angles
from semanticface_training.evaluation.features.records import FaceFeatures

Doubles = NDArray[np.float64]
_PLACE = {name: place for place, name in enumerate(CSV_ORDER)}
_EYES = tuple(f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll"))
_IRISES = (468, 473)


def engine_values(faces: FaceFeatures) -> Doubles:
    """(N, 61) as the landmark engine gives them uncalibrated; 0 where there is no face."""
    out = np.zeros((len(faces), len(CSV_ORDER)))
    for row in np.flatnonzero(faces.found):
        head = head_angles(faces.matrix[row].astype(np.float64))
        named = coefficients(faces.scores[row].tolist(), float(faces.tongue[row]), head)
        out[row] = [named[name] for name in CSV_ORDER]
    return out


def static_euler(matrix: NDArray[Any]) -> tuple[float, float, float]:
    """Angles about fixed axes in radians, R = Rz(c) Ry(b) Rx(a): what transforms3d calls `sxyz`."""
    r = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    a = float(np.arctan2(r[2, 1], r[2, 2]))
    b = float(np.arcsin(np.clip(-r[2, 0], -1, 1)))
    c = float(np.arctan2(r[1, 0], r[0, 0]))
    return a, b, c


def deadface_values(faces: FaceFeatures, fixed: bool) -> Doubles:
    """(N, 61) as DeadFace writes them; `fixed` puts its rotations right.

    Published: the columns HeadYaw, HeadPitch, HeadRoll hold -a, b, c of `static_euler`, that is pitch, yaw, roll in
    MediaPipe's signs, and the eyes' yaw and pitch hold where the irises are in the picture, 0 to 1. TongueOut is 0.
    Fixed: each angle in its column, signs as Live Link Face has them (+yaw to the subject's right, +pitch down), eyes
    from the EyeLook scores.
    """
    out = engine_values(faces)
    out[:, _PLACE["TongueOut"]] = 0.0
    for row in np.flatnonzero(faces.found):
        a, b, c = static_euler(faces.matrix[row].astype(np.float64))
        if fixed:
            rotations = {"HeadYaw": -b, "HeadPitch": a, "HeadRoll": -c}
            rotations |= eye_angles({name: float(out[row, place]) for name, place in _PLACE.items()})
        else:
            rotations = {"HeadYaw": -a, "HeadPitch": b, "HeadRoll": c}
            irises = (faces.points[row, _IRISES, :2] / faces.size[row]).astype(np.float64)
            numbers = (*irises[0].tolist(), 0.0, *irises[1].tolist(), 0.0)
            rotations |= dict(zip(_EYES, numbers, strict=True))
        for name, value in rotations.items():
            out[row, _PLACE[name]] = value
    return out
