"""Which frames of a take somebody should look at, and why.

A flag is a reason and a stretch of frames; it never changes a result. What is flagged follows from the raw results
alone: how a frame ended, how sure the engine was, a spike of one frame, a value outside its range, a text that its own
numbers contradict. This module knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, Kind, Region
from semanticface.analysis.check import check
from semanticface.curves.samples import COLUMN, Samples
from semanticface.results import FrameResult, Status

UNSURE = 0.5
"""A confidence below it is flagged."""
SPIKE = {Kind.SHAPE: 0.3, Kind.HEAD: 0.15, Kind.EYE: 0.3}
"""A value that stands out from both neighbouring frames by so much: no face moves there and back in a frame. Lids and
gaze, which nearly do, are left out."""
BEYOND = 0.1
"""A shape below -0.1 or above 1.1; recordings reach 1.05."""


class Reason(StrEnum):
    """Why a frame is flagged; the worse stand first."""

    FAILED = "failed"
    UNPARSEABLE = "unparseable"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    NO_FACE = "no face"
    UNSURE = "low confidence"
    SPIKE = "spike"
    RANGE = "out of range"
    TEXT = "text and numbers disagree"
    FACES = "several faces"


_OF_STATUS = {
    Status.FAILED: Reason.FAILED,
    Status.UNPARSEABLE: Reason.UNPARSEABLE,
    Status.UNREADABLE: Reason.UNREADABLE,
    Status.MISSING: Reason.MISSING,
    Status.NO_FACE: Reason.NO_FACE,
}


@dataclass(frozen=True, slots=True)
class Flag:
    """`first` to `last` are source frames that follow each other in the take, `frames` how many of them there are.

    `at` is the worst of them, `detail` says what is wrong there.
    """

    reason: Reason
    first: int
    last: int
    frames: int
    at: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Hit:
    row: int
    reason: Reason
    weight: float
    detail: str


def flags_of(results: Sequence[FrameResult], samples: Samples) -> list[Flag]:
    """Flags by first frame, the worse reason first. `samples` are `samples_of(results)`, so one row a result."""
    hits = [*_plain_hits(results), *_spikes(samples), *_out_of_range(samples)]
    stretches: dict[Reason, list[list[_Hit]]] = {}
    for hit in sorted(hits, key=lambda one: one.row):
        runs = stretches.setdefault(hit.reason, [])
        if runs and hit.row <= runs[-1][-1].row + 1:
            runs[-1].append(hit)
        else:
            runs.append([hit])
    frames = samples.frames.tolist()
    flags = [_flag(run, frames) for runs in stretches.values() for run in runs]
    order = {reason: place for place, reason in enumerate(Reason)}
    return sorted(flags, key=lambda flag: (flag.first, order[flag.reason]))


def _flag(run: list[_Hit], frames: list[int]) -> Flag:
    worst = max(run, key=lambda hit: hit.weight)
    count = len({hit.row for hit in run})
    return Flag(worst.reason, frames[run[0].row], frames[run[-1].row], count, frames[worst.row], worst.detail)


def _plain_hits(results: Sequence[FrameResult]) -> Iterator[_Hit]:
    ordered = [result for _, result in sorted({result.frame: result for result in results}.items())]
    for row, result in enumerate(ordered):
        if result.status is not Status.OK:
            yield _Hit(row, _OF_STATUS[result.status], 1.0, result.message)
        if result.confidence is not None and result.confidence < UNSURE and result.status is Status.OK:
            yield _Hit(row, Reason.UNSURE, 1.0 - result.confidence, f"confidence {result.confidence:.2f}")
        if result.faces > 1:
            yield _Hit(row, Reason.FACES, float(result.faces), f"{result.faces} faces seen")
        if result.analysis is not None and result.coefficients is not None:
            wrong = check(result.analysis, result.coefficients).disagreements
            if wrong:
                yield _Hit(row, Reason.TEXT, float(len(wrong)), "; ".join(one.message for one in wrong))


def _spikes(samples: Samples) -> Iterator[_Hit]:
    if len(samples.frames) < 3:
        return
    before, after = np.diff(samples.values, axis=0)[:-1], np.diff(samples.values, axis=0)[1:]
    near = (np.diff(samples.frames)[:-1] == 1) & (np.diff(samples.frames)[1:] == 1)
    sizes: NDArray[np.float64] = np.where(before * after < 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    for action in ACTIONS:
        if action.region in {Region.EYES, Region.GAZE}:
            continue
        column, limit = COLUMN[action.name], SPIKE[action.kind]
        for row in np.flatnonzero(near & (sizes[:, column] >= limit)).tolist():
            size = float(sizes[row, column])
            what = f"{size:.2f}" if action.kind is Kind.SHAPE else f"{np.degrees(size):.0f}°"
            yield _Hit(row + 1, Reason.SPIKE, size / limit, f"{action.name} stands out by {what} for one frame")


def _out_of_range(samples: Samples) -> Iterator[_Hit]:
    for action in ACTIONS:
        if action.kind is not Kind.SHAPE:
            continue
        values = samples.values[:, COLUMN[action.name]]
        outside = np.maximum(-values, values - 1.0)
        for row in np.flatnonzero(outside > BEYOND).tolist():
            yield _Hit(row, Reason.RANGE, float(outside[row]), f"{action.name} is {values[row]:.2f}")
