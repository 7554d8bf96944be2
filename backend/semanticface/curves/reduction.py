"""Fewer keys: curves through few of the given rows that are nowhere further from the others than a tolerance.

Keys stand on rows and on their values. Where an animator looks for them there always is one: at the peaks and
valleys, at both ends of a stretch that doesn't move, on both sides of a gap. Between these, stretches that no
single cubic can follow are cut at their worst row until they are short, and then each key is set as far from the last
one as the tolerance allows. All curves are worked on side by side. This module knows nothing of actions, rigs or hosts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.keys import KeyCurve
from semanticface.curves.recipe import KeyKind, Reduction
from semanticface.curves.segments import (
    RIDGE,
    Flat,
    Floats,
    Indices,
    Points,
    Segments,
    deviations,
    fit,
    moments,
    points_of,
    range_of_cubics,
    range_of_values,
    worst,
    worst_points,
)
from semanticface.errors import InputError

PROMINENT = 5.0
"""A peak or valley that stands out by this many tolerances is a key."""
STILL = 0.02
"""Rows that differ by less than this part of the tolerance don't move."""
STILL_ROWS = 8
"""So many of them in a row make a stretch that stands still."""
LONG = 48
"""Stretches of more rows are cut at their worst row, which is quicker than searching for the end of the first cubic."""
FITTED = 0.35
"""Part of the tolerance that segments may use up by themselves; below JOINED. The more is left, the more keys get by
with one slope on both sides: on the recording of 4030 frames, at a tolerance of 0.01, nearly all gives 5.8 % of the
keys and 62 % of them corners, 0.5 gives 7.4 % and 40 %, 0.35 gives 8.4 % and 29 %, 0.25 gives 9.4 % and 22 %."""
JOINED = 0.999
"""Part that they may use up in all; the rest is for hosts that keep keys in single precision."""
JOINING_ROUNDS = 3


def reduce(positions: Floats, values: Floats, reduction: Reduction) -> list[KeyCurve]:
    """A curve for each column of `values` (F, C) over scene frames `positions` (F,), which ascend, evenly or not.

    At every row that isn't NaN a curve is within `reduction.tolerance` of the value, and between rows it leaves the
    span of the rows that its segment covers by no more. Rows of NaN are left out, and the curve runs straight from
    the row before to the row after. A column without values gives a curve without keys. Raises InputError for
    positions that don't ascend or don't fit the values.
    """
    positions, values = np.asarray(positions, np.float64), np.asarray(values, np.float64)
    if values.ndim != 2 or positions.shape != values.shape[:1] or (np.diff(positions) <= 0).any():
        raise InputError(
            f"{len(positions)} positions don't go with values of shape {values.shape}",
            "give one position per row, ascending",
        )
    finite = np.isfinite(values)
    out: list[KeyCurve] = [_no_keys(reduction.kind)] * values.shape[1]
    for rows, columns in _patterns(finite):
        for column, curve in zip(columns, _reduced(positions, values, rows, columns, reduction), strict=True):
            out[column] = curve
    return out


def _patterns(finite: NDArray[np.bool_]) -> list[tuple[Indices, Indices]]:
    """(rows, columns) for each set of columns that have values in the same rows; columns without any are left out."""
    if (finite == finite[:, :1]).all():  # the usual case, and much quicker than to look for others
        rows = np.flatnonzero(finite[:, 0]) if finite.shape[1] else np.zeros(0, np.int64)
        return [(rows, np.arange(finite.shape[1]))] if len(rows) else []
    alike, number = np.unique(finite, axis=1, return_inverse=True)
    groups = [(np.flatnonzero(alike[:, n]), np.flatnonzero(number.ravel() == n)) for n in range(alike.shape[1])]
    return [(rows, columns) for rows, columns in groups if len(rows) and len(columns)]


def _no_keys(kind: KeyKind) -> KeyCurve:
    return KeyCurve(kind, *(np.zeros(0) for _ in range(4)))


@dataclass(frozen=True, slots=True)
class _Job:
    """What all steps share: the flat arrays, which rows must be keys and which level ones, and what is asked for."""

    flat: Flat
    pinned: NDArray[np.bool_]
    level: NDArray[np.bool_]
    tolerance: float
    straight: bool

    def fitted(self, a: Indices, b: Indices) -> tuple[Segments, Points, Floats, NDArray[np.bool_]]:
        """The segments from `a` to `b`, their points with the deviations there, and which of them may stand."""
        points = points_of(self.flat, a, b)
        segments = fit(a, b, points, self.straight)
        return segments, points, *self.checked(segments, points)

    def checked(self, segments: Segments, points: Points) -> tuple[Floats, NDArray[np.bool_]]:
        """Deviations at the points, and which segments are close enough there and don't swing out between them."""
        off = deviations(segments, points)
        good = worst(segments, points, off) <= self.tolerance
        if not self.straight:
            low, high = range_of_values(self.flat, segments, points)
            lowest, highest = range_of_cubics(self.flat, segments)
            good &= (lowest >= low - self.tolerance) & (highest <= high + self.tolerance)
        return off, good


def _reduced(
    positions: Floats, values: Floats, rows: Indices, columns: Indices, reduction: Reduction
) -> list[KeyCurve]:
    """Curves of these columns, which have values in these rows and only there."""
    count = len(rows)
    if count == 1:
        return [
            KeyCurve(reduction.kind, positions[rows], values[rows, column], np.zeros(1), np.zeros(1))
            for column in columns
        ]
    table = np.ascontiguousarray(values[np.ix_(rows, columns)].T)  # (curves, rows)
    flat = Flat(np.tile(positions[rows], len(columns)), table.ravel())
    pinned, level = _pinned(table, rows, reduction.tolerance)
    straight = reduction.kind is KeyKind.LINEAR
    job = _Job(flat, pinned, level, JOINED * reduction.tolerance, straight)
    if straight:
        segments = _segments(job, count)
    else:
        segments = _joined(job, _segments(replace(job, tolerance=FITTED * reduction.tolerance), count), count)
    return _curves(flat, segments, count, reduction.kind)


def _pinned(table: Floats, rows: Indices, tolerance: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(curves * rows,) which rows are keys in any case, and at which of them the curve should be level."""
    still = _still_ends(table, STILL * tolerance)
    turns = _turns(table, PROMINENT * tolerance)
    pinned = still | turns
    pinned[:, [0, -1]] = True
    gaps = np.flatnonzero(np.diff(rows) > 1)
    pinned[:, gaps] = True
    pinned[:, gaps + 1] = True
    return pinned.ravel(), (still | turns).ravel()


def _still_ends(table: Floats, most: float) -> NDArray[np.bool_]:
    """(curves, rows) first and last row of each stretch in which no step is larger than `most`."""
    edge = np.zeros((len(table), 1), bool)
    resting = np.concatenate((edge, np.abs(np.diff(table, axis=1)) <= most, edge), axis=1).ravel()
    change = np.diff(resting.view(np.int8), prepend=np.int8(0))
    first, after = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    long = after - first >= STILL_ROWS - 1
    out = np.zeros(resting.shape, bool)
    out[first[long] - 1] = True
    out[after[long] - 1] = True
    return out.reshape(len(table), -1)[:, :-1]


def _turns(table: Floats, least: float) -> NDArray[np.bool_]:
    """(curves, rows) peaks and valleys that stand out from both neighbouring ones by `least`."""
    count = table.shape[1]
    steps = np.sign(np.diff(table, axis=1)).astype(np.int8)
    flat = table.ravel()
    place = np.maximum.accumulate(np.where(steps != 0, np.arange(count - 1), 0), axis=1)
    steps = np.take_along_axis(steps, place, axis=1)  # a step of nothing goes on in the last direction
    turning = np.zeros(table.shape, bool)
    turning[:, 1:-1] = steps[:, 1:] * steps[:, :-1] < 0
    turning[:, [0, -1]] = True
    found = np.flatnonzero(turning)
    while True:
        end = np.isin(found % count, (0, count - 1))
        span = np.abs(np.diff(flat[found]))
        span[end[1:] & end[:-1]] = np.inf
        before, after = np.append(np.inf, span[:-1]), np.append(span[1:], np.inf)
        small = np.flatnonzero((span < least) & (span <= before) & (span < after))
        if not len(small):
            break
        drop = np.concatenate((small, small + 1))
        found = np.delete(found, drop[~end[drop]])
    out = np.zeros(flat.shape, bool)
    out[found[~end]] = True
    return out.reshape(table.shape)


def _segments(job: _Job, count: int) -> Segments:
    """Segments that cover all curves, in order; each is within the tolerance."""
    nodes = np.flatnonzero(job.pinned)
    inside = nodes[:-1] // count == nodes[1:] // count
    found, short = _cut(job, nodes[:-1][inside], nodes[1:][inside])
    found += _evened(job, *short, _stepped(job, *short))
    order = np.argsort(np.concatenate([part.a for part in found]))
    return Segments(*(np.concatenate([getattr(part, name) for part in found])[order] for name in "abuv"))


def _cut(job: _Job, a: Indices, b: Indices) -> tuple[list[Segments], tuple[Indices, Indices]]:
    """Segments that stand, and the ends of the short stretches that one cubic can't follow."""
    found, starts, ends = [], [], []
    while len(a):
        segments, points, off, good = job.fitted(a, b)
        found.append(segments.of(good))
        short = ~good & (b - a <= LONG)
        starts.append(a[short])
        ends.append(b[short])
        cut = ~good & ~short
        at = np.clip(worst_points(points, off, worst(segments, points, off)), a + 1, b - 1)[cut]
        a, b = np.concatenate((a[cut], at)), np.concatenate((at, b[cut]))
    return found, (np.concatenate(starts), np.concatenate(ends))


def _stepped(job: _Job, a: Indices, end: Indices) -> list[Segments]:
    """Segments along each stretch from `a` to `end`: each as long as it can be, found by halving.

    Each stretch is at its own point of its search, and leaves the arrays when it is covered. `kept` is the longest
    segment found good so far, `beyond` the nearest row that was found too far, or one after the end.
    """
    found, kept, beyond = [], _neighbours(a), end.copy()
    while len(kept):
        middle = np.where(beyond > end, end, (kept.b + beyond) // 2)
        tried, _, _, good = job.fitted(kept.a, middle)
        kept = Segments(*(np.where(good, getattr(tried, name), getattr(kept, name)) for name in "abuv"))
        beyond = np.where(good, beyond, middle)
        done = (beyond - kept.b <= 1) | (kept.b == end)
        found.append(kept.of(done))
        fresh = _neighbours(kept.b)
        kept = Segments(*(np.where(done, getattr(fresh, name), getattr(kept, name)) for name in "abuv"))
        beyond = np.where(done, end + 1, beyond)
        going = kept.a < end
        kept, beyond, end = kept.of(going), beyond[going], end[going]
    return found


def _evened(job: _Job, a: Indices, end: Indices, stepped: list[Segments]) -> list[Segments]:
    """As many segments of equal length in place of the stepped ones in each stretch where those stand too.

    Steps use the tolerance up and leave the last segment short; evened ones are closer and leave room for joining.
    """
    order = np.argsort(a)
    a, end = a[order], end[order]
    stretch = [np.searchsorted(a, part.a, "right") - 1 for part in stepped]
    counts = np.bincount(np.concatenate(stretch), minlength=len(a)) if stretch else np.zeros(0, np.int64)
    owner = np.repeat(np.arange(len(a)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    length = (end - a)[owner]
    even, _, _, good = job.fitted(
        a[owner] + length * number // counts[owner], a[owner] + length * (number + 1) // counts[owner]
    )
    stands = np.ones(len(a), bool)
    stands[owner[~good]] = False
    return [even.of(stands[owner]), *(part.of(~stands[of]) for part, of in zip(stepped, stretch, strict=True))]


def _neighbours(a: Indices) -> Segments:
    """The straight segments from each row to the next, which fit whatever the values."""
    return Segments(a, a + 1, np.zeros(len(a)), np.zeros(len(a)))


@dataclass(frozen=True, slots=True)
class _Joints:
    """What joining the slopes of neighbouring segments needs: (S,) widths, chord slopes, and the fit's sums (5, S)."""

    fitted: Segments
    width: Floats
    chord: Floats
    sums: Floats

    def turned(self, slope: Floats, held: NDArray[np.bool_]) -> Segments:
        """The segments with these slopes at inner keys (S - 1,) where `held`; ends that aren't make the best of it."""
        u, v = self.fitted.u.copy(), self.fitted.v.copy()
        pp, pq, qq, pr, qr = self.sums
        first, second = np.append(False, held), np.append(held, False)
        u[first] = ((slope - self.chord[1:]) * self.width[1:])[held]
        v[second] = ((slope - self.chord[:-1]) * self.width[:-1])[held]
        u = np.where(second & ~first, (pr - pq * v) / pp, u)
        v = np.where(first & ~second, (qr - pq * u) / qq, v)
        return Segments(self.fitted.a, self.fitted.b, u, v)

    def best(self, segments: Segments) -> Floats:
        """(S - 1,) for each inner key the slope of least squares for both sides, the other ends as in `segments`."""
        pp, pq, qq, pr, qr = self.sums
        width, lean = self.width, self.chord * self.width
        arriving = width * (qr - pq * segments.u + qq * lean)
        leaving = width * (pr - pq * segments.v + pp * lean)
        slope: Floats = (arriving[:-1] + leaving[1:]) / ((width**2 * qq)[:-1] + (width**2 * pp)[1:])
        return slope


def _joined(job: _Job, fitted: Segments, count: int) -> Segments:
    """The same segments with one slope on both sides of a key wherever the tolerance allows, level where it should be.

    `ease` says of each inner key: 2 level, 1 the slope that suits both sides best, 0 a corner. Keys of segments that
    leave the tolerance give way by one until none does; with corners alone all are as they were fitted.
    """
    points = points_of(job.flat, fitted.a, fitted.b)
    sums = np.zeros((5, len(fitted)))
    if len(points.filled):
        sums[:, points.filled] = moments(points)
    sums[[0, 2]] += RIDGE
    width = job.flat.x[fitted.b] - job.flat.x[fitted.a]
    joints = _Joints(fitted, width, (job.flat.y[fitted.b] - job.flat.y[fitted.a]) / width, sums)
    inner = fitted.b[:-1]
    ease = np.where(inner % count != count - 1, 1 + job.level[inner], 0)
    eased, slope = fitted, np.zeros(len(inner))
    for _ in range(JOINING_ROUNDS):  # each key looks at its neighbours' slopes of the round before
        slope = joints.best(eased)
        eased = joints.turned(np.where(ease == 2, 0.0, slope), ease > 0)
    while True:
        eased = joints.turned(np.where(ease == 2, 0.0, slope), ease > 0)
        bad = np.flatnonzero(~job.checked(eased, points)[1])
        if not len(bad):
            return eased
        yielding = np.zeros(len(inner), bool)
        yielding[bad[bad > 0] - 1] = True
        yielding[bad[bad < len(inner)]] = True
        ease[yielding] = np.maximum(ease[yielding] - 1, 0)


def _curves(flat: Flat, segments: Segments, count: int, kind: KeyKind) -> list[KeyCurve]:
    """Segments in order, cut into one curve per `count` rows. Outer slopes are those of the inner side."""
    width = flat.x[segments.b] - flat.x[segments.a]
    chord = (flat.y[segments.b] - flat.y[segments.a]) / width
    leaving, arriving = chord + segments.u / width, chord + segments.v / width
    bounds = np.flatnonzero(np.append(True, segments.a[1:] % count == 0))
    out = []
    for start, end in zip(bounds, np.append(bounds[1:], len(segments)), strict=True):
        keys = np.append(segments.a[start:end], segments.b[end - 1])
        out.append(
            KeyCurve(
                kind,
                frames=flat.x[keys],
                values=flat.y[keys],
                left=np.append(leaving[start], arriving[start:end]),
                right=np.append(leaving[start:end], arriving[end - 1]),
            )
        )
    return out
