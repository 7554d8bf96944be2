"""Everything about a picture but the face's own movement, drawn at random: person, light, camera, what is in the way.

Plain numbers in frozen dataclasses, each a function of a random generator alone, so that a seed tells the whole
picture. This module knows nothing of meshes, Blender and files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from semanticface_training.synthetic.ict import Floats, Reals
from semanticface_training.synthetic.light import Lamp, Room
from semanticface_training.synthetic.surface import Look

Colour = tuple[float, float, float]


class Prop(StrEnum):
    """What stands between camera and face."""

    NONE = "none"
    GLASSES = "glasses"
    HAND = "hand"
    BAR = "bar"


@dataclass(frozen=True)
class Person:
    """One identity: `weights` of the head's modes, about N(0, 1) each, colours, and hair.

    `hair_length` and `hair_density` scale the model's own hair (0 density: bald), `brow_density` the brows.
    """

    weights: Floats
    look: Look
    hair_length: float
    hair_density: float
    brow_density: float


@dataclass(frozen=True)
class Camera:
    """`lens` in mm on a 36 mm sensor, `extent` the height in cm that the picture spans at the face, `aside` (x, y)
    cm by which it misses the face's middle."""

    lens: float
    extent: float
    aside: tuple[float, float]


@dataclass(frozen=True)
class Finish:
    """What happens to a drawn picture. `blur` and `shake` are px at 256 px, `noise` and `exposure` shares of white,
    `detail` the share of the resolution that is left, `quality` JPEG's; `toon` draws in flat tones with outlines."""

    toon: bool = False
    exposure: float = 1.0
    gamma: float = 1.0
    tint: Colour = (1.0, 1.0, 1.0)
    detail: float = 1.0
    blur: float = 0.0
    shake: float = 0.0
    shake_angle: float = 0.0
    noise: float = 0.0
    grey: bool = False
    quality: int = 92


@dataclass(frozen=True)
class Variation:
    """All that a picture has besides person and expression. `seed` feeds backdrop, noise and the prop's shape."""

    room: Room
    camera: Camera
    prop: Prop
    finish: Finish
    seed: int
    flipped: bool = False

    def mirror(self) -> Variation:
        """The same seen in a mirror: light, camera and backdrop change sides."""
        turn = [tuple(_flip(lamp) for lamp in lamps) for lamps in (self.room.lamps, self.room.eye_lamps)]
        aside = (-self.camera.aside[0], self.camera.aside[1])
        return replace(
            self,
            room=replace(self.room, lamps=turn[0], eye_lamps=turn[1]),
            camera=replace(self.camera, aside=aside),
            flipped=not self.flipped,
        )


def _flip(lamp: Lamp) -> Lamp:
    x, y, z = lamp.towards
    return replace(lamp, towards=(-x, y, z))


def draw_person(rng: np.random.Generator, modes: int) -> Person:
    """An identity for a head with so many modes."""
    weights = np.clip(rng.normal(0, 0.85, modes), -2.2, 2.2).astype(np.float32)
    return Person(
        weights=weights,
        look=_look(rng),
        hair_length=float(rng.uniform(0.55, 1.5)),
        hair_density=0.0 if rng.random() < 0.12 else float(rng.uniform(0.6, 1.0)),
        brow_density=float(rng.uniform(0.45, 1.0)),
    )


def _triple(values: Reals) -> Colour:
    r, g, b = (float(v) for v in values)
    return r, g, b


def _look(rng: np.random.Generator) -> Look:
    """Skin from light to dark along a line of measured-looking tones, hair from black to blond and grey, eyes."""
    tone = rng.uniform(0, 1)
    light, dark = np.array([0.72, 0.44, 0.33]), np.array([0.12, 0.058, 0.038])
    share = tone**1.5
    skin = np.exp(np.log(light) * (1 - share) + np.log(dark) * share) * rng.uniform(0.96, 1.04, 3)
    lips = skin * np.array([0.80, 0.52, 0.58]) * rng.uniform(0.85, 1.12, 3)
    hairs = ((0.010, 0.008, 0.007), (0.032, 0.019, 0.012), (0.10, 0.05, 0.025), (0.34, 0.21, 0.10), (0.30, 0.29, 0.28))
    share = np.array([0.3, 0.3, 0.2, 0.1, 0.1]) if tone < 0.55 else np.array([0.75, 0.15, 0.0, 0.0, 0.1])
    hair = np.array(hairs[int(rng.choice(5, p=share))]) * rng.uniform(0.8, 1.25)
    irises = ((0.055, 0.026, 0.012), (0.12, 0.065, 0.025), (0.10, 0.12, 0.06), (0.13, 0.20, 0.23), (0.12, 0.17, 0.28))
    share = np.array([0.3, 0.25, 0.15, 0.15, 0.15]) if tone < 0.55 else np.array([0.75, 0.25, 0.0, 0.0, 0.0])
    iris = np.array(irises[int(rng.choice(5, p=share))]) * rng.uniform(0.8, 1.3)
    return Look(
        skin=_triple(skin),
        lips=_triple(lips),
        hair=_triple(hair),
        iris=_triple(iris),
        gums=_triple(np.array([0.38, 0.10, 0.09]) * rng.uniform(0.7, 1.2)),
        teeth=_triple(np.array([0.76, 0.72, 0.64]) * rng.uniform(0.75, 1.08)),
        cloth=_triple(rng.uniform(0.02, 0.45, 3)),
        sclera=_triple(np.array([0.80, 0.77, 0.74]) * rng.uniform(0.85, 1.05)),
    )


def draw_room(rng: np.random.Generator) -> Room:
    """One to three soft lamps of different warmth, and the light of sky and ground."""
    key_side = rng.uniform(-1.3, 1.3)  # radians off the camera's axis
    lamps = [_lamp(rng, key_side, rng.uniform(0.05, 0.9), rng.uniform(1.2, 3.6), rng.uniform(3, 14))]
    if rng.random() < 0.75:
        lamps.append(_lamp(rng, -np.sign(key_side) * rng.uniform(0.3, 1.4), rng.uniform(-0.3, 0.5), 0.9, 4.0))
    if rng.random() < 0.4:
        lamps.append(_lamp(rng, rng.choice([-1, 1]) * rng.uniform(2.0, 2.6), 0.4, 1.5, 7.0))
    level = rng.uniform(0.22, 0.62)
    sky = level * rng.uniform(0.88, 1.12, 3)
    ground = level * rng.uniform(0.3, 0.75) * rng.uniform(0.9, 1.1, 3)
    x, y, z = lamps[0].towards
    window = Lamp((0.6 * x, min(0.35, 0.6 * y), max(z, 0.55)), 0.0, (1.0, 1.0, 1.0))
    return Room(tuple(lamps), (window,), _triple(sky), _triple(ground))


def _lamp(rng: np.random.Generator, side: float, height: float, power: float, narrow: float) -> Lamp:
    warm = rng.uniform(-0.14, 0.14)
    colour = power * np.array([1 + warm, 1.0, 1 - warm])
    return Lamp((float(np.sin(side)), float(height), float(np.cos(side))), float(narrow), _triple(colour))


def draw_camera(rng: np.random.Generator) -> Camera:
    """35 to 110 mm, the face at 60 to 90 % of the picture's height, off its middle by up to a few centimetres."""
    extent = rng.uniform(20.0, 27.0)
    aside = rng.normal(0, 0.03, 2).clip(-0.08, 0.08) * extent
    return Camera(
        float(np.exp(rng.uniform(np.log(35), np.log(110)))), float(extent), (float(aside[0]), float(aside[1]))
    )


def draw_finish(rng: np.random.Generator, toon: bool) -> Finish:
    """Mostly good pictures; one in two has something wrong: soft, noisy, small, grey, heavily compressed."""
    finish = Finish(
        toon=toon,
        exposure=float(np.exp(rng.normal(0, 0.16))),
        gamma=float(np.exp(rng.normal(0, 0.09))),
        tint=_triple(rng.uniform(0.93, 1.07, 3)),
        quality=int(rng.integers(80, 96)),
    )
    if rng.random() < 0.5:
        return finish
    return replace(
        finish,
        detail=float(rng.uniform(0.35, 1.0)) if rng.random() < 0.35 else 1.0,
        blur=float(rng.uniform(0.3, 1.6)) if rng.random() < 0.35 else 0.0,
        shake=float(rng.uniform(2.0, 6.0)) if rng.random() < 0.15 else 0.0,
        shake_angle=float(rng.uniform(0, np.pi)),
        noise=float(rng.uniform(0.005, 0.035)) if rng.random() < 0.5 else 0.0,
        grey=bool(rng.random() < 0.2),
        quality=int(rng.integers(30, 90)),
    )


def draw_head_turn(rng: np.random.Generator, posed: bool) -> tuple[float, float, float]:
    """Yaw, pitch and roll in radians; `posed` heads are turned far: 20 to 40 degrees of yaw, or 14 to 24 of pitch."""
    yaw, pitch, roll = (float(v) for v in np.clip(rng.normal(0, [7.0, 5.0, 4.0]), -19, 19))
    if posed:
        if rng.random() < 0.7:
            yaw = float(rng.choice([-1, 1]) * rng.uniform(20, 40))
        else:
            pitch = float(rng.choice([-1, 1]) * rng.uniform(14, 24))
        roll = float(np.clip(rng.normal(0, 9), -20, 20))
    yaw, pitch, roll = (float(np.radians(v)) for v in (yaw, pitch, roll))
    return yaw, pitch, roll
