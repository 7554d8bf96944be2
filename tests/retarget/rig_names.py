"""Shape names of rigs as they are in use, written out by hand: what each convention calls the 52 actions.

A rig is action -> its names. Nothing of the product's own tables is used here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def _list(text: str) -> list[str]:
    return text.split()


ARKIT = _list("""
eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft eyeBlinkRight
eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight jawForward jawLeft jawRight
jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight mouthSmileLeft mouthSmileRight mouthFrownLeft
mouthFrownRight mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower mouthRollUpper
mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft mouthLowerDownRight mouthUpperUpLeft
mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
cheekSquintRight noseSneerLeft noseSneerRight tongueOut
""")

EXPLUS = _list("""
A01_Brow_Inner_Up A02_Brow_Down_Left A03_Brow_Down_Right A04_Brow_Outer_Up_Left A05_Brow_Outer_Up_Right
A06_Eye_Look_Up_Left A07_Eye_Look_Up_Right A08_Eye_Look_Down_Left A09_Eye_Look_Down_Right A10_Eye_Look_Out_Left
A11_Eye_Look_In_Left A12_Eye_Look_In_Right A13_Eye_Look_Out_Right A14_Eye_Blink_Left A15_Eye_Blink_Right
A16_Eye_Squint_Left A17_Eye_Squint_Right A18_Eye_Wide_Left A19_Eye_Wide_Right A20_Cheek_Puff A21_Cheek_Squint_Left
A22_Cheek_Squint_Right A23_Nose_Sneer_Left A24_Nose_Sneer_Right A25_Jaw_Open A26_Jaw_Forward A27_Jaw_Left
A28_Jaw_Right A29_Mouth_Funnel A30_Mouth_Pucker A31_Mouth_Left A32_Mouth_Right A33_Mouth_Roll_Upper
A34_Mouth_Roll_Lower A35_Mouth_Shrug_Upper A36_Mouth_Shrug_Lower A37_Mouth_Close A38_Mouth_Smile_Left
A39_Mouth_Smile_Right A40_Mouth_Frown_Left A41_Mouth_Frown_Right A42_Mouth_Dimple_Left A43_Mouth_Dimple_Right
A44_Mouth_Upper_Up_Left A45_Mouth_Upper_Up_Right A46_Mouth_Lower_Down_Left A47_Mouth_Lower_Down_Right
A48_Mouth_Press_Left A49_Mouth_Press_Right A50_Mouth_Stretch_Left A51_Mouth_Stretch_Right A52_Tongue_Out
""")

CC3_STANDARD = _list("""
Brow_Raise_Inner_L Brow_Raise_Inner_R Brow_Raise_Outer_L Brow_Raise_Outer_R Brow_Raise_L Brow_Raise_R Brow_Drop_L
Brow_Drop_R Eye_Blink Eye_Blink_L Eye_Blink_R Eye_Squint_L Eye_Squint_R Eye_Wide_L Eye_Wide_R Cheek_Puff_L Cheek_Puff_R
Cheek_Raise_L Cheek_Raise_R Cheeks_Suck Nose_Flank_Raise_L Nose_Flank_Raise_R Mouth_Pucker_Open Mouth_Pucker Mouth_L
Mouth_R Mouth_Top_Lip_Under Mouth_Bottom_Lip_Under Mouth_Top_Lip_Up Mouth_Smile Mouth_Smile_L Mouth_Smile_R
Mouth_Frown_L Mouth_Frown_R Mouth_Dimple_L Mouth_Dimple_R Open Explosive Dental_Lip Tight-O Tight Wide Affricate
Lip_Open
""")

CC4_EXTENDED = {
    "EyeBlinkLeft": ("Eye_Blink_L",),
    "EyeLookDownLeft": ("Eye_L_Look_Down",),
    "EyeLookInLeft": ("Eye_L_Look_R",),
    "EyeLookOutLeft": ("Eye_L_Look_L",),
    "EyeLookUpLeft": ("Eye_L_Look_Up",),
    "EyeSquintLeft": ("Eye_Squint_L",),
    "EyeWideLeft": ("Eye_Wide_L",),
    "EyeBlinkRight": ("Eye_Blink_R",),
    "EyeLookDownRight": ("Eye_R_Look_Down",),
    "EyeLookInRight": ("Eye_R_Look_L",),
    "EyeLookOutRight": ("Eye_R_Look_R",),
    "EyeLookUpRight": ("Eye_R_Look_Up",),
    "EyeSquintRight": ("Eye_Squint_R",),
    "EyeWideRight": ("Eye_Wide_R",),
    "JawForward": ("Jaw_Forward",),
    "JawRight": ("Jaw_R",),
    "JawLeft": ("Jaw_L",),
    "JawOpen": ("Jaw_Open",),
    "MouthClose": ("Mouth_Close",),
    "MouthFunnel": ("Mouth_Funnel_Up_L", "Mouth_Funnel_Up_R", "Mouth_Funnel_Down_L", "Mouth_Funnel_Down_R"),
    "MouthPucker": ("Mouth_Pucker_Up_L", "Mouth_Pucker_Up_R", "Mouth_Pucker_Down_L", "Mouth_Pucker_Down_R"),
    "MouthRight": ("Mouth_R",),
    "MouthLeft": ("Mouth_L",),
    "MouthSmileLeft": ("Mouth_Smile_L",),
    "MouthSmileRight": ("Mouth_Smile_R",),
    "MouthFrownLeft": ("Mouth_Frown_L",),
    "MouthFrownRight": ("Mouth_Frown_R",),
    "MouthDimpleLeft": ("Mouth_Dimple_L",),
    "MouthDimpleRight": ("Mouth_Dimple_R",),
    "MouthStretchLeft": ("Mouth_Stretch_L",),
    "MouthStretchRight": ("Mouth_Stretch_R",),
    "MouthRollLower": ("Mouth_Roll_In_Lower_L", "Mouth_Roll_In_Lower_R"),
    "MouthRollUpper": ("Mouth_Roll_In_Upper_L", "Mouth_Roll_In_Upper_R"),
    "MouthShrugLower": ("Mouth_Shrug_Lower",),
    "MouthShrugUpper": ("Mouth_Shrug_Upper",),
    "MouthPressLeft": ("Mouth_Press_L",),
    "MouthPressRight": ("Mouth_Press_R",),
    "MouthLowerDownLeft": ("Mouth_Down_Lower_L",),
    "MouthLowerDownRight": ("Mouth_Down_Lower_R",),
    "MouthUpperUpLeft": ("Mouth_Up_Upper_L",),
    "MouthUpperUpRight": ("Mouth_Up_Upper_R",),
    "BrowDownLeft": ("Brow_Drop_L",),
    "BrowDownRight": ("Brow_Drop_R",),
    "BrowInnerUp": ("Brow_Raise_Inner_L", "Brow_Raise_Inner_R"),
    "BrowOuterUpLeft": ("Brow_Raise_Outer_L",),
    "BrowOuterUpRight": ("Brow_Raise_Outer_R",),
    "CheekPuff": ("Cheek_Puff_L", "Cheek_Puff_R"),
    "CheekSquintLeft": ("Cheek_Raise_L",),
    "CheekSquintRight": ("Cheek_Raise_R",),
    "NoseSneerLeft": ("Nose_Sneer_L",),
    "NoseSneerRight": ("Nose_Sneer_R",),
    "TongueOut": ("Tongue_Out",),
}
CC4_OTHERS = _list("""
Basis Brow_Compress_L Brow_Compress_R Eyelash_Upper_Up_L Eyelash_Upper_Down_R Ear_Up_L Ear_Out_R Nose_Nostril_Raise_L
Nose_Nostril_Dilate_R Nose_Crease_L Nose_Tip_Up Cheek_Suck_L Cheek_Suck_R Mouth_Smile_Sharp_L Mouth_Smile_Sharp_R
Mouth_Tighten_L Mouth_Tighten_R Mouth_Blow_L Mouth_Blow_R Mouth_Roll_Out_Upper_L Mouth_Roll_Out_Lower_R
Mouth_Push_Upper_L Mouth_Pull_Lower_R Mouth_Up Mouth_Down Mouth_Upper_L Mouth_Lower_R Mouth_Drop_Upper Mouth_Drop_Lower
Mouth_Chin_Up Mouth_Contract Tongue_Bulge_L Jaw_Backward Jaw_Up Jaw_Down Neck_Swallow_Up Head_Turn_L Head_Tilt_R
V_Open V_Explosive V_Dental_Lip V_Tight_O V_Tight V_Wide V_Affricate V_Lip_Open V_Tongue_up V_Tongue_Out
""")

VISEMES = _list("""
viseme_sil viseme_PP viseme_FF viseme_TH viseme_DD viseme_kk viseme_CH viseme_SS viseme_nn viseme_RR viseme_aa
viseme_E viseme_I viseme_O viseme_U
""")
READY_PLAYER_ME_OTHERS = ["mouthOpen", "mouthSmile", "eyesClosed", "eyesLookUp", "eyesLookDown", *VISEMES]

VROID = _list("""
Fcl_ALL_Neutral Fcl_ALL_Angry Fcl_ALL_Fun Fcl_ALL_Joy Fcl_ALL_Sorrow Fcl_ALL_Surprised Fcl_BRW_Angry Fcl_BRW_Fun
Fcl_BRW_Joy Fcl_BRW_Sorrow Fcl_BRW_Surprised Fcl_EYE_Natural Fcl_EYE_Angry Fcl_EYE_Close Fcl_EYE_Close_R Fcl_EYE_Close_L
Fcl_EYE_Fun Fcl_EYE_Joy Fcl_EYE_Joy_R Fcl_EYE_Joy_L Fcl_EYE_Sorrow Fcl_EYE_Surprised Fcl_EYE_Spread Fcl_EYE_Iris_Hide
Fcl_EYE_Highlight_Hide Fcl_MTH_Close Fcl_MTH_Up Fcl_MTH_Down Fcl_MTH_Angry Fcl_MTH_Small Fcl_MTH_Large Fcl_MTH_Neutral
Fcl_MTH_Fun Fcl_MTH_Joy Fcl_MTH_Sorrow Fcl_MTH_Surprised Fcl_MTH_SkinFung Fcl_MTH_SkinFung_R Fcl_MTH_SkinFung_L
Fcl_MTH_A Fcl_MTH_I Fcl_MTH_U Fcl_MTH_E Fcl_MTH_O Fcl_HA_Hide Fcl_HA_Fung1 Fcl_HA_Short Fcl_HA_Short_Up
""")

NOT_FACES = {
    "body": ["Basis", "Muscular", "Fat", "Height", "Waist_Thin", "Left", "Right", "L", "R", "Arm_L", "Leg_R"],
    "clothing": ["Basis", "Shirt_Tight", "Sleeve_Left", "Sleeve_Right", "collarOpen", "hoodUp", "Zip_Close"],
    "visemes": ["Basis", *VISEMES, "AA", "EE", "Oh", "W_OO", "vrc.v_aa", "V_Open", "Open", "Wide"],
    "moods": ["Basis", "Smile", "Frown", "Blink", "Angry", "Happy", "mouthSmile", "mouthOpen", "eyesClosed", "A", "I"],
    "Genesis": ["PHMEyesSize", "PBMNavel", "FBMBodybuilderSize", "pJCMForeArmFwd_75_L", "pJCMThighBend_90_R",
                "eCTRLMouthOpen", "eCTRLEyesClosedL", "eJCMJawOpen_Fix", "FHMJeremy8", "eCTRLvAA", "MCMHeadTurnLeft"],
    "near misses": ["jawOpenner", "mouthSmileLeft_fix", "eyeBlinkLeft_old", "old_jawOpen", "not_mouthClose", "eyeBlink",
                    "jawOpen_mouthClose", "corrective_eyeBlinkRight", "browInnerUpDown", "xjawOpen", "jaw",
                    "mouthLeftRight", "eyeBlinkLeft.001", "tongueOutside", "leftover", "upright"],
    "words": ["apple", "left_turn", "Brow", "eye", "cheek_L", "Key 1", "Key 2", "", "口を開ける", "_", "..."],
}  # fmt: skip


def named(arkit: str) -> str:
    """The product's name of an action from ARKit's."""
    return arkit[0].upper() + arkit[1:]


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]?[a-z]+", name)


def _side(name: str, left: str, right: str) -> str:
    """Sides as suffixes; JawLeft and MouthRight have one too."""
    return re.sub("Right$", right, re.sub("Left$", left, name))


def styles() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Conventions that have all 52, by a name for the test's report."""
    plain = {
        "ARKit, Faceit, Ready Player Me": lambda name: name,
        "Pascal, VRM Perfect Sync": named,
        "capitals": str.upper,
        "small letters": str.lower,
        "_L and _R (Face Cap, Maya)": lambda name: _side(name, "_L", "_R"),
        ".L and .R (Blender)": lambda name: _side(name, ".L", ".R"),
        "_left and _right": lambda name: _side(name, "_left", "_right"),
        "-l and -r": lambda name: _side(name, "-l", "-r"),
        "camel L and R": lambda name: _side(name, "L", "R"),
        "snake": lambda name: "_".join(_words(name)).lower(),
        "words": lambda name: " ".join(_words(named(name))),
        "Title_Snake": lambda name: "_".join(_words(named(name))),
        "head_": lambda name: "head_" + name,
        "blendShape1.": lambda name: "blendShape1." + _side(name, "_L", "_R"),
        "BlendShape. (VRM)": lambda name: "BlendShape." + named(name),
        "VRoid mesh prefix": lambda name: "Face.M_F00_000_00_Fcl_" + named(name),
        "CTRL_": lambda name: "CTRL_" + name,
        "ARKit_": lambda name: "ARKit_" + named(name),
        "a rig's own prefix": lambda name: "SK_Hero_Head_v3_" + name,
        "side first": lambda name: re.sub(r"^(.+)(Left|Right)$", r"\2_\1", name),
    }
    rigs = {rig: {named(name): (spell(name),) for name in ARKIT} for rig, spell in plain.items()}
    by_letters = {name.lower(): named(name) for name in ARKIT}
    explus = {by_letters[name.split("_", 1)[1].replace("_", "").lower()]: (name,) for name in EXPLUS}
    return rigs | {"Character Creator ExPlus": explus, "Character Creator 4 Extended": CC4_EXTENDED}
