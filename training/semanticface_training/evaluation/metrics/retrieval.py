"""R-Precision and multimodal distance: does the picture find its own motion among those of a batch?

Definitions: SemanticFace, appendix A.2 and A.3 (cosine, batches of 32, image queries), after the evaluation of
text-to-motion work (Guo et al., CVPR 2022: Euclidean, incomplete batches left out, repeated with new shuffles, mean
with 1.96 std / sqrt(repetitions)). Works on embeddings; knows nothing of what embedded them.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import InputError, OptionsError
from semanticface_training.evaluation.metrics.arrays import Floats
from semanticface_training.evaluation.metrics.cross import group_rows

BATCH = 32
REPETITIONS = 20
"""As in text-to-motion work."""
FEWEST_REPETITIONS = 5
ENOUGH_QUERIES = 500_000
"""Over all repetitions: more of them would say little. With 100,000 rows the interval of R@1 over 5 shuffles is 0.0006
wide on either side (measured), a fifth of what sampling so many rows leaves open."""
SEED = 42
_CHUNK_ROWS = 512
"""Queries that are compared and ranked at once: bounds the memory, and stays within the processor's cache."""
_MOST_THREADS = 8
_EQUAL = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-9}
"""Similarities closer than this, of a largest of about 1, are one: what two orders of summation leave apart."""

Indices = NDArray[np.int64]


class Similarity(StrEnum):
    COSINE = "cosine"
    """Of embeddings scaled to length 1 (SemanticFace)."""
    EUCLIDEAN = "euclidean"
    """Distance of embeddings as they are (text-to-motion)."""


class Ties(StrEnum):
    """What a match counts that is as similar as t others."""

    FAIR = "fair"
    """The share of orders of the t + 1 in which it comes early enough: a constant prediction scores exactly chance."""
    HALF_RANK = "half_rank"
    """Rank 1 + greater + t / 2, and a hit when that is at most k: a constant prediction scores 0."""


class Forming(StrEnum):
    """Which rows come into a batch together."""

    SHUFFLE = "shuffle"
    SAME_SEQUENCE = "same_sequence"


@dataclass(frozen=True, slots=True)
class Batches:
    """Row numbers (batches, size) per repetition. `dropped`: rows of each repetition that fill no batch."""

    n: int
    size: int
    forming: Forming
    repetitions: tuple[Indices, ...]

    @property
    def used(self) -> int:
        return int(self.repetitions[0].size) if self.repetitions else 0

    @property
    def dropped(self) -> int:
        return self.n - self.used


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Of n rows, n_used come into a batch in each repetition; with none, the figures are None and `note` says why.

    `r1`, `r2`, `r3`: mean over repetitions of the share of queries whose match is among the first 1, 2, 3. `ci95`:
    their 1.96 std / sqrt(repetitions) (what shuffling leaves open). `sampling95`: 1.96 sqrt(p (1 - p) / n_used) (what
    so many independent rows leave open; frames of a sequence leave more). `curve`: R@1 to R@size. `mm_dist`: mean
    distance of matched embeddings, `mm_ci95` as `ci95`. `chance`: k / size.
    """

    n: int
    n_used: int
    batch: int
    repetitions: int
    forming: str
    similarity: str
    ties: str
    r1: float | None
    r2: float | None
    r3: float | None
    ci95: tuple[float | None, float | None, float | None]
    sampling95: tuple[float | None, float | None, float | None]
    mm_dist: float | None
    mm_ci95: float | None
    chance: tuple[float, float, float]
    curve: tuple[float, ...] = ()
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("ci95", "sampling95", "chance", "curve")}
        return {**asdict(self), **lists}


def batches(
    n: int,
    size: int = BATCH,
    reps: int | None = None,
    seed: int = SEED,
    groups: Sequence[Hashable] | None = None,
) -> Batches:
    """Full batches of shuffled rows; with `groups` (one label a row) each batch is out of one group. Rows that are left
    over stay out of that repetition, which `Batches.dropped` counts. `reps`: by default `repetitions_for(n)`."""
    reps = repetitions_for(n) if reps is None else reps
    if n < 1 or size < 2 or reps < 1:
        raise OptionsError(f"{reps} repetitions of batches of {size} out of {n} rows", "2 a batch at least")
    if groups is not None and len(groups) != n:
        raise InputError(f"{len(groups):,} groups for {n:,} rows", "each row needs its own")
    members = [np.arange(n)] if groups is None else group_rows(groups)
    random = np.random.default_rng(seed)
    made = tuple(_one_repetition(members, size, random) for _ in range(reps))
    return Batches(n, size, Forming.SHUFFLE if groups is None else Forming.SAME_SEQUENCE, made)


def repetitions_for(n: int) -> int:
    """20 up to 25,000 rows, then fewer, 5 at least."""
    return max(FEWEST_REPETITIONS, min(REPETITIONS, ENOUGH_QUERIES // max(n, 1)))


def _one_repetition(members: Sequence[Indices], size: int, random: np.random.Generator) -> Indices:
    rows = [np.empty((0, size), dtype=np.int64)]
    for group in members:
        shuffled = random.permutation(group)
        rows.append(shuffled[: len(group) // size * size].reshape(-1, size))
    return np.concatenate(rows)


def r_precision(
    images: ArrayLike,
    motions: ArrayLike,
    formed: Batches,
    similarity: Similarity = Similarity.COSINE,
    ties: Ties = Ties.FAIR,
) -> Retrieval:
    """Row i of `images` (N, D) is the query whose match is row i of `motions` (N, D); `formed`: from `batches`.

    Raises InputError for shapes that differ, values that are no numbers, and an embedding of length 0 under cosine.
    """
    queries, gallery = _embeddings(images, "images", formed.n), _embeddings(motions, "motions", formed.n)
    if queries.shape != gallery.shape:
        raise InputError(f"images are {queries.shape} and motions {gallery.shape}", "both sides need one space")
    if queries.dtype != gallery.dtype:
        queries, gallery = queries.astype(np.float64), gallery.astype(np.float64)
    space = _Space(queries, gallery, _scale(queries, similarity, "images"), _scale(gallery, similarity, "motions"))
    if not formed.used:
        return _undefined(formed, similarity, ties)
    distance = _matched_distance(space)
    curves = _curves(space, formed, similarity, ties)
    distances = np.asarray([distance[rows].mean() for rows in formed.repetitions])
    return _summary(formed, similarity, ties, curves, distances)


def relative_distance(of: Retrieval, ground_truth: Retrieval) -> float | None:
    """`mm_dist` as a multiple of what the true motions reach: comparable between evaluators, as the raw figure is
    not."""
    if of.mm_dist is None or not ground_truth.mm_dist:
        return None
    return of.mm_dist / ground_truth.mm_dist


def _embeddings(values: ArrayLike, what: str, n: int) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 2 or len(array) != n or not array.shape[1]:
        raise InputError(f"{what} are of the shape {array.shape}, batches were formed of {n:,} rows", "(rows, D)")
    if array.dtype not in _EQUAL:
        array = array.astype(np.float64)
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).all(axis=1)))
        raise InputError(f"{what}: row {row} holds values that are no numbers", "embed it anew")
    return array


@dataclass(frozen=True, slots=True)
class _Space:
    """Both sides (N, D) as they came, and what each row is multiplied by, (N, 1): a scaled copy would cost more time
    than all comparisons."""

    queries: NDArray[Any]
    gallery: NDArray[Any]
    query_scale: NDArray[Any]
    gallery_scale: NDArray[Any]


def _scale(values: NDArray[Any], similarity: Similarity, what: str) -> NDArray[Any]:
    """1 / length under cosine, else 1: (N, 1) in the embeddings' own precision."""
    if similarity is Similarity.EUCLIDEAN:
        return np.ones((len(values), 1), dtype=values.dtype)
    length = np.sqrt(np.einsum("nd,nd->n", values, values))
    if not length.all():
        raise InputError(f"{what}: row {int(np.argmin(length))} has the length 0", "cosine needs a direction")
    return np.asarray(1 / length[:, None])


def _matched_distance(space: _Space) -> Floats:
    out = np.empty(len(space.queries))
    for start in range(0, len(out), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        gap = space.queries[part] * space.query_scale[part] - space.gallery[part] * space.gallery_scale[part]
        out[part] = np.sqrt(np.einsum("nd,nd->n", gap, gap))
    return out


def _curves(space: _Space, formed: Batches, similarity: Similarity, ties: Ties) -> Floats:
    """(repetitions, size), each on a thread of its own: numpy lets go of the interpreter while it compares."""
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        return np.stack(list(pool.map(lambda rows: _curve(space, rows, similarity, ties), formed.repetitions)))


def _curve(space: _Space, rows: Indices, similarity: Similarity, ties: Ties) -> Floats:
    """R@1 to R@size of one repetition: (size,)."""
    size = rows.shape[1]
    density = np.zeros(size + 1)
    at_once = max(1, _CHUNK_ROWS // size)
    for start in range(0, len(rows), at_once):
        density += _ranks(_scores(space, rows[start : start + at_once], similarity), ties)
    return np.asarray(np.cumsum(density[:size]) / rows.size)


def _scores(space: _Space, rows: Indices, similarity: Similarity) -> NDArray[Any]:
    """The greater the more similar: (B, size, size), queries by gallery."""
    gallery = space.gallery[rows]
    score = space.queries[rows] @ gallery.transpose(0, 2, 1)
    if similarity is Similarity.COSINE:
        return np.asarray(score * space.query_scale[rows] * space.gallery_scale[rows].transpose(0, 2, 1))
    # Half the negative squared distance but for the query's own length, which all of its candidates share.
    return np.asarray(score - 0.5 * np.einsum("bsd,bsd->bs", gallery, gallery)[:, None, :])


def _ranks(score: NDArray[Any], ties: Ties) -> Floats:
    """How many matches, the diagonals, come at each rank: (size + 1,), the last of which stays empty."""
    own = np.einsum("bss->bs", score)[:, :, None]
    equal = score.dtype.type(_EQUAL[score.dtype] * max(1.0, float(np.abs(score).max())))
    greater = np.count_nonzero(score > own + equal, axis=2).ravel()
    tied = np.count_nonzero(score >= own - equal, axis=2).ravel() - greater - 1
    size = score.shape[1]
    if ties is Ties.HALF_RANK:
        return np.bincount(greater + (tied + 1) // 2, minlength=size + 1).astype(np.float64)
    share = 1.0 / (tied + 1)  # even over the ranks from greater + 1 to greater + tied + 1
    begin = np.bincount(greater, weights=share, minlength=size + 1)
    end = np.bincount(greater + tied + 1, weights=share, minlength=size + 1)
    return np.asarray(np.cumsum(begin - end))


def _summary(formed: Batches, similarity: Similarity, ties: Ties, curves: Floats, distances: Floats) -> Retrieval:
    curve = curves.mean(axis=0)
    first = [float(curve[min(k, formed.size) - 1]) for k in (1, 2, 3)]
    spread = 1.96 / np.sqrt(len(curves))
    ci95 = [float(spread * curves[:, min(k, formed.size) - 1].std()) for k in (1, 2, 3)]
    sampling = [float(1.96 * np.sqrt(max(p * (1 - p), 0.0) / formed.used)) for p in first]
    return Retrieval(
        n=formed.n,
        n_used=formed.used,
        batch=formed.size,
        repetitions=len(curves),
        forming=formed.forming.value,
        similarity=similarity.value,
        ties=ties.value,
        r1=first[0],
        r2=first[1],
        r3=first[2],
        ci95=(ci95[0], ci95[1], ci95[2]),
        sampling95=(sampling[0], sampling[1], sampling[2]),
        mm_dist=float(distances.mean()),
        mm_ci95=float(spread * distances.std()),
        chance=_chance(formed.size),
        curve=tuple(map(float, curve)),
    )


def _undefined(formed: Batches, similarity: Similarity, ties: Ties) -> Retrieval:
    group = "no sequence has" if formed.forming is Forming.SAME_SEQUENCE else "there are not"
    nothing = (None, None, None)
    return Retrieval(
        n=formed.n,
        n_used=0,
        batch=formed.size,
        repetitions=len(formed.repetitions),
        forming=formed.forming.value,
        similarity=similarity.value,
        ties=ties.value,
        r1=None,
        r2=None,
        r3=None,
        ci95=nothing,
        sampling95=nothing,
        mm_dist=None,
        mm_ci95=None,
        chance=_chance(formed.size),
        note=f"undefined: {group} {formed.size} rows for a batch",
    )


def _chance(size: int) -> tuple[float, float, float]:
    return 1 / size, min(2, size) / size, min(3, size) / size
