"""What may stand before a face: glasses, a hand, a bar. Meshes in the head's centimetres, placed on a drawn head.

A prop hides, it never changes the label. numpy only; knows nothing of Blender.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semanticface_training.synthetic import light
from semanticface_training.synthetic.figure import Anchors
from semanticface_training.synthetic.ict import Floats, Ints, Reals
from semanticface_training.synthetic.light import Room
from semanticface_training.synthetic.surface import Look
from semanticface_training.synthetic.variation import Prop


@dataclass(frozen=True)
class PropMesh:
    """Positions (N, 3) cm, faces (M, 4) int32, colours (N, 3) linear RGB, lit."""

    positions: Floats
    faces: Ints
    colours: Floats


def build_prop(prop: Prop, anchors: Anchors, look: Look, room: Room, seed: int, flipped: bool) -> PropMesh:
    """The prop for a drawn head; its shape and colour come from `seed`; `flipped` gives its mirror image."""
    rng = np.random.default_rng([seed, 2])
    if prop is Prop.GLASSES:
        parts, colour = _glasses(anchors, rng)
    elif prop is Prop.HAND:
        parts, colour = _hand(anchors, rng, flipped), np.asarray(look.skin)
    else:
        parts, colour = _bar(anchors, rng, flipped)
    positions, faces = _merged(parts)
    normals = light.vertex_normals(positions, faces)
    towards = light.directions(40)
    everything = np.ones((1, len(towards)), np.float32)
    lit = light.gather(normals, everything, towards, light.radiance(towards, room))
    return PropMesh(positions, faces, (lit * colour).astype(np.float32))


def _merged(parts: list[tuple[Reals, Ints]]) -> tuple[Floats, Ints]:
    starts = np.cumsum([0, *(len(points) for points, _ in parts)])
    faces = [part_faces + start for (_, part_faces), start in zip(parts, starts, strict=False)]
    return np.concatenate([points for points, _ in parts]).astype(np.float32), np.concatenate(faces).astype(np.int32)


def _tube(path: Reals, radius: Reals, closed: bool = False, around: int = 10) -> tuple[Reals, Ints]:
    """A tube of `radius` (P,) along `path` (P, 3)."""
    steps = np.gradient(path, axis=0) if not closed else np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    along = steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(along[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    one = np.cross(along, helper)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    two = np.cross(along, one)
    turn = np.arange(around) * 2 * np.pi / around
    ring = np.cos(turn)[None, :, None] * one[:, None] + np.sin(turn)[None, :, None] * two[:, None]
    points = path[:, None] + ring * radius[:, None, None]
    index = np.arange(len(path) * around).reshape(len(path), around)
    index = np.concatenate([index, index[:1]]) if closed else index
    ahead = np.roll(index, -1, axis=1)
    faces = np.stack([index[:-1], index[1:], ahead[1:], ahead[:-1]], axis=-1).reshape(-1, 4)
    return points.reshape(-1, 3), faces.astype(np.int32)


def _finger(start: Reals, end: Reals, thick: float, bend: Reals) -> tuple[Reals, Ints]:
    """A round-ended finger from `start` to `end`, arched by `bend` (3,)."""
    share = np.linspace(0, 1, 14)
    path = start + (end - start) * share[:, None] + bend * (4 * share * (1 - share))[:, None]
    tip = np.sqrt(np.clip(1 - np.clip((share - 0.86) / 0.14, 0, 1) ** 2, 0, 1))
    root = np.sqrt(np.clip(1 - np.clip((0.12 - share) / 0.12, 0, 1) ** 2, 0, 1))
    return _tube(path, np.maximum(thick * (1 - 0.2 * share) * tip * root, 0.01))


def _glasses(anchors: Anchors, rng: np.random.Generator) -> tuple[list[tuple[Reals, Ints]], Reals]:
    """Two rims before the eyes, a bridge, and temples towards the ears."""
    across, up, ahead = anchors.turn.T
    width, height, thick = rng.uniform(2.2, 2.7), rng.uniform(1.7, 2.2), rng.uniform(0.10, 0.26)
    power = rng.uniform(2.0, 3.5)  # 2: round, higher: squarer
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    flat = [np.sign(f(turn)) * np.abs(f(turn)) ** (2 / power) for f in (np.cos, np.sin)]
    middles = anchors.eyes + ahead * 3.1 - up * 0.25
    parts = []
    for side, middle in zip((1.0, -1.0), middles, strict=True):
        path = middle + flat[0][:, None] * width * across + flat[1][:, None] * height * up
        parts.append(_tube(path, np.full(len(path), thick), closed=True))
        hinge = middle + side * width * across + 0.4 * height * up
        ear = hinge - ahead * 11.5 + side * 1.3 * across
        parts.append(_tube(np.stack([hinge, hinge + side * 0.6 * across - ahead, ear]), np.full(3, thick)))
    inner = [middle - side * width * across for side, middle in zip((1.0, -1.0), middles, strict=True)]
    arch = (inner[0] + inner[1]) / 2 + 0.35 * up + 0.35 * ahead
    parts.append(_tube(np.stack([inner[0], arch, inner[1]]), np.full(3, thick)))
    return parts, rng.uniform(0.01, 0.25, 3) * rng.uniform(0.3, 1.0)


def _hand(anchors: Anchors, rng: np.random.Generator, flipped: bool) -> list[tuple[Reals, Ints]]:
    """A palm, four fingers, a thumb and a forearm that comes from below or from a side, over a part of the face."""
    side = (-1.0 if rng.random() < 0.5 else 1.0) * (-1.0 if flipped else 1.0)
    aim = np.array([rng.uniform(0.0, 5.0) * side, rng.uniform(-7.5, 3.0), 0.0])
    palm = anchors.middle + aim + np.array([0, -3.0, 4.5])
    palm[2] = max(palm[2], anchors.middle[2] + 4.5)
    lean = rng.uniform(-0.25, 0.9) * -side  # the fingers lean to the face's middle
    rise = np.array([np.sin(lean), np.cos(lean), 0.0])
    wide = np.array([np.cos(lean), -np.sin(lean), 0.0])
    curl = np.array([0, 0, rng.uniform(0.1, 0.7)])
    parts = []
    for number, (place, length) in enumerate(zip((-2.7, -0.9, 0.9, 2.6), (5.9, 6.9, 6.6, 5.2), strict=True)):
        spread = rng.uniform(0.05, 0.22) * (number - 1.5)
        root = palm + wide * place + rise * 3.4
        parts.append(_finger(root, root + (rise + spread * wide) * length, 0.92, curl))
    parts += [  # the palm, out of thick sausages side by side
        _finger(palm + wide * place * 0.9 - rise * 4.6, palm + wide * place + rise * 4.2, 1.25, curl)
        for place in np.linspace(-2.5, 2.5, 6)
    ]
    thumb = palm + wide * side * -3.1 - rise * 2.0
    parts.append(_finger(thumb, thumb - wide * side * 3.0 + rise * 4.2, 1.0, curl))
    parts.append(_finger(palm - rise * 26 + np.array([0, 0, -2.0]), palm - rise * 2.8, 3.0, np.zeros(3)))
    return parts


def _bar(anchors: Anchors, rng: np.random.Generator, flipped: bool) -> tuple[list[tuple[Reals, Ints]], Reals]:
    """A flat board before eyes, mouth or half of the face."""
    across, up, ahead = anchors.turn.T
    kind = int(rng.integers(3))
    where = (anchors.eyes.mean(axis=0), anchors.mouth, anchors.middle)[kind]
    half = ((7.5, 1.6), (5.5, 2.2), (4.0, 11.0))[kind]
    aside = (rng.uniform(2.5, 5.0) if kind == 2 else 0.0) * (-1.0 if rng.random() < 0.5 else 1.0)
    middle = where + across * (-aside if flipped else aside) + ahead * (5.0 if kind != 1 else 4.0)
    x, y = half[0] * rng.uniform(0.8, 1.15) * across, half[1] * rng.uniform(0.8, 1.2) * up
    corners = np.stack([middle - x - y, middle + x - y, middle + x + y, middle - x + y])
    return [(corners, np.array([[0, 1, 2, 3]], np.int32))], rng.uniform(0.02, 0.7, 3)
