"""From the networks' answers to the 61 named coefficients of Live Link Face. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semanticface.actions import BY_NAME, CSV_ORDER
from semanticface.engines.landmarks.geometry import HeadAngles

_SCORES = """
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight
eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft
eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft
jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft
mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower
mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight
mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight
"""
SCORES: tuple[str, ...] = tuple(name[0].upper() + name[1:] for name in _SCORES.split())
"""The blendshape network's scores after `_neutral`, in its order. TongueOut is not among them."""

TONGUE_DEAD_ZONE = 0.5

_YAW_PER_LOOK = 0.60
_PITCH_PER_LOOK = 0.55
_ROLL_PER_PRODUCT = 0.97


def tongue_out(score: float) -> float:
    """TongueOut from the mesh network's tongue score: 0 up to 0.5, then rising to 1.

    MediaPipe computes this score and drops it. It proved sound on pictures: on 1,368 frames of three clips of
    real faces (jawOpen up to 0.63) without a tongue it stays at or below 0.02, on 38 photographs and drawings
    at or below 0.065. On two clips of a woman and a girl who show the tongue (tip down, left and right; 384
    frames), it reaches 0.76 and 0.999, and the frames above 0.5 that were looked at (a contact sheet) all show
    a tongue. What it can't do: a tongue that is barely out, far from the camera or
    turned away stays below 0.3, and one laugh with bare teeth reached 0.46. Hence the dead zone: TongueOut is
    sure when it is there, and absent when in doubt.
    """
    return min(1.0, max(0.0, (score - TONGUE_DEAD_ZONE) / (1 - TONGUE_DEAD_ZONE)))


def eye_angles(shapes: Mapping[str, float]) -> dict[str, float]:
    """The six eye rotations in radians that agree with the EyeLook coefficients.

    Rates fitted on recordings of the Live Link Face app, where coefficient and angle are proportional (r > 0.99):
    +yaw to the subject's right, +pitch down, roll about yaw * pitch. The app's constant resting vergence of 0.065
    is left out, since it is a property of its subject.
    """
    out = {}
    for side, sign in (("Left", -1.0), ("Right", 1.0)):
        yaw = sign * _YAW_PER_LOOK * (shapes[f"EyeLookOut{side}"] - shapes[f"EyeLookIn{side}"])
        pitch = _PITCH_PER_LOOK * (shapes[f"EyeLookDown{side}"] - shapes[f"EyeLookUp{side}"])
        out[f"{side}EyeYaw"] = yaw
        out[f"{side}EyePitch"] = pitch
        out[f"{side}EyeRoll"] = _ROLL_PER_PRODUCT * yaw * pitch
    return out


def coefficients(scores: Sequence[float], tongue: float, head: HeadAngles) -> dict[str, float]:
    """All 61 by name, in CSV order. `scores` are the 52 of the network, `_neutral` first."""
    values = dict(zip(SCORES, scores[1:], strict=True))
    values["TongueOut"] = tongue_out(tongue)
    values |= eye_angles(values)
    values |= {"HeadYaw": head.yaw, "HeadPitch": head.pitch, "HeadRoll": head.roll}
    if values.keys() != BY_NAME.keys():
        raise KeyError(f"not the 61 actions: {sorted(values.keys() ^ BY_NAME.keys())}")
    return {name: float(values[name]) for name in CSV_ORDER}
