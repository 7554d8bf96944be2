"""Light on the head, per vertex: soft boxes and sky, the head's own shade, and light that wanders under skin.

Directions of light are sampled once over the sphere; a vertex gathers what its normal sees of them, weighted with
a visibility that was measured once for the resting head. Skin lets red light spread farther than green and blue.
All numpy; colours are linear RGB, positions in the head's centimetres (+Z to the viewer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semanticface_training.synthetic.ict import Floats, Ints, Reals

DIRECTIONS = 96


@dataclass(frozen=True)
class Lamp:
    """A soft source: where it stands (a direction), how narrow it is (exponent), linear RGB."""

    towards: tuple[float, float, float]
    narrow: float
    colour: tuple[float, float, float]


LAMPS: tuple[Lamp, ...] = (
    Lamp((-0.62, 0.55, 0.70), 9.0, (3.3, 3.05, 2.75)),  # key: warm, from the upper left of the picture
    Lamp((0.80, 0.10, 0.62), 4.0, (0.75, 0.85, 1.0)),  # fill: cool, from the right
    Lamp((0.75, 0.45, -0.60), 7.0, (1.5, 1.6, 1.8)),  # rim, from behind
)
EYE_LAMPS: tuple[Lamp, ...] = (
    Lamp((-0.36, 0.30, 0.88), 0.0, (1.0, 1.0, 1.0)),  # the key's window in the eyes, lower than the lids' edge
    Lamp((0.42, -0.05, 0.90), 0.0, (0.16, 0.18, 0.20)),
)
SKY, GROUND = (0.30, 0.33, 0.37), (0.16, 0.13, 0.12)


@dataclass(frozen=True)
class Room:
    """What lights a head: soft sources, what mirrors in the eyes, and the colours above and below (linear RGB)."""

    lamps: tuple[Lamp, ...] = LAMPS
    eye_lamps: tuple[Lamp, ...] = EYE_LAMPS
    sky: tuple[float, float, float] = SKY
    ground: tuple[float, float, float] = GROUND


STUDIO = Room()


def directions(count: int = DIRECTIONS) -> Floats:
    """`count` unit vectors spread evenly over the sphere (Fibonacci lattice), (count, 3) float32."""
    index = np.arange(count) + 0.5
    height = 1 - 2 * index / count
    around = np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - height**2)
    unit: Floats = np.stack([ring * np.cos(around), height, ring * np.sin(around)], axis=1).astype(np.float32)
    return unit


def radiance(towards: Floats, room: Room = STUDIO) -> Floats:
    """Light that comes from each direction (K, 3) of the room, (K, 3) linear RGB."""
    up = 0.5 + 0.5 * towards[:, 1:2]
    light = np.asarray(room.sky) * up + np.asarray(room.ground) * (1 - up)
    for lamp in room.lamps:
        axis = np.asarray(lamp.towards) / np.linalg.norm(lamp.towards)
        light = light + np.asarray(lamp.colour) * np.exp(lamp.narrow * (towards @ axis - 1))[:, None]
    lit: Floats = light.astype(np.float32)
    return lit


def vertex_normals(positions: Floats, faces: Ints) -> Floats:
    """Unit normals (N, 3), weighted by face area; `faces` (M, 4) with -1 for triangles."""
    last = np.where(faces[:, 3] < 0, faces[:, 2], faces[:, 3])
    a, b, c, d = positions[faces[:, 0]], positions[faces[:, 1]], positions[faces[:, 2]], positions[last]
    across = np.cross(c - a, np.where((faces[:, 3] < 0)[:, None], c - b, d - b))
    corners = np.concatenate([faces[:, 0], faces[:, 1], faces[:, 2], last])
    summed = np.stack(
        [np.bincount(corners, np.tile(across[:, k], 4), minlength=len(positions)) for k in range(3)], axis=1
    )
    unit: Floats = (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return unit


def edges_of(faces: Ints) -> Ints:
    """Both directions of every face edge, (E, 2)."""
    last = np.where(faces[:, 3] < 0, faces[:, 0], faces[:, 3])
    ring = np.stack([faces[:, 0], faces[:, 1], faces[:, 2], last, faces[:, 0]], axis=1)
    pairs = np.concatenate([ring[:, [k, k + 1]] for k in range(4)])
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    both: Ints = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int32)
    return both


def gather(normals: Floats, visible: Floats, towards: Floats, light: Floats) -> Floats:
    """Irradiance / pi (N, 3): `visible` (N, K) of directions (K, 3) that carry `light` (K, 3)."""
    cosine = np.maximum(normals @ towards.T, 0.0)
    gathered: Floats = (cosine * visible) @ light * np.float32(4.0 / len(towards))
    return gathered


def spread(light: Floats, edges: Ints, rounds: tuple[int, int, int] = (6, 2, 1)) -> Floats:
    """Let light wander to neighbours, `rounds` times for red, green and blue: skin's glow across a shadow's edge."""
    out = light.copy()
    degree = np.maximum(np.bincount(edges[:, 0], minlength=len(light)), 1)
    for channel, times in enumerate(rounds):
        values = out[:, channel].astype(np.float64)
        for _ in range(times):
            mean = np.bincount(edges[:, 0], values[edges[:, 1]], minlength=len(light)) / degree
            values = 0.4 * values + 0.6 * mean
        out[:, channel] = values
    return out


def highlight(normals: Floats, to_viewer: Floats, lamps: Sequence[Lamp], sharpness: float) -> Floats:
    """Blinn-Phong reflections of `lamps`, (N, 3) linear RGB, before the surface's gloss."""
    shine: Reals = np.zeros_like(normals)
    for lamp in lamps:
        half = to_viewer + np.asarray(lamp.towards, np.float32) / np.linalg.norm(lamp.towards)
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        facing = np.maximum((normals * half).sum(axis=1), 0.0) ** sharpness
        shine = shine + facing[:, None] * np.asarray(lamp.colour, np.float32)
    return shine.astype(np.float32)
