"""Which surface of the head is drawn, and what colour it has before light falls on it.

Drops the shells that only a film renderer can use, refines the eyeballs so that iris and pupil have round edges,
and paints skin, lips, brows, eyes and mouth per vertex. Colours are linear RGB. numpy only; this module
knows nothing of light, cameras and Blender.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from semanticface_training.synthetic.ict import Floats, Head, Ints, Reals

_DROPPED = ("M_LacrimalFluid", "M_EyeBlend", "M_EyeOcclusion", "M_EyeLashes", "M_IrisLeft", "M_IrisRight")
_EYE_CUTS, _COLLAR_CUTS = 5, 8
# The 68 points mark the brows' upper edge: hair grows this far below it (cm), from the inner end to the outer.
_BROW_DROP = np.array([[0.0, 0.70], [0.0, 0.62], [0.0, 0.46], [0.0, 0.34], [0.0, 0.28]], np.float32)
EYE_CENTRES = {"Left": (3.116, 3.602, 7.982), "Right": (-3.116, 3.602, 7.982)}


@dataclass(frozen=True)
class Look:
    """Colours (linear RGB) of one head."""

    skin: tuple[float, float, float] = (0.60, 0.345, 0.245)
    lips: tuple[float, float, float] = (0.46, 0.17, 0.145)
    hair: tuple[float, float, float] = (0.032, 0.019, 0.012)
    iris: tuple[float, float, float] = (0.13, 0.20, 0.23)
    gums: tuple[float, float, float] = (0.38, 0.10, 0.09)
    teeth: tuple[float, float, float] = (0.76, 0.72, 0.64)
    cloth: tuple[float, float, float] = (0.045, 0.075, 0.085)
    sclera: tuple[float, float, float] = (0.80, 0.77, 0.74)


@dataclass(frozen=True)
class Surface:
    """The drawn mesh: N vertices, each a blend of four of the head's V vertices.

    `corners` (N, 4) int32 and `blend` (N, 4) float32 give positions (`place`), `faces` (M, 4) int32 index the N
    vertices (-1 marks a triangle), `albedo` (N, 3) is linear RGB, `gloss` (N,) the strength of the highlight.
    `eye` (N,) is 1 on the left eyeball, 2 on the right one, else 0.
    """

    corners: Ints
    blend: Floats
    faces: Ints
    albedo: Floats
    gloss: Floats
    eye: Ints

    def place(self, vertices: Floats) -> Floats:
        """Positions (N, 3) of the drawn vertices for the head's vertices (V, 3); blends colours just as well."""
        placed: Floats = np.einsum("nk,nkc->nc", self.blend, vertices[self.corners]).astype(np.float32)
        return placed


def build_surface(head: Head, look: Look, eye_cuts: int = _EYE_CUTS, collar_cuts: int = _COLLAR_CUTS) -> Surface:
    """The surface that is drawn for `head`, painted with `look`; each face of an eyeball is cut `eye_cuts` times."""
    dropped = [head.materials.index(name) for name in _DROPPED]
    scleras = [head.materials.index(f"M_Sclera{side}") for side in EYE_CENTRES]
    solid, balls = ~np.isin(head.face_material, dropped + scleras), [head.face_material == ball for ball in scleras]
    middle = head.neutral[head.faces[:, :3]].mean(axis=1)
    collar = solid & (np.abs(_above_collar(middle)) < 0.9)
    count = len(head.neutral)
    corners = [np.repeat(np.arange(count, dtype=np.int32)[:, None], 4, axis=1)]
    blend = [np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))]
    faces, eye, total = [head.faces[solid & ~collar]], [np.zeros(count, np.int32)], count
    for number, (chosen, cuts) in enumerate([(collar, collar_cuts), *((ball, eye_cuts) for ball in balls)]):
        fine_corners, fine_blend, fine_faces = _refined(head.faces[chosen], cuts)
        corners.append(fine_corners)
        blend.append(fine_blend)
        faces.append(fine_faces + total)
        eye.append(np.full(len(fine_corners), number, np.int32))
        total += len(fine_corners)
    drawn = np.concatenate(faces).astype(np.int32), np.concatenate(eye)
    unpainted = np.zeros((total, 3), np.float32)
    plain = Surface(np.concatenate(corners), np.concatenate(blend), drawn[0], unpainted, unpainted[:, 0], drawn[1])
    return painted(head, plain, look)


def painted(head: Head, surface: Surface, look: Look) -> Surface:
    """The same surface with the colours of `look`."""
    albedo, gloss = _paint(head, surface, look)
    return replace(surface, albedo=albedo, gloss=gloss)


def _above_collar(at: Reals) -> Reals:
    """Height (P,) in cm over the edge of the collar; the chin, in front of it, counts as far above."""
    return np.where(at[:, 2] < 7.0, at[:, 1] - 0.12 * at[:, 2] + 10.9, 99.0)


def _refined(quads: Ints, cuts: int) -> tuple[Ints, Floats, Ints]:
    """Each quad (a triangle repeats its last corner) as a grid of cuts x cuts smaller ones."""
    square = quads.copy()
    square[:, 3] = np.where(quads[:, 3] < 0, quads[:, 2], quads[:, 3])
    steps = np.linspace(0, 1, cuts + 1)
    u, v = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1).astype(np.float32)
    points = len(weights)
    cell = np.array([[i * (cuts + 1) + j for j in range(cuts)] for i in range(cuts)]).ravel()
    grid_faces = np.stack([cell, cell + cuts + 1, cell + cuts + 2, cell + 1], axis=1)
    corners = np.repeat(square, points, axis=0)
    blend = np.tile(weights, (len(square), 1))
    faces = (grid_faces[None] + (np.arange(len(square)) * points)[:, None, None]).reshape(-1, 4)
    return corners.astype(np.int32), blend, faces.astype(np.int32)


def smooth(low: float, high: float, value: Reals) -> Reals:
    """The smooth step from 0 at `low` to 1 at `high`."""
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    step: Reals = share * share * (3 - 2 * share)
    return step


def polygon_distance(polygon: Reals, points: Reals) -> Reals:
    """Signed distance (P,) from points (P, 2) to a closed polygon (K, 2): negative inside."""
    best = np.full(len(points), np.inf)
    inside = np.zeros(len(points), bool)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        edge, to_start = end - start, points - start
        along = np.clip(to_start @ edge / (edge @ edge), 0.0, 1.0)
        best = np.minimum(best, np.linalg.norm(to_start - along[:, None] * edge, axis=1))
        crosses = (start[1] > points[:, 1]) != (end[1] > points[:, 1])
        slope = edge[0] * (points[:, 1] - start[1]) / (edge[1] if edge[1] else 1e-9) + start[0]
        inside ^= crosses & (points[:, 0] < slope)
    return np.where(inside, -best, best)


def brow_lines(head: Head) -> list[Reals]:
    """The two brows' centre lines, (5, 2) each, x and y from the inner end to the outer, in cm."""
    points = head.neutral[head.landmarks][:, :2]
    return [points[line] - _BROW_DROP for line in ([21, 20, 19, 18, 17], [22, 23, 24, 25, 26])]


def line_distance(line: Reals, points: Reals) -> Reals:
    """Distance (P,) from points (P, 2) to an open line (K, 2)."""
    best = np.full(len(points), np.inf)
    for start, end in pairwise(line):
        edge, to_start = end - start, points - start
        along = np.clip(to_start @ edge / (edge @ edge), 0.0, 1.0)
        best = np.minimum(best, np.linalg.norm(to_start - along[:, None] * edge, axis=1))
    return best


def _paint(head: Head, surface: Surface, look: Look) -> tuple[Floats, Floats]:
    at = surface.place(head.neutral)
    albedo = np.tile(np.asarray(look.skin), (len(at), 1))
    gloss = np.full(len(at), 0.22)
    _paint_skin(head, at, albedo, gloss, look)
    for region, colour, shine in (
        ("mouth_socket", (0.16, 0.035, 0.03), 0.05),
        ("gums_tongue", look.gums, 0.35),
        ("teeth", look.teeth, 0.45),
    ):
        rows = slice(*head.regions[region])
        albedo[rows], gloss[rows] = colour, shine
    for number, centre in enumerate(EYE_CENTRES.values(), start=1):
        ball = surface.eye == number
        albedo[ball], gloss[ball] = _eye_colours(at[ball] - np.asarray(centre), look), 1.0
    return albedo.astype(np.float32), gloss.astype(np.float32)


def _mix(albedo: Reals, colour: tuple[float, float, float], share: Reals) -> None:
    albedo += (np.asarray(colour) - albedo) * share[:, None]


def _paint_skin(head: Head, at: Floats, albedo: Reals, gloss: Reals, look: Look) -> None:
    """Lips, a blush on cheeks, nose and ears, shade round the eyes and under the brows."""
    x, y, z = np.abs(at[:, 0]), at[:, 1], at[:, 2]
    front = smooth(2.0, 5.0, z)
    blush = np.exp(-((x - 4.6) ** 2 + (y + 0.2) ** 2) / 5.0) + 0.8 * np.exp(-(x**2 + (y - 0.6) ** 2) / 2.2)
    _mix(albedo, (0.62, 0.26, 0.19), 0.35 * np.clip(blush, 0, 1) * front)
    _mix(albedo, (0.64, 0.27, 0.19), 0.45 * smooth(7.6, 8.6, x) * (y > -4))
    socket = np.exp(-(((x - 3.1) / 2.0) ** 2 + ((y - 3.3) / 1.25) ** 2))
    _mix(albedo, (0.40, 0.20, 0.15), 0.38 * socket * front)
    stubble = smooth(-0.9, -2.6, y) * smooth(-11.0, -8.0, y) * smooth(3.0, 6.0, z) * (1 - smooth(5.5, 8.0, x - 0.2 * y))
    _mix(albedo, (0.34, 0.215, 0.165), 0.26 * stubble)
    cloth = smooth(0.06, -0.06, _above_collar(at))
    _mix(albedo, look.cloth, cloth)
    gloss *= 1 - 0.9 * cloth
    lips = polygon_distance(head.neutral[head.landmarks][48:60, :2], at[:, :2])
    share = smooth(0.10, -0.14, lips) * (z > 7.5)
    _mix(albedo, look.lips, 0.85 * share)
    gloss += 0.28 * share
    for line in brow_lines(head):
        _mix(albedo, look.hair, 0.34 * smooth(0.55, 0.1, line_distance(line, at[:, :2])) * front)


def _eye_colours(at: Reals, look: Look) -> Reals:
    """Colours by angle from the gaze axis: pupil, iris with a darker rim and fibres, white with a reddish corner."""
    distance = np.linalg.norm(at, axis=1)
    angle = np.degrees(np.arccos(np.clip(at[:, 2] / distance, -1, 1)))
    around = np.arctan2(at[:, 1], at[:, 0])
    colours: Reals = np.tile(np.asarray(look.sclera), (len(at), 1))
    _mix(colours, (0.62, 0.33, 0.29), 0.5 * smooth(38, 62, angle))
    fibres = 1 + 0.16 * np.sin(around * 23) + 0.12 * np.sin(around * 41 + 1.7)
    iris = np.asarray(look.iris) * fibres[:, None] * (1.25 - 0.55 * smooth(12, 26, angle))[:, None]
    inside = smooth(27.5, 25.5, angle)[:, None]
    colours = colours * (1 - inside) + iris * inside
    _mix(colours, (0.02, 0.02, 0.025), 0.75 * np.exp(-(((angle - 26.3) / 1.6) ** 2)))
    _mix(colours, (0.004, 0.004, 0.004), smooth(10.5, 9.3, angle))
    return colours
