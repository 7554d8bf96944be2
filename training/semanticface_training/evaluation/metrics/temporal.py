"""Curves over a video: how much they tremble, and how late they are.

Only neighbours in time are compared: a sequence is cut where frames are missing. Knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import InputError
from semanticface_training.evaluation.metrics.arrays import CONSTANT, Floats, Pair, checked, checked_rows
from semanticface_training.evaluation.metrics.cross import group_rows

LONGEST_LAG = 15
"""Frames that a curve may be early or late."""
_SAME_STEP = 0.5
"""Share by which a step of time may differ from the sequence's median before it counts as a gap."""

Run = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JitterRow:
    """One channel: mean absolute second difference of the prediction and of the truth, in its unit per frame^2."""

    name: str
    predicted: float
    truth: float


@dataclass(frozen=True, slots=True)
class Temporal:
    """Of n frames in `sequences` sequences, cut into `runs` without a gap; `too_short` runs have fewer than 3 frames.

    `jitter`, `truth_jitter`: mean absolute second difference over `triples` of neighbouring frames and all channels,
    per frame^2; `ratio` is their quotient. `lag_frames`: shift of the prediction with the greatest mean correlation
    over channels, above 0 when it is late; `lag_seconds` at the median step; `correlation` at that shift and
    `unshifted` at none. None where nothing defines it.
    """

    n: int
    sequences: int
    runs: int
    too_short: int
    triples: int
    step_seconds: float | None
    jitter: float | None
    truth_jitter: float | None
    ratio: float | None
    lag_frames: int | None
    lag_seconds: float | None
    correlation: float | None
    unshifted: float | None
    rows: tuple[JitterRow, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}


def jitter_and_lag(
    truth: ArrayLike,
    predicted: ArrayLike,
    names: Sequence[str],
    times: Sequence[float] | Floats,
    sequences: Sequence[Hashable],
    longest_lag: int = LONGEST_LAG,
) -> Temporal:
    """`times` (N,) in seconds and `sequences` (N,) tell which rows are neighbours; rows may come in any order.

    Raises InputError for times that are no numbers and for two frames of a sequence at the same time.
    """
    pair = checked(truth, predicted, names)
    clock = np.asarray(checked_rows(times, pair.n, "times"), dtype=np.float64)
    if not np.isfinite(clock).all():
        raise InputError(f"row {int(np.argmin(np.isfinite(clock)))} has no time", "curves need the time of each frame")
    groups = group_rows(checked_rows(sequences, pair.n, "sequences"))
    steps: list[float] = []
    runs = [run for rows in groups for run in _runs(rows, clock, steps)]
    long = [run for run in runs if len(run) >= 3]
    said, true = _second_differences(pair.predicted, long), _second_differences(pair.truth, long)
    step = float(np.median(steps)) if steps else None
    lag, best, unshifted = _lag(pair, long, longest_lag)
    jitter, truth_jitter = (float(said.mean()), float(true.mean())) if len(said) else (None, None)
    return Temporal(
        n=pair.n,
        sequences=len(groups),
        runs=len(runs),
        too_short=len(runs) - len(long),
        triples=len(said),
        step_seconds=step,
        jitter=jitter,
        truth_jitter=truth_jitter,
        ratio=jitter / truth_jitter if jitter is not None and truth_jitter else None,
        lag_frames=lag,
        lag_seconds=lag * step if lag is not None and step is not None else None,
        correlation=best,
        unshifted=unshifted,
        rows=_jitter_rows(pair.names, said, true),
    )


def _jitter_rows(names: Sequence[str], said: Floats, true: Floats) -> tuple[JitterRow, ...]:
    if not len(said):
        return ()
    return tuple(JitterRow(name, float(said[:, k].mean()), float(true[:, k].mean())) for k, name in enumerate(names))


def _runs(rows: Run, clock: Floats, steps: list[float]) -> list[Run]:
    """A sequence's rows in the order of time, cut at gaps. Its usual step goes into `steps`."""
    order = rows[np.argsort(clock[rows], kind="stable")]
    gaps = np.diff(clock[order])
    if (gaps <= 0).any():
        row = int(order[int(np.argmax(gaps <= 0)) + 1])
        raise InputError(f"row {row} has the time of another frame of its sequence", "each frame has its own time")
    if not len(gaps):
        return [order]
    usual = float(np.median(gaps))
    steps.append(usual)
    return np.split(order, np.flatnonzero(np.abs(gaps - usual) > _SAME_STEP * usual) + 1)


def _second_differences(values: Floats, runs: Sequence[Run]) -> Floats:
    """|x(t + 1) - 2 x(t) + x(t - 1)| of all runs one after another: (triples, K)."""
    parts = [np.abs(np.diff(values[run], n=2, axis=0)) for run in runs]
    return np.concatenate(parts) if parts else np.empty((0, values.shape[1]))


def _lag(pair: Pair, runs: Sequence[Run], longest: int) -> tuple[int | None, float | None, float | None]:
    """The shift with the greatest mean r over channels that move on both sides, that r, and the r without a shift.

    All shifts are judged on the same frames of the truth, those that have a partner at every shift: else a shift would
    gain from leaving difficult frames out.
    """
    room = [run for run in runs if len(run) > 2 * longest + 2]
    if not room:
        return None, None, None
    shifts = sorted(range(-longest, longest + 1), key=abs)  # of equal ones the smallest shift counts
    r = _shifted_correlations(pair, room, longest, shifts)
    means = {
        lag: float(values[np.isfinite(values)].mean())
        for lag, values in zip(shifts, r, strict=True)
        if np.isfinite(values).any()
    }
    if not means:
        return None, None, None
    best = max(means, key=lambda lag: means[lag])
    return best, means[best], means.get(0)


def _shifted_correlations(pair: Pair, runs: Sequence[Run], longest: int, shifts: Sequence[int]) -> Floats:
    """Pearson's r of the truth with the prediction so many frames later: (shifts, K), NaN where undefined.

    Run by run without copies of the whole: products and sums are added up about the channels' means.
    """
    rows = np.concatenate(runs)
    true_mean, said_mean = pair.truth[rows].mean(axis=0), pair.predicted[rows].mean(axis=0)
    sums = np.zeros((len(shifts), 3, len(pair.names)))  # of said, said^2, said x true
    true_sum, true_square, n = np.zeros(len(pair.names)), np.zeros(len(pair.names)), 0
    for run in runs:
        true = pair.truth[run[longest : len(run) - longest]] - true_mean
        said = pair.predicted[run] - said_mean
        true_sum, true_square, n = true_sum + true.sum(axis=0), true_square + (true**2).sum(axis=0), n + len(true)
        for place, lag in enumerate(shifts):
            part = said[longest + lag : longest + lag + len(true)]
            sums[place, 0] += part.sum(axis=0)
            sums[place, 1] += np.einsum("nk,nk->k", part, part)
            sums[place, 2] += np.einsum("nk,nk->k", part, true)
    true_spread, said_spread = true_square - true_sum**2 / n, sums[:, 1] - sums[:, 0] ** 2 / n
    least = n * CONSTANT**2 / 12  # what values spread evenly over CONSTANT would have
    moves = (true_spread > least) & (said_spread > least)
    scale = np.sqrt(np.where(moves, true_spread * said_spread, 1.0))
    return np.where(moves, np.clip((sums[:, 2] - sums[:, 0] * true_sum / n) / scale, -1.0, 1.0), np.nan)
