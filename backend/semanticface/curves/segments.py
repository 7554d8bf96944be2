"""Least-squares cubics over stretches of many curves at once: the arithmetic under key reduction.

All curves lie one behind the other in flat arrays; a *segment* is a pair of indices `a < b` into them, within one
curve. Its ends stand on the given values, so segments don't depend on each other, and what is between follows from
the two slopes: `chord + p u + q v` with `p = t s^2`, `q = -t^2 s` (cubic Hermite; t from 0 to 1, s = 1 - t), where
u and v are the slopes less the chord's, times the width. This module knows nothing of keys, tolerances or NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

RIDGE = 1e-4
"""Keeps slopes near the chord's where a segment has too few points to say more; too small to be seen elsewhere."""


@dataclass(frozen=True, slots=True)
class Flat:
    """`x`, `y` (N,): frames and values of all curves, one curve behind the other."""

    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Segments:
    """`a`, `b` (S,): first and last index. `u`, `v` (S,): slopes at the ends less the chord's, times the width."""

    a: Indices
    b: Indices
    u: Floats
    v: Floats

    def __len__(self) -> int:
        return len(self.a)

    def of(self, chosen: NDArray[np.bool_] | Indices) -> Segments:
        return Segments(self.a[chosen], self.b[chosen], self.u[chosen], self.v[chosen])


@dataclass(frozen=True, slots=True)
class Points:
    """The points between the ends of segments: `index` (M,) into the flat arrays, `owner` (M,) into the segments.

    `starts` says where the points of each of the `filled` segments begin (segments without points between are left
    out, which `reduceat` could not tell). `p`, `q`, `r` (M,): the two basis functions and the value over the chord.
    """

    index: Indices
    owner: Indices
    starts: Indices
    filled: Indices
    p: Floats
    q: Floats
    r: Floats


def points_of(flat: Flat, a: Indices, b: Indices) -> Points:
    """The points strictly between `a` and `b` of each segment, with what a fit needs of them."""
    counts = b - a - 1
    filled = np.flatnonzero(counts)
    ends = np.cumsum(counts)
    owner = np.repeat(np.arange(len(a)), counts)
    index = np.arange(len(owner)) + (a + 1 - (ends - counts))[owner]
    x0, y0 = flat.x[a], flat.y[a]
    t = (flat.x[index] - x0[owner]) / (flat.x[b] - x0)[owner]
    s = 1.0 - t
    r = flat.y[index] - y0[owner] - t * (flat.y[b] - y0)[owner]
    p = t * s
    q = -t * p
    p *= s
    return Points(index, owner, (ends - counts)[filled], filled, p, q, r)


def fit(a: Indices, b: Indices, points: Points, straight: bool = False) -> Segments:
    """The segments with the slopes of least squares; with `straight` the chords."""
    segments = Segments(a, b, np.zeros(len(a)), np.zeros(len(a)))
    if straight or not len(points.filled):
        return segments
    pp, pq, qq, pr, qr = moments(points)
    pp += RIDGE
    qq += RIDGE
    determinant = pp * qq - pq * pq
    segments.u[points.filled] = (pr * qq - qr * pq) / determinant
    segments.v[points.filled] = (qr * pp - pr * pq) / determinant
    return segments


def moments(points: Points) -> Floats:
    """(5, filled): sums over each segment of p p, p q, q q, p r, q r."""
    p, q, r = points.p, points.q, points.r
    products = np.empty((5, len(p)))
    for row, (one, other) in enumerate(((p, p), (p, q), (q, q), (p, r), (q, r))):
        np.multiply(one, other, out=products[row])
    sums: Floats = np.add.reduceat(products, points.starts, axis=1)
    return sums


def deviations(segments: Segments, points: Points) -> Floats:
    """(M,) how far the segments are from the values, without sign, at the points between their ends."""
    off: Floats = points.r - points.p * segments.u[points.owner] - points.q * segments.v[points.owner]
    np.abs(off, out=off)
    return off


def worst(segments: Segments, points: Points, off: Floats) -> Floats:
    """(S,) the largest deviation of each segment; 0 where there is nothing between."""
    out = np.zeros(len(segments))
    if len(points.filled):
        out[points.filled] = np.maximum.reduceat(off, points.starts)
    return out


def worst_points(points: Points, off: Floats, largest: Floats) -> Indices:
    """(S,) flat index of a point with the largest deviation; 0 where there is nothing between."""
    out = np.zeros(len(largest), np.int64)
    hits = np.flatnonzero(off >= largest[points.owner])
    out[points.owner[hits]] = points.index[hits]
    return out


def range_of_values(flat: Flat, segments: Segments, points: Points) -> tuple[Floats, Floats]:
    """(S,) lowest and highest value of each segment, ends included."""
    start, end = flat.y[segments.a], flat.y[segments.b]
    low, high = np.minimum(start, end), np.maximum(start, end)
    if len(points.filled):
        inner = flat.y[points.index]
        low[points.filled] = np.minimum(low[points.filled], np.minimum.reduceat(inner, points.starts))
        high[points.filled] = np.maximum(high[points.filled], np.maximum.reduceat(inner, points.starts))
    return low, high


def range_of_cubics(flat: Flat, segments: Segments) -> tuple[Floats, Floats]:
    """(S,) lowest and highest value of each segment's curve, between the points too: at its ends or where it turns."""
    start, end = flat.y[segments.a], flat.y[segments.b]
    step, u, v = end - start, segments.u, segments.v
    square, half, rest = 3.0 * (u + v), 2.0 * u + v, u + step  # square t^2 - 2 half t + rest = 0
    root = np.sqrt(np.maximum(half * half - square * rest, 0.0))
    low, high = np.minimum(start, end), np.maximum(start, end)
    denominator = half + np.copysign(root, half)  # the form that loses no digits when `square` is small
    with np.errstate(divide="ignore", invalid="ignore"):
        turns = (denominator / square, rest / denominator)
    for turn in turns:
        t = np.clip(np.nan_to_num(turn, nan=0.0, posinf=0.0, neginf=0.0), 0.0, 1.0)
        s = 1.0 - t
        at = start + t * step + t * s * (s * u - t * v)
        low, high = np.minimum(low, at), np.maximum(high, at)
    return low, high
