"""What the models see in a picture is kept by the picture's hash, survives a kill, and is the engine's own sight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faces_kit import FACELESS, faces_dataset

from semanticface.errors import MediaError
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.features.extract import Extractor, dataset_features
from semanticface_training.evaluation.features.records import RECORD, FeatureCache, key_of


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return faces_dataset(tmp_path_factory.mktemp("seen") / "set", train=2, val=1, test=2)


@pytest.fixture(scope="module")
def extractor(face_landmarker) -> Extractor:
    return Extractor(face_landmarker)


def test_a_picture_is_looked_at_once(dataset, extractor, tmp_path, monkeypatch):
    rows = list(range(len(dataset)))
    first = dataset_features(dataset, rows, FeatureCache(tmp_path, extractor.model), extractor)
    monkeypatch.setattr(Extractor, "still", None)
    again = dataset_features(dataset, rows[::-1], FeatureCache(tmp_path, extractor.model), extractor)
    assert np.array_equal(first.points[::-1], again.points)
    assert first.found.tolist() == [row.id != FACELESS for row in dataset.rows]
    assert not first.points[~first.found].any()


def test_a_record_that_a_kill_cut_off_is_made_again(dataset, extractor, tmp_path):
    cache = FeatureCache(tmp_path, extractor.model)
    whole = dataset_features(dataset, [0, 1], cache, extractor)
    cache.path.write_bytes(cache.path.read_bytes()[:-7])
    after = FeatureCache(tmp_path, extractor.model)
    assert len(after) == 1
    assert np.array_equal(dataset_features(dataset, [0, 1], after, extractor).points, whole.points)
    assert cache.path.stat().st_size == 2 * RECORD.itemsize


def test_another_models_records_are_not_met(dataset, extractor, tmp_path):
    dataset_features(dataset, [0], FeatureCache(tmp_path, extractor.model), extractor)
    assert len(FeatureCache(tmp_path, "0" * 64)) == 0


def test_the_mirror_image_is_a_picture_of_its_own(dataset, extractor, tmp_path):
    cache = FeatureCache(tmp_path, extractor.model)
    plain, mirrored = (dataset_features(dataset, [0], cache, extractor, flip) for flip in (False, True))
    assert key_of(dataset.rows[0].image_sha256, True) != key_of(dataset.rows[0].image_sha256)
    left, right = plain.points[0, 263, 0], mirrored.points[0, 33, 0]  # the eyes' outer corners change places
    assert 256 - left == pytest.approx(right, abs=3.0)


def test_a_picture_that_is_gone_is_told_with_its_row(dataset, extractor, tmp_path):
    row = dataset.rows[0]
    moved = Dataset(Path(tmp_path), dataset.header, dataset.rows, dataset.values)
    with pytest.raises(MediaError, match=row.id):
        dataset_features(moved, [0], FeatureCache(tmp_path / "cache", extractor.model), extractor)
