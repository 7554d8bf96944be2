"""Features of a frozen network: computed once a picture, kept through a kill, and what an evaluator makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from retrieval_kit import make_dataset, part_of

from semanticface.errors import EngineError, InputError, MediaError
from semanticface_training.dataset.table import Split
from semanticface_training.evaluation.retrieval.evaluator import ImageSide, RetrievalEvaluator
from semanticface_training.evaluation.retrieval.features import FeatureCache
from semanticface_training.evaluation.retrieval.pictures import decoded


@dataclass
class Blocks:
    """A provider that is no network: mean grey of 8 x 8 fields. `asked` counts the pictures."""

    name: str = "blocks"
    key: str = "blocks 1"
    width: int = 64
    asked: list[int] = field(default_factory=list)

    def features(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        self.asked.append(len(pictures))
        grey = np.stack([picture[:32, :32].mean(axis=2) for picture in pictures])
        return grey.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64).astype(np.float32) / 255


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("features") / "faces", {Split.TRAIN: 96, Split.VAL: 32}, seed=3)


def test_a_picture_is_asked_about_once_and_kept_for_the_next_process(faces, tmp_path):
    provider = Blocks()
    cache = FeatureCache(tmp_path, provider)
    first = cache.of(faces, [3, 1, 3])
    assert sum(provider.asked) == 2
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(first, Blocks().features(list(decoded(faces, [3, 1, 3]))))
    again = Blocks()
    assert np.array_equal(FeatureCache(tmp_path, again).of(faces, [3, 1, 3]), first)
    assert again.asked == []
    FeatureCache(tmp_path, again).of(faces, [1, 2])
    assert again.asked == [1]


def test_a_torn_record_is_cut_off_and_asked_about_again(faces, tmp_path):
    cache = FeatureCache(tmp_path, Blocks())
    whole = cache.of(faces, range(5))
    data = cache.file.read_bytes()
    cache.file.write_bytes(data[:-7])
    provider = Blocks()
    mended = FeatureCache(tmp_path, provider)
    assert len(mended) == 4
    assert np.array_equal(mended.of(faces, range(5)), whole)
    assert provider.asked == [1]
    assert cache.file.read_bytes() == data


def test_networks_do_not_share_features(faces, tmp_path):
    FeatureCache(tmp_path, Blocks()).of(faces, [0])
    other = Blocks(key="blocks 2")
    FeatureCache(tmp_path, other).of(faces, [0])
    assert other.asked == [1]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_picture_that_is_not_the_rows_is_refused_and_not_kept(faces, tmp_path):
    bent = replace(part_of(faces, range(2)), path=tmp_path / "bent")
    for number in range(2):
        bent.image_path(number).parent.mkdir(parents=True, exist_ok=True)
        bent.image_path(number).write_bytes(faces.image_bytes(0))
    cache = FeatureCache(tmp_path / "kept", Blocks())
    with pytest.raises(MediaError, match=f"row {faces.rows[1].id}"):
        cache.of(bent, [0, 1])
    assert len(cache) == 0


def test_features_that_are_no_numbers_or_of_another_shape_are_refused(faces, tmp_path):
    class Broken(Blocks):
        def features(self, pictures):
            return np.full((len(pictures), 64), np.nan, np.float32)

    with pytest.raises(EngineError, match="no numbers"):
        FeatureCache(tmp_path, Broken()).of(faces, [0])
    with pytest.raises(EngineError, match="shape"):
        FeatureCache(tmp_path, Blocks(width=32)).of(faces, [0])


def test_an_evaluator_learns_from_features_and_asks_for_that_network_again(faces, quick, tmp_path):
    side = ImageSide(Blocks(), tmp_path / "kept")
    made = RetrievalEvaluator.fit(faces, replace(quick, epochs=12, patience=12), side)
    assert made.facts.best.r1 > 5 / 32
    made.save(tmp_path / "judge")
    again = RetrievalEvaluator.load(tmp_path / "judge", faces, side)
    assert np.array_equal(again.embed_images(faces, range(5)), made.embed_images(faces, range(5)))
    with pytest.raises(InputError, match="features of blocks"):
        RetrievalEvaluator.load(tmp_path / "judge", faces)
    with pytest.raises(InputError, match="features of blocks"):
        RetrievalEvaluator.load(tmp_path / "judge", faces, ImageSide(Blocks(key="blocks 2"), tmp_path))
    with pytest.raises(InputError, match="folder"):
        RetrievalEvaluator.fit(faces, quick, ImageSide(Blocks()))
