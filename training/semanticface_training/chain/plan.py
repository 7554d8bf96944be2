"""What a demo run does, and how much of it: pictures, steps, sizes, and the sixteen actions that the models write.

All counts are of pictures and steps, none of seconds, so that the same options give the same models anywhere. This
module knows nothing of how any of it is done.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.actions import CSV_ORDER
from semanticface_training.synthetic.draw import Source
from semanticface_training.synthetic.plan import SetOptions

VERSION = 2
"""Goes up when the same options give other models: a run of an older version is not gone on with."""
_CHOSEN = frozenset(
    {
        *("JawOpen", "MouthSmileLeft", "MouthSmileRight", "MouthPucker", "MouthFunnel", "MouthLowerDownLeft"),
        *("MouthUpperUpLeft", "MouthLeft", "BrowInnerUp", "BrowDownLeft", "BrowDownRight", "BrowOuterUpLeft"),
        *("EyeBlinkLeft", "EyeBlinkRight", "EyeLookInLeft", "EyeLookUpLeft"),
    }
)
ACTIONS = tuple(name for name in CSV_ORDER if name in _CHOSEN)
"""A quarter of all: those that move most, of some pairs both sides. In the order of the CSV."""
DECIMALS = 1
PICTURE_SIDE = 256
"""Of the pictures that are drawn, in px."""
SEED = 11


class Length(StrEnum):
    FULL = "full"
    """At most 20 minutes on two cores; for the numbers."""
    SHORT = "short"
    """A few minutes; shows that every part works, and learns next to nothing."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`train` and `test` pictures, `per_identity` of one face; steps of the vision part and of each model; `told`: rows
    that a language model describes besides the rules."""

    train: int
    test: int
    per_identity: int
    tower_steps: int
    learn_steps: int
    told: int


BUDGETS = {
    Length.FULL: Budget(train=1600, test=400, per_identity=20, tower_steps=1400, learn_steps=1200, told=12),
    Length.SHORT: Budget(train=180, test=20, per_identity=10, tower_steps=60, learn_steps=60, told=0),
}


@dataclass(frozen=True, slots=True)
class Demo:
    """One run: where, how long, what is drawn from, and how many processes or threads work at a time."""

    out: Path
    length: Length
    budget: Budget
    source: Source
    processes: int

    @property
    def dataset(self) -> Path:
        return self.out / "dataset"

    @property
    def pictures(self) -> Path:
        return self.out / "faces.npz"

    @property
    def tower(self) -> Path:
        return self.out / "tower.safetensors"

    @property
    def tokenizer(self) -> Path:
        return self.out / "tokenizer.json"

    def checkpoint(self, target: str) -> Path:
        """The folder that `semanticface models import` takes."""
        return self.out / "checkpoints" / target

    @property
    def home(self) -> Path:
        """Where models are imported to: the demo's own, so that the user's list of models stays his."""
        return self.out / "home"

    def drawn(self) -> SetOptions:
        """Plain pictures: any person, light, lens and background; nothing in front of the face, nothing degraded.

        Sparse expressions favour the sixteen actions, which then move about twice as often.
        """
        budget = self.budget
        return SetOptions(
            train=budget.train,
            val=0,
            test=budget.test,
            per_identity=budget.per_identity,
            size=PICTURE_SIDE,
            seed=SEED,
            recorded=0.5 if self.source.recordings else 0.0,
            posed=0.0,
            occluded=0.0,
            toon=0.0,
            degrade=False,
            favoured=ACTIONS,
        )

    def key(self) -> str:
        """A digest of all that the models depend on."""
        files = [path for path in (self.source.ict, *self.source.recordings) if path is not None]
        marks = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()]
        content: list[Any] = [VERSION, self.length, asdict(self.budget), asdict(self.drawn()), marks, ACTIONS, DECIMALS]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()
