"""What a job still has to compute, cut into runs of frames for one lane of a worker.

A tracker's result depends on the frames before it, but only on as many as the engine's `warmup` says. How a pick of
frames is tracked is `engines.stretches`' to say: at which step, and from which source frame on. Here that plan is cut
into pieces for the lanes, each begun with the warm-up frames before it, so the piece that a frame lies in does not show
in its result. Hence the cache's key of a frame of footage: content, number, step. For pictures that a client sends as
one performance the key holds the hashes of the pictures that warm it up. This module knows nothing of sockets or
processes.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol

from semanticface.engines.base import Traits
from semanticface.engines.stretches import plan_stretches
from semanticface.results import FrameResult
from semanticface.server.jobs import Job

LONGEST = 1000
"""Frames in a piece: what waits to leave in order is bounded by it, and warm-up costs at most warmup / LONGEST."""
SHORTEST = 24
AHEAD = 4000
"""No piece is begun further than this ahead of what the client has been sent."""
HITS = 32
"""Cached results delivered in one go."""
HISTORY_BYTES = 128 << 20
"""Answered pictures kept to warm a session up again after a crash; beyond it warm-up is shorter."""


class Memory(Protocol):
    """What a feed asks of the result cache."""

    def get(self, key: bytes) -> FrameResult | None: ...
    def may_hold(self, size: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the worker said about a job: completed `options`, the engine's `fingerprint` under them, and the media's
    `info` (width, frame count, rate ...) and `content` hash, both empty for pictures that the client sends."""

    engine: Mapping[str, Any]
    traits: Traits
    options: Mapping[str, Any]
    fingerprint: str
    video: bool
    info: Mapping[str, Any]
    content: str


@dataclass(slots=True)
class Picture:
    """A picture as it came from the client. `payload` is a message part, kept by reference and never copied."""

    payload: Any
    size: int
    format: str
    width: int | None
    height: int | None
    bottom_up: bool
    _digest: bytes = field(default=b"", init=False)

    @property
    def digest(self) -> bytes:
        """The hash of the picture and its layout, computed when first asked for: it takes a millisecond a megabyte."""
        if not self._digest:
            layout = f"{self.format},{self.width},{self.height},{self.bottom_up}".encode()
            self._digest = key_of(layout, memoryview(self.payload))
        return self._digest


@dataclass(slots=True, eq=False)
class Item:
    """One frame to compute: its place `index` in the job, its source number, and its key in the cache.

    An empty key is found out when the result is stored. `step` is the distance in source frames at which a tracker
    passes it. `strikes` counts the times that a worker failed with it on the table.
    """

    job: Job
    index: int
    frame: int
    time: float | None
    picture: Picture | None
    key: bytes
    step: int = 1
    strikes: int = 0


class Feed(Protocol):
    """What is left of a job. `ordered`: results must leave in the order of their index."""

    ordered: bool
    again: bool
    held: int
    prepared: Prepared

    @property
    def total(self) -> int | None: ...
    def frame(self, index: int) -> int: ...
    def cut(self, lane: int, limit: int) -> list[Item]:
        """Some items for this lane, about `limit` frames' work; `again` is set when calling once more may give some."""

    def lead(self, item: Item, last: Item | None, lane: int) -> tuple[bool, list[Item]]:
        """Whether a tracker that has just seen `last` must begin anew for this item, and the items to show it first."""

    def answered(self, index: int, failed: bool) -> None: ...
    def key(self, item: Item) -> bytes:
        """The item's key in the cache."""


def key_of(*parts: bytes | memoryview) -> bytes:
    """A digest of these parts, each with its length, so that no two lists of parts look alike."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def follows(prepared: Prepared) -> bool:
    """Whether the job's frames go through a tracker's own session, one after the other."""
    return prepared.traits.sequential and prepared.video


@dataclass(slots=True)
class Piece:
    """Items' places `cursor` to `stop` in the job, passed at `step`; `lane` is the one that works on it."""

    cursor: int
    stop: int
    step: int
    lane: int = -1


class MediaFeed:
    """Frames of footage that the worker reads itself; `done` are the indexes that the take holds already."""

    ordered = True
    held = 0

    def __init__(self, job: Job, frames: Sequence[int], done: set[int], prepared: Prepared, memory: Memory) -> None:
        """`frames` are ascending source frame numbers, each once."""
        self.prepared = prepared
        self.again = False
        self._job = job
        self._frames = frames
        self._done = done
        self._memory = memory
        self._failed: set[int] = set()
        self._begun: list[Piece] = []
        self._waiting = deque(plan_pieces(frames, done, prepared))

    @property
    def total(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> int:
        return self._frames[index]

    def answered(self, index: int, failed: bool) -> None:
        if failed:
            self._failed.add(self._frames[index])

    def key(self, item: Item) -> bytes:
        return item.key

    def cut(self, lane: int, limit: int) -> list[Item]:
        self.again = False
        while piece := self._piece(lane):
            items = self._walk(piece, limit)
            if items or self.again or self._job.state.ended:
                return items
        return []

    def lead(self, item: Item, last: Item | None, lane: int) -> tuple[bool, list[Item]]:
        if not follows(self.prepared):
            return False, []
        step, warmup = item.step, self.prepared.traits.warmup
        gap = 0 if last is None or last.step != step else item.frame - last.frame
        fresh = gap <= 0 or gap % step != 0 or gap // step > warmup + 1
        first = item.frame - step * (min(warmup, item.frame // step) if fresh else gap // step - 1)
        frames = (frame for frame in range(first, item.frame, step) if frame not in self._failed)
        return fresh, [Item(self._job, -1, frame, None, None, b"", step) for frame in frames]

    def _walk(self, piece: Piece, limit: int) -> list[Item]:
        """The next frames of the piece that the cache doesn't know; those that it knows are delivered on the way."""
        items: list[Item] = []
        cost = hits = 0
        while piece.cursor < piece.stop and cost < limit:
            index = piece.cursor
            piece.cursor += 1
            if index in self._done:
                continue
            item = self._item(index, piece.step)
            hit = self._memory.get(item.key)
            if hit is None:
                cost += 1 if not items else (item.frame - items[-1].frame) // piece.step
                items.append(item)
                continue
            self._job.deliver(index, hit, stored=True)
            hits += 1
            if hits >= HITS or self._job.state.ended:
                self.again = True
                break
        return items

    def _piece(self, lane: int) -> Piece | None:
        self._begun = [piece for piece in self._begun if piece.cursor < piece.stop]
        for piece in self._begun:
            if piece.lane == lane or not follows(self.prepared):
                return piece
        if self._waiting and self._waiting[0].cursor <= self._job.out.sent + AHEAD:
            self._begun.append(self._waiting.popleft())
            self._begun[-1].lane = lane
            return self._begun[-1]
        return None

    def _item(self, index: int, step: int) -> Item:
        frame = self._frames[index]
        parts = (self.prepared.content, str(frame), str(step), self.prepared.fingerprint)
        return Item(self._job, index, frame, None, None, key_of(b"media", *(part.encode() for part in parts)), step)


def plan_pieces(frames: Sequence[int], done: set[int], prepared: Prepared) -> list[Piece]:
    """Pieces in frame order that hold every index not in `done`, so that all lanes have work."""
    if not follows(prepared):
        return split([(0, len(frames), 1)], done, 1, 0)
    tracks: list[tuple[int, int, int]] = []
    first = 0
    for track in plan_stretches(frames, 1, prepared.traits.warmup, 1):
        step = track.feed[1] - track.feed[0] if len(track.feed) > 1 else 1
        tracks.append((first, first + len(track.frames), step))
        first += len(track.frames)
    return split(tracks, done, prepared.traits.lanes, prepared.traits.warmup)


def split(tracks: Sequence[tuple[int, int, int]], done: set[int], lanes: int, warmup: int) -> list[Piece]:
    """Runs [first, stop) at a step, without what is `done`, cut for the lanes. A short hole is passed, not jumped."""
    out: list[Piece] = []
    for first, stop, step in tracks:
        runs: list[list[int]] = []
        for index in (index for index in range(first, stop) if index not in done):
            if runs and index - runs[-1][1] <= warmup:
                runs[-1][1] = index + 1
            else:
                runs.append([index, index + 1])
        for low, high in runs:
            count = high - low
            pieces = max(1, min(lanes * -(-count // (LONGEST * lanes)), count // SHORTEST))
            edges = [low + count * place // pieces for place in range(pieces + 1)]
            out += [Piece(a, b, step) for a, b in pairwise(edges)]
    return out


class ByteFeed:
    """Pictures that the client sends, in the order in which they come; `close` when it has sent the last."""

    ordered = False
    again = False

    def __init__(self, job: Job, prepared: Prepared, memory: Memory) -> None:
        self.prepared = prepared
        self.held = 0
        self._job = job
        self._memory = memory
        self._warmup = prepared.traits.warmup if follows(prepared) else 0
        self._queue: deque[Item] = deque()
        self._open: dict[int, Item] = {}
        self._past: dict[int, Item] = {}
        self._failed: set[int] = set()
        self._count = 0
        self._closed = False
        self._lane = -1
        self._digests: deque[bytes] = deque(maxlen=self._warmup)

    @property
    def total(self) -> int | None:
        return self._count if self._closed else None

    def frame(self, index: int) -> int:
        return self._open[index].frame

    def close(self) -> None:
        """The client has sent its last picture."""
        self._closed = True
        self._job.flush()

    def add(self, frame: int, time: float | None, picture: Picture) -> None:
        """The next picture; answered at once when the cache knows it.

        A still of a size that the cache has never seen is handed on before it is hashed: that is off its way then.
        """
        item = Item(self._job, self._count, frame, time, picture, b"")
        if self._warmup or self._memory.may_hold(picture.size):
            item.key = self.key(item)
        if self._warmup:
            self._digests.append(picture.digest)
        self._count += 1
        self._open[item.index] = item
        self.held += picture.size
        hit = self._memory.get(item.key) if item.key else None
        if hit is None:
            self._queue.append(item)
        else:
            self._job.deliver(item.index, replace(hit, frame=frame, time=time), stored=True)

    def key(self, item: Item) -> bytes:
        """Of the picture and those that warm it up, which for one of a performance must be the last that came."""
        if item.key or item.picture is None:
            return item.key
        return key_of(b"bytes", *self._digests, item.picture.digest, self.prepared.fingerprint.encode())

    def cut(self, lane: int, limit: int) -> list[Item]:
        if follows(self.prepared) and self._queue:
            self._lane = lane if self._lane < 0 else self._lane
            if self._lane != lane:
                return []
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]

    def lead(self, item: Item, last: Item | None, lane: int) -> tuple[bool, list[Item]]:
        if not follows(self.prepared):
            return False, []
        self._lane = lane
        if last is not None and last.index == item.index - 1:
            return False, []
        before = range(max(0, item.index - self._warmup), item.index)
        known = [self._open.get(index) or self._past.get(index) for index in before if index not in self._failed]
        return True, [one for one in known if one is not None]

    def answered(self, index: int, failed: bool) -> None:
        """Let go of the pictures that neither wait for an answer nor warm up one that does."""
        item = self._open.pop(index)
        self.held -= 0 if item.picture is None else item.picture.size
        if failed:
            self._failed.add(index)
        if not self._warmup:
            return
        self._past[index] = item
        oldest = min(self._open, default=self._count) - self._warmup
        for old in [one for one in self._past if one < oldest]:
            del self._past[old]
        while (
            len(self._past) > 1 and sum(one.picture.size for one in self._past.values() if one.picture) > HISTORY_BYTES
        ):
            del self._past[min(self._past)]
