"""What a drawable head offers the renderer, and how light falls on it: the part that all heads share.

A figure is dressed once for a person and then drawn for many expressions. Positions are in the head's centimetres
(+X to the subject's left, +Y up, +Z to the viewer), colours linear RGB. numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from semanticface_training.synthetic import light
from semanticface_training.synthetic.expressions import as_mapping
from semanticface_training.synthetic.ict import Floats, Ints, rotation
from semanticface_training.synthetic.light import Room
from semanticface_training.synthetic.surface import smooth
from semanticface_training.synthetic.variation import Person

DIRECTIONS = 40
"""Directions in which a vertex's view is measured."""
_FOLLOWED = 0.8


@dataclass(frozen=True)
class Anchors:
    """Where things on a drawn head are, in cm: eyes (2, 3) left first, `mouth` and `middle` of the face (3,), all
    turned with the head, and the head's `turn` (3, 3)."""

    eyes: Floats
    mouth: Floats
    middle: Floats
    turn: Floats


@dataclass(frozen=True)
class Drawn:
    """A mesh ready to be drawn: `positions` and `colours` (N, 3) float32, and the anchors for what goes with it."""

    positions: Floats
    colours: Floats
    anchors: Anchors


class Figure(Protocol):
    """A head that can be dressed and drawn; `faces` (M, 4) of the drawn vertices never change, -1 marks triangles.

    `modes` is the number of identity weights, `missing` the actions that move nothing, `centre` the face's middle
    (3,) at rest, `pivot` the point (3,) that the head turns about.
    """

    faces: Ints
    count: int
    modes: int
    missing: frozenset[str]
    centre: Floats
    pivot: Floats

    def dress(self, person: Person) -> Any:
        """All that doesn't change between a person's pictures."""

    def draw(self, dressed: Any, values: Floats, room: Room, viewer: Floats) -> Drawn:
        """The person with the expression `values` (61,) in CSV order, lit by `room`, seen from `viewer` (3,) cm."""


@dataclass(frozen=True)
class Lit:
    """What a head-level mesh needs to be lit: `faces`, `visible` (V, K) of directions `towards` (K, 3),
    `mouth` the rows inside the mouth."""

    faces: Ints
    visible: Floats
    towards: Floats
    edges: Ints
    mouth: Ints

    def light(self, vertices: Floats, turn: Floats, room: Room, lips: Floats, viewer: Floats) -> tuple[Floats, Floats]:
        """Irradiance / pi and highlight, (V, 3) each, for posed vertices (V, 3); `lips` (2, 3) upper and lower."""
        normals = light.vertex_normals(vertices, self.faces)
        towards = self.towards @ turn.T  # the sampled directions turn with the head; the room does not
        gathered = light.gather(normals, self.visible, towards, light.radiance(towards, room))
        lit = light.spread(gathered, self.edges, (3, 1, 1))
        lit[self.mouth] = _mouth_light(vertices[self.mouth], gathered.mean(axis=0), lips)
        to_viewer = viewer - vertices
        to_viewer /= np.linalg.norm(to_viewer, axis=1, keepdims=True)
        open_sky = np.clip(self.visible.mean(axis=1, keepdims=True) * 2.2, 0, 1)
        shine = light.highlight(normals, to_viewer, room.lamps[:2], 22.0) * 0.16 * open_sky
        return lit, shine.astype(np.float32)


def _mouth_light(inside: Floats, mean: Floats, lips: Floats) -> Floats:
    """Light inside the mouth (M, 3): as much as the parted lips let in, less the farther from their gap."""
    opening = smooth(0.05, 1.2, np.asarray([np.linalg.norm(lips[0] - lips[1])]))
    away = np.linalg.norm(inside - lips.mean(axis=0), axis=1)
    near = np.exp(-((np.maximum(away - 0.8, 0) / 3.2) ** 2))
    lit: Floats = ((0.25 + 1.25 * near[:, None]) * mean * (0.10 + 0.90 * opening)).astype(np.float32)
    return lit


def eye_light(facing: Floats, up: Floats, towards: Floats, room: Room, viewer: Floats) -> tuple[Floats, Floats]:
    """Irradiance / pi and mirrored lamps (E, 3) on an eyeball whose normals are `facing`; lids shade its top."""
    everything = np.ones((1, len(towards)), np.float32)
    shade = 1.0 - 0.55 * smooth(0.1, 0.85, facing @ up)
    lit = light.gather(facing, everything, towards, light.radiance(towards, room)) * shade[:, None].astype(np.float32)
    to_viewer = np.broadcast_to(viewer / np.linalg.norm(viewer), facing.shape).astype(np.float32)
    return lit, light.highlight(facing, to_viewer, room.eye_lamps, 900.0)


def aim(figure: Figure, values: Floats) -> Floats:
    """The point (3,) that the camera aims at: it follows a turning head most of the way, as cameramen do."""
    turned = head_turn(as_mapping(values)) @ (figure.centre - figure.pivot) + figure.pivot
    point: Floats = (figure.centre + _FOLLOWED * (turned - figure.centre)).astype(np.float32)
    return point


def head_turn(values: dict[str, float]) -> Floats:
    """The head's rotation (3, 3) for coefficients by name."""
    return rotation(values["HeadYaw"], values["HeadPitch"], values["HeadRoll"])
