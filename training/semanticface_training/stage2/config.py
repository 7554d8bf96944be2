"""What a training run is asked to do: plain values that a file can hold, checked once, before anything is loaded.

Knows the names of things (targets, losses, questions) and neither models nor pictures; imports nothing heavy but what
defines these names.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from semanticface.engines.mllm.profile import Layout, Preparation, ValueChoice
from semanticface.errors import InputError, OptionsError
from semanticface_training.stage2.losses import LossSettings, Soft
from semanticface_training.stage2.prompts import Question, Wording, question
from semanticface_training.stage2.targets import Form, Target


class Trainable(StrEnum):
    """What learns."""

    LORA = "lora"
    """Low-rank matrices beside those of the language layers; everything else is frozen."""
    ALL = "all"
    """Every weight, vision tower included: for small models from nothing."""


class Precision(StrEnum):
    """The format that is computed in."""

    AUTO = "auto"
    """bfloat16 on a graphics card, float32 on the processor."""
    BF16 = "bf16"
    FP32 = "fp32"


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Hu et al., arXiv 2106.09685: W + (alpha / rank) B A. Defaults are ms-swift's, which the released adapter has."""

    rank: int = 8
    alpha: float = 32.0
    dropout: float = 0.05

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise OptionsError("LoRA needs a rank of 1 or more, alpha above 0, and a dropout from 0 to below 1")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hard to train.

    `steps` counts steps of the optimiser; 0 leaves it to `epochs`. `global_batch` rows make a step, whatever the number
    of processes; `batch` of them are in a process's memory at once. The rate rises over `warmup` (a share of all
    steps) and falls along a cosine to 0. Raises OptionsError for values without sense.
    """

    epochs: float = 5.0
    steps: int = 0
    global_batch: int = 32
    batch: int = 1
    learning_rate: float = 1e-4
    warmup: float = 0.05
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0

    def __post_init__(self) -> None:
        numbers = (self.epochs, self.learning_rate, self.warmup, self.weight_decay, self.clip, *self.betas)
        if not all(math.isfinite(number) and number >= 0 for number in numbers):
            raise OptionsError("rates, shares and lengths of a training are finite and not negative")
        if not self.steps and not self.epochs:
            raise OptionsError("a training needs steps or epochs")
        if self.batch < 1 or self.global_batch < self.batch or self.warmup >= 1 or self.steps < 0:
            raise OptionsError(
                "a batch has a row at least, a step a batch at least, and warm-up ends before the training does"
            )

    def accumulate(self, processes: int) -> int:
        """Batches of one process that make a step. Raises OptionsError when the global batch can't be cut so."""
        at_once = self.batch * processes
        if self.global_batch % at_once:
            raise OptionsError(
                f"{self.global_batch} rows a step can't be cut into batches of {self.batch} on {processes} processes",
                f"take --global-batch {at_once * math.ceil(self.global_batch / at_once)}",
            )
        return self.global_batch // at_once


@dataclass(frozen=True, slots=True)
class FitConfig:
    """A whole run. Raises OptionsError for what can't be trained.

    `dataset`, `out`: folders. `base`: a base model's folder, or the hub name of one that is on this machine.
    `descriptions`: their name in the dataset, or a file; only A2 reads them. `name`: the checkpoint's. `form`: what is
    answered; `wording`: how it is asked; `question`: another question instead, such as that of the checkpoint that
    `adapter` comes from. `image_tokens`: least and most of a picture. `face_crop`: the margin around the face that is
    cut out first, None for the whole picture; it goes into the profile, as `preparation` does. `flips`: share of
    mirrored rows. `value`: which reading validation compares, and the profile's. `adapter`: an adapter to go on from.
    `validate_every` and `save_every` in steps, 0 for once an epoch; `validation_rows`: most rows that are read, 0
    validates nothing; `keep`: checkpoints that stay, 0 for all. `workers`: processes that load pictures.
    """

    dataset: Path
    base: str
    out: Path
    descriptions: str = "rules"
    name: str = "semanticface-trained"
    form: Form = field(default_factory=Form)
    wording: Wording = Wording.FULL
    question: Question | None = None
    image_tokens: tuple[int, int] = (4, 256)
    max_tokens: int = 4096
    face_crop: float | None = None
    preparation: Preparation = Preparation.NONE
    flips: float = 0.5
    trainable: Trainable = Trainable.LORA
    lora: LoraSettings = field(default_factory=LoraSettings)
    schedule: Schedule = field(default_factory=Schedule)
    loss: LossSettings = field(default_factory=LossSettings)
    precision: Precision = Precision.AUTO
    gradient_checkpointing: bool = True
    adapter: Path | None = None
    value: ValueChoice = ValueChoice.ARGMAX
    validate_every: int = 0
    validation_rows: int = 64
    save_every: int = 0
    keep: int = 3
    workers: int = 0
    device: str = "auto"
    seed: int = 42

    def __post_init__(self) -> None:
        least, most = self.image_tokens
        if not 1 <= least <= most:
            raise OptionsError("a picture has a token at least, and its most tokens are not below its least")
        if not 0 <= self.flips <= 1:
            raise OptionsError(f"{self.flips} of the rows can't be mirrored", "a share from 0 to 1")
        if min(self.validate_every, self.validation_rows, self.save_every, self.keep, self.workers) < 0:
            raise OptionsError("counts of a run are not negative")
        if self.adapter is not None and self.trainable is Trainable.ALL:
            raise OptionsError("an adapter is gone on with by LoRA only")

    @property
    def asked(self) -> Question:
        """What the model is asked."""
        return self.question or question(self.form, self.wording)

    def to_dict(self) -> dict[str, Any]:
        """Plain values of JSON."""
        return dict(_plain(asdict(self)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FitConfig:
        """What `to_dict` gave. Raises InputError for anything else."""
        try:
            fields = dict(data)
            fields |= {name: Path(fields[name]) for name in ("dataset", "out")}
            fields["adapter"] = None if fields["adapter"] is None else Path(fields["adapter"])
            fields["image_tokens"] = tuple(fields["image_tokens"])
            form, loss, schedule = dict(fields["form"]), dict(fields["loss"]), dict(fields["schedule"])
            form |= {"target": Target(form["target"]), "layout": Layout(form["layout"])}
            fields["form"] = Form(**form | {"actions": tuple(form["actions"])})
            fields["loss"] = LossSettings(**loss | {"soft": Soft(loss["soft"])})
            fields["schedule"] = Schedule(**schedule | {"betas": tuple(schedule["betas"])})
            fields["question"] = None if fields["question"] is None else Question(**fields["question"])
            fields["lora"] = LoraSettings(**fields["lora"])
            kinds = {"wording": Wording, "trainable": Trainable, "precision": Precision, "value": ValueChoice}
            kinds |= {"preparation": Preparation}
            return cls(**fields | {name: kind(fields[name]) for name, kind in kinds.items()})
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"these are not the settings of a training run: {error}") from error

    def differences(self, other: FitConfig) -> list[str]:
        """Names of the settings on which the weights depend and that differ."""
        names = [entry.name for entry in dataclasses.fields(self) if entry.name not in _WITHOUT_EFFECT]
        mine, theirs = self.to_dict(), other.to_dict()
        return [name for name in names if mine[name] != theirs[name]]


_WITHOUT_EFFECT = frozenset({"out", "dataset", "validate_every", "validation_rows", "save_every", "keep", "workers"})
"""The dataset counts by its digest, wherever it lies."""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, StrEnum):
        return value.value
    return str(value) if isinstance(value, Path) else value
