"""A frame in which all 61 values differ and no side equals the other, and what each curve must be made of.

The controls are written down here a second time and the other way round, from the published table of Epic's pose
asset: control -> what moves it. Nothing of the product's own table or orders is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ASYMMETRIC: Mapping[str, float] = MappingProxyType({
    "EyeBlinkLeft": 0.0625, "EyeBlinkRight": 0.3111, "EyeLookDownLeft": 0.1402, "EyeLookDownRight": 0.2903,
    "EyeLookInLeft": 0.3304, "EyeLookInRight": 0.0705, "EyeLookOutLeft": 0.1806, "EyeLookOutRight": 0.3607,
    "EyeLookUpLeft": 0.2208, "EyeLookUpRight": 0.1109, "EyeSquintLeft": 0.3910, "EyeSquintRight": 0.0811,
    "EyeWideLeft": 0.0912, "EyeWideRight": 0.4013, "JawForward": 0.2514, "JawLeft": 0.1215, "JawRight": 0.3416,
    "JawOpen": 0.4417, "MouthClose": 0.1618, "MouthFunnel": 0.1319, "MouthPucker": 0.2620, "MouthLeft": 0.3721,
    "MouthRight": 0.1022, "MouthSmileLeft": 0.2723, "MouthSmileRight": 0.1524, "MouthFrownLeft": 0.0525,
    "MouthFrownRight": 0.2326, "MouthDimpleLeft": 0.3827, "MouthDimpleRight": 0.1928, "MouthStretchLeft": 0.1729,
    "MouthStretchRight": 0.3530, "MouthRollLower": 0.2431, "MouthRollUpper": 0.3232, "MouthShrugLower": 0.2133,
    "MouthShrugUpper": 0.4134, "MouthPressLeft": 0.0335, "MouthPressRight": 0.2836, "MouthLowerDownLeft": 0.3037,
    "MouthLowerDownRight": 0.0438, "MouthUpperUpLeft": 0.2039, "MouthUpperUpRight": 0.4240, "BrowDownLeft": 0.4341,
    "BrowDownRight": 0.0242, "BrowInnerUp": 0.2943, "BrowOuterUpLeft": 0.1644, "BrowOuterUpRight": 0.3145,
    "CheekPuff": 0.2246, "CheekSquintLeft": 0.0147, "CheekSquintRight": 0.2548, "NoseSneerLeft": 0.3649,
    "NoseSneerRight": 0.1350, "TongueOut": 0.4551, "HeadYaw": 0.2152, "HeadPitch": -0.1353, "HeadRoll": 0.0854,
    "LeftEyeYaw": -0.3155, "LeftEyePitch": 0.1956, "LeftEyeRoll": -0.0257, "RightEyeYaw": 0.1758,
    "RightEyePitch": -0.0959, "RightEyeRoll": 0.0360,
})  # fmt: skip
"""Sums of what moves one control stay below 1, and MouthClose is below JawOpen, so that nothing is cut."""

_MOVED_BY: Mapping[str, tuple[tuple[str, float], ...]] = MappingProxyType({
    "browDownL": (("BrowDownLeft", 1),), "browDownR": (("BrowDownRight", 1),),
    "browLateralL": (("BrowInnerUp", 1),), "browLateralR": (("BrowInnerUp", 1),),
    "browRaiseInL": (("BrowInnerUp", 1), ("BrowOuterUpLeft", 1)),
    "browRaiseInR": (("BrowInnerUp", 1), ("BrowOuterUpRight", 1)),
    "browRaiseOuterL": (("BrowOuterUpLeft", 1),), "browRaiseOuterR": (("BrowOuterUpRight", 1),),
    "eyeBlinkL": (("EyeBlinkLeft", 1),), "eyeBlinkR": (("EyeBlinkRight", 1),),
    "eyeCheekRaiseL": (("CheekSquintLeft", 1),), "eyeCheekRaiseR": (("CheekSquintRight", 1),),
    "eyeLookDownL": (("EyeLookDownLeft", 1),), "eyeLookDownR": (("EyeLookDownRight", 1),),
    "eyeLookLeftL": (("EyeLookOutLeft", 1),), "eyeLookLeftR": (("EyeLookInRight", 1),),
    "eyeLookRightL": (("EyeLookInLeft", 1),), "eyeLookRightR": (("EyeLookOutRight", 1),),
    "eyeLookUpL": (("EyeLookUpLeft", 1),), "eyeLookUpR": (("EyeLookUpRight", 1),),
    "eyeSquintInnerL": (("EyeSquintLeft", 1),), "eyeSquintInnerR": (("EyeSquintRight", 1),),
    "eyeWidenL": (("EyeWideLeft", 1),), "eyeWidenR": (("EyeWideRight", 1),),
    "jawChinRaiseDL": (("MouthShrugLower", 1),), "jawChinRaiseDR": (("MouthShrugLower", 1),),
    "jawChinRaiseUL": (("MouthShrugUpper", 1),), "jawChinRaiseUR": (("MouthShrugUpper", 1),),
    "jawFwd": (("JawForward", 0.999),), "jawLeft": (("JawLeft", 1),), "jawOpen": (("JawOpen", 1),),
    "jawRight": (("JawRight", 1),),
    "mouthCheekBlowL": (("CheekPuff", 1),), "mouthCheekBlowR": (("CheekPuff", 1),),
    "mouthCornerDepressL": (("MouthFrownLeft", 1),), "mouthCornerDepressR": (("MouthFrownRight", 1),),
    "mouthCornerPullL": (("MouthSmileLeft", 1),), "mouthCornerPullR": (("MouthSmileRight", 1),),
    "mouthDimpleL": (("MouthDimpleLeft", 1),), "mouthDimpleR": (("MouthDimpleRight", 1),),
    "mouthFunnelUL": (("MouthFunnel", 1), ("MouthPucker", 0.752)),
    "mouthFunnelUR": (("MouthFunnel", 1), ("MouthPucker", 0.752)),
    "mouthFunnelDL": (("MouthFunnel", 1), ("MouthPucker", 0.752)),
    "mouthFunnelDR": (("MouthFunnel", 1), ("MouthPucker", 0.752)),
    "mouthLeft": (("MouthLeft", 1),), "mouthRight": (("MouthRight", 1),),
    "mouthLipsBlowL": (("CheekPuff", 1),), "mouthLipsBlowR": (("CheekPuff", 1),),
    "mouthLipsPurseUL": (("MouthPucker", 1),), "mouthLipsPurseUR": (("MouthPucker", 1),),
    "mouthLipsPurseDL": (("MouthPucker", 1),), "mouthLipsPurseDR": (("MouthPucker", 1),),
    "mouthLipsTowardsUL": (("MouthPucker", 0.412),), "mouthLipsTowardsUR": (("MouthPucker", 0.412),),
    "mouthLipsTowardsDL": (("MouthPucker", 0.412),), "mouthLipsTowardsDR": (("MouthPucker", 0.412),),
    "mouthLowerLipDepressL": (("MouthLowerDownLeft", 1),), "mouthLowerLipDepressR": (("MouthLowerDownRight", 1),),
    "mouthLowerLipRollInL": (("MouthRollLower", 1),), "mouthLowerLipRollInR": (("MouthRollLower", 1),),
    "mouthPressUL": (("MouthPressLeft", 1),), "mouthPressDL": (("MouthPressLeft", 1),),
    "mouthPressUR": (("MouthPressRight", 1),), "mouthPressDR": (("MouthPressRight", 1),),
    "mouthStretchL": (("MouthStretchLeft", 1),), "mouthStretchR": (("MouthStretchRight", 1),),
    "mouthUpperLipRaiseL": (("MouthUpperUpLeft", 1),), "mouthUpperLipRaiseR": (("MouthUpperUpRight", 1),),
    "mouthUpperLipRollInL": (("MouthRollUpper", 0.998), ("MouthRollLower", 0.499)),
    "mouthUpperLipRollInR": (("MouthRollUpper", 0.998), ("MouthRollLower", 0.499)),
    "noseWrinkleL": (("NoseSneerLeft", 1),), "noseWrinkleR": (("NoseSneerRight", 1),),
    "tongueDown": (("TongueOut", 0.826),), "tongueOut": (("TongueOut", 0.769),),
    "tongueRollDown": (("TongueOut", 0.247),), "tongueWide": (("TongueOut", 0.628),),
})  # fmt: skip


def expected_controls(frame: Mapping[str, float] = ASYMMETRIC) -> dict[str, float]:
    """Curve -> value on a MetaHuman's face, without the head: sums cut to 0 to 1, the lips by MouthClose / JawOpen.

    For frames whose jaw is clearly open: below that the lips fade.
    """
    out = {}
    for control, shares in _MOVED_BY.items():
        total = sum(weight * frame[action] for action, weight in shares)
        out[f"CTRL_expressions_{control}"] = min(max(total, 0.0), 1.0)
    lips = min(max(frame["MouthClose"] / frame["JawOpen"], 0.0), 1.0)
    return out | {f"CTRL_expressions_mouthLipsTogether{corner}": lips for corner in ("UL", "UR", "DL", "DR")}


def expected_head(frame: Mapping[str, float] = ASYMMETRIC, factor: float = 57.29577951308232) -> dict[str, float]:
    """Curve -> value of the head: the three angles change places and one its sign, as Epic's blueprint wires them."""
    return {
        "HeadRoll": frame["HeadYaw"] * factor,
        "HeadPitch": frame["HeadRoll"] * factor,
        "HeadYaw": -frame["HeadPitch"] * factor,
        "HeadControlSwitch": 1.0,
    }


def asymmetric_take(folder: Path, frames: int = 3) -> Path:
    """A take of that many frames at 30 a second on disk, each ASYMMETRIC times 1 - frame / 10; returns its folder."""
    from fractions import Fraction

    from semanticface.results import FrameResult, Status
    from semanticface.take import TakeHeader, TakeWriter

    header = TakeHeader({"path": "shot.%04d.png"}, Fraction(30), {}, {}, "asymmetric", ((0, frames - 1, 1),))
    with TakeWriter(folder, header) as writer:
        for frame in range(frames):
            values = {name: value * (1 - frame / 10) for name, value in ASYMMETRIC.items()}
            writer.append(FrameResult(frame, frame / 30, Status.OK, values))
    return folder
