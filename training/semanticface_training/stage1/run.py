"""Describe many frames: what is there already is kept, what is alike is described once, what is unfaithful again.

Every text that comes is written down before the next batch begins, refused ones too. So a run can be killed at any
moment and goes on where it stopped: nothing is lost but the batch under way, nothing is written twice. This module
knows nothing of command lines or datasets.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from semanticface.errors import InputError
from semanticface_training.stage1.faithfulness import REFUSED, Fault, FaultKind, faults_of
from semanticface_training.stage1.store import Record, Store
from semanticface_training.stage1.teacher import Described, Teacher, key_of, rounded


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a run. `rows` and `contents`: how many ids, and how many different faces, there are.

    `kept`: rows described by an earlier run; `copied`: rows that are alike another one; `texts`: what the teacher
    wrote in this run, of which `accepted` were; `given_up`: contents without an accepted text after all attempts;
    `reasons`: refused texts of this run by the kinds of their faults (a text may have several); `remarks`: faults of
    accepted texts; `seconds`: since the start of this run.
    """

    rows: int
    contents: int
    kept: int = 0
    copied: int = 0
    texts: int = 0
    accepted: int = 0
    given_up: int = 0
    done: int = 0
    seconds: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)
    remarks: Mapping[str, int] = field(default_factory=dict)

    @property
    def acceptance(self) -> float:
        """Share of this run's texts that were accepted; 1 when none was written."""
        return self.accepted / self.texts if self.texts else 1.0

    @property
    def rate(self) -> float:
        """Texts a second in this run."""
        return self.texts / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class _Content:
    key: str
    values: Mapping[str, float]
    ids: list[str]


def describe_all(
    frames: Iterable[tuple[str, Mapping[str, float]]],
    store: Store,
    teacher: Teacher,
    attempts: int = 3,
    refused: frozenset[FaultKind] = REFUSED,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Describe every (id, coefficients); `attempts` counts those of earlier runs. Returns what was done.

    Raises InputError for an id that comes twice, EngineError when the teacher can't go on.
    """
    contents = _contents(frames, teacher)
    run = _Run(store, teacher, refused, attempts if teacher.tries else 1, tell, contents)
    waiting = run.settle(contents)
    while waiting:
        first = min(waiting, key=lambda content: store.attempts(content.key))
        attempt = store.attempts(first.key) + 1
        turn = [content for content in waiting if store.attempts(content.key) + 1 == attempt]
        for start in range(0, len(turn), teacher.batch):
            run.batch(turn[start : start + teacher.batch], attempt)
        waiting = run.still_waiting(waiting)
    return run.progress()


def _contents(frames: Iterable[tuple[str, Mapping[str, float]]], teacher: Teacher) -> list[_Content]:
    identity = teacher.identity()
    found: dict[str, _Content] = {}
    seen: set[str] = set()
    for name, coefficients in frames:
        if name in seen:
            raise InputError(f"row {name} comes twice", "ids of rows are unique")
        seen.add(name)
        values = rounded(coefficients)
        key = key_of(identity, values)
        found.setdefault(key, _Content(key, values, [])).ids.append(name)
    return list(found.values())


class _Run:
    """The counters of a run, and its steps."""

    def __init__(
        self,
        store: Store,
        teacher: Teacher,
        refused: frozenset[FaultKind],
        attempts: int,
        tell: Callable[[Progress], None],
        contents: Sequence[_Content],
    ) -> None:
        self._store, self._teacher, self._refused = store, teacher, refused
        self._attempts, self._tell = attempts, tell
        self._rows, self._contents = sum(len(content.ids) for content in contents), len(contents)
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._remarks: Counter[str] = Counter()
        self._begin = time.monotonic()

    def progress(self) -> Progress:
        return Progress(
            self._rows,
            self._contents,
            **self._counts,
            seconds=time.monotonic() - self._begin,
            reasons=dict(self._reasons.most_common()),
            remarks=dict(self._remarks.most_common()),
        )

    def settle(self, contents: Sequence[_Content]) -> list[_Content]:
        """Give ids that are alike what an earlier run wrote; returns what is still to be described."""
        waiting: list[_Content] = []
        copies: list[Record] = []
        for content in contents:
            missing = [name for name in content.ids if not self._store.holds(name, content.key)]
            known = self._store.accepted(content.key) if missing else None
            self._counts["kept"] += len(content.ids) - len(missing)
            if missing and known is None:
                waiting.append(content)
                continue
            self._counts["done"] += 1
            if known is not None:
                copies += self._store.copy(known, missing)
                self._counts["copied"] += len(missing)
        self._store.append(copies)
        return self.still_waiting(waiting)

    def still_waiting(self, contents: Sequence[_Content]) -> list[_Content]:
        """Those with no accepted text and attempts left; those without any left are given up."""
        left = [content for content in contents if self._store.attempts(content.key) < self._attempts]
        over = [content for content in contents if self._store.attempts(content.key) >= self._attempts]
        undone = [content for content in left if not self._store.holds(content.ids[0], content.key)]
        lost = sum(not self._store.holds(content.ids[0], content.key) for content in over)
        self._counts["given_up"] += lost
        self._counts["done"] += lost
        return undone

    def batch(self, contents: Sequence[_Content], attempt: int) -> None:
        """One call of the teacher, judged and written down."""
        begin = time.monotonic()
        described = self._teacher.describe([content.values for content in contents], attempt)
        share = round((time.monotonic() - begin) / len(contents), 4)
        records: list[Record] = []
        for content, one in zip(contents, described, strict=True):
            records += self._judged(content, one, attempt, share)
        self._store.append(records)
        self._tell(self.progress())

    def _judged(self, content: _Content, one: Described, attempt: int, seconds: float) -> list[Record]:
        faults = faults_of(one.text, one.analysis, one.complete, content.values)
        if one.problem:
            faults.insert(0, Fault(FaultKind.EMPTY if not one.text else FaultKind.CUT, one.problem))
        accepted = one.analysis is not None and not any(fault.kind in self._refused for fault in faults)
        self._counts["texts"] += 1
        tally = self._remarks if accepted else self._reasons
        tally.update({fault.kind.value for fault in faults})
        words = tuple(fault.to_text() for fault in faults)
        record = Record(content.ids[0], content.key, one.analysis, one.text, accepted, words, attempt, seconds)
        if not accepted:
            return [record]
        self._counts["accepted"] += 1
        self._counts["done"] += 1
        self._counts["copied"] += len(content.ids) - 1
        return [record, *self._store.copy(record, content.ids[1:])]
