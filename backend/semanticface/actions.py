"""The 61 facial actions: the single source of their names, orders, sides, regions, ranges and units.

52 blendshapes as ARKit defines them (Apple, `ARFaceAnchor.BlendShapeLocation`) and nine rotations as the
Live Link Face app records them. Left and right are the subject's own. Coefficients travel by name; a
position means something only together with one of the orders below, and the two published orders differ:
Live Link Face CSV puts JawRight and MouthRight before their left partners, Unreal's Live Link enumeration
(UDP) puts them after. This module knows nothing of engines, files or hosts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is: a blendshape coefficient, or one angle of the head or of an eye."""

    SHAPE = "shape"
    HEAD = "head"
    EYE = "eye"


class Side(StrEnum):
    """The subject's side that moves. JawLeft and MouthLeft move the whole jaw or mouth, so they are CENTER."""

    LEFT = "left"
    RIGHT = "right"
    CENTER = "center"


class Region(StrEnum):
    """Where the action shows on the face, in the order in which a description walks over it."""

    BROWS = "brows"
    EYES = "eyes"
    GAZE = "gaze"
    NOSE = "nose"
    CHEEKS = "cheeks"
    MOUTH = "mouth"
    JAW = "jaw"
    TONGUE = "tongue"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Action:
    """One facial action.

    `minimum` and `maximum` are the nominal range: 0 to 1 for shapes (recordings reach 1.05, so check against it
    but do not assert), -pi to pi for rotations. `unit` is "1" or "rad". `facs` names the FACS action units
    that the action stands for, in Ekman's numbering ("" where FACS has none). `mirror` is the action that
    shows the same movement in a mirror image, and `mirror_sign` the factor that its value takes on the way.
    """

    name: str
    kind: Kind
    side: Side
    region: Region
    facs: str
    mirror: str
    mirror_sign: int
    minimum: float
    maximum: float
    unit: str

    @property
    def arkit_name(self) -> str:
        """The name as ARKit spells it and most rigs use it: `eyeBlinkLeft`."""
        return self.name[0].lower() + self.name[1:]


PI = 3.141592653589793

# In the order of Live Link Face CSV columns: "name AU" per region. AU numbers after Ekman & Friesen (FACS, 1978/2002).
_SHAPES = """
EyeBlinkLeft:eyes:45 EyeLookDownLeft:gaze:64 EyeLookInLeft:gaze:62 EyeLookOutLeft:gaze:61 EyeLookUpLeft:gaze:63
EyeSquintLeft:eyes:7 EyeWideLeft:eyes:5 EyeBlinkRight:eyes:45 EyeLookDownRight:gaze:64 EyeLookInRight:gaze:61
EyeLookOutRight:gaze:62 EyeLookUpRight:gaze:63 EyeSquintRight:eyes:7 EyeWideRight:eyes:5
JawForward:jaw:29 JawRight:jaw:30 JawLeft:jaw:30 JawOpen:jaw:26 MouthClose:mouth:8 MouthFunnel:mouth:22
MouthPucker:mouth:18 MouthRight:mouth: MouthLeft:mouth: MouthSmileLeft:mouth:12 MouthSmileRight:mouth:12
MouthFrownLeft:mouth:15 MouthFrownRight:mouth:15 MouthDimpleLeft:mouth:14 MouthDimpleRight:mouth:14
MouthStretchLeft:mouth:20 MouthStretchRight:mouth:20 MouthRollLower:mouth:28 MouthRollUpper:mouth:28
MouthShrugLower:mouth:17 MouthShrugUpper:mouth:17 MouthPressLeft:mouth:24 MouthPressRight:mouth:24
MouthLowerDownLeft:mouth:16 MouthLowerDownRight:mouth:16 MouthUpperUpLeft:mouth:10 MouthUpperUpRight:mouth:10
BrowDownLeft:brows:4 BrowDownRight:brows:4 BrowInnerUp:brows:1 BrowOuterUpLeft:brows:2 BrowOuterUpRight:brows:2
CheekPuff:cheeks:34 CheekSquintLeft:cheeks:6 CheekSquintRight:cheeks:6 NoseSneerLeft:nose:9 NoseSneerRight:nose:9
TongueOut:tongue:19
"""
_HEAD = "HeadYaw HeadPitch HeadRoll"
_EYES = "LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch RightEyeRoll"


def _swap_sides(name: str) -> str:
    if "Left" in name:
        return name.replace("Left", "Right")
    return name.replace("Right", "Left")


def _shape(cell: str) -> Action:
    name, region, unit = cell.split(":")
    whole = name in {"JawLeft", "JawRight", "MouthLeft", "MouthRight"}
    side = Side.CENTER
    if not whole and name.endswith("Left"):
        side = Side.LEFT
    elif not whole and name.endswith("Right"):
        side = Side.RIGHT
    facs = f"AU{unit}" if unit else ""
    return Action(name, Kind.SHAPE, side, Region(region), facs, _swap_sides(name), 1, 0.0, 1.0, "1")


def _rotation(name: str) -> Action:
    """Signs as Live Link Face records eyes: +yaw to the subject's right, +pitch down; roll and yaw flip in a mirror."""
    sign = 1 if name.endswith("Pitch") else -1
    if name.startswith("Head"):
        return Action(name, Kind.HEAD, Side.CENTER, Region.HEAD, "", name, sign, -PI, PI, "rad")
    side = Side.LEFT if name.startswith("Left") else Side.RIGHT
    return Action(name, Kind.EYE, side, Region.GAZE, "", _swap_sides(name), sign, -PI, PI, "rad")


ACTIONS: tuple[Action, ...] = (
    *(_shape(cell) for cell in _SHAPES.split()),
    *(_rotation(name) for name in f"{_HEAD} {_EYES}".split()),
)
BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}

CSV_ORDER: tuple[str, ...] = tuple(action.name for action in ACTIONS)
"""Names in the order of Live Link Face CSV columns, which is also the paper's prompt order."""

_UDP_SWAPS = {"JawRight": "JawLeft", "JawLeft": "JawRight", "MouthRight": "MouthLeft", "MouthLeft": "MouthRight"}
UDP_ORDER: tuple[str, ...] = tuple(_UDP_SWAPS.get(name, name) for name in CSV_ORDER)
"""Names in the order of Unreal's Live Link Face enumeration, which the UDP packets follow."""

SHAPES: tuple[str, ...] = tuple(action.name for action in ACTIONS if action.kind is Kind.SHAPE)
ROTATIONS: tuple[str, ...] = tuple(action.name for action in ACTIONS if action.kind is not Kind.SHAPE)

SCHEMA_ID: str = f"{zlib.crc32(chr(10).join(CSV_ORDER).encode()):08x}"
"""Identifies this set of names in the protocol's hello; two sides that differ in it must not exchange coefficients.
A CRC, since it guards against other versions and not against malice, and hashlib would cost each host 7 ms."""

_LOWER = {name.lower(): name for name in BY_NAME}


def canonical_name(spelling: str) -> str | None:
    """The action's name for a spelling that differs only in letter case (`eyeBlinkLeft`), else None."""
    return _LOWER.get(spelling.lower())


def mirrored(coefficients: Mapping[str, float]) -> dict[str, float]:
    """The same face seen in a mirror: sides swapped, yaw and roll negated. Names not given stay absent."""
    out = {}
    for name, value in coefficients.items():
        action = BY_NAME[name]
        out[action.mirror] = action.mirror_sign * value
    return out


def ordered(coefficients: Mapping[str, float], order: Iterable[str] = CSV_ORDER) -> list[float]:
    """Values in the given order. Raises KeyError when a name is missing: nothing is filled in."""
    return [coefficients[name] for name in order]
