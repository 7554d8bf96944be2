"""Retrieval in an evaluation: a saved evaluator, and the pictures' embeddings kept beside the results.

Pictures are embedded once: their embeddings are stored under the evaluator's weights and the pictures' hashes, so that
numbers are had again in seconds. This module knows nothing of how an evaluator is trained, and of tables only who makes
them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.protocols import Retrieve
from semanticface_training.evaluation.protocols_tables import Doubles
from semanticface_training.evaluation.retrieval import files, table
from semanticface_training.evaluation.retrieval.evaluator import ImageSide, RetrievalEvaluator, require_same_data

_FEATURES_NAME = "features"


def check_evaluator(folder: Path, dataset: Dataset, truth: bool) -> None:
    """Whether `retriever` could be had, without loading a network. Raises InputError."""
    facts, _ = files.read(folder)
    if truth:
        require_same_data(facts, dataset, str(folder))


def retriever(folder: Path, dataset: Dataset, truth: bool, cache: Path, features: Path | None = None) -> Retrieve:
    """The saved evaluator in `folder` as what `protocols` asks. `truth`: the dataset has one, and the evaluator must be
    of its training split; else it may be of any dataset. `features`: the network whose features it reads, if any.

    Raises InputError for an evaluator that is damaged or of another dataset.
    """
    side = None
    if features is not None:
        from semanticface_training.evaluation.retrieval.qwen_embedding import QwenEmbedding

        side = ImageSide(QwenEmbedding(features), cache / _FEATURES_NAME)
    loaded = RetrievalEvaluator.load(folder, dataset if truth else None, side)
    weights = hashlib.sha256()
    for file in sorted(entry for entry in folder.iterdir() if entry.is_file()):
        weights.update(file.read_bytes())
    kept = cache / f"embeddings-{weights.hexdigest()[:16]}.npz"
    evaluator = KeepingEvaluator(loaded.facts, loaded.encoders, loaded.images, kept)

    def retrieve(dataset: Dataset, indices: Sequence[int], methods: Mapping[str, Doubles]) -> dict[str, Any]:
        return table(evaluator, dataset, indices, methods, truth=truth)

    return retrieve


@dataclass(frozen=True, slots=True, eq=False)
class KeepingEvaluator(RetrievalEvaluator):
    """The same, but for pictures that it has embedded before. `kept`: an .npz of hashes and embeddings."""

    kept: Path

    def embed_images(self, dataset: Dataset, indices: Sequence[int]) -> NDArray[np.float32]:
        """(N, width) float32 unit vectors. Raises MediaError that names row and file."""
        known = _read(self.kept)
        hashes = [dataset.rows[index].image_sha256 for index in indices]
        fresh = list(dict(zip(hashes, indices, strict=True)).items())
        missing = [(digest, index) for digest, index in fresh if digest not in known]
        if missing:
            made = RetrievalEvaluator.embed_images(self, dataset, [index for _, index in missing])
            known |= {digest: vector for (digest, _), vector in zip(missing, made, strict=True)}
            _write(self.kept, known)
        width = self.facts.options.width
        return np.stack([known[digest] for digest in hashes]) if hashes else np.empty((0, width), np.float32)


def _read(file: Path) -> dict[str, NDArray[np.float32]]:
    """What was kept; a damaged file is nothing kept, since it is made again from the pictures."""
    try:
        with np.load(file, allow_pickle=False) as data:
            hashes, vectors = data["hashes"], data["vectors"]
            return {str(digest): vector for digest, vector in zip(hashes, vectors, strict=True)}
    except (OSError, ValueError, KeyError, EOFError):
        return {}


def _write(file: Path, known: Mapping[str, NDArray[np.float32]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{os.getpid()}.{file.name}")
    np.savez(part, hashes=np.array(list(known)), vectors=np.stack(list(known.values())))
    part.replace(file)
