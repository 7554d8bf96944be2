"""The retrieval evaluator: how well a motion fits a picture, by encoders trained on true pairs alone.

It is independent of every predictor: it is trained on the dataset's training split, stopped by its validation split,
and saved with the dataset's digest, so that all methods of a table are held to one and the same judge. Formats and
checks stand in `files`, the loop in `training`. This module knows nothing of predictions and of tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semanticface import __version__
from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface_training.dataset.table import Dataset, Split
from semanticface_training.evaluation.retrieval import files
from semanticface_training.evaluation.retrieval.features import FeatureCache, FeatureProvider
from semanticface_training.evaluation.retrieval.files import Facts
from semanticface_training.evaluation.retrieval.options import Epoch, Options, Tell
from semanticface_training.evaluation.retrieval.pictures import augmented, grey_pictures

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from semanticface_training.evaluation.retrieval.training import Encoders, Pairs

JUDGE_REPETITIONS = 5
"""Ways to cut the validation split into batches, over which an epoch's R@1 is averaged."""
_CHUNK = 512
"""Pictures decoded at once."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageSide:
    """Where the image encoder's inputs come from: the small network's pictures, or a provider's features."""

    provider: FeatureProvider | None = None
    cache: Path | None = None
    """Folder of the features; has to be given with a provider."""

    def inputs(self, dataset: Dataset, indices: Sequence[int], size: int) -> torch.Tensor:
        """(N, size, size) uint8 or (N, F) float32. Raises MediaError that names row and file."""
        import torch

        if self.provider is None:
            return torch.from_numpy(grey_pictures(dataset, indices, size))
        if self.cache is None:
            raise InputError("features of a frozen network need a folder to be kept in", "name one")
        return torch.from_numpy(FeatureCache(self.cache, self.provider).of(dataset, indices))

    @property
    def facts(self) -> dict[str, Any]:
        if self.provider is None:
            return {"kind": "pictures"}
        return {
            "kind": "features",
            "name": self.provider.name,
            "key": self.provider.key,
            "width": self.provider.width,
        }


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalEvaluator:
    """Two trained encoders. Embeddings are unit vectors: their dot product is the cosine."""

    facts: Facts
    encoders: Encoders
    images: ImageSide

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        options: Options | None = None,
        images: ImageSide | None = None,
        tell: Tell = lambda _: None,
    ) -> RetrievalEvaluator:
        """Train on the dataset's training split, stop by R@1 on its validation split.

        Raises InputError when either split has fewer rows than a batch, MediaError for a picture that can't be read.
        """
        import torch

        from semanticface_training.evaluation.retrieval.training import Pairs, train

        options, side = options or Options(), images or ImageSide()
        places = {split: dataset.indices(split) for split in (Split.TRAIN, Split.VAL)}
        for split, indices in places.items():
            _check_enough(split, len(indices), options.batch)
        pairs = {
            split: Pairs(side.inputs(dataset, indices, options.size), torch.from_numpy(dataset.values[indices]))
            for split, indices in places.items()
        }
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            encoders = _encoders(options, side, dataset.values[places[Split.TRAIN]])
            judge = _judge(options, len(places[Split.VAL]))
            epochs = train(encoders, pairs[Split.TRAIN], pairs[Split.VAL], options, judge, tell)
        return cls(_facts(dataset, options, side, pairs, epochs), encoders, side)

    def save(self, folder: Path | str) -> None:
        """Write the evaluator, whole or not at all. Raises InputError when the folder holds something already."""
        files.write(Path(folder), self.facts, _state(self.encoders))

    @classmethod
    def load(
        cls, folder: Path | str, dataset: Dataset | None = None, images: ImageSide | None = None
    ) -> RetrievalEvaluator:
        """A saved evaluator. With `dataset`, only one that was trained on exactly that dataset.

        Raises InputError that names the file when it is damaged, that names both digests when it is another
        dataset's, and when its image side is features of another network than the one given.
        """
        side = images or ImageSide()
        facts, state = files.read(Path(folder))
        if dataset is not None:
            require_same_data(facts, dataset, str(folder))
        _require_same_side(facts, side, str(folder))
        encoders = _encoders(facts.options, side, np.zeros((2, len(CSV_ORDER)), np.float32))
        files.restore(encoders.image, encoders.motion, state, Path(folder))
        return cls(facts, encoders, side)

    def embed_images(self, dataset: Dataset, indices: Sequence[int]) -> NDArray[np.float32]:
        """(N, width) float32 unit vectors of these rows' pictures. Raises MediaError that names row and file."""
        from semanticface_training.evaluation.retrieval.training import embed_images

        out = [np.empty((0, self.facts.options.width), np.float32)]
        for start in range(0, len(indices), _CHUNK):
            inputs = self.images.inputs(dataset, indices[start : start + _CHUNK], self.facts.options.size)
            out.append(embed_images(self.encoders, inputs).numpy())
        return np.concatenate(out)

    def embed_motions(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """(N, width) float32 unit vectors of (N, 61) coefficients in `CSV_ORDER`. Raises InputError for NaN."""
        import torch

        from semanticface_training.evaluation.retrieval.training import embed_motions

        given = np.asarray(values)
        if given.ndim != 2 or given.shape[1] != len(CSV_ORDER):
            raise InputError(f"motions of shape {given.shape}", f"(N, {len(CSV_ORDER)}) in the order of CSV columns")
        if not np.isfinite(given).all():
            row = int(np.argmin(np.isfinite(given).all(axis=1)))
            raise InputError(f"motion {row} holds what is no finite number", "leave out frames without an answer")
        if not len(given):
            return np.empty((0, self.facts.options.width), np.float32)
        found: NDArray[np.float32] = embed_motions(self.encoders, torch.from_numpy(given.astype(np.float32))).numpy()
        return found


def require_same_data(facts: Facts, dataset: Dataset, where: str) -> None:
    """Raises InputError that names both digests when the evaluator was trained on other data."""
    if facts.digest != dataset.digest:
        raise InputError(
            f"{where} was trained on the dataset with digest {facts.digest[:16]}, "
            f"{dataset.path} has digest {dataset.digest[:16]}",
            "train an evaluator on this dataset",
        )


def _require_same_side(facts: Facts, side: ImageSide, where: str) -> None:
    if dict(facts.images) == side.facts:
        return
    if facts.images["kind"] == "features":
        name = facts.images["name"]
        raise InputError(f"{where} reads features of {name} (key {facts.images['key'][:16]})", "name that network")
    raise InputError(f"{where} reads pictures, not features", "leave out the network that makes features")


def _check_enough(split: Split, count: int, batch: int) -> None:
    if count < batch:
        raise InputError(
            f"the {split} split has {count} rows, a batch has {batch}",
            "split the dataset otherwise, or take smaller batches: then chance is another",
        )


def _encoders(options: Options, side: ImageSide, values: NDArray[np.float32]) -> Encoders:
    """Fresh ones; `values` (N, 61) of the training split give the Z-scores."""
    from semanticface_training.evaluation.retrieval.encoders import FeatureEncoder, MotionEncoder, PictureEncoder
    from semanticface_training.evaluation.retrieval.training import Encoders

    wide = values.astype(np.float64)
    motion = MotionEncoder(wide.mean(axis=0), wide.std(axis=0), options.hidden, options.width)
    if side.provider is not None:
        features = FeatureEncoder(side.provider.width, options.hidden, options.width)
        return Encoders(features, motion, lambda inputs, values, _: (inputs, values))

    def prepare(
        inputs: torch.Tensor, values: torch.Tensor, draw: torch.Generator | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = inputs.float() / 255
        return (pictures, values) if draw is None else augmented(pictures, values, draw)

    return Encoders(PictureEncoder(options.size, options.width), motion, prepare)


def _judge(options: Options, count: int) -> Callable[[torch.Tensor, torch.Tensor], float]:
    from semanticface_training.evaluation.metrics.retrieval import batches, r_precision

    cut = batches(count, options.batch, JUDGE_REPETITIONS, options.seed)

    def judge(images: torch.Tensor, motions: torch.Tensor) -> float:
        return r_precision(images.numpy(), motions.numpy(), cut).r1 or 0.0

    return judge


def _state(encoders: Encoders) -> dict[str, torch.Tensor]:
    both = {"image": encoders.image, "motion": encoders.motion}
    return {f"{side}.{name}": w for side, module in both.items() for name, w in module.state_dict().items()}


def _facts(
    dataset: Dataset, options: Options, side: ImageSide, pairs: dict[Split, Pairs], epochs: Sequence[Epoch]
) -> Facts:
    from semanticface_training.evaluation.retrieval.encoders import LEAST_DEVIATION

    deviation = pairs[Split.TRAIN].values.double().std(dim=0, unbiased=False).numpy()
    return Facts(
        dataset=dataset.path.resolve().name,
        digest=dataset.digest,
        options=options,
        images=side.facts,
        rows={split.value: len(found.values) for split, found in pairs.items()},
        constant=tuple(name for name, d in zip(CSV_ORDER, deviation, strict=True) if d <= LEAST_DEVIATION),
        epochs=tuple(epochs),
        code=__version__,
    )
