"""The decoding loop: propose, run the model once, keep what was right.

Rows of a batch go through it side by side: first those that write free text, then, all together, the values. A row
that has nothing to do in a phase leaves the model's memory and comes back for the next one.

What is exact: every token is the greedy one given those before it, free in the text, among the allowed ones in the
values. In float32 the answer is therefore that of decoding token by token under the same constraint, whatever was
proposed and whichever rows were beside it; and where the model writes one of the layouts of its own accord, it is what
`transformers.generate` writes. In 16-bit arithmetic a near-tie may fall differently, as it does between any two shapes
of a batch.

A decoder keeps no state between calls but a copy of a few rows of the model's last layer. It is not for two threads at
once: the model keeps state while it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import torch

from semanticface.engines.mllm.profile import Profile
from semanticface.engines.mllm.prompt import Prompt
from semanticface.engines.mllm.skeleton.choices import Choice
from semanticface.engines.mllm.skeleton.drafts import (
    TEXT_MOST,
    TEXT_START,
    VALUES_MOST,
    VALUES_START,
    Proposer,
    Text,
    Window,
)
from semanticface.engines.mllm.skeleton.head import Head
from semanticface.engines.mllm.skeleton.lanes import Lanes
from semanticface.engines.mllm.skeleton.script import Ending, Row, Rules
from semanticface.engines.mllm.skeleton.template import FREE, Place, build_templates

__all__ = ["Answer", "Choice", "Decoder", "Draft", "Ending", "Mode", "Prompt", "Request"]

ROOM = 1.3
"""An answer in a layout that nobody knows may need this many times the tokens that a known one needs."""
WIDE, GUESSED = 4, 16
"""Least values or words proposed at once, and most values guessed without a draft, where more tokens in one run of the
model cost little: on anything but a CPU. In the replay of `drafts` they take a frame's values from 64 runs to 32."""
IDLE = 8
"""Rows leave the memory when they are at least one in this many; moving them costs about one run of the model."""
HOLES = 0.25
"""The memory is written anew without holes when more than this part of it is wasted."""


class Mode(StrEnum):
    FULL = "full"
    """Analysis and values."""
    COEFFICIENTS = "coefficients"
    """Values alone: the answer begins with the object. Of a layout without words all answers are like that."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the answer may look like. `analysis`: an earlier answer's `free` text. `values`: by action; some may
    be missing.

    A draft changes how fast an answer comes, never the answer.
    """

    analysis: str = ""
    values: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    prompt: Prompt
    mode: Mode = Mode.FULL
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answered.

    `text`: all of it, without the end token; with `Ending.LEFT` only what stands before the values. `free`: the part
    before the object (PAPER: before the key `arkit`), exactly as written: an analysis draft for the next answer.
    `choices`: per action, empty unless `ending` is JSON. `forwards` and `tokens`: runs of the model after the prompt
    in which this row took part, and the tokens that it fed. `agreement`: of the checked choices (`CHECKED_VALUES`) the
    share in which the model's favourite of all tokens was among the allowed ones; 1 where none was checked. `ids`: the
    text's tokens as they were chosen.
    """

    text: str
    free: str
    ending: Ending
    choices: Mapping[str, Choice]
    forwards: int
    tokens: int
    agreement: float
    ids: tuple[int, ...] = ()


@dataclass(slots=True)
class _Work:
    """A row, where its proposals come from, and its place among the requests."""

    index: int
    row: Row
    proposer: Proposer


@dataclass(slots=True)
class _Batch:
    lanes: Lanes
    works: list[_Work]

    def part(self, which: Sequence[int]) -> _Batch:
        return _Batch(self.lanes.gather(which), [self.works[i] for i in which])


@dataclass(slots=True)
class _Plan:
    """What one run feeds of a row, and the choices it will settle: places in the row's tokens, in order."""

    feed: list[int] = field(default_factory=list)
    asks: list[tuple[int, Place]] = field(default_factory=list)


class Decoder:
    """Decodes answers with one model. `stop_ids`: tokens that end an answer. `wide`: whether tokens are cheap beside
    runs of the model; None: unless it is on a CPU, whose time grows with every token."""

    def __init__(
        self, model: Any, tokenizer: Any, profile: Profile, *, stop_ids: Collection[int], wide: bool | None = None
    ) -> None:
        self.model = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.tokenizer = tokenizer
        templates = build_templates(self._encode, profile)
        self.first = templates[0]
        words = 0 if self.first.layout.wordless else profile.analysis_tokens
        limit = words + math.ceil(ROOM * max(template.tokens for template in templates))
        self.rules = Rules.of(templates, stop_ids, limit)
        self.head = Head(self.model.lm_head, templates)
        self.wide = self.model.device.type != "cpu" if wide is None else wide

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def decode(
        self,
        requests: Sequence[Request],
        watch: Callable[[int, str], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Answer]:
        """One answer per request, in order. `watch` gets each unfinished row's free text after every run."""
        if not requests:
            return []
        lanes, hidden = Lanes.prefill(self.model, [request.prompt for request in requests])
        self.model.model.rope_deltas = None
        works = [_Work(i, Row(self.rules), self._proposer(request)) for i, request in enumerate(requests)]
        begins = self.head.ask(hidden, [self.first.begin] * len(works))
        for work, request, logits, favourite in zip(works, requests, *begins, strict=True):
            if request.mode is Mode.COEFFICIENTS and not self.first.layout.wordless:
                work.row.open(self.first)
            else:
                work.row.begin(self.first, logits, favourite)
        every = [work.row for work in works]

        def stop() -> bool:
            if cancelled():
                for row in every:
                    row.ending = row.ending or Ending.CANCELLED
                return True
            return False

        def show(batch: _Batch) -> None:
            for work in batch.works:
                if watch is not None and work.row.ending is None:
                    watch(work.index, self._shown(work.row))

        writing = self._run(_Batch(lanes, works), lambda row: row.template is not None, show, stop)
        if writing:
            whole = _Batch(Lanes.join([part.lanes for part in writing]), [w for part in writing for w in part.works])
            del writing, lanes
            self._run(whole, lambda row: False, show, stop)
        return [self._answer(row) for row in every]

    def _run(
        self,
        batch: _Batch,
        ready: Callable[[Row], bool],
        show: Callable[[_Batch], None],
        stop: Callable[[], bool],
    ) -> list[_Batch]:
        """One phase, until each row has ended or is `ready` for the next. Returns the ready ones."""
        waiting: list[_Batch] = []
        while not stop():
            rows = [work.row for work in batch.works]
            busy = [i for i, row in enumerate(rows) if row.ending is None and not ready(row)]
            done = [i for i, row in enumerate(rows) if row.ending is None and ready(row)]
            if not busy:
                return waiting if not done else [*waiting, batch if len(done) == len(rows) else batch.part(done)]
            if (len(rows) - len(busy)) * IDLE >= len(rows):
                if done:
                    waiting.append(batch.part(done))
                batch = batch.part(busy) if len(busy) < len(rows) else batch
            elif batch.lanes.wasted > HOLES:
                batch = batch.part(range(len(rows)))
            self._step(batch, ready)
            show(batch)
        return []

    def _step(self, batch: _Batch, ready: Callable[[Row], bool]) -> None:
        """Propose, run the model once for all rows, keep what was right."""
        plans = [_Plan() if work.row.ending is not None or ready(work.row) else _plan(work) for work in batch.works]
        hidden = batch.lanes.forward([plan.feed for plan in plans])
        asked = [(lane, index, place) for lane, plan in enumerate(plans) for index, place in plan.asks]
        fed = [work.row.fed for work in batch.works]
        lanes = torch.tensor([lane for lane, _, _ in asked])
        columns = torch.tensor([index - fed[lane] - 1 for lane, index, _ in asked])
        picked = hidden[lanes.to(hidden.device), columns.to(hidden.device)]
        logits, favourites = self.head.ask(picked, [place for _, _, place in asked])
        found = iter(zip(logits, favourites, strict=True))
        kept = []
        for work, plan in zip(batch.works, plans, strict=True):
            kept.append(_settle(work.row, plan, [next(found) for _ in plan.asks]) if plan.feed else 0)
        batch.lanes.keep([len(plan.feed) for plan in plans], kept)

    def _encode(self, text: str) -> tuple[Sequence[int], Sequence[tuple[int, int]]]:
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        return encoded.ids, encoded.offsets

    def _proposer(self, request: Request) -> Proposer:
        draft = request.draft or Draft()
        text = Text(self._draft_ids(draft.analysis)) if draft.analysis and request.mode is Mode.FULL else None
        least, guessed = (WIDE, GUESSED) if self.wide else (1, 1)
        words = Window(TEXT_START, least, TEXT_MOST)
        if draft.values is None:
            return Proposer(text, None, words, Window(least, least, guessed))
        return Proposer(text, draft.values, words, Window(VALUES_START, least, VALUES_MOST))

    def _draft_ids(self, analysis: str) -> list[int]:
        """A draft's tokens up to its values, with a trigger at the end."""
        row = Row(self.rules)
        for token in self._encode(analysis)[0]:
            if row.template is not None or token in self.rules.stop_ids:
                break
            row.push(token)
        return row.ids if row.template is not None else [*row.ids, *self.first.trigger]

    def _shown(self, row: Row) -> str:
        """The free text as far as it is certain: without a trigger that may have begun, or half a character."""
        ids = row.free_ids()
        if row.template is None:
            begun = (
                length
                for template in self.rules.templates
                for length in range(len(template.trigger) - 1, 0, -1)
                if tuple(ids[-length:]) == template.trigger[:length]
            )
            ids = ids[: len(ids) - next(begun, 0)]
        return str(self.tokenizer.decode(ids)).rstrip("\ufffd")

    def _answer(self, row: Row) -> Answer:
        assert row.ending is not None
        return Answer(
            text=str(self.tokenizer.decode(row.ids)),
            free=str(self.tokenizer.decode(row.free_ids())),
            ending=row.ending,
            choices=row.choices() if row.ending is Ending.JSON else {},
            forwards=row.forwards,
            tokens=row.tokens,
            agreement=row.agreement,
            ids=tuple(row.ids),
        )


def _plan(work: _Work) -> _Plan:
    """Let proposals be made, and list the choices they raise. The last of them needs no proposal and feeds none."""
    row, plan = work.row, _Plan()
    row.push_forced()
    known = len(row.ids)
    work.proposer.propose(row)
    end = len(row.ids) if row.whole else len(row.ids) + 1
    for index in range(known, end):
        place = _place(row, index)
        if not place.forced:
            plan.asks.append((index, place))
    plan.feed = row.ids[row.fed : plan.asks[-1][0]]
    return plan


def _place(row: Row, index: int) -> Place:
    """What may stand at a place of the row's tokens. A trigger that was only proposed is free text itself."""
    if row.template is None or index < row.start:
        return FREE
    return row.template.places[index - row.start]


def _settle(row: Row, plan: _Plan, found: Sequence[tuple[Any, int]]) -> int:
    """Replace the first wrong proposal and cut off the rest. Returns how many of the fed tokens stay."""
    row.forwards += 1
    row.tokens += len(plan.feed)
    before = row.fed
    for (index, place), (logits, favourite) in zip(plan.asks, found, strict=True):
        token = row.choose(place, logits, favourite)
        wrong = index >= len(row.ids) or row.ids[index] != token
        row.fed = index
        if wrong:
            row.cut(index)
            row.accept(token)
        row.judge(place)
        if wrong or row.ending is not None:
            break
    return row.fed - before
