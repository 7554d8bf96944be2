"""R-Precision and multimodal distance against a count by hand, ties included."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_kit import close
from scipy.spatial.distance import cdist

from semanticface.errors import InputError, OptionsError
from semanticface_training.evaluation.metrics.retrieval import (
    Batches,
    Similarity,
    Ties,
    batches,
    r_precision,
    relative_distance,
    repetitions_for,
)

SCIPY = {Similarity.COSINE: "cosine", Similarity.EUCLIDEAN: "euclidean"}


def by_hand(images: np.ndarray, motions: np.ndarray, formed: Batches, metric: str, ties: Ties) -> list[float]:
    """R@1 to R@size: distances by scipy, ranks by counting."""
    hits = np.zeros(formed.size)
    queries = 0
    for rows in np.concatenate(formed.repetitions):
        distance = cdist(images[rows], motions[rows], metric)
        for i in range(formed.size):
            others = [distance[i, j] - distance[i, i] for j in range(formed.size) if j != i]
            nearer, tied = sum(gap < -1e-7 for gap in others), sum(abs(gap) <= 1e-7 for gap in others)
            queries += 1
            for k in range(1, formed.size + 1):
                if ties is Ties.FAIR:
                    hits[k - 1] += min(1.0, max(0.0, (k - nearer) / (tied + 1)))
                else:
                    hits[k - 1] += 1 + nearer + tied / 2 <= k
    return list(hits / queries)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(8, 40),
    st.integers(2, 7),
    st.sampled_from(Similarity),
    st.sampled_from(Ties),
    st.booleans(),
)
def test_hits_are_those_counted_by_hand(
    seed: int, n: int, size: int, similarity: Similarity, ties: Ties, doubled: bool
) -> None:
    random = np.random.default_rng(seed)
    images, motions = random.normal(size=(n, 5)), random.normal(size=(n, 5))
    if doubled:  # quantised answers: several frames have the very same motion
        motions = motions[random.integers(0, max(1, n // 3), n)]
    formed = batches(n, size, 3, seed=seed)
    found = r_precision(images, motions, formed, similarity, ties)
    expected = by_hand(images, motions, formed, SCIPY[similarity], ties)
    assert np.allclose(found.curve, expected, rtol=0, atol=1e-9)
    assert (found.r1, found.r2) == (found.curve[0], found.curve[1]) and found.n_used == n // size * size
    if similarity is Similarity.COSINE:
        images, motions = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (images, motions))
    used = np.concatenate([rows.ravel() for rows in formed.repetitions])
    assert close(found.mm_dist, np.mean([math.dist(images[row], motions[row]) for row in used]))


def test_one_answer_for_every_picture_scores_chance_or_nothing_by_the_rule_for_ties() -> None:
    images = np.random.default_rng(1).normal(size=(320, 16))
    same = np.ones((320, 16))
    fair = r_precision(images, same, batches(320))
    assert (fair.r1, fair.r2, fair.r3) == pytest.approx(fair.chance, abs=1e-12)
    assert fair.chance == (1 / 32, 2 / 32, 3 / 32)
    assert r_precision(images, same, batches(320), ties=Ties.HALF_RANK).r3 == 0.0


def test_ties_of_single_precision_are_ties_too() -> None:
    """In batches of 5, a matrix product adds up the fifth column in another order than the first four."""
    random = np.random.default_rng(2)
    images = random.normal(size=(100, 300)).astype(np.float32)
    motions = np.repeat(random.normal(size=(20, 300)), 5, axis=0).astype(np.float32)
    groups = [row // 5 for row in range(100)]
    assert r_precision(images, motions, batches(100, 5, groups=groups)).curve == pytest.approx(np.arange(1, 6) / 5)


def test_a_perfect_space_finds_every_motion_at_distance_zero_and_shuffled_motions_are_at_chance() -> None:
    random = np.random.default_rng(3)
    images = random.normal(size=(960, 32))
    perfect = r_precision(images, 3 * images, batches(960))
    assert perfect.r1 == perfect.r3 == 1.0 and perfect.mm_dist == pytest.approx(0.0, abs=1e-7)
    shuffled = r_precision(images, images[random.permutation(960)], batches(960))
    assert all(
        abs(found - chance) <= 2 * (wide + narrow)
        for found, chance, wide, narrow in zip(
            (shuffled.r1, shuffled.r2, shuffled.r3),
            shuffled.chance,
            shuffled.sampling95,
            shuffled.ci95,
            strict=True,
        )
    )
    assert relative_distance(shuffled, shuffled) == 1.0


def test_intervals_are_those_of_repetitions_and_of_sampling() -> None:
    random = np.random.default_rng(4)
    images = random.normal(size=(200, 8))
    motions = images + random.normal(size=(200, 8))
    formed = batches(200, 10, 6, seed=9)
    found = r_precision(images, motions, formed)
    singles = [
        r_precision(images, motions, Batches(200, 10, formed.forming, (rows,))).r1 for rows in formed.repetitions
    ]
    assert found.r1 == pytest.approx(np.mean(singles), abs=1e-12)
    assert found.ci95[0] == pytest.approx(1.96 * np.std(singles) / math.sqrt(6), abs=1e-12)
    assert found.sampling95[0] == pytest.approx(1.96 * math.sqrt(found.r1 * (1 - found.r1) / 200), abs=1e-12)


def test_batches_of_one_sequence_never_mix_and_what_is_left_over_is_counted() -> None:
    groups = ["a"] * 70 + ["b"] * 40 + ["c"] * 5
    formed = batches(115, 32, 4, groups=groups)
    assert formed.used == 64 + 32 and formed.dropped == 19
    for rows in np.concatenate(formed.repetitions):
        assert len({groups[row] for row in rows}) == 1 and len(set(rows)) == 32
    assert not np.array_equal(formed.repetitions[0], formed.repetitions[1])
    again = batches(115, 32, 4, groups=groups)
    assert all(np.array_equal(*both) for both in zip(formed.repetitions, again.repetitions, strict=True))


@pytest.mark.parametrize("groups", [None, ["a", "b"] * 20])
def test_too_few_rows_for_a_batch_are_a_row_that_says_so(groups: list[str] | None) -> None:
    n = 40 if groups else 31
    found = r_precision(np.eye(n), np.eye(n), batches(n, groups=groups))
    assert (found.n, found.n_used, found.r1, found.mm_dist) == (n, 0, None, None)
    assert found.note.startswith("undefined: ") and "32 rows" in found.note
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["ci95"] == [None, None, None]


def test_fewer_repetitions_come_only_with_very_many_rows() -> None:
    assert [repetitions_for(n) for n in (1, 4_700, 25_000, 50_000, 100_000, 10**7)] == [20, 20, 20, 10, 5, 5]
    assert len(batches(64).repetitions) == 20


def test_embeddings_that_make_no_sense_are_refused() -> None:
    formed = batches(4, 2, 1)
    with pytest.raises(InputError, match="motions: row 2 has the length 0"):
        r_precision(np.eye(4), np.diag([1.0, 1.0, 0.0, 1.0]), formed)
    with pytest.raises(InputError, match="images: row 1 holds values that are no numbers"):
        r_precision(np.diag([1.0, np.nan, 1.0, 1.0]), np.eye(4), formed)
    with pytest.raises(InputError, match="batches were formed of 4 rows"):
        r_precision(np.eye(3), np.eye(3), formed)
    with pytest.raises(InputError, match="both sides need one space"):
        r_precision(np.eye(4), np.ones((4, 3)), formed)
    with pytest.raises(OptionsError):
        batches(0)
    with pytest.raises(InputError, match="3 groups for 4 rows"):
        batches(4, 2, groups=["a"] * 3)
