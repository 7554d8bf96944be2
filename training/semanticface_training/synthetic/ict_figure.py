"""The ICT-FaceKit head as a figure for the renderer: 100 identity modes, real hair strands, eyes that turn.

Needs Blender only for measuring what shades what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from semanticface_training.synthetic import hair, light
from semanticface_training.synthetic.expressions import as_mapping
from semanticface_training.synthetic.figure import DIRECTIONS, Anchors, Drawn, Lit, eye_light, head_turn
from semanticface_training.synthetic.hair import Strands, scalp_share
from semanticface_training.synthetic.ict import PIVOT, Floats, Head, Ints, eye_frames, lid_overlap, pose
from semanticface_training.synthetic.light import Room
from semanticface_training.synthetic.occlusion import visibility
from semanticface_training.synthetic.shade import mouth_vertices
from semanticface_training.synthetic.surface import Look, Surface, build_surface, painted
from semanticface_training.synthetic.variation import Person

_SCALP_STRANDS = 7000
_HAIR_ENDS = np.array([0.7, 0.7, 1.0, 1.0, 1.15, 1.15], np.float32)
_MOUTH_OPEN = {"JawOpen": 0.6, "MouthSmileLeft": 0.5, "MouthSmileRight": 0.5}
_BACK = -5.0  # cm: behind it nobody looks for shade
_SHELLS = ("M_LacrimalFluid", "M_EyeBlend", "M_EyeOcclusion", "M_EyeLashes")


@dataclass(frozen=True)
class Dressed:
    """A person: identity `weights`, how far its eyeballs are `sunk` (`ict.lid_overlap`), `albedo` and `gloss` of the
    drawn surface, strands with the person's own size.
    """

    weights: Floats
    sunk: Mapping[str, float]
    albedo: Floats
    gloss: Floats
    strands: Strands
    hair: Floats


class IctFigure:
    """See `figure.Figure`. Making one takes some seconds."""

    modes = 100
    missing = frozenset({"TongueOut"})
    centre = np.array([0.0, 1.5, 8.0], np.float32)
    pivot = PIVOT

    def __init__(self, head: Head) -> None:
        rng = np.random.default_rng(1)
        self._head = head
        self._surface = build_surface(head, Look(), eye_cuts=2, collar_cuts=3)
        parts = [hair.brow_strands(head, rng), hair.lash_strands(head, rng)]
        self._brows, self._scalp = len(parts[0].root), sum(len(part.root) for part in parts)
        parts.append(hair.scalp_strands(head, rng, _SCALP_STRANDS))
        self._strands = hair.join(parts)
        self._luck = rng.uniform(0, 1, len(self._strands.root)).astype(np.float32)
        self._tint = scalp_share(self._surface.place(head.neutral)).astype(np.float32)[:, None]
        ribbon, strand_faces = hair.ribbons(self._strands.place(head.neutral), self._strands.width, self.centre)
        self.faces: Ints = np.concatenate([self._surface.faces, strand_faces + len(self._surface.corners)])
        self.count = len(self._surface.corners) + len(ribbon)
        towards = light.directions(DIRECTIONS)
        self._lit = Lit(head.faces, _views(head, towards), towards, light.edges_of(head.faces), mouth_vertices(head))

    def dress(self, person: Person) -> Dressed:
        """The person's colours, and which of the strands grow on it."""
        surface = _coloured(self._head, self._surface, person.look)
        share = 0.85 * self._tint * min(1.0, person.hair_density * 1.2)
        albedo = surface.albedo * (1 - share) + np.asarray(person.look.hair, np.float32) * share
        number = np.arange(len(self._luck))
        density = np.where(number < self._brows, person.brow_density, 1.0)
        density = np.where(number >= self._scalp, person.hair_density, density)
        width = self._strands.width * (self._luck < density)
        width[self._scalp :] *= 1.9  # fewer strands than the sample's head has
        curve = self._strands.curve.copy()
        curve[self._scalp :] *= person.hair_length
        strands = replace(self._strands, width=width.astype(np.float32), curve=curve)
        gloss = (surface.gloss[:, None] * (1 - share)).astype(np.float32)
        sunk = lid_overlap(self._head, person.weights)
        colour = np.asarray(person.look.hair, np.float32)
        return Dressed(person.weights, sunk, albedo.astype(np.float32), gloss, strands, colour)

    def draw(self, dressed: Dressed, values: Floats, room: Room, viewer: Floats) -> Drawn:
        """See `figure.Figure`."""
        named = as_mapping(values)
        vertices = pose(self._head, named, dressed.weights, dressed.sunk)
        turn = head_turn(named)
        lips = vertices[self._head.landmarks[[62, 66]]]
        lit, shine = self._lit.light(vertices, turn, room, lips, viewer)
        positions = self._surface.place(vertices)
        lit, shine = self._surface.place(lit), self._surface.place(shine)
        eyes = eye_frames(self._head, vertices)
        towards = self._lit.towards @ turn.T
        for number, (centre, _) in enumerate(eyes.values(), start=1):
            rows = self._surface.eye == number
            out = positions[rows] - centre
            facing = (out / np.linalg.norm(out, axis=1, keepdims=True)).astype(np.float32)
            lit[rows], shine[rows] = eye_light(facing, turn[:, 1], towards, room, viewer - centre)
        points = dressed.strands.place(vertices)
        ribbon, _ = hair.ribbons(points, dressed.strands.width, viewer)
        colours = np.concatenate([dressed.albedo * lit + shine * dressed.gloss, _strand_colours(points, dressed, room)])
        anchors = Anchors(
            np.stack([centre for centre, _ in eyes.values()]),
            lips.mean(axis=0),
            turn @ (self.centre - PIVOT) + PIVOT,
            turn,
        )
        return Drawn(np.concatenate([positions, ribbon]), colours.astype(np.float32), anchors)


def _views(head: Head, towards: Floats) -> Floats:
    """Skin is measured with the mouth shut, what is inside the mouth with it half open; hair counts for nothing."""
    shells = [head.materials.index(name) for name in _SHELLS]
    solid = head.faces[~np.isin(head.face_material, shells)]
    mouth = mouth_vertices(head)
    balls = [head.materials.index(f"M_Sclera{side}") for side in ("Left", "Right")]
    eyes = np.unique(head.faces[np.isin(head.face_material, balls)])  # lit in a way of their own
    outside = np.setdiff1d(np.unique(solid[solid >= 0]), np.union1d(mouth, eyes)).astype(np.int32)
    outside = outside[head.neutral[outside, 2] > _BACK]
    views = visibility(pose(head, {}), solid, outside, towards)
    views[mouth] = visibility(pose(head, _MOUTH_OPEN), solid, mouth, towards)[mouth]
    return views


def _coloured(head: Head, surface: Surface, look: Look) -> Surface:
    """The surface in the colours of `look`, whose tints are made for light skin: a darker one dims all of it."""
    ratio = np.asarray(look.skin) / np.asarray(Look().skin)
    undo = [tuple((np.asarray(colour) / ratio).tolist()) for colour in (look.lips, look.hair, look.cloth)]
    plain = replace(look, skin=Look().skin, lips=undo[0], hair=undo[1], cloth=undo[2])
    coloured = painted(head, surface, plain)
    albedo = coloured.albedo.copy()
    inner = np.zeros(len(head.neutral), bool)
    inner[mouth_vertices(head)] = True
    skin = (surface.eye == 0) & ~inner[surface.corners[:, 0]]
    albedo[skin] *= ratio.astype(np.float32)
    return replace(coloured, albedo=albedo)


def _strand_colours(points: Floats, dressed: Dressed, room: Room) -> Floats:
    """Kajiya and Kay's hair: bright where light crosses a strand, with a streak; (S*6, 3) for points (S, 3, 3)."""
    along = points[:, 2] - points[:, 0]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    outward = points[:, 1] - points.mean(axis=(0, 1))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    total = np.tile(np.asarray(room.sky, np.float32), (len(points), 1))
    for lamp in room.lamps:
        towards = np.asarray(lamp.towards, np.float32) / np.linalg.norm(lamp.towards)
        across = np.sqrt(np.maximum(1 - (along @ towards) ** 2, 0))
        faces = np.clip(outward @ towards * 0.8 + 0.35, 0, 1)
        total += ((0.4 * across + 0.9 * across**24) * faces)[:, None] * np.asarray(lamp.colour, np.float32)
    strand = total * dressed.hair * dressed.strands.shade[:, None]
    coloured: Floats = (strand[:, None] * _HAIR_ENDS[:, None]).reshape(-1, 3).astype(np.float32)
    return coloured
