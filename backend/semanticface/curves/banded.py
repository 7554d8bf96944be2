"""Systems of equations in which each frame meets only the two on either side of it, for many curves at once.

numpy has no solver for them, and one row after another over 600 frames takes Python longer than a slider may. So the
rows are cut into overlapping chunks that go through the loop side by side. Nothing here knows what is solved.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[np.float32]

CHUNK = 64
"""Rows that are solved together; chunks begin half as many apart."""
HALF = CHUNK // 2
RAMP = CHUNK // 4
"""Rows over which one chunk goes over into the next. An eighth of it at each end, which knows too little of what is
beyond, is given up; a quarter in its middle is its own."""
START = CHUNK * 3 // 8
"""The first row of a chunk that no other chunk has a say in."""


def solve_in_chunks(diagonal: Array, first: Array, second: Array, right: Array) -> Array:
    """(F, C) `x` of `A x = right`, with A symmetric and positive definite, a matrix for each column.

    `diagonal` (F, C); `first` (F - 1, C) and `second` (F - 2, C) beside it. Exact for up to HALF rows; beyond, each
    chunk takes x as 0 outside of itself, which is why a caller solves for corrections, a few times over.
    """
    rows, columns = right.shape
    if rows <= HALF:
        return _solve(diagonal, first, second, right)
    count = 1 - (RAMP - rows) // HALF  # so many that the last row, too, has no ramp
    after = (count + 1) * HALF - START - rows
    bands = (
        _padded(diagonal, after, 1.0),
        _padded(first, after + 1, 0.0),
        _padded(second, after + 2, 0.0),
        _padded(right, after, 0.0),
    )
    solved = _solve(*(_side_by_side(band, count) for band in bands))
    solved *= _share()[:, None, None]
    out = np.zeros((count + 1, HALF, columns), right.dtype)
    out[:-1] = solved[:HALF].swapaxes(0, 1)
    out[1:] += solved[HALF:].swapaxes(0, 1)
    return out.reshape(-1, columns)[START : START + rows]


def _share() -> Array:
    """(CHUNK,) how much each row of a chunk counts; those of two neighbours add up to 1."""
    up = (np.arange(HALF, dtype=np.float32) - (HALF - RAMP) / 2 + 0.5) / RAMP
    rising = np.clip(up, 0.0, 1.0)
    return np.concatenate((rising, rising[::-1]))


def _padded(band: Array, after: int, value: float) -> Array:
    return np.concatenate(
        (
            np.full((START, band.shape[1]), value, band.dtype),
            band,
            np.full((after, band.shape[1]), value, band.dtype),
        )
    )


def _side_by_side(band: Array, count: int) -> Array:
    """(CHUNK, count, C): row i holds the i-th row of every chunk."""
    row, item = band.strides
    shape = (CHUNK, count, band.shape[1])
    return np.ascontiguousarray(as_strided(band, shape, (row, HALF * row, item), writeable=False))


def _solve(diagonal: Array, first: Array, second: Array, right: Array) -> Array:
    """A = L D L', forwards and backwards (Golub & Van Loan, Matrix Computations, 4.3), rows on the first axis."""
    rows = len(right)
    pivot, x = np.empty_like(right), np.empty_like(right)
    near, far = np.empty_like(right), np.empty_like(right)  # L's entries one and two beside the diagonal
    pivot[0], x[0] = diagonal[0], right[0]
    for i in range(1, rows):
        beside = first[i - 1]
        if i > 1:
            np.divide(second[i - 2], pivot[i - 2], out=far[i])
            beside = beside - second[i - 2] * near[i - 1]
        np.divide(beside, pivot[i - 1], out=near[i])
        np.subtract(diagonal[i], beside * near[i], out=pivot[i])
        np.subtract(right[i], near[i] * x[i - 1], out=x[i])
        if i > 1:
            pivot[i] -= second[i - 2] * far[i]
            x[i] -= far[i] * x[i - 2]
    x /= pivot
    for i in range(rows - 2, -1, -1):
        x[i] -= near[i + 1] * x[i + 1]
        if i < rows - 2:
            x[i] -= far[i + 2] * x[i + 2]
    return x
