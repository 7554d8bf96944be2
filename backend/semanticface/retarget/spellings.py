"""How rigs spell the facial actions: a name taken apart into words and sides, and the vocabularies in use.

A vocabulary says which name, or which names together, show an action. Names are compared as *keys*: letter case,
separators and the spelling of a side don't count, so `eyeBlinkLeft`, `Eye Blink Left`, `eyeBlink_L` and `EYEBLINK.l`
have the key `eyeblink.L`. Left and right are the subject's own in all of them. Nothing here knows which names a rig
really has.

Sources: ARKit's names from Apple's `ARFaceAnchor.BlendShapeLocation`, split as ICT-FaceKit splits them; Character
Creator's from the expression profiles of CC3 (Standard, ExPlus) and CC4 (Extended) as Reallusion's open exporters map
them to ARKit; VRoid's from the shape keys that VRoid Studio exports (`Fcl_*`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from semanticface.actions import BY_NAME, SHAPES

MOST_WORDS = 24
"""A name of more words is none of ours."""

REMEMBERED = 8192
"""Names that are kept taken apart: a rig is asked about three times in a row, and again when it changes."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SIDES = {"l": "L", "left": "L", "r": "R", "right": "R"}


@dataclass(frozen=True, slots=True)
class Spelling:
    """`parts` are the keys of the names that show `action` together, each at `gain`.

    `rough`: it comes near the action but isn't made for it, so it counts only on a rig of this vocabulary.
    """

    action: str
    parts: tuple[str, ...]
    gain: float = 1.0
    rough: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`spellings` maps an action to its spellings, the best first; `actions` maps a key to what it may belong to."""

    name: str
    spellings: Mapping[str, tuple[Spelling, ...]]
    actions: Mapping[str, tuple[str, ...]]


def words_of(name: str) -> tuple[str, ...]:
    """A name's words in lower case, split at separators, at digits and where small letters turn to capitals."""
    return tuple(word.lower() for word in _WORD.findall(name))[: MOST_WORDS + 1]


@lru_cache(REMEMBERED)
def keys_behind(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A name's words, and its key when so many of them are taken for a prefix. No keys for a name of too many words."""
    words = words_of(name)
    if len(words) > MOST_WORDS:
        return words, ()
    return words, tuple(key_of(words[start:]) for start in range(len(words)))


def key_of(words: Sequence[str]) -> str:
    """The key of a name's words; "" where nothing is left of them but sides.

    One side may stand anywhere and goes to the end. With two (`Eye_L_Look_R`) the places count, so they stay.
    """
    sides = [_SIDES[word] for word in words if word in _SIDES]
    if len(sides) > 1:
        return "".join(_SIDES.get(word, word) for word in words)
    core = "".join(word for word in words if word not in _SIDES)
    if not sides:
        for ending, side in (("left", "L"), ("right", "R")):
            if core.endswith(ending) and core != ending:
                return f"{core.removesuffix(ending)}.{side}"
    return f"{core}.{sides[0] if sides else ''}" if core else ""


def has_side(words: Sequence[str]) -> bool:
    return any(word in _SIDES for word in words)


# Lines of "Action name[+name...] [gain] [rough]". A * makes two lines of one: Left and L, then Right and R; a ~ in it
# is the other side's letter. Where an action has several lines, the first that a rig has holds.
_SPLIT_ARKIT = """
BrowInnerUp browInnerUp_L+browInnerUp_R
CheekPuff cheekPuff_L+cheekPuff_R
MouthClose mouthClosed
"""
_CHARACTER_CREATOR = """
EyeBlink* Eye_Blink_*
EyeLookDown* Eye_*_Look_Down
EyeLookIn* Eye_*_Look_~
EyeLookOut* Eye_*_Look_*
EyeLookUp* Eye_*_Look_Up
EyeSquint* Eye_Squint_*
EyeWide* Eye_Wide_*
JawForward Jaw_Forward
JawRight Jaw_R
JawLeft Jaw_L
JawOpen Jaw_Open
JawOpen Mouth_Open rough
MouthClose Mouth_Close
MouthFunnel Mouth_Funnel_Up_L+Mouth_Funnel_Up_R+Mouth_Funnel_Down_L+Mouth_Funnel_Down_R
MouthFunnel Mouth_Funnel
MouthFunnel Mouth_Pucker_Open rough
MouthPucker Mouth_Pucker_Up_L+Mouth_Pucker_Up_R+Mouth_Pucker_Down_L+Mouth_Pucker_Down_R
MouthPucker Mouth_Pucker
MouthRight Mouth_R
MouthLeft Mouth_L
MouthSmile* Mouth_Smile_*
MouthFrown* Mouth_Frown_*
MouthDimple* Mouth_Dimple_*
MouthStretch* Mouth_Stretch_*
MouthRollLower Mouth_Roll_In_Lower_L+Mouth_Roll_In_Lower_R
MouthRollLower Mouth_Roll_In_Lower
MouthRollLower Mouth_Bottom_Lip_Under rough
MouthRollUpper Mouth_Roll_In_Upper_L+Mouth_Roll_In_Upper_R
MouthRollUpper Mouth_Roll_In_Upper
MouthRollUpper Mouth_Top_Lip_Under rough
MouthShrugLower Mouth_Shrug_Lower
MouthShrugUpper Mouth_Shrug_Upper
MouthShrugUpper Mouth_Top_Lip_Up rough
MouthPress* Mouth_Press_*
MouthLowerDown* Mouth_Down_Lower_*
MouthUpperUp* Mouth_Up_Upper_*
BrowDown* Brow_Drop_*
BrowInnerUp Brow_Raise_Inner_L+Brow_Raise_Inner_R
BrowOuterUp* Brow_Raise_Outer_*
CheekPuff Cheek_Puff_L+Cheek_Puff_R
CheekPuff Cheek_Blow_L+Cheek_Blow_R
CheekSquint* Cheek_Raise_*
NoseSneer* Nose_Sneer_*
NoseSneer* Nose_Flank_Raise_* rough
TongueOut Tongue_Out
"""
_VROID = """
EyeBlink* Fcl_EYE_Close_*
EyeWide* Fcl_EYE_Spread 0.5 rough
BrowDown* Fcl_BRW_Angry 0.5 rough
BrowOuterUp* Fcl_BRW_Surprised 0.5 rough
JawOpen Fcl_MTH_A rough
MouthFunnel Fcl_MTH_O rough
MouthPucker Fcl_MTH_U rough
MouthSmile* Fcl_MTH_Fun 0.5 rough
"""


@cache
def vocabularies() -> tuple[Vocabulary, ...]:
    """All of them; where two explain a rig equally well, the earlier one holds."""
    own = [Spelling(name, (key_of(words_of(name)),)) for name in SHAPES]
    return (
        _vocabulary("ARKit", [*own, *_read(_SPLIT_ARKIT)]),
        _vocabulary("Character Creator", _read(_CHARACTER_CREATOR)),
        _vocabulary("VRoid", _read(_VROID)),
    )


def _vocabulary(name: str, rows: Sequence[Spelling]) -> Vocabulary:
    spellings: dict[str, tuple[Spelling, ...]] = {action: () for action in SHAPES}
    actions: dict[str, tuple[str, ...]] = {}
    for row in rows:
        spellings[row.action] += (row,)
        for part in row.parts:
            actions[part] = tuple(dict.fromkeys((*actions.get(part, ()), row.action)))
    return Vocabulary(name, MappingProxyType(spellings), MappingProxyType(actions))


def _read(table: str) -> list[Spelling]:
    rows = []
    for line in table.strip().splitlines():
        sides = (("Left", "L", "R"), ("Right", "R", "L")) if "*" in line else (("", "", ""),)
        for full, short, other in sides:
            action, names, *rest = line.split()
            action = BY_NAME[action.replace("*", full)].name  # a slip in the tables ends here
            parts = names.replace("*", short).replace("~", other).split("+")
            gains = [float(word) for word in rest if word != "rough"]
            keys = tuple(key_of(words_of(part)) for part in parts)
            rows.append(Spelling(action, keys, gains[0] if gains else 1.0, "rough" in rest))
    return rows
