"""How emotions are spread over script lines: a map of the vectors, a balance table, entropy and silhouette.

The map is t-SNE (scikit-learn, seed 42) of the square roots of the weights, whose straight distance is Hellinger's, the
right one between distributions. Pure functions over arrays; knows nothing of models and files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface_training.emotions.vectors import EMOTIONS, EmotionVector, matrix

SEED = 42
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Share:
    """One emotion: lines in which it dominates, and its mean weight over all lines."""

    emotion: str
    lines: int
    share: float
    mean_weight: float


@dataclass(frozen=True, slots=True)
class Spread:
    """`balance`: entropy of the dominant emotions' shares over that of equal ones, 0 to 1. `entropy`: mean over the
    lines' own vectors, in the same unit: 0 is certain, 1 undecided. `silhouette`: of the dominant emotions' groups in
    Hellinger distance, from -1 to 1; None where there are fewer than two groups or no group has two lines."""

    shares: tuple[Share, ...]
    balance: float
    entropy: float
    silhouette: float | None
    unread: int


def spread(vectors: Sequence[EmotionVector]) -> Spread:
    """The table over lines whose vector could be read; the others are counted in `unread`."""
    read = [vector for vector in vectors if not vector.problem]
    weights = matrix(read)
    names = [vector.dominant for vector in read]
    counts = np.array([names.count(emotion) for emotion in EMOTIONS], np.float64)
    total = max(len(read), 1)
    means = weights.mean(axis=0) if read else np.zeros(len(EMOTIONS))
    shares = tuple(
        Share(emotion, int(count), float(count / total), float(mean))
        for emotion, count, mean in zip(EMOTIONS, counts, means, strict=True)
    )
    own = _entropy(weights).mean() if read else 0.0
    balance = _entropy(counts[None] / total)[0]
    return Spread(shares, float(balance), float(own), _silhouette(weights, names), len(vectors) - len(read))


def _entropy(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) in units of the greatest possible entropy."""
    logs = np.log(np.where(weights > 0, weights, 1.0))
    return np.asarray(np.abs((weights * logs).sum(axis=1)) / np.log(len(EMOTIONS)))


def _silhouette(weights: NDArray[np.float64], names: Sequence[str]) -> float | None:
    groups = len(set(names))
    if not 2 <= groups < len(names):
        return None
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(np.sqrt(weights), list(names)))


def map_of(vectors: Sequence[EmotionVector]) -> NDArray[np.float64]:
    """(N, 2) float64: where each line lies on the map. Equal vectors lie on one point; few ones lie on a line or axes.

    Fewer than five different vectors are laid out by their principal components, which t-SNE needs more than.
    """
    roots, places = np.unique(np.sqrt(matrix(vectors)).round(9), axis=0, return_inverse=True)
    count = len(roots)
    if count < _FEWEST:
        centred = roots - roots.mean(axis=0) if count else roots
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        flat = np.zeros((count, 2))
        found = centred @ axes[:2].T
        flat[:, : found.shape[1]] = found
        return np.asarray(flat[places.ravel()], np.float64)
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (count - 1) / 3)
    drawn = TSNE(n_components=2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=SEED)
    return np.asarray(drawn.fit_transform(roots)[places.ravel()], np.float64)
