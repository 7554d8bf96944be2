"""Cut a job's frames into stretches that sessions of a sequential engine can run side by side.

A tracker's result depends on the frames before it, so a stretch begins with warm-up frames whose results are thrown
away, and a frame's result hardly depends on how the job was cut (`SPLIT_TOLERANCE`) or on which other frames were
picked. Pure arithmetic on source frame numbers; knows nothing of pictures or engines.

How picks are read. Frames at a constant step of at most 5 are a run and are tracked at their own rate, warm-up
included. Everything else (single frames, irregular or large steps) is tracked on every source frame, from `warmup`
frames before the first; where the gap to the next pick is no longer than the warm-up, tracking simply goes on
through the gap, which costs less than starting anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

WARMUP = 30
"""Frames that a landmark tracker runs before a stretch. Measured on two clips of a real face (with regions off the
grid of `Mesh.next_region`), difference of scores in the 150 frames after a cut to an uninterrupted pass: without
warm-up mean 0.0008, p99 0.010, max 0.30; with 15 frames 0.0003, 0.0034, 0.018; with 30 frames 0.0003, 0.0028, 0.011,
and no less with 60 or 90. On the grid, 30 frames give mean 0.00002 and p99 0.0005."""

SPLIT_TOLERANCE = 0.03
"""Most that a score of any frame moves when a clip is cut into 2 or 4 stretches. `semanticface bench landmarks`
prints what is reached."""

LARGEST_STEP = 5
_SHORTEST_RUN = 3
"""Fewer frames at one step are picks, not a run."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one session runs. `feed`: all source frames to run, ascending; `frames`: those whose results are kept."""

    feed: tuple[int, ...]
    frames: tuple[int, ...]

    @property
    def warmup(self) -> tuple[int, ...]:
        """The frames of `feed` before the first kept one."""
        return tuple(frame for frame in self.feed if frame < self.frames[0])


@dataclass(frozen=True, slots=True)
class _Track:
    """Wanted frames, ascending, that one tracker passes at one step."""

    step: int
    wanted: tuple[int, ...]

    @property
    def feed(self) -> range:
        return range(self.wanted[0], self.wanted[-1] + 1, self.step)


def plan_stretches(frames: Sequence[int], lanes: int, warmup: int, minimum: int) -> list[Stretch]:
    """Stretches in frame order that together keep every given frame once.

    `frames` are source frame numbers from 0 (any order, repeats count once); `lanes` at most so many pieces are made
    of a long run; `warmup` frames to run before a stretch; a piece keeps at least `minimum` frames. Raises
    ValueError for numbers that make no sense, which the caller has checked.
    """
    if lanes < 1 or warmup < 0 or minimum < 1 or min(frames, default=0) < 0:
        raise ValueError(f"can't plan {len(frames)} frames on {lanes} lanes, warm-up {warmup}, minimum {minimum}")
    tracks = _joined(list(_runs(sorted(set(frames)))), warmup)
    total = sum(len(track.feed) for track in tracks)
    out: list[Stretch] = []
    for track in tracks:
        share = max(1, round(lanes * len(track.feed) / total))
        out.extend(_pieces(track, share, warmup, minimum))
    return out


def _runs(frames: list[int]) -> Iterator[_Track]:
    """Runs of at least three frames at one small step; other frames one by one, as picks at step 1."""
    at = 0
    while at < len(frames):
        end = at + 1
        step = frames[end] - frames[at] if end < len(frames) else 0
        while end < len(frames) and frames[end] - frames[end - 1] == step:
            end += 1
        if step == 1 or (1 < step <= LARGEST_STEP and end - at >= _SHORTEST_RUN):
            yield _Track(step, tuple(frames[at:end]))
            at = end
        else:
            yield _Track(1, (frames[at],))
            at += 1


def _joined(tracks: list[_Track], warmup: int) -> list[_Track]:
    """Neighbours at the same step become one where going on through the gap costs no more than a warm-up."""
    out: list[_Track] = []
    for track in tracks:
        if out and out[-1].step == track.step:
            gap = track.wanted[0] - out[-1].wanted[-1]
            if gap % track.step == 0 and gap // track.step <= warmup + 1:
                out[-1] = _Track(track.step, out[-1].wanted + track.wanted)
                continue
        out.append(track)
    return out


def _pieces(track: _Track, lanes: int, warmup: int, minimum: int) -> Iterator[Stretch]:
    """Up to `lanes` pieces that take equally long, warm-up included: the first has none and gets more frames."""
    feed = track.feed
    count = max(1, min(lanes, len(track.wanted) // minimum))
    while count > 1 and (len(feed) + warmup * (count - 1)) / count < warmup + minimum:
        count -= 1
    load = (len(feed) + warmup * (count - 1)) / count
    cuts = [0, *(round(load + (load - warmup) * i) for i in range(count - 1)), len(feed)]
    for start, end in pairwise(cuts):
        part = feed[start:end]
        kept = tuple(frame for frame in track.wanted if part[0] <= frame <= part[-1]) if part else ()
        if kept:
            first = max(kept[0] - warmup * track.step, kept[0] % track.step)
            yield Stretch(tuple(range(first, kept[-1] + 1, track.step)), kept)
