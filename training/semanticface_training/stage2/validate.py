"""Judging a model while it learns: it writes freely about pictures that it never saw, and its numbers are compared.

Through the backend's own session, so that what is measured is what a user would get. Losses on given answers say
little about that: a description in the training data knows the truth, the model's own doesn't. Nothing of the training
is disturbed: random numbers, hooks and mode are afterwards what they were.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from semanticface.actions import CSV_ORDER
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.device import Device
from semanticface.engines.mllm.loading import STOP_TOKENS, Loaded
from semanticface.engines.mllm.memory import Quantization
from semanticface.engines.mllm.options import complete
from semanticface.engines.mllm.profile import Profile, ValueChoice
from semanticface.engines.mllm.runner import Runner
from semanticface.engines.mllm.session import SemanticFaceSession
from semanticface.errors import EngineError
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface.results import FrameResult, Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.stage2.lora import layers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_SHOWN = 20
"""Rows without an answer that are named."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A row's answer: squared errors by reading, averaged over the actions that are written; else `why` there is none.

    `missed` is the squared error of the training rows' mean at this row.
    """

    id: str
    greedy: float | None
    expectation: float | None
    missed: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """How far the model is at `step`. `mse` and `expectation` are over the `read` of `rows` rows, None without any.

    `mean`: the error of the training rows' mean over all rows. `score` decides which checkpoint is best: the error by
    the profile's reading, in which a row without an answer counts as much as its mean prediction. `unread`: ids and
    reasons, 20 at most.
    """

    step: int
    rows: int
    read: int
    mse: float | None
    expectation: float | None
    mean: float
    score: float
    unread: tuple[tuple[str, str], ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        facts = {name: getattr(self, name) for name in ("step", "rows", "read", "mse", "expectation", "mean", "score")}
        return {**facts, "unread": [list(pair) for pair in self.unread], "seconds": round(self.seconds, 2)}


class Judge:
    """Reads rows of a dataset with a model and compares. `numbers`: the rows; `mean`: of the training rows, by column.

    `batch`: pictures at once. One process takes every `world`th row from `rank` on.
    """

    def __init__(
        self, dataset: Dataset, numbers: Sequence[int], profile: Profile, tokenizer: Tokenizer, actions: Sequence[str],
        batch: int = 4, rank: int = 0, world: int = 1,
    ) -> None:  # fmt: skip
        self._dataset, self._profile, self._tokenizer, self._batch = dataset, profile, tokenizer, batch
        self.numbers = tuple(numbers)
        self._mine = self.numbers[rank::world]
        self._names = tuple(actions)
        self._columns = [CSV_ORDER.index(name) for name in actions]
        train = dataset.indices("train")
        self._mean: NDArray[np.float64] = dataset.values[train][:, self._columns].astype(np.float64).mean(axis=0)

    def answers(self, model: Any) -> list[Answered]:
        """This process's rows, read. Raises EngineError when the model fails as a whole."""
        with undisturbed(model):
            results = list(read_pictures(model, self._tokenizer, self._profile, self._frames(), self._batch))
        return [self._compare(number, result) for number, result in zip(self._mine, results, strict=True)]

    def judged(self, step: int, answers: Sequence[Answered], seconds: float) -> Validation:
        """All processes' answers as one judgement."""
        read = [one for one in answers if one.greedy is not None]
        unread = tuple((one.id, one.why) for one in answers if one.greedy is None)
        by_expectation = self._profile.value is ValueChoice.EXPECTATION
        counted = []
        for one in answers:
            value = one.expectation if by_expectation else one.greedy
            counted.append(one.missed if value is None else value)
        return Validation(
            step,
            len(answers),
            len(read),
            _mean(one.greedy for one in read),
            _mean(one.expectation for one in read),
            float(np.mean([one.missed for one in answers])),
            float(np.mean(counted)),
            unread[:_SHOWN],
            seconds,
        )

    def _frames(self) -> Iterator[FrameInput]:
        for number in self._mine:
            where = f"row {self._dataset.rows[number].id}: {self._dataset.image_path(number)}"
            yield FrameInput(number, None, decode_image(self._dataset.image_bytes(number), FILE_LIMITS, where))

    def _compare(self, number: int, result: FrameResult) -> Answered:
        row = self._dataset.rows[number]
        truth = self._dataset.values[number][self._columns].astype(np.float64)
        missed = float(((self._mean - truth) ** 2).mean())
        if result.status is not Status.OK or result.coefficients is None:
            return Answered(row.id, None, None, missed, f"{result.status.value}: {result.message}")
        values, estimates = result.coefficients, result.estimates or {}
        greedy = [estimates[name].argmax if name in estimates else values[name] for name in self._names]
        mean = [estimates[name].expectation if name in estimates else values[name] for name in self._names]
        errors = [float(((np.array(read, np.float64) - truth) ** 2).mean()) for read in (greedy, mean)]
        return Answered(row.id, errors[0], errors[1], missed)


def _mean(values: Any) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None


def read_pictures(
    model: Any, tokenizer: Tokenizer, profile: Profile, frames: Iterator[FrameInput], batch: int
) -> Iterator[FrameResult]:
    """A model in memory asked as the backend asks it: one result a picture, in order.

    `model` may carry an adapter. Raises EngineError when memory doesn't suffice for one picture.
    """
    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    inner.model.rope_deltas = None
    weight = next(inner.parameters())
    device = Device(weight.device.type, str(weight.device), str(weight.dtype).removeprefix("torch."), 0, 0)
    stops = tuple(number for number in map(tokenizer.token_to_id, STOP_TOKENS) if number is not None)
    runner = Runner(Loaded(inner, tokenizer, device, Quantization.NONE, batch, stops), profile, _refuse)
    faces = FaceCrop()
    try:
        session = SemanticFaceSession(runner, faces, profile, RunOptions(), complete({"draft": "previous"}, profile))
        yield from session.analyze(frames)
        session.close()
    finally:
        faces.close()
        inner.model.rope_deltas = None


def _refuse(_: Any) -> Loaded:
    raise EngineError("the memory does not suffice to read a picture while training", "take fewer image tokens")


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Evaluation mode inside; afterwards mode, hooks of the layers and all random numbers are what they were."""
    training = model.training
    hooks = [(layer, set(layer._forward_pre_hooks)) for layer in layers(model)]
    python, numbers = random.getstate(), np.random.get_state()
    cards = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=cards):
        model.eval()
        try:
            yield
        finally:
            model.train(training)
            for layer, before in hooks:
                for key in set(layer._forward_pre_hooks) - before:
                    del layer._forward_pre_hooks[key]
            random.setstate(python)
            np.random.set_state(numbers)
