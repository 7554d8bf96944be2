"""Which pictures a set has: splits, identities, kinds, and the seed of each.

A picture's content is a function of the set's seed and of the picture's own place (split, identity, frame): not of
the set's size, of the number of processes or of what was drawn before. This module knows nothing of Blender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from semanticface.actions import SHAPES
from semanticface.errors import OptionsError
from semanticface_training.synthetic import expressions, variation
from semanticface_training.synthetic.expressions import AT, Doubles
from semanticface_training.synthetic.ict import Floats
from semanticface_training.synthetic.variation import Person, Prop, Variation

SPLITS = ("train", "val", "test")


class Kind(StrEnum):
    """How a picture's expression comes about."""

    PLAIN = "plain"
    SWEEP = "sweep"
    MIRROR = "mirror"


@dataclass(frozen=True)
class SetOptions:
    """What to draw. Counts are pictures; shares are of the plain pictures.

    `per_identity` plain pictures show one identity; `recorded` of them take their expression from the recordings.
    `sweeps` test identities show every action alone at `levels` levels besides; `mirror_pairs` pairs of test
    pictures are each other's mirror image. `size` is the pictures' side in px. Half of the actions in sparse
    expressions are `favoured` ones: a set for a model of few actions needs those more often.
    """

    train: int = 1600
    val: int = 200
    test: int = 200
    per_identity: int = 20
    size: int = 256
    seed: int = 0
    recorded: float = 0.5
    posed: float = 0.15
    occluded: float = 0.10
    toon: float = 0.05
    sweeps: int = 0
    levels: int = 5
    mirror_pairs: int = 0
    degrade: bool = True
    favoured: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strangers = sorted(set(self.favoured) - set(SHAPES))
        if strangers:
            raise OptionsError(f"{', '.join(strangers)}: no shape to favour", "name ARKit's blend shapes")
        if min(self.train, self.val, self.test, self.sweeps, self.mirror_pairs, self.seed) < 0:
            raise OptionsError("a count or the seed is negative", "give numbers from 0 on")
        if self.per_identity < 1 or self.levels < 2:
            raise OptionsError("an identity needs a picture and a sweep two levels", "raise per_identity or levels")
        if not 64 <= self.size <= 2048:
            raise OptionsError(f"pictures of {self.size} px can't be drawn", "choose 64 to 2048")
        for name in ("recorded", "posed", "occluded", "toon"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionsError(f"the share {name!r} is {getattr(self, name)}", "shares lie between 0 and 1")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SetOptions:
        """The options that `asdict` gave, also by way of JSON."""
        return cls(**{**data, "favoured": tuple(data["favoured"])})


@dataclass(frozen=True)
class Slot:
    """One picture's place: `take` and `frame` name it, `action` and `level` say what a sweep shows."""

    split: str
    identity: int
    kind: Kind
    frame: int
    action: str = ""
    level: float = 0.0

    @property
    def subject(self) -> str:
        return f"{self.split}-{self.identity:04d}"

    @property
    def take(self) -> str:
        return self.subject if self.kind is Kind.PLAIN else f"{self.subject}-{self.kind.value}"

    @property
    def id(self) -> str:
        """The row's id in the dataset: take/frame."""
        return f"{self.take}/{self.frame}"


@dataclass(frozen=True)
class Picture:
    """What one picture shows: `values` (61,) float32 are drawn as they are and so are its label."""

    slot: Slot
    person: Person
    values: Floats
    variation: Variation
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """What pictures are made of: the recordings' rows for training and held out, and what the head can do."""

    train_pool: Doubles
    held_pool: Doubles
    modes: int
    missing: frozenset[str]


def slots(options: SetOptions, missing: frozenset[str]) -> Iterator[Slot]:
    """All pictures of a set, identity by identity."""
    for split, count in zip(SPLITS, (options.train, options.val, options.test), strict=True):
        for number in range(count):
            identity, frame = divmod(number, options.per_identity)
            yield Slot(split, identity, Kind.PLAIN, frame)
    for identity in range(options.sweeps):
        for place, action in enumerate(expressions.sweepable(missing)):
            for step in range(options.levels):
                yield Slot(
                    "test", identity, Kind.SWEEP, place * options.levels + step, action, step / (options.levels - 1)
                )
    for pair in range(options.mirror_pairs):
        identity, place = divmod(pair, options.per_identity)
        yield from (Slot("test", identity, Kind.MIRROR, 2 * place + side) for side in (0, 1))


def _rng(options: SetOptions, slot: Slot, role: str, place: int = 0) -> np.random.Generator:
    roles = ("person", *Kind)
    return np.random.default_rng([options.seed, SPLITS.index(slot.split), slot.identity, roles.index(role), place])


def picture(options: SetOptions, material: Material, slot: Slot) -> Picture:
    """What is drawn in `slot`."""
    person = variation.draw_person(_rng(options, slot, "person"), material.modes)
    if slot.kind is Kind.SWEEP:
        return _sweep(options, material, slot, person)
    if slot.kind is Kind.MIRROR:
        return _mirror(options, material, slot, person)
    return _plain(options, material, slot, person, _rng(options, slot, slot.kind, slot.frame))


def _plain(options: SetOptions, material: Material, slot: Slot, person: Person, rng: np.random.Generator) -> Picture:
    values, kind = _expression(options, material, slot, rng)
    posed, occluded, toon = (bool(rng.random() < s) for s in (options.posed, options.occluded, options.toon))
    for name, angle in zip(("HeadYaw", "HeadPitch", "HeadRoll"), variation.draw_head_turn(rng, posed), strict=True):
        values[AT[name]] = angle
    props = [Prop.GLASSES, Prop.HAND, Prop.BAR]
    prop = props[int(rng.choice(3, p=(0.4, 0.4, 0.2)))] if occluded else Prop.NONE
    finish = variation.draw_finish(rng, toon) if options.degrade else variation.Finish(toon=toon)
    drawn = Variation(variation.draw_room(rng), variation.draw_camera(rng), prop, finish, int(rng.integers(2**31)))
    flags = (("pose", posed), ("occluded", occluded), ("toon", toon))
    tags = (kind, *(tag for tag, on in flags if on))
    return Picture(slot, person, expressions.settled(values, material.missing), drawn, tags)


def _expression(options: SetOptions, material: Material, slot: Slot, rng: np.random.Generator) -> tuple[Doubles, str]:
    pool = material.train_pool if slot.split == "train" else material.held_pool
    if len(pool) and rng.random() < options.recorded:
        return expressions.recorded(rng, pool), "recorded"
    return expressions.sparse(rng, material.missing, options.favoured), "sparse"


def _sweep(options: SetOptions, material: Material, slot: Slot, person: Person) -> Picture:
    """All pictures of a sweep share light, camera and backdrop, so that only the action differs."""
    rng = _rng(options, slot, slot.kind)
    drawn = Variation(
        variation.draw_room(rng), variation.draw_camera(rng), Prop.NONE, variation.Finish(), int(rng.integers(2**31))
    )
    values = expressions.settled(expressions.swept(slot.action, slot.level), material.missing)
    return Picture(slot, person, values, drawn, (f"sweep:{slot.action}",))


def _mirror(options: SetOptions, material: Material, slot: Slot, person: Person) -> Picture:
    """The second of a pair is the first in a mirror: expression, head, light, camera and backdrop change sides.

    The person doesn't: the two halves of its face differ a little, as everybody's do.
    """
    place, side = divmod(slot.frame, 2)
    first = _plain(options, material, slot, person, _rng(options, slot, slot.kind, place))
    partner = Slot(slot.split, slot.identity, slot.kind, 2 * place + 1 - side)
    tags = (*first.tags, f"mirror:{partner.id}")
    if side == 0:
        return Picture(slot, person, first.values, first.variation, tags)
    return Picture(slot, person, expressions.mirrored(first.values), first.variation.mirror(), tags)
