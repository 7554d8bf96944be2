"""The parametric head: coefficients in, vertices out.

Reads the ICT-FaceKit blendshape model (USC Institute for Creative Technologies, MIT) from one packed `.npz` file
and deforms it: identity modes, 52 ARKit shapes, eyeballs that turn about their centres, and a head that turns on
its neck. Its 26,719 vertices are in centimetres, +X to the subject's left, +Y up, +Z to the viewer. Rotations
are Live Link Face's: radians, +yaw to the subject's right, +pitch down, +roll with the crown to the subject's left.
This module knows nothing of pictures, colours, cameras or Blender; numpy is all that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import BY_NAME, Kind
from semanticface.errors import AssetError, OptionsError

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Reals = NDArray[np.floating[Any]]

EYE_RADIANS_PER_UNIT = 0.61
"""Gaze angle of an EyeLook coefficient of 1 (measured on a Live Link Face recording: 0.55 to 0.61)."""

_EYES = {"Left": (21451, 23021, (3.116, 3.602, 7.982)), "Right": (23021, 24591, (-3.116, 3.602, 7.982))}
_EYE_REACH = 1.3  # cm from an eye's centre, sideways and up, within which its lids lie
_KEYS = (
    "neutral",
    "quads",
    "quad_material",
    "material_names",
    "expr",
    "arkit_names",
    "arkit_matrix",
    "identity",
    "landmarks68",
    "region_names",
    "region_ranges",
)

_LID_CLEARANCE = 0.04
"""How far a closed lid stays before its eyeball, in cm (ours: with some identity modes the model's lids shut behind
it, and a picture labelled as a blink would show an open eye)."""

_TEETH_FOLLOW = 0.5
"""Share of the lips' sideways shift that teeth and tongue take over (ours; the model's own share is 0)."""

# Where the head turns: about the top of the spine; below the jaw the neck follows less and less.
PIVOT = np.array([0.0, -4.0, -1.0], np.float32)
_NECK_TOP, _NECK_BOTTOM = -11.5, -19.0


@dataclass(frozen=True)
class Head:
    """A loaded model; V = 26,719 vertices, F = 26,384 faces.

    `neutral` (V, 3) and `shapes` (52, V, 3) in the order of `names` (`JawOpen`, ...), `identity` (100, V, 3),
    all float32 in cm. `faces` (F, 4) int32, where -1 in the last column marks a triangle; `face_material` (F,)
    indexes `materials`. `landmarks` (68,) are the vertices of the usual 68 points. `head_weight` (V,) is the
    share of the head's rotation that a vertex takes: 1 on the head, falling to 0 down the neck.
    """

    neutral: Floats
    shapes: Floats
    names: tuple[str, ...]
    identity: Floats
    faces: Ints
    face_material: Ints
    materials: tuple[str, ...]
    landmarks: Ints
    regions: Mapping[str, tuple[int, int]]
    head_weight: Floats


def load_head(path: Path) -> Head:
    """Read the packed model. Raises AssetError when the file is missing or lacks an array."""
    try:
        with np.load(path, allow_pickle=False) as data:
            missing = [key for key in _KEYS if key not in data]
            if missing:
                raise AssetError(f"{path} lacks the arrays {', '.join(missing)}", "pack ICT-FaceKit anew")
            return _head({key: data[key] for key in data})
    except (OSError, ValueError) as error:
        raise AssetError(f"can't read the head model {path}: {error}", "give the path of ict_facekit.npz") from error


def _head(data: Mapping[str, NDArray[np.generic]]) -> Head:
    neutral = data["neutral"].astype(np.float32)
    parts = data["expr"].astype(np.float32).reshape(len(data["expr"]), -1)  # (57, V*3)
    shapes = (data["arkit_matrix"].astype(np.float32) @ parts).reshape(-1, len(neutral), 3)
    ranges = zip(map(str, data["region_names"]), data["region_ranges"].astype(int).tolist(), strict=True)
    regions = {name: (span[0], span[1]) for name, span in ranges}
    names = tuple(name[0].upper() + name[1:] for name in map(str, data["arkit_names"]))
    landmarks = data["landmarks68"].astype(np.int32)
    for name in ("MouthLeft", "MouthRight"):  # the model's teeth stay put and would poke through the lips
        shift = shapes[names.index(name), landmarks[48:], 0].mean() * _TEETH_FOLLOW
        for region in ("teeth", "gums_tongue"):
            shapes[names.index(name), slice(*regions[region]), 0] += shift
    return Head(
        neutral=neutral,
        shapes=shapes,
        names=names,
        identity=data["identity"].astype(np.float32),
        faces=data["quads"].astype(np.int32),
        face_material=data["quad_material"].astype(np.int32),
        materials=tuple(map(str, data["material_names"])),
        landmarks=landmarks,
        regions=regions,
        head_weight=_head_weight(neutral),
    )


def _head_weight(neutral: Floats) -> Floats:
    """1 above a plane under jaw and skull, smoothly to 0 where the neck meets the shoulders."""
    height = neutral[:, 1] - 0.3 * neutral[:, 2]
    share = np.clip((height - _NECK_BOTTOM) / (_NECK_TOP - _NECK_BOTTOM), 0.0, 1.0)
    weight: Floats = (share * share * (3 - 2 * share)).astype(np.float32)
    return weight


def rotation(yaw: float, pitch: float, roll: float = 0.0) -> Floats:
    """A (3, 3) float32 matrix for column vectors from Live Link angles in radians: Ry(-yaw) Rx(pitch) Rz(-roll)."""
    cy, sy, cp, sp, cr, sr = np.cos(-yaw), np.sin(-yaw), np.cos(pitch), np.sin(pitch), np.cos(-roll), np.sin(-roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    matrix: Floats = (about_y @ about_x @ about_z).astype(np.float32)
    return matrix


def gaze_from_shapes(coefficients: Mapping[str, float]) -> dict[str, float]:
    """The six eye rotations (radians) that the EyeLook coefficients stand for; roll is 0. Absent names count as 0."""
    out: dict[str, float] = {}
    for side, sign in (("Left", -1.0), ("Right", 1.0)):  # looking out turns the left eye to the subject's left
        look = {way: coefficients.get(f"EyeLook{way}{side}", 0.0) for way in ("Out", "In", "Up", "Down")}
        out[f"{side}EyeYaw"] = sign * EYE_RADIANS_PER_UNIT * (look["Out"] - look["In"])
        out[f"{side}EyePitch"] = EYE_RADIANS_PER_UNIT * (look["Down"] - look["Up"])
        out[f"{side}EyeRoll"] = 0.0
    return out


def pose(
    head: Head,
    coefficients: Mapping[str, float],
    identity: Floats | None = None,
    sunk: Mapping[str, float] = MappingProxyType({}),
) -> Floats:
    """The vertices, (V, 3) float32 in cm, for coefficients by name (61 known; absent ones are 0).

    Eyes turn by LeftEyeYaw and its like, the head by HeadYaw, HeadPitch and HeadRoll. `identity` has up to 100
    weights, distributed about as N(0, 1) over people. `sunk` says how far an eyeball of each side ("Left", "Right")
    lies deeper than the model has it, in cm (see `lid_overlap`). There is no tongue shape: TongueOut moves nothing.
    Raises OptionsError for an unknown name or for too many identity weights.
    """
    unknown = sorted(set(coefficients) - set(BY_NAME))
    if unknown:
        raise OptionsError(f"no facial action is called {unknown[0]!r}", "spell names as in actions.py")
    person = np.zeros_like(head.neutral) if identity is None else _person(head, identity)
    vertices = head.neutral + person
    active = [i for i, name in enumerate(head.names) if coefficients.get(name, 0.0) != 0.0]
    if active:
        weights = np.array([coefficients[head.names[i]] for i in active], np.float32)
        vertices = vertices + np.tensordot(weights, head.shapes[active], axes=1)
    for side, (first, last, centre) in _EYES.items():
        turn = rotation(coefficients.get(f"{side}EyeYaw", 0.0), coefficients.get(f"{side}EyePitch", 0.0))
        middle = np.asarray(centre, np.float32) + person[first:last].mean(axis=0)
        vertices[first:last] = (vertices[first:last] - middle) @ turn.T + middle
        vertices[first:last, 2] -= sunk.get(side, 0.0)
    angles = [coefficients.get(action.name, 0.0) for action in BY_NAME.values() if action.kind is Kind.HEAD]
    return turn_head(vertices, head.head_weight, angles)


def lid_overlap(head: Head, identity: Floats) -> dict[str, float]:
    """How far each eyeball ("Left", "Right") must sink to lie behind its closed lid, in cm; 0 where it does already.

    Compared along Z where the ball is foremost, looking straight ahead, with the foremost of the four nearest
    vertices of the lid.
    """
    person = _person(head, identity)
    rows = slice(*head.regions["face"])
    out: dict[str, float] = {}
    for side, (first, last, centre) in _EYES.items():
        middle = np.asarray(centre, np.float32) + person[first:last].mean(axis=0)
        ball = head.neutral[first:last] + person[first:last] - middle
        skin = head.neutral[rows] + person[rows] - middle
        near = (np.abs(skin[:, :2]) < _EYE_REACH).all(axis=1) & (skin[:, 2] > 0)
        lid = skin[near] + head.shapes[head.names.index(f"EyeBlink{side}"), rows][near]
        front = ball[ball[:, 2] > 0.6 * ball[:, 2].max()]
        apart = ((front[:, None, :2] - lid[None, :, :2]) ** 2).sum(axis=2)
        closest = np.argpartition(apart, 3, axis=1)[:, :4]
        out[side] = max(0.0, float((front[:, 2] - lid[closest, 2].max(axis=1)).max()) + _LID_CLEARANCE)
    return out


def _person(head: Head, weights: Floats) -> Floats:
    if weights.ndim != 1 or len(weights) > len(head.identity):
        raise OptionsError(
            f"identity weights have the shape {weights.shape}", f"give at most {len(head.identity)} numbers"
        )
    offset: Floats = np.tensordot(weights.astype(np.float32), head.identity[: len(weights)], axes=1)
    return offset


def turn_head(vertices: Floats, weight: Floats, angles: list[float], pivot: Floats = PIVOT) -> Floats:
    """Turn by `angles` (yaw, pitch, roll) scaled per vertex; the head itself, with weight 1, turns exactly."""
    if not any(angles):
        return vertices
    centred = vertices - pivot
    out = centred @ rotation(*angles).T
    for step in range(8):  # the neck in eight slices of weight is as smooth as its few vertices can show
        low, high = step / 8, (step + 1) / 8
        rows = (weight >= low) & (weight < high)
        share = weight[rows, None] * 8 - step
        before = centred[rows] @ rotation(*(low * a for a in angles)).T
        after = centred[rows] @ rotation(*(high * a for a in angles)).T
        out[rows] = before * (1 - share) + after * share
    moved: Floats = (out + pivot).astype(np.float32)
    return moved


def eye_frames(head: Head, vertices: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Per side ("Left", "Right") of posed vertices: the eyeball's centre (3,) in cm and its turn (3, 3), float32.

    Measured from the vertices themselves by Procrustes, so it holds for any identity and head pose.
    """
    frames: dict[str, tuple[Floats, Floats]] = {}
    for side, (first, last, centre) in _EYES.items():
        rest, now = head.neutral[first:last], vertices[first:last]
        u, _, vt = np.linalg.svd((now - now.mean(axis=0)).T @ (rest - rest.mean(axis=0)))
        turn = (u * np.array([1, 1, np.sign(np.linalg.det(u @ vt))])) @ vt
        middle = now.mean(axis=0) + turn @ (np.asarray(centre, np.float32) - rest.mean(axis=0))
        frames[side] = (middle.astype(np.float32), turn.astype(np.float32))
    return frames
