"""How a retrieval evaluator is made: everything that decides its weights, and what training tells on its way.

Plain values alone. This module knows nothing of networks and files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from semanticface.errors import InputError, OptionsError


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a training; the defaults are what the paper says where it says anything (appendix A.2 and A.3).

    The paper names batches of 32, symmetric InfoNCE, AdamW with a weight decay as large as the rate, cosine annealing,
    at most 1,000 epochs, an early stop after ten without a better R@1, and the seed. It leaves out temperature, rate
    and sizes: 0.07 is the usual temperature. Rate and epochs were measured for the small network: 800 synthetic
    pictures gave R@1 0.61 after 15 epochs at a rate of 1e-3, 0.37 at 1e-4; on 1,600 the best epoch was the 25th, and
    over 1,000 epochs the rate would not have begun to fall by then.
    """

    batch: int = 32
    """Pairs of a batch, in training and where retrieval is measured."""
    width: int = 256
    """Of the space that pictures and motions share."""
    hidden: int = 512
    """Of the motion encoder's two layers."""
    size: int = 96
    """Side in px of what the picture encoder sees."""
    temperature: float = 0.07
    rate: float = 1e-3
    decay: float = 1e-3
    epochs: int = 60
    patience: int = 10
    """Epochs without a better R@1 on the validation split, after which training ends."""
    augment: bool = True
    """Mirror (sides exchanged), shift and scale pictures while training. Frozen features are taken as they are."""
    seed: int = 42

    def __post_init__(self) -> None:
        """Raises OptionsError for a value that makes no training."""
        least = {"batch": 2, "width": 1, "hidden": 1, "size": 32, "epochs": 1, "patience": 1, "seed": 0}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise OptionsError(f"{name} is {getattr(self, name)}", f"{value} at least")
        if not (self.temperature > 0 and self.rate > 0 and self.decay >= 0):
            raise OptionsError("temperature and rate have to be above 0, decay not below")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str) -> Options:
        """Raises InputError that names `where` when a setting is missing, unknown or of another kind."""
        wanted = {field.name: type(field.default) for field in fields(cls)}
        if set(data) != set(wanted):
            odd = sorted(set(data) ^ set(wanted))
            raise InputError(f"{where}: the options {', '.join(odd[:5])} are missing or unknown")
        for name, kind in wanted.items():
            if not isinstance(data[name], (int, float) if kind is float else kind):
                raise InputError(f"{where}: the option {name} is {data[name]!r}")
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of a training: mean loss (nats), R@1 on the validation split, the best so far and its epoch."""

    number: int
    loss: float
    r1: float
    best: float
    best_epoch: int
    seconds: float


Tell = Callable[[Epoch], None]
