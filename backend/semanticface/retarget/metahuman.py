"""What the 61 actions move on a MetaHuman's face: the curves of its rig, ARKit's own names, or those of a profile.

A MetaHuman's face reads curves `CTRL_expressions_*` and doesn't know ARKit's names; the pose asset that Epic ships for
Live Link translates between them, and so does the table here. Pure, and all frames at once. Columns stand for actions
in `CSV_ORDER`, as in `curves.samples`; a row of NaN stays NaN. Nothing here knows of Unreal, takes or keys.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import BY_NAME, CSV_ORDER, SHAPES
from semanticface.errors import InputError
from semanticface.retarget.apply import drive
from semanticface.retarget.profile import Link, Profile, TargetKind

Floats = NDArray[np.float64]
Curves = dict[str, Floats]

PREFIX = "CTRL_expressions_"
DEGREES = math.degrees(1.0)
"""Degrees in a radian: the head turns as far as the actor's. Epic's own blueprint for Live Link multiplies by 50."""
HEAD_SWITCH = "HeadControlSwitch"
"""The curve without which the face passes over the three head curves."""
HEAD = ("HeadRoll", "HeadPitch", "HeadYaw")
"""The curves of the head, in degrees. Named after the axes of its bone, they stand for other angles than they say."""
LIPS = tuple(f"{PREFIX}mouthLipsTogether{corner}" for corner in ("UL", "UR", "DL", "DR"))
LIPS_FADE = 0.01
"""Below this much JawOpen the lips' curve goes to 0 with the jaw. Measured on a recording of 4,030 frames, whose jaw
rests at 0.02 to 0.03: noise of 0.005 on both values becomes one of 0.54 (RMS) of the bare quotient where JawOpen is
below 0.01, and of 0.34 with this. With 0.03 it is 0.12, but then the curve follows each breath of a resting mouth,
where the quotient stands still at 1. It costs a gap between closed lips of 0.25 % of the jaw's way at most."""

# "Action control[:weight] ...". A * stands for a side: it makes two lines of one. In controls a + stands for both
# sides, and # for the four corners of the mouth. Weights are those of Epic's `PA_MetaHuman_ARKit_Mapping`, the same in
# its editions of 2022 and 2026. Left out is what its authors surely didn't mean: weights below 0.001, a bit of a brow
# (browLateralL 0.031) under everything from BrowDownLeft to TongueOut, a dimple under the right smile alone
# (mouthDimpleR 0.003), the tongue's turn to the right (tongueRight 0.07), and the wrinkle of the nose that the face
# at rest has too. MouthClose has no pose there: see `_lips_together`.
_TABLE = """
EyeBlink* eyeBlink*
EyeLookDown* eyeLookDown*
EyeLookInLeft eyeLookRightL
EyeLookOutLeft eyeLookLeftL
EyeLookInRight eyeLookLeftR
EyeLookOutRight eyeLookRightR
EyeLookUp* eyeLookUp*
EyeSquint* eyeSquintInner*
EyeWide* eyeWiden*
JawForward jawFwd:0.999
JawRight jawRight
JawLeft jawLeft
JawOpen jawOpen
MouthFunnel mouthFunnel#
MouthPucker mouthLipsPurse# mouthLipsTowards#:0.412 mouthFunnel#:0.752
MouthRight mouthRight
MouthLeft mouthLeft
MouthSmile* mouthCornerPull*
MouthFrown* mouthCornerDepress*
MouthDimple* mouthDimple*
MouthStretch* mouthStretch*
MouthRollLower mouthLowerLipRollIn+ mouthUpperLipRollIn+:0.499
MouthRollUpper mouthUpperLipRollIn+:0.998
MouthShrugLower jawChinRaiseD+
MouthShrugUpper jawChinRaiseU+
MouthPress* mouthPressU* mouthPressD*
MouthLowerDown* mouthLowerLipDepress*
MouthUpperUp* mouthUpperLipRaise*
BrowDown* browDown*
BrowInnerUp browLateral+ browRaiseIn+
BrowOuterUp* browRaiseIn* browRaiseOuter*
CheekPuff mouthCheekBlow+ mouthLipsBlow+
CheekSquint* eyeCheekRaise*
NoseSneer* noseWrinkle*
TongueOut tongueOut:0.769 tongueDown:0.826 tongueWide:0.628 tongueRollDown:0.247
"""


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """With `head` the head turns too, by `head_factor` degrees for each radian; InputError where that is no number."""

    head: bool = False
    head_factor: float = DEGREES

    def __post_init__(self) -> None:
        if not math.isfinite(self.head_factor):
            raise InputError(
                f"a head factor of {self.head_factor} is no number", "57.29578 for degrees, 50 as Live Link"
            )


def metahuman_curves(values: Floats, options: FaceOptions | None = None) -> Curves:
    """The curves (F,) of a MetaHuman's face, by name, from `values` (F, 61) of the actions.

    All controls that the table moves are there, from 0 to 1: where several actions move one, their shares add up and
    the sum is cut. Eyes follow the EyeLook shapes, not the six rotations of the eyes. With `options.head` the head's
    curves in degrees and its switch stand behind them. Raises InputError where `values` has another shape.
    """
    chosen = options or FaceOptions()
    out = profile_curves(metahuman_profile(chosen), values)
    lips = _lips_together(values[:, _column("MouthClose")], values[:, _column("JawOpen")])
    head = {name: out.pop(name) for name in (*HEAD, HEAD_SWITCH) if name in out}
    return out | {name: lips.copy() for name in LIPS} | head


def arkit_curves(values: Floats, head: bool = False) -> Curves:
    """The 52 shapes as they are, by ARKit's names as Live Link spells them (`EyeBlinkLeft`), from `values` (F, 61).

    With `head` the nine rotations of head and eyes too, in radians. Raises InputError where `values` has another shape.
    """
    _check(values)
    names = CSV_ORDER if head else SHAPES
    return {name: values[:, _column(name)].copy() for name in names}


def profile_curves(profile: Profile, values: Floats) -> Curves:
    """The targets of a profile as curves (F,), from `values` (F, 61) of the actions.

    Morph targets and properties alike are curves here, and curves belong to no object: a link that stands for several
    objects counts once, different links on one target add up. Names that differ by letter case alone are one curve,
    spelled as it comes first. Sums on controls of a MetaHuman (`CTRL_expressions_*`) are cut to 0 to 1, all others
    are left as they are. Raises InputError where `values` has another shape.
    """
    _check(values)
    links = _plain_links(profile)
    available = {"": {link.target for link in links}}
    driven = drive(replace(profile, links=links, controls=()), values, available)
    return {name: _cut(name, moved) for (_, _, name), moved in driven.items()}


def metahuman_profile(options: FaceOptions | None = None) -> Profile:
    """The table as a profile, to be exported and changed: all of `metahuman_curves` but the lips of an open jaw.

    Those follow from two actions at once, which no link can say. A user who wants them adds links from MouthClose.
    """
    links = [Link(action, PREFIX + control, gain=weight) for action, control, weight in _rows()]
    chosen = options or FaceOptions()
    if chosen.head:
        factor = chosen.head_factor
        links += [
            Link("HeadYaw", "HeadRoll", gain=factor),
            Link("HeadRoll", "HeadPitch", gain=factor),
            Link("HeadPitch", "HeadYaw", gain=-factor),
            Link("HeadYaw", HEAD_SWITCH, gain=0.0, offset=1.0),
        ]
    return Profile("MetaHuman", tuple(links))


def _lips_together(close: Floats, jaw: Floats) -> Floats:
    """(F,) how far the lips are closed over an open jaw: MouthClose / JawOpen from 0 to 1, as in Epic's blueprint.

    The quotient of two small values is noise, and jumps where the jaw shuts. With LIPS_FADE as the least divisor the
    curve answers to neither value more than 1 / LIPS_FADE fold, and is 0 with a shut jaw.
    """
    opened = np.maximum(jaw, 0.0)
    lips: Floats = np.clip(close, 0.0, opened) / np.maximum(opened, LIPS_FADE)
    return lips


def _plain_links(profile: Profile) -> tuple[Link, ...]:
    """The links without their objects and bones; of those that differ in nothing else, one object's."""
    spellings: dict[str, str] = {}
    owners: dict[Link, tuple[str, str]] = {}
    out = []
    for link in profile.links:
        target = spellings.setdefault(link.target.lower(), link.target)
        plain = replace(link, target=target, owner="", bone="", kind=TargetKind.SHAPE)
        if owners.setdefault(plain, (link.owner, link.bone)) == (link.owner, link.bone):
            out.append(plain)
    return tuple(out)


def _cut(name: str, values: Floats) -> Floats:
    """A curve of its own, which no other one shares."""
    if name.lower().startswith(PREFIX.lower()):
        return np.clip(values, 0.0, 1.0)
    return values.copy()


def _check(values: Floats) -> None:
    if values.ndim != 2 or values.shape[1] != len(CSV_ORDER):
        raise InputError(f"values of shape {values.shape} can't be retargeted", f"they must be (F, {len(CSV_ORDER)})")


@cache
def _columns() -> Mapping[str, int]:
    return {name: index for index, name in enumerate(CSV_ORDER)}


def _column(action: str) -> int:
    return _columns()[action]


@cache
def _rows() -> tuple[tuple[str, str, float], ...]:
    """(action, control, weight), in the order of the table."""
    rows = []
    for line in _TABLE.strip().splitlines():
        sides = (("Left", "L"), ("Right", "R")) if "*" in line else (("", ""),)
        for full, short in sides:
            action, *cells = line.split()
            action = BY_NAME[action.replace("*", full)].name  # a slip in the table ends here
            for cell in cells:
                control, _, weight = cell.replace("*", short).partition(":")
                rows += [(action, name, float(weight or 1.0)) for name in _spelled(control)]
    return tuple(rows)


def _spelled(control: str) -> list[str]:
    for mark, endings in (("+", ("L", "R")), ("#", ("UL", "UR", "DL", "DR"))):
        if mark in control:
            return [control.replace(mark, ending) for ending in endings]
    return [control]
