# SPDX-License-Identifier: GPL-3.0-or-later
"""Displacement fields: pushes over the face's front, turning lids about the eyes, turning the jaw about its hinge.

Each takes what is known of the neutral head's vertices (`Vertices`) and returns deltas (V, 3) in centimetres. Pushes
are given for the left side and act on both, mirrored; `one_side` keeps
one half. Knows nothing of action names or Blender.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .lips import lip_depth
from .mesh import edges, smoothed
from .model import Head
from .proportions import (
    EYE_CENTER,
    JAW_HINGE,
    LID_RADIUS,
    MOUTH_HALF_WIDTH,
    Array,
    lid_angles,
    mirror_x,
    mouth_line,
    smoothstep,
)

MIDLINE_BLEND = 1.1
"""Half width in cm of the strip in which left and right halves of a movement overlap."""
CORNER_JAW_WEIGHT = 0.42
MUZZLE_CURVATURE = 0.10
"""The muzzle recedes by this times x squared: what slides sideways slides back by it."""


@dataclass(frozen=True, slots=True)
class Vertices:
    """What the fields need of each vertex, all of length V.

    `soft`: how much of a push it takes. `jaw`: how much of the jaw's turn. `lower`: 1 on the lower lip's side of the
    mouth line, 0 on the upper's. `lid_side`, `lid_ring`, `lid_upper`: as in `skin.Skin`. `lips`: 1 on the lips and what
    lies behind them, falling to 0 at the edge of the mouth's block. `tongue`: 1 on the tongue. `guarded`: lies outside
    the eyeball and must stay. `lip_front`: 1 on the lips' front, 0 on what touches the teeth.
    """

    at: Array
    soft: Array
    jaw: Array
    lower: Array
    lid_side: Array
    lid_ring: Array
    lid_upper: Array
    lips: Array
    tongue: Array
    guarded: Array
    lip_front: Array


@dataclass(frozen=True, slots=True)
class Push:
    """A soft push: `move` (cm) at `center` (x, z), fading over `reach` (x, z); `lip` limits it to one lip's side."""

    center: tuple[float, float]
    reach: tuple[float, float]
    move: tuple[float, float, float]
    lip: str = "both"


def describe(head: Head) -> Vertices:
    """Works out the weights of every vertex of the head."""
    count, skin = len(head.mesh.vertices), head.skin
    at, body = head.mesh.vertices, head.ranges["skin"]
    values = {name: np.zeros(count) for name in ("soft", "jaw", "lower", "lid_side", "lid_upper", "lips", "tongue")}
    ring = np.ones(count)
    jaw, lower = _jaw_weights(head)
    values["jaw"][body], values["lower"][body] = jaw, lower
    values["soft"][body] = 1.0 - smoothstep(skin.lip_ring, 2.5, 2.9)
    values["lips"][body] = smoothstep(skin.lip_ring, 0.0, 0.95)
    values["lid_side"][body], ring[body], values["lid_upper"][body] = skin.lid_side, skin.lid_ring, skin.lid_upper
    for name in ("brows", "nostrils"):
        values["soft"][head.ranges[name]] = 1.0
    for name in ("lower_teeth", "tongue"):
        values["jaw"][head.ranges[name]] = 1.0
    values["tongue"][head.ranges["tongue"]] = 1.0
    lash = head.ranges["lashes"]
    values["lid_side"][lash], ring[lash], values["lid_upper"][lash] = np.sign(at[lash, 0]), 0.0, 1.0
    near = np.linalg.norm(np.abs(at) * [1, 0, 0] + at * [0, 1, 1] - EYE_CENTER, axis=1)
    guarded = (values["lid_side"] != 0.0) & (near >= LID_RADIUS - 1e-3)
    across = np.linspace(-MOUTH_HALF_WIDTH, MOUTH_HALF_WIDTH, 21)
    lip_front = smoothstep(at[:, 1] - np.interp(at[:, 0], across, lip_depth(across)), 0.35, -0.15)
    return Vertices(at, lid_ring=ring, guarded=guarded, lip_front=lip_front, **values)


def _jaw_weights(head: Head) -> tuple[Array, Array]:
    """For the skin: share of the jaw's turn, and lower-lip side; both jump only across the mouth's opening."""
    skin = head.skin
    p = skin.part.vertices
    x = np.abs(p[:, 0])
    beyond = np.clip(x - MOUTH_HALF_WIDTH, 0.0, None)
    line = mouth_line(np.minimum(x, MOUTH_HALF_WIDTH)) + 0.12 * beyond
    band = 1.3 + 0.25 * beyond
    base = smoothstep(line - p[:, 2], -0.8 * band, 1.2 * band)
    corner = np.abs(skin.lip_tau) ** 3
    lip = np.where(skin.lip < 0, 1.0 - (1.0 - CORNER_JAW_WEIGHT) * corner, CORNER_JAW_WEIGHT * corner)
    lip = np.where(skin.lip == 0, CORNER_JAW_WEIGHT, lip)
    inside = smoothstep(skin.lip_ring, 0.0, 0.9)
    side = inside * lip + (1.0 - inside) * base
    links = edges(skin.part.faces)
    free = (skin.lip_ring < 1.0).astype(float)
    side = smoothed(side, links, 10, free)
    hinge = smoothstep(p[:, 1], -1.0, -6.2) * smoothstep(p[:, 2], -14.0, -10.5)
    jaw = side * np.where(skin.lip_ring >= 1.0, 1.0, smoothed(hinge, links, 4))
    return smoothed(jaw, links, 8, free), side


def push(v: Vertices, *pushes: Push) -> Array:
    """The sum of some pushes, acting alike on both sides; sliding sideways also follows the muzzle's curve."""
    x, z = np.abs(v.at[:, 0]), v.at[:, 2]
    front = smoothstep(v.at[:, 1], -0.5, -3.5) * v.soft
    total = np.zeros_like(v.at)
    for one in pushes:
        share = front * np.exp(-(((x - one.center[0]) / one.reach[0]) ** 2) - ((z - one.center[1]) / one.reach[1]) ** 2)
        share = share * {"both": 1.0, "upper": 1.0 - v.lower, "lower": v.lower}[one.lip]
        total += share[:, None] * np.asarray(one.move)
    total[:, 0] *= np.tanh(v.at[:, 0] / 0.5)
    return settled(v, total)


def slide(
    v: Vertices, center: tuple[float, float], reach: tuple[float, float], move: tuple[float, float, float]
) -> Array:
    """One push in one direction for the whole face, not mirrored."""
    flat = (v.at[:, 0] / reach[0]) ** 2 + ((v.at[:, 2] - center[1]) / reach[1]) ** 2
    share = smoothstep(v.at[:, 1], -0.5, -3.5) * v.soft * np.exp(-flat)
    return settled(v, share[:, None] * np.asarray(move))


def narrow(v: Vertices, center_z: float, reach: tuple[float, float], share: float, forward: float) -> Array:
    """Draws the mouth together sideways by `share` of its width and forward by cm."""
    # A flat top in x, or the middle would be drawn in more than the corners and the lips come to a point.
    flat = (v.at[:, 0] / reach[0]) ** 4 + ((v.at[:, 2] - center_z) / reach[1]) ** 2
    weight = smoothstep(v.at[:, 1], -0.5, -3.5) * v.soft * np.exp(-flat)
    total = np.zeros_like(v.at)
    total[:, 0] = -share * weight * v.at[:, 0]
    total[:, 1] = -forward * weight
    return settled(v, total)


def settled(v: Vertices, delta: Array) -> Array:
    """The movement, following the muzzle: what goes outward goes back by the muzzle's curvature."""
    low = smoothstep(v.at[:, 2], -1.0, -4.0) * smoothstep(np.abs(v.at[:, 0]), 7.0, 4.0)
    moved = v.at[:, 0] + delta[:, 0]
    out = delta.copy()
    out[:, 1] += MUZZLE_CURVATURE * low * (moved**2 - v.at[:, 0] ** 2)
    return out


def squash(v: Vertices, share: float, back: float, lip: str = "both") -> Array:
    """Flattens the lips toward the line where they touch by `share` of their height, and draws them `back` cm."""
    which = {"both": np.ones(len(v.at)), "upper": 1.0 - v.lower, "lower": v.lower}[lip]
    x = np.clip(v.at[:, 0], -MOUTH_HALF_WIDTH, MOUTH_HALF_WIDTH)
    inside = np.sqrt(np.clip(1.0 - (x / MOUTH_HALF_WIDTH) ** 2, 0.0, 1.0))
    weight = which * v.lips * v.soft * inside
    total = np.zeros_like(v.at)
    total[:, 2] = -share * weight * (v.at[:, 2] - mouth_line(x))
    # The lips' own front draws back; what touches the teeth stays, or it would go through them.
    total[:, 1] = back * weight * v.lip_front
    return total


def turned(points: Array, center: Array, axis: int, angle: Array) -> Array:
    """Movement (V, 3) of points turned about an axis (0 X, 2 Z) through a centre, each by its own angle in radians."""
    a, b = {0: (1, 2), 2: (0, 1)}[axis]
    local = points - center
    cos, sin = np.cos(angle), np.sin(angle)
    out = np.zeros_like(points)
    out[:, a] = cos * local[:, a] - sin * local[:, b] - local[:, a]
    out[:, b] = sin * local[:, a] + cos * local[:, b] - local[:, b]
    return out


def open_jaw(v: Vertices, degrees: float, weight: Array | None = None) -> Array:
    """Turns the jaw down about the hinge before the ears, each vertex by its share."""
    return turned(v.at, JAW_HINGE, 0, np.radians(degrees) * (v.jaw if weight is None else weight))


def _lid_frame(v: Vertices) -> tuple[Array, Array, Array, Array]:
    """For both eyes seen as left ones: points, tau across the opening, share of a lid's turn, opening profile."""
    p = np.where(v.lid_side[:, None] < 0, mirror_x(v.at), v.at)
    ends = lid_angles(np.array([-1.0, 1.0]))[0]
    local = p - EYE_CENTER
    distance = np.maximum(np.linalg.norm(local, axis=1), 1e-9)
    # Near the lids' sphere, x where the vertex's ray from the eye meets it: the same for the margin and its thickness.
    onto = smoothstep(distance, LID_RADIUS + 1.0, LID_RADIUS + 0.35)
    x = local[:, 0] * (1.0 + onto * (LID_RADIUS / distance - 1.0))
    tau = np.interp(x, ends, [-1.0, 1.0])
    share = np.where(v.lid_side != 0.0, np.clip(1.0 - v.lid_ring, 0.0, 1.0) ** 1.5, 0.0)
    return p, tau, share, np.clip(1.0 - np.abs(tau) ** 2.2, 0.0, 1.0) ** 0.75


def turn_lids(v: Vertices, upper: Array | float, lower: Array | float, sideways: float = 0.0) -> Array:
    """Turns the lids of both eyes up about the eyes' centres by degrees; `sideways` toward the temple."""
    p, _, share, profile = _lid_frame(v)
    # Elevation grows upward, which is a negative turn about +X.
    angle = -np.radians(np.where(v.lid_upper > 0, upper, np.where(v.lid_upper < 0, lower, 0.0))) * share * profile
    moved = turned(p, EYE_CENTER, 0, angle)
    if sideways:
        moved += turned(p, EYE_CENTER, 2, np.radians(sideways) * share * profile)
    return np.where(v.lid_side[:, None] < 0, mirror_x(moved), moved)


def close_lids(v: Vertices, meet: float) -> Array:
    """Turns both lids until their margins meet; `meet` is how far up the opening, 0 at the lower margin."""
    p, tau, share, _ = _lid_frame(v)
    _, top, bottom = lid_angles(tau)
    target = bottom + meet * (top - bottom)
    angle = -np.where(v.lid_upper > 0, target - top, np.where(v.lid_upper < 0, target - bottom, 0.0)) * share
    moved = turned(p, EYE_CENTER, 0, angle)
    return np.where(v.lid_side[:, None] < 0, mirror_x(moved), moved)


def one_side(v: Vertices, delta: Array, side: float) -> Array:
    """The half of a two-sided movement on one side (+1 left, -1 right); both halves add up to the whole."""
    return delta * smoothstep(side * v.at[:, 0], -MIDLINE_BLEND, MIDLINE_BLEND)[:, None]


def off_the_eyes(v: Vertices, delta: Array) -> Array:
    """The movement, with lid vertices that it would push into an eyeball left lying on it."""
    center = np.where(v.at[:, :1] < 0, mirror_x(EYE_CENTER), EYE_CENTER)
    away = v.at + delta - center
    distance = np.linalg.norm(away, axis=1)
    least = LID_RADIUS - 0.03
    sunk = v.guarded & (distance < least)
    out = delta.copy()
    out[sunk] += (away * (least / np.maximum(distance, 1e-9) - 1.0)[:, None])[sunk]
    return out
