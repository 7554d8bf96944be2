"""Colours of one drawn frame: skin, mouth, eyes and hair under the studio's lamps.

Light is gathered at the head's own vertices and blended to the finer drawn ones; paint is per drawn vertex. All
numpy; colours are linear RGB, positions in the head's centimetres. Knows nothing of Blender.
"""

from __future__ import annotations

import numpy as np

from semanticface_training.synthetic import light
from semanticface_training.synthetic.hair import Strands, scalp_share
from semanticface_training.synthetic.ict import Floats, Head, Ints, eye_frames
from semanticface_training.synthetic.surface import Look, Surface, smooth

CAMERA = np.array([0.0, 2.6, 80.0], np.float32)
"""Where the camera stands, in the head's centimetres; it looks along -Z."""

_HAIR_ENDS = np.array([0.7, 0.7, 1.0, 1.0, 1.15, 1.15], np.float32)


def mouth_vertices(head: Head) -> Ints:
    """The head's vertices inside the mouth: its lining, gums, tongue and teeth."""
    spans = [head.regions[name] for name in ("mouth_socket", "gums_tongue", "teeth")]
    rows: Ints = np.concatenate([np.arange(*span) for span in spans]).astype(np.int32)
    return rows


class Shader:
    """Colours for any pose of one head. `visible` (V, K): how much of direction `towards` (K, 3) a vertex sees."""

    def __init__(self, head: Head, surface: Surface, look: Look, towards: Floats, visible: Floats) -> None:
        self._head, self._surface, self._look = head, surface, look
        self._towards, self._visible = towards, visible
        self._edges = light.edges_of(head.faces)
        self._mouth = mouth_vertices(head)
        self._open = np.clip(visible.mean(axis=1, keepdims=True) * 2.2, 0, 1)
        tint = scalp_share(surface.place(head.neutral)).astype(np.float32)[:, None]
        self._albedo = surface.albedo * (1 - 0.8 * tint) + np.asarray(look.hair, np.float32) * 0.8 * tint
        self._gloss = surface.gloss[:, None] * (1 - tint)

    def surface_colours(self, vertices: Floats, positions: Floats) -> Floats:
        """Linear RGB (N, 3) of the drawn vertices at `positions` (N, 3), for the head's `vertices` (V, 3)."""
        turn = head_turn(self._head, vertices)
        normals = light.vertex_normals(vertices, self._head.faces)
        towards = self._towards @ turn.T  # the sampled directions turn with the head; the room does not
        gathered = light.gather(normals, self._visible, towards, light.radiance(towards))
        lit = light.spread(gathered, self._edges)
        lit[self._mouth] = self._mouth_light(gathered, vertices)
        shine = light.highlight(normals, _to_viewer(vertices), light.LAMPS[:2], 22.0) * 0.16 * self._open
        lit, shine = self._surface.place(lit), self._surface.place(shine.astype(np.float32))
        for number, (centre, _) in enumerate(eye_frames(self._head, vertices).values(), start=1):
            rows = self._surface.eye == number
            out = positions[rows] - centre
            facing = out / np.linalg.norm(out, axis=1, keepdims=True)
            everything = np.ones((1, len(towards)), np.float32)
            lid_shade = 1.0 - 0.55 * smooth(0.1, 0.85, out @ turn[:, 1])
            lit[rows] = light.gather(facing, everything, towards, light.radiance(towards)) * lid_shade[:, None]
            shine[rows] = light.highlight(facing, _to_viewer(positions[rows]), light.EYE_LAMPS, 900.0)
        colours: Floats = (self._albedo * lit + shine * self._gloss).astype(np.float32)
        return colours

    def _mouth_light(self, gathered: Floats, vertices: Floats) -> Floats:
        """Light inside the mouth (M, 3): as much as the parted lips let in, less the farther from their gap."""
        upper, lower = vertices[self._head.landmarks[[62, 66]]]
        opening = smooth(0.05, 1.2, np.asarray([np.linalg.norm(upper - lower)]))
        inside = vertices[self._mouth]
        away = np.linalg.norm(inside - (upper + lower) / 2, axis=1)
        near = np.exp(-((np.maximum(away - 0.8, 0) / 3.2) ** 2))
        even = light.spread(gathered, self._edges, (9, 9, 9))[self._mouth]
        lit: Floats = ((0.35 * even + 0.62 * near[:, None]) * (0.10 + 0.90 * opening)).astype(np.float32)
        return lit

    def hair_colours(self, points: Floats, strands: Strands) -> Floats:
        """Kajiya and Kay's hair: bright where light crosses a strand, with a streak; (S*6, 3) for points (S, 3, 3)."""
        along = points[:, 2] - points[:, 0]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        outward = points[:, 1] - points.mean(axis=(0, 1))
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        total = np.full((len(points), 3), 0.28, np.float32)
        for lamp in light.LAMPS:
            towards = np.asarray(lamp.towards, np.float32) / np.linalg.norm(lamp.towards)
            across = np.sqrt(np.maximum(1 - (along @ towards) ** 2, 0))
            faces = np.clip(outward @ towards * 0.8 + 0.35, 0, 1)
            total += ((0.4 * across + 0.9 * across**24) * faces)[:, None] * np.asarray(lamp.colour, np.float32)
        strand = total * np.asarray(self._look.hair, np.float32) * strands.shade[:, None]
        coloured: Floats = (strand[:, None] * _HAIR_ENDS[:, None]).reshape(-1, 3).astype(np.float32)
        return coloured


def _to_viewer(positions: Floats) -> Floats:
    way = CAMERA - positions
    unit: Floats = (way / np.linalg.norm(way, axis=1, keepdims=True)).astype(np.float32)
    return unit


def head_turn(head: Head, vertices: Floats) -> Floats:
    """The head's rotation (3, 3) float32, measured on vertices of the skull that no expression moves."""
    still = slice(*head.regions["head_neck"])
    rigid = np.flatnonzero(head.head_weight[still] >= 1.0) + still.start
    rest, now = head.neutral[rigid], vertices[rigid]
    u, _, vt = np.linalg.svd((now - now.mean(axis=0)).T @ (rest - rest.mean(axis=0)))
    turn: Floats = ((u * np.array([1, 1, np.sign(np.linalg.det(u @ vt))])) @ vt).astype(np.float32)
    return turn
