"""The Blender add-on's own demo head as a figure for the renderer, where no ICT-FaceKit is at hand.

The add-on is another program under its own licence (GPL-3.0-or-later): nothing of it is copied here. Its folder is
named by the user, and its geometry is asked for in the drawing process alone.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.actions import SHAPES, canonical_name
from semanticface.errors import AssetError
from semanticface_training.synthetic import light
from semanticface_training.synthetic.demo_identity import MODES, displacement, eye_centres
from semanticface_training.synthetic.expressions import AT, as_mapping
from semanticface_training.synthetic.figure import DIRECTIONS, Anchors, Drawn, Lit, eye_light, head_turn
from semanticface_training.synthetic.ict import Floats, Ints, Reals, rotation, turn_head
from semanticface_training.synthetic.light import Room
from semanticface_training.synthetic.occlusion import visibility
from semanticface_training.synthetic.surface import Look, smooth
from semanticface_training.synthetic.variation import Person

_PIVOT = np.array([0.0, -8.0, -1.8], np.float32)
_NECK_TOP, _NECK_BOTTOM = -8.5, -15.0
_MOUTH_KINDS = ("mouth", "gum", "teeth", "tongue")
_GLOSS = {"lips": 0.5, "teeth": 0.45, "gum": 0.35, "tongue": 0.4, "hair": 0.1, "cloth": 0.02, "brow": 0.05}


@dataclass(frozen=True)
class Dressed:
    """A person: where the neutral vertices are (V, 3), the eyes' centres (2, 3), `albedo` and `gloss` as drawn."""

    neutral: Floats
    eyes: Floats
    albedo: Floats
    gloss: Floats


def load_geometry(folder: Path) -> Any:
    """The add-on's `demo_head` package out of `folder`. Raises AssetError when it isn't there."""
    if not (folder / "demo_head" / "model.py").is_file():
        raise AssetError(
            f"{folder} holds no demo_head", "give the folder of the Blender add-on, or --ict with ICT-FaceKit's data"
        )
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module("demo_head")


class DemoFigure:
    """See `figure.Figure`. Making one takes some seconds."""

    modes = len(MODES)
    missing: frozenset[str] = frozenset()
    centre = np.array([0.0, -1.6, 8.5], np.float32)
    pivot = _PIVOT

    def __init__(self, folder: Path) -> None:
        load_geometry(folder)
        model, shapes, fields, lids, places = (
            importlib.import_module(f"demo_head.{name}")
            for name in ("model", "shapes", "fields", "eyelids", "proportions")
        )
        head = model.build_head()
        self._neutral = _turned(head.mesh.vertices)
        deltas = {canonical_name(name): _turned(delta) for name, delta in shapes.all_deltas(head).items()}
        self._shapes = np.stack([deltas[name] for name in SHAPES])
        self._guarded = fields.describe(head).guarded
        self._least = float(places.LID_RADIUS) - 0.03
        ball = lids.eyeball()
        self._ball = _turned(ball.vertices)
        self._corners, skin_faces, self._kinds = _split(head.mesh.faces, head.mesh.materials)
        ball_corners, ball_faces, ball_kinds = _split(ball.faces, ball.materials)
        self._ball_corners = ball_corners
        count, balls = len(self._corners), len(ball_corners)
        flipped = np.where(ball_faces < 0, -1, ball_faces)
        self.faces: Ints = np.concatenate([skin_faces, _shift(flipped, count), _shift(flipped, count + balls)])
        self.count = count + 2 * balls
        self._kinds = np.concatenate([self._kinds, ball_kinds, ball_kinds])
        self._weight = smooth(_NECK_BOTTOM, _NECK_TOP, self._neutral[:, 1] - 0.1 * self._neutral[:, 2])
        self._lips = _lip_rows(self._neutral, self._corners, self._kinds)
        self._lit = self._lighting(head.mesh.faces.astype(np.int32))

    def _lighting(self, faces: Ints) -> Lit:
        towards = light.directions(DIRECTIONS)
        inner = np.isin(self._kinds[: len(self._corners)], _MOUTH_KINDS)
        mouth = np.unique(self._corners[inner]).astype(np.int32)
        blink = self._shapes[AT["EyeBlinkLeft"]] + self._shapes[AT["EyeBlinkRight"]]
        lids = np.flatnonzero(np.linalg.norm(blink, axis=1) > 0.1).astype(np.int32)
        outside = np.setdiff1d(np.arange(len(self._neutral)), np.concatenate([mouth, lids])).astype(np.int32)
        visible = visibility(self._neutral, faces, outside, towards)
        # What is folded away at rest is measured where it shows: lids half shut, the mouth open.
        for rows, shape in ((lids, 0.6 * blink), (mouth, 0.6 * self._shapes[AT["JawOpen"]])):
            visible[rows] = visibility(self._neutral + shape, faces, rows, towards)[rows]
        return Lit(faces, visible, towards, light.edges_of(faces), mouth)

    def dress(self, person: Person) -> Dressed:
        """The person's proportions and colours."""
        colours = _palette(person)
        albedo = np.array([colours[kind] for kind in self._kinds], np.float32)
        gloss = np.array([_GLOSS.get(kind, 0.22) for kind in self._kinds], np.float32)[:, None]
        neutral = self._neutral + displacement(self._neutral, person.weights)
        return Dressed(neutral, eye_centres(person.weights), albedo, gloss)

    def pose(self, dressed: Dressed, values: Floats) -> tuple[Floats, list[Floats]]:
        """The head's vertices (V, 3) and both eyeballs' (E, 3), posed."""
        named = as_mapping(values)
        active = [i for i, name in enumerate(SHAPES) if named[name] != 0.0]
        weights = np.array([named[SHAPES[i]] for i in active], np.float32)
        vertices = dressed.neutral + np.tensordot(weights, self._shapes[active], axes=1).astype(np.float32)
        self._keep_off_the_eyes(vertices, dressed.eyes)
        angles = [named[name] for name in ("HeadYaw", "HeadPitch", "HeadRoll")]
        whole = head_turn(named)
        balls = []
        for side, centre in zip(("Left", "Right"), dressed.eyes, strict=True):
            turn = rotation(*(named[f"{side}Eye{way}"] for way in ("Yaw", "Pitch", "Roll")))
            balls.append(((self._ball @ turn.T + centre - _PIVOT) @ whole.T + _PIVOT).astype(np.float32))
        return turn_head(vertices, self._weight.astype(np.float32), angles, _PIVOT), balls

    def _keep_off_the_eyes(self, vertices: Floats, eyes: Floats) -> None:
        """Lids that several actions at once would sink into an eyeball lie on it."""
        for side, centre in zip((1.0, -1.0), eyes, strict=True):
            rows = np.flatnonzero(self._guarded & (side * self._neutral[:, 0] > 0))
            away = vertices[rows] - centre
            distance = np.linalg.norm(away, axis=1)
            sunk = distance < self._least
            vertices[rows[sunk]] = centre + away[sunk] * (self._least / distance[sunk])[:, None]

    def draw(self, dressed: Dressed, values: Floats, room: Room, viewer: Floats) -> Drawn:
        """See `figure.Figure`."""
        vertices, balls = self.pose(dressed, values)
        turn = head_turn(as_mapping(values))
        lips = vertices[self._lips]
        lit, shine = self._lit.light(vertices, turn, room, lips, viewer)
        positions, lits, shines = [vertices[self._corners]], [lit[self._corners]], [shine[self._corners]]
        centres = ((dressed.eyes - _PIVOT) @ turn.T + _PIVOT).astype(np.float32)
        towards = self._lit.towards @ turn.T
        for ball, centre in zip(balls, centres, strict=True):
            out = ball - centre
            facing = (out / np.linalg.norm(out, axis=1, keepdims=True)).astype(np.float32)
            eye_lit, eye_shine = eye_light(facing, turn[:, 1], towards, room, viewer - centre)
            for total, part in ((positions, ball), (lits, eye_lit), (shines, eye_shine)):
                total.append(part[self._ball_corners])
        colours = dressed.albedo * np.concatenate(lits) + np.concatenate(shines) * dressed.gloss
        middle = turn @ (self.centre - _PIVOT) + _PIVOT
        anchors = Anchors(centres, lips.mean(axis=0), middle.astype(np.float32), turn)
        return Drawn(np.concatenate(positions), colours.astype(np.float32), anchors)


def _turned(points: Reals) -> Floats:
    """From the add-on's axes (face to -Y, Z up) to ours (face to +Z, Y up)."""
    turned: Floats = np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1).astype(np.float32)
    return turned


def _shift(faces: Ints, start: int) -> Ints:
    return np.where(faces < 0, -1, faces + start).astype(np.int32)


def _split(faces: Ints, materials: tuple[str, ...]) -> tuple[Ints, Ints, Any]:
    """Vertices doubled where materials meet, so that colours have sharp borders.

    Returns for each drawn vertex the one that it is, the faces by drawn vertices, and each drawn vertex's material.
    """
    kinds = sorted(set(materials))
    number = np.array([kinds.index(kind) for kind in materials])
    width = len(kinds)
    key = np.where(faces < 0, -1, faces * width + number[:, None])
    used, place = np.unique(key, return_inverse=True)
    place = place.reshape(faces.shape)
    first = int(used[0] < 0)
    drawn = np.where(key < 0, -1, place - first).astype(np.int32)
    used = used[first:]
    return (used // width).astype(np.int32), drawn, np.array(kinds)[used % width]


def _lip_rows(neutral: Floats, corners: Ints, kinds: Any) -> Ints:
    """Vertices in the middle of the upper and of the lower lip, next to the line where they meet."""
    lips = np.unique(corners[kinds[: len(corners)] == "lips"])
    middle = lips[np.abs(neutral[lips, 0]) < 0.4]
    height = neutral[middle, 1]
    order = np.argsort(height)
    return np.array([middle[order[-1]], middle[order[0]]], np.int32)


def _palette(person: Person) -> dict[str, tuple[float, float, float] | Any]:
    """Linear RGB of each of the head's materials."""
    look: Look = person.look
    skin, hair = np.asarray(look.skin), np.asarray(look.hair)
    bald = person.hair_density == 0.0
    brow = hair * 0.8 * person.brow_density + skin * 0.35 * (1 - person.brow_density)
    return {
        "skin": skin,
        "lips": look.lips,
        "mouth": (0.13, 0.02, 0.025),
        "gum": look.gums,
        "teeth": look.teeth,
        "tongue": np.asarray(look.gums) * (1.25, 1.4, 1.4),
        "nostril": skin * 0.15,
        "brow": brow,
        "lash": (0.02, 0.012, 0.01),
        "hair": skin * 0.55 + hair * 0.25 if bald else hair,
        "cloth": look.cloth,
        "sclera": look.sclera,
        "limbus": np.asarray(look.iris) * 0.3,
        "iris": look.iris,
        "pupil": (0.004, 0.004, 0.005),
    }
