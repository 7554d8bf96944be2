"""The loaded model at work: prompts in, answers out, as many at once and as large as the memory allows.

When memory runs out, the ladder says what to give up; the same questions are then asked again, so that each has one
answer. This module knows nothing of frames or results.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from semanticface.engines.mllm.device import free_caches, refreshed
from semanticface.engines.mllm.ladder import Ladder, Rung, is_memory_error, name_of
from semanticface.engines.mllm.loading import Loaded
from semanticface.engines.mllm.memory import GB, Quantization
from semanticface.engines.mllm.options import MOST_IMAGE_TOKENS
from semanticface.engines.mllm.picture import TOKEN, resized_size
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.mllm.prompt import Prompter
from semanticface.engines.mllm.skeleton.decode import Answer, Decoder, Draft, Mode, Request
from semanticface.errors import EngineError, SemanticFaceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

Reload = Callable[[Sequence[Quantization]], Loaded]
"""Loads the checkpoint again in the first of these quantizations that fits."""
Watch = Callable[[int, str], None]
"""Gets a question's number and its analysis so far."""
Alive = Callable[[], None]
"""Called while a processor works through the layers: a prompt may take it minutes."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A picture (H, W, 3) uint8 RGB, the least and most tokens it is resized to, and what is wanted of it."""

    image: NDArray[np.uint8]
    image_tokens: tuple[int, int]
    mode: Mode = Mode.FULL
    draft: Draft | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """An answer, and what memory made of its question."""

    answer: Answer
    remarks: tuple[str, ...]


def _unheard() -> None:
    """Nobody waits for signs of life."""


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    """A loaded model and what works with it."""

    loaded: Loaded
    prompter: Prompter
    decoder: Decoder


class Runner:
    """One model with its decoder. One caller at a time."""

    def __init__(self, loaded: Loaded, profile: Profile, reload: Reload) -> None:
        self._profile = profile
        self._reload = reload
        self._first = loaded.quantization
        self._alive: Alive = _unheard
        self._desk: _Desk | None = None
        self.ladder = self._install(loaded, loaded.batch)

    @property
    def batch(self) -> int:
        """Pictures at once."""
        return self.ladder.rung.batch

    def tokens(self, question: Question) -> int:
        """The picture's tokens as it would be asked now. Raises MediaError for a picture that the model can't take."""
        return _tokens(question, self._limits(question))

    def ask(
        self, questions: Sequence[Question], watch: Watch, cancelled: Callable[[], bool], alive: Alive = _unheard
    ) -> list[Reply]:
        """One reply per question, in order; fewer, or such as were broken off, once it is cancelled.

        Raises EngineError when memory does not suffice for a single one, or the model fails.
        """
        self._alive = alive
        try:
            return self._ask(questions, watch, cancelled)
        finally:
            self._alive = _unheard

    def _ask(self, questions: Sequence[Question], watch: Watch, cancelled: Callable[[], bool]) -> list[Reply]:
        replies: list[Reply] = []
        while len(replies) < len(questions) and not (replies and cancelled()):
            part = questions[len(replies) : len(replies) + self.batch]
            answers = self._attempt(part, partial(_onward, watch, len(replies)), cancelled)
            if answers is None:
                self._give_up_something(part)
                continue
            replies += [Reply(answer, self._remarks(one)) for answer, one in zip(answers, part, strict=True)]
        return replies

    def recover(self) -> None:
        """Allow full-sized pictures again after memory was short."""
        self.ladder.recover()

    def close(self) -> None:
        """Give the memory back. Afterwards nothing can be asked."""
        if self._desk is not None:
            device = self._desk.loaded.device
            self._desk = None
            free_caches(device)

    def _install(self, loaded: Loaded, batch: int) -> Ladder:
        decoder = Decoder(loaded.model, loaded.tokenizer, self._profile, stop_ids=loaded.stop_ids)
        self._desk = _Desk(loaded, Prompter(loaded.tokenizer, self._profile), decoder)
        if loaded.device.kind == "cpu":
            parts = loaded.model.model
            for layer in (*parts.visual.blocks, *parts.language_model.layers):
                layer.register_forward_pre_hook(lambda *_: self._alive())
        return Ladder(Rung(batch, MOST_IMAGE_TOKENS, loaded.quantization), loaded.below, loaded.device.width)

    def _at_work(self) -> _Desk:
        if self._desk is None:
            raise EngineError("the model is not in memory any more", "run again: the backend loads it anew")
        return self._desk

    def _limits(self, question: Question) -> tuple[int, int]:
        allowed = self.ladder.rung.image_tokens
        least, most = question.image_tokens
        return min(least, allowed), min(most, allowed)

    def _attempt(self, part: Sequence[Question], watch: Watch, cancelled: Callable[[], bool]) -> list[Answer] | None:
        """The answers, or None when memory ran out; then nothing of the attempt is held any more."""
        desk = self._at_work()
        try:
            prompts = [desk.prompter.build(one.image, self._limits(one)) for one in part]
            requests = [Request(prompt, one.mode, one.draft) for prompt, one in zip(prompts, part, strict=True)]
            answers: list[Answer] = desk.decoder.decode(requests, watch, cancelled)
            return answers
        except SemanticFaceError:
            raise
        except Exception as error:  # the boundary to torch and drivers, which raise what they like
            if not is_memory_error(error):
                hint = "if it happens again, try SEMANTICFACE_DTYPE=float32, and semanticface models verify"
                raise EngineError(f"the model failed: {type(error).__name__}: {error}", hint) from error
        return None

    def _give_up_something(self, part: Sequence[Question]) -> None:
        """One step down the ladder."""
        loaded = self._at_work().loaded
        free_caches(loaded.device)
        device = refreshed(loaded.device)
        room = f"{device} has {device.free / GB:.1f} GB of {device.total / GB:.1f} GB free" if device.total else ""
        step = self.ladder.descend(len(part), max(map(self.tokens, part)), room)
        log.warning("%s", step.words)
        if step.reload:
            below = loaded.below
            del loaded
            self.close()
            self.ladder = self._install(self._reload(below), 1)

    def _remarks(self, question: Question) -> tuple[str, ...]:
        """What want of memory changed about the question: a smaller picture, coarser weights."""
        loaded, said = self._at_work().loaded, []
        wanted, got = _tokens(question, question.image_tokens), self.tokens(question)
        if got < wanted:
            said.append(f"memory was short: the picture was made smaller, {got} tokens instead of {wanted}")
        if loaded.quantization is not self._first:
            said.append(f"memory was short: answered in {name_of(loaded.quantization, loaded.device.width)}")
        return tuple(said)


def _tokens(question: Question, limits: tuple[int, int]) -> int:
    height, width = resized_size(question.image.shape[0], question.image.shape[1], *limits)
    return (height // TOKEN) * (width // TOKEN)


def _onward(watch: Watch, first: int, row: int, text: str) -> None:
    """From a row of an attempt to the question that it belongs to."""
    watch(first + row, text)
