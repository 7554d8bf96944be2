"""The frames that matter: the poses that a keyframe artist would set, and nothing between them.

A pose is all 61 values at once. Between two keys the pose goes straight from one to the other, so the best keys are
those that leave the smallest error in between: for a given price of a key they are found exactly, by dynamic
programming over all pairs of frames (Perez and Vidal 1994, optimum polygonal approximation). Keys on extremes (of a
channel's swing, not of its noise) cost less, so that a key sits on the peak and not beside it; peaks of blinks, the
first and last frame, and frames at the edges of gaps are always among them. Knows nothing of footage or hosts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.samples import COLUMN, Samples
from semanticface.errors import InputError
from semanticface.steps import Work, finished

Floats = NDArray[np.float64]

LONGEST = 300
"""Frames between two keys at most in the first search; the second is among the keys of the first alone."""
NEAR, FAR = 40, 1000
"""Of those so many may be left out in a row: few where any number of keys will do, many where they are limited."""
MOST_PAIRS = 8_000_000
"""Pairs of frames whose error is kept, 64 MB; of more than 27,000 frames the first search looks less far."""
ROWS_AT_ONCE = 100
"""Rows of the search between two steps."""
SMOOTHING = 0.012
"""Seconds (standard deviation) by which values are smoothed before the search: noise, not blinks."""
ENERGY = 0.99
"""Share of the motion that is kept when poses are written in fewer numbers than 61."""
EXTREME_REBATE = 0.6
"""By how much a key is cheaper on an extreme."""
BLINKS = ("EyeBlinkLeft", "EyeBlinkRight")


def frames_that_matter(samples: Samples, most: int | None = None, sensitivity: float = 0.5) -> NDArray[np.int64]:
    """Ascending source frames of the poses that tell the motion.

    `sensitivity` in [0, 1]: at 0 only large moves count, at 1 small ones, too. `most`: at most so many frames, then
    the best of that number; None or 0 for as many as it takes. Frames without a result are never among them. Raises
    InputError for a number of frames below 2 or a sensitivity outside its range.
    """
    return finished(choosing(samples, most, sensitivity))


def choosing(samples: Samples, most: int | None = None, sensitivity: float = 0.5) -> Work[NDArray[np.int64]]:
    """The same in steps of a few milliseconds at most, for takes of some minutes."""
    if most is not None and most != 0 and most < 2:
        raise InputError(f"{most} frames can't tell a motion", "ask for 2 or more, or for 0: as many as it takes")
    if not 0 <= sensitivity <= 1:
        raise InputError(f"a sensitivity of {sensitivity:g} is outside 0 to 1")
    limit = most or len(samples.frames)
    spans = list(_present_runs(samples.present))
    if not spans:
        return np.zeros(0, np.int64)
    values, noise = _calmed(samples, spans)
    yield
    swings = yield from _swings(values, spans, noise, sensitivity)
    rows = np.flatnonzero(samples.present)  # a gap between two rows costs nothing: it is never counted
    yield
    poses, left = _poses(values[rows], noise)
    yield
    line = _Line(
        times=samples.times[rows],
        poses=poses,
        noise=left,
        fixed=_fixed(samples, spans, swings, sensitivity, limit)[rows],
        rebate=EXTREME_REBATE * np.minimum(1.0, np.abs(swings[rows]).sum(axis=1) / 0.5),
    )
    price = _price(sensitivity) + 4.0 * line.noise * line.step
    search = yield from _searching(line, np.arange(len(rows)), LONGEST)
    keys = yield from search.best(price)
    search = yield from _searching(line, keys, FAR if len(keys) > limit else NEAR)
    keys = yield from search.within(price, limit)
    chosen: NDArray[np.int64] = samples.frames[rows[keys]]
    return chosen


def _price(sensitivity: float) -> float:
    """What a key costs: a pose that is wrong by this much (squared, all values together) for a tenth of a second."""
    worth = 10 ** np.interp(sensitivity, (0.0, 0.5, 1.0), (0.3, -0.5, -1.3))
    return float(0.1 * worth**2)


def _present_runs(present: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Half-open spans of rows that have values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], present.astype(np.int8), [0]))))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield int(start), int(end)


def _calmed(samples: Samples, spans: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """Slightly smoothed values (F, 61), and (61,) the standard deviation of the noise left in them.

    Noise is told from motion by second differences (x[i-1] - 2 x[i] + x[i+1], whose deviation is sqrt(6) times that
    of white noise), by their median size, which motion hardly moves.
    """
    values = samples.values.copy()
    seconds = [values[start:end - 2] - 2 * values[start + 1:end - 1] + values[start + 2:end]
               for start, end in spans if end - start > 2]  # fmt: skip
    noise = np.zeros(values.shape[1])
    if seconds:
        noise = np.median(np.abs(np.concatenate(seconds)), axis=0) / 0.6745 / np.sqrt(6.0)
    left = 1.0
    for start, end in spans:
        values[start:end], left = _smoothed(samples.times[start:end], values[start:end])
    return values, noise * left


def _smoothed(times: Floats, values: Floats) -> tuple[Floats, float]:
    """A Gaussian mean over up to three neighbours on either side, and the share of white noise that it leaves."""
    count = len(times)
    total, weights, squares = np.zeros_like(values), np.zeros(count), np.zeros(count)
    for offset in range(-3, 4):
        low, high = max(0, -offset), min(count, count - offset)
        if high <= low:
            continue
        here, there = slice(low, high), slice(low + offset, high + offset)
        weight = np.exp(-0.5 * ((times[there] - times[here]) / SMOOTHING) ** 2)
        total[here] += weight[:, None] * values[there]
        weights[here] += weight
        squares[here] += weight**2
    return total / weights[:, None], float(np.median(np.sqrt(squares) / weights))


def _swings(values: Floats, spans: list[tuple[int, int]], noise: Floats, sensitivity: float) -> Work[Floats]:
    """(F, 61): at a turn of a channel how far it stands out, negative for a lowest point, elsewhere 0."""
    least = np.maximum(np.interp(sensitivity, (0.0, 0.5, 1.0), (0.15, 0.06, 0.02)), 6.0 * noise)
    swings = np.zeros_like(values)
    for start, end in spans:
        for column in np.flatnonzero(np.ptp(values[start:end], axis=0) > least):
            line = values[start:end, column].tolist()
            for row, swing in _prominences(line, _turns(line, float(least[column]))):
                swings[start + row, column] = swing
            yield
    return swings


def _turns(line: list[float], least: float) -> list[int]:
    """Rows where the line turns between two swings of at least `least`, and its ends; of a plateau the middle."""
    high = low = best = 0
    rising: bool | None = None
    turns: list[int] = []
    for row, value in enumerate(line):
        if rising is None:
            high = row if value > line[high] else high
            low = row if value < line[low] else low
            if value - line[low] >= least or line[high] - value >= least:
                rising = value - line[low] >= least
                turns.append(low if rising else high)
                best = row
        elif (value > line[best]) is rising and value != line[best]:
            best = row
        elif abs(value - line[best]) >= least:
            turns.append(_middle(line, best))
            best, rising = row, not rising
    return turns if rising is None else [*turns, best]


def _middle(line: list[float], row: int) -> int:
    end = row
    while end + 1 < len(line) and line[end + 1] == line[row]:
        end += 1
    return (row + end) // 2


def _prominences(line: list[float], turns: list[int]) -> list[tuple[int, float]]:
    """Each inner turn with its prominence: what has to be gone down from it on the way to a higher point.

    Of a lowest point the same upside down, as a negative number.
    """
    out = []
    for place in range(1, len(turns) - 1):
        sign = 1.0 if line[turns[place]] > line[turns[place - 1]] else -1.0
        top = sign * line[turns[place]]
        drops = [
            _drop(top, [sign * line[turn] for turn in side]) for side in (turns[place - 1 :: -1], turns[place + 1 :])
        ]
        out.append((turns[place], sign * min(drops)))
    return out


def _drop(top: float, way: list[float]) -> float:
    """How far it goes down along the way until it is higher than `top`."""
    lowest = top
    for value in way:
        if value > top:
            break
        lowest = min(lowest, value)
    return top - lowest


def _fixed(
    samples: Samples, spans: list[tuple[int, int]], swings: Floats, sensitivity: float, limit: int
) -> NDArray[np.bool_]:
    """(F,) rows that must be among the keys: the ends, then edges of gaps and peaks of blinks, as far as they may."""
    fixed = np.zeros(len(samples.frames), bool)
    fixed[[spans[0][0], spans[-1][1] - 1]] = True
    wanted = [row for start, end in spans for row in (start, end - 1)] + _blinks(samples, swings, sensitivity)
    for row in wanted:
        if np.count_nonzero(fixed) < limit:
            fixed[row] = True
    return fixed


def _blinks(samples: Samples, swings: Floats, sensitivity: float) -> list[int]:
    """Rows of the peaks of blinks, the most prominent first; one for both lids where they close together."""
    least = float(np.interp(sensitivity, (0.0, 0.5, 1.0), (0.3, 0.2, 0.08)))
    peaks: dict[int, float] = {}
    for name in BLINKS:
        line, swing = samples.column(name), swings[:, COLUMN[name]]
        for row in np.flatnonzero(swing >= least):
            start = max(int(row) - 2, 0)  # the smoothed peak may stand a frame or two beside the real one
            peak = start + int(np.nanargmax(line[start : int(row) + 3]))
            peaks[peak] = max(peaks.get(peak, 0.0), float(swing[row]))
    rows = sorted(peaks, key=lambda row: -peaks[row])
    kept: list[int] = []
    for row in rows:
        if not any(abs(row - other) <= 1 for other in kept):
            kept.append(row)
    return kept


def _poses(rows: Floats, noise: Floats) -> tuple[Floats, float]:
    """(R, D) the poses in as few numbers as keep ENERGY of the motion (principal components); distances stay.

    Components that noise alone would fill are left out. Also the squared length of the noise in the rest.
    """
    centred = rows - rows.mean(axis=0)
    energies, axes = np.linalg.eigh(centred.T @ centred)
    energies, axes = np.maximum(energies[::-1], 0.0), axes[:, ::-1]
    noises = (axes**2 * (noise**2)[:, None]).sum(axis=0)  # variance along each component
    enough = int(np.searchsorted(np.cumsum(energies), ENERGY * energies.sum())) + 1
    kept = (np.arange(len(energies)) < enough) & (energies > 2.0 * noises * len(rows))
    if not kept.any():
        return np.zeros((len(rows), 1)), 0.0
    return centred @ axes[:, kept], float(noises[kept].sum())


@dataclass(frozen=True, slots=True)
class _Line:
    """Rows with values. `times` (R,) seconds, `poses` (R, D), `noise` its squared length, `fixed` (R,).

    `rebate` (R,) in [0, 1] on a key's price.
    """

    times: Floats
    poses: Floats
    noise: float
    fixed: NDArray[np.bool_]
    rebate: Floats

    @property
    def step(self) -> float:
        """Seconds from row to row."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0


def _searching(line: _Line, rows: NDArray[np.int64], longest: int) -> Work[_Search]:
    """The search for the best keys among `rows` of a line, from its first to its last, at most `longest` apart."""
    longest = max(16, min(longest, MOST_PAIRS // len(rows)))
    errors = yield from _errors(line, rows, max(1, min(longest, len(rows) - 1)))
    return _Search(rows, line.rebate[rows], errors)


class _Search:
    """`rows` (K,) that may be keys, the `rebate` (K,) on their price, and the `errors` between them (see `_errors`)."""

    def __init__(self, rows: NDArray[np.int64], rebate: Floats, errors: Floats) -> None:
        self._rows, self._rebate, self._errors = rows, rebate, errors

    def within(self, price: float, limit: int) -> Work[NDArray[np.int64]]:
        """Rows of the best keys at this price, or at the lowest higher one at which there are at most `limit`."""
        best = yield from self.best(price)
        if len(best) <= limit:
            return best
        low, high = np.log(price), np.log(price) + 30.0
        best = yield from self.best(float(np.exp(high)))
        for _ in range(24):
            middle = (low + high) / 2
            rows = yield from self.best(float(np.exp(middle)))
            if len(rows) <= limit:
                best, high = rows, middle
            else:
                low = middle
        return best

    def best(self, price: float) -> Work[NDArray[np.int64]]:
        """Rows of the keys with the least error and price together."""
        length, count = self._errors.shape
        cost, before = np.full(count, np.inf), np.zeros(count, np.int64)
        cost[0] = 0.0
        prices = price * (1.0 - self._rebate)
        for row in range(1, count):
            reach = min(length, row)
            totals = cost[row - reach : row][::-1] + self._errors[:reach, row]
            nearest = int(totals.argmin())
            cost[row], before[row] = totals[nearest] + prices[row], row - nearest - 1
            if row % ROWS_AT_ONCE == 0:
                yield
        path = [count - 1]
        while path[-1] > 0:
            path.append(int(before[path[-1]]))
        return self._rows[np.array(path[::-1], np.int64)]


def _errors(line: _Line, rows: NDArray[np.int64], length: int) -> Work[Floats]:
    """(L, K): integral of the squared error between key k - l - 1 and key k; infinite where a fixed row is passed over.

    Sums of x, t x and |x|^2 over rows give each pair's error without visiting the rows between. With the line
    a + b t through both ends: sum |x|^2 - 2 (a . sum x + b . sum t x) + |a|^2 n + 2 a . b sum t + |b|^2 sum t^2.
    """
    t = line.times - line.times[0]
    poses, zero = line.poses, np.zeros((1, line.poses.shape[1]))
    first = np.concatenate((zero, np.cumsum(poses, axis=0)))
    mixed = np.concatenate((zero, np.cumsum(t[:, None] * poses, axis=0)))
    plain = np.stack([(poses**2).sum(axis=1), t, t**2, np.ones_like(t), line.fixed], axis=1)
    sums = np.concatenate((np.zeros((1, 5)), np.cumsum(plain, axis=0)))
    errors = np.full((length, len(rows)), np.inf)
    for lag in range(1, length + 1):
        i, j = rows[:-lag], rows[lag:]
        slope = (poses[j] - poses[i]) / np.maximum(t[j] - t[i], 1e-9)[:, None]
        base = poses[i] - slope * t[i][:, None]
        squares, times, times_squared, inside, passed = (sums[j] - sums[i + 1]).T
        error = squares - 2 * np.einsum("kd,kd->k", base, first[j] - first[i + 1])
        error -= 2 * np.einsum("kd,kd->k", slope, mixed[j] - mixed[i + 1])
        error += inside * np.einsum("kd,kd->k", base, base) + 2 * times * np.einsum("kd,kd->k", base, slope)
        error += times_squared * np.einsum("kd,kd->k", slope, slope)
        errors[lag - 1, lag:] = np.where(passed > 0, np.inf, np.maximum(error, 0.0) * line.step)
        yield
    return errors
