"""Baselines: each answers as it is defined, is fitted once, and says what it can't do."""

from __future__ import annotations

import numpy as np
import pytest
from faces_kit import FACELESS, faces_dataset, of_rows
from scipy.spatial.transform import Rotation
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

from semanticface.actions import CSV_ORDER
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.errors import InputError, OptionsError
from semanticface.media.images import decode_image
from semanticface.results import Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation import baselines
from semanticface_training.evaluation.baselines.design import material, vectors
from semanticface_training.evaluation.baselines.fitted import fit_ridge
from semanticface_training.evaluation.baselines.raw import deadface_values, static_euler
from semanticface_training.evaluation.baselines.sbca import screen_facing, yeo_johnson
from semanticface_training.evaluation.features.extract import Extractor
from semanticface_training.evaluation.features.records import RECORD, FaceFeatures, FeatureCache

AT = {name: place for place, name in enumerate(CSV_ORDER)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return faces_dataset(tmp_path_factory.mktemp("faces") / "set")


@pytest.fixture(scope="module")
def cache(tmp_path_factory, face_landmarker):
    return tmp_path_factory.mktemp("baselines")


def answers(name: str, dataset: Dataset, cache) -> dict:
    predictor = baselines.make(name, dataset, cache)
    rows = dataset.indices("test")
    found = list(predictor.predict(dataset, rows))
    assert [row for row, _ in found] == rows
    return {dataset.rows[row].id: result for row, result in found}


def table(found: dict) -> np.ndarray:
    whole = [result for name, result in found.items() if name != FACELESS]
    return np.array([[result.coefficients[name] for name in CSV_ORDER] for result in whole])


def truth(dataset: Dataset) -> np.ndarray:
    return dataset.values[[row for row in dataset.indices("test") if dataset.rows[row].id != FACELESS]]


def test_the_mean_is_that_of_the_training_rows_whatever_is_shown(dataset, cache):
    found = answers("mean", dataset, cache)
    assert found[FACELESS].status is Status.OK
    expected = dataset.values[dataset.indices("train")].astype(float).mean(axis=0)
    assert np.allclose(table(found), expected, atol=1e-12)


def test_mediapipe_is_the_landmark_engines_own_answer(dataset, cache, face_landmarker):
    found = answers("mediapipe", dataset, cache)
    assert found[FACELESS].status is Status.NO_FACE and found[FACELESS].coefficients is None
    engine = LandmarkEngine(face_landmarker, lanes=1)
    session = engine.session(RunOptions({}), False)
    for row in dataset.indices("test")[:3]:
        image = decode_image(dataset.image_bytes(row))
        (own,) = session.analyze([FrameInput(0, None, image)])
        given = found[dataset.rows[row].id]
        assert given.status is own.status
        if own.coefficients is not None:
            assert given.coefficients == pytest.approx(own.coefficients, abs=1e-6)
    session.close()
    engine.close()


def seen(rotation: np.ndarray) -> FaceFeatures:
    """One picture, 200 x 100, of a head turned so, with the irises at (50, 40) and (120, 60)."""
    record = np.zeros(1, RECORD)
    record["found"], record["size"] = 1, (200, 100)
    record["matrix"][0] = np.eye(4)
    record["matrix"][0, :3, :3] = 1.02 * rotation  # the models' pose carries a scale
    record["points"][0, 468, :2], record["points"][0, 473, :2] = (50, 40), (120, 60)
    record["scores"][0, 1:] = np.linspace(0, 0.5, 51)
    return FaceFeatures.of(record)


def test_euler_angles_are_scipys():
    for angles in np.random.default_rng(1).uniform(-0.8, 0.8, (20, 3)):
        matrix = Rotation.from_euler("xyz", angles).as_matrix()
        assert static_euler(3.0 * matrix) == pytest.approx(angles, abs=1e-9)


def test_deadface_as_published_swaps_its_head_columns_and_writes_places_as_angles():
    angles = {"a": 0.1, "b": 0.3, "c": -0.2}
    faces = seen(Rotation.from_euler("xyz", list(angles.values())).as_matrix())
    row = deadface_values(faces, fixed=False)[0]
    assert row[[AT["HeadYaw"], AT["HeadPitch"], AT["HeadRoll"]]] == pytest.approx([-0.1, 0.3, -0.2], abs=1e-6)
    eyes = [row[AT[f"{side}Eye{angle}"]] for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll")]
    assert eyes == pytest.approx([0.25, 0.4, 0, 0.6, 0.6, 0])
    assert row[AT["TongueOut"]] == 0


def test_deadface_put_right_has_each_angle_in_its_column_with_live_link_faces_signs():
    right, down, left_tilt = 0.3, 0.1, 0.2  # in the camera's axes: -y, +x, -z
    for name, vector in (("HeadYaw", (0, -right, 0)), ("HeadPitch", (down, 0, 0)), ("HeadRoll", (0, 0, -left_tilt))):
        row = deadface_values(seen(Rotation.from_rotvec(vector).as_matrix()), fixed=True)[0]
        expected = dict.fromkeys(("HeadYaw", "HeadPitch", "HeadRoll"), 0.0) | {name: np.abs(vector).max()}
        assert {key: row[AT[key]] for key in expected} == pytest.approx(expected, abs=1e-6)
    assert np.abs(row[AT["LeftEyeYaw"] : AT["LeftEyeYaw"] + 6]).max() < 0.3


def test_ridge_learns_is_kept_and_is_the_same_when_it_is_read_again(dataset, cache):
    found = table(answers("ridge", dataset, cache))
    mean = table(answers("mean", dataset, cache))
    errors = [((values - truth(dataset)) ** 2).mean() for values in (found, mean)]
    assert errors[0] < 0.6 * errors[1]
    (kept,) = cache.glob("ridge-*.npz")
    before = kept.read_bytes()
    assert np.array_equal(table(answers("ridge", dataset, cache)), found)
    assert kept.read_bytes() == before
    shapes = found[:, : AT["TongueOut"] + 1]
    assert shapes.min() >= 0 and shapes.max() <= 1


def test_a_kept_model_that_is_damaged_is_named(dataset, cache, tmp_path):
    for file in cache.glob("faces-*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for file in cache.glob("ridge-*.npz"):
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"ridge-.*npz is no saved model"):
        baselines.make("ridge", dataset, tmp_path)


def test_a_baseline_nobody_knows_is_refused_with_those_there_are(dataset, cache):
    with pytest.raises(OptionsError, match="nonsense") as caught:
        baselines.make("nonsense", dataset, cache)
    assert "deadface-fixed" in caught.value.hint


def test_too_few_faces_are_no_ground_to_fit_on(dataset, cache):
    def only(**counts: int) -> Dataset:
        parts = ([row for row in dataset.rows if row.split == split][:count] for split, count in counts.items())
        return of_rows(dataset.path, tuple(row for part in parts for row in part))

    with pytest.raises(InputError, match="a face was found in 3 of 3 training pictures"):
        baselines.make("ridge", only(train=3, val=2), cache)
    with pytest.raises(InputError, match="no training row"):
        baselines.make("mean", only(test=2), cache)
    with pytest.raises(InputError, match="one training subject at most"):
        baselines.make("ridge", only(test=2), cache)


def test_the_same_rows_fit_the_same_numbers(dataset, cache, face_landmarker):
    extractor = Extractor(face_landmarker)
    rows = material(dataset, FeatureCache(cache, extractor.model), extractor)
    assert (rows.asked, rows.found, len(rows.values)) == (40, 40, 80)
    one, other = (fit_ridge(rows, (300.0,)) for _ in range(2))
    assert np.array_equal(one.weights, other.weights)
    assert np.array_equal(one.values(rows.held_faces), other.values(rows.held_faces))
    plain = make_pipeline(StandardScaler(), Ridge(alpha=300.0)).fit(vectors(rows.faces, rows.canonical), rows.values)
    expected = plain.predict(vectors(rows.held_faces, rows.canonical))
    expected[:, : AT["TongueOut"] + 1] = expected[:, : AT["TongueOut"] + 1].clip(0, 1)
    assert np.abs(one.values(rows.held_faces) - expected).max() < 1e-3  # coordinates that hardly move are scaled apart


def test_facing_the_screen_takes_out_pose_place_and_size():
    rng = np.random.default_rng(2)
    points = rng.normal(0, 5, (3, 478, 3))
    moved = 1.7 * points @ Rotation.from_rotvec((0.3, -0.4, 0.2)).as_matrix().T + (5.0, 6.0, 7.0)
    assert np.allclose(screen_facing(points), screen_facing(moved), atol=1e-9)
    facing = screen_facing(points).reshape(3, 478, 3)
    assert np.allclose(facing[:, [33, 263]], [[-0.5, 0, 0], [0.5, 0, 0]], atol=1e-9)
    assert np.allclose(facing[:, 1, 2], 0, atol=1e-9) and (facing[:, 1, 1] < 0).all()  # the nose's tip: below, in plane
    eyes = np.linalg.norm(points[:, 33] - points[:, 263], axis=1)
    lengths = np.linalg.norm(np.diff(points, axis=1), axis=2) / eyes[:, None]
    assert np.allclose(np.linalg.norm(np.diff(facing, axis=1), axis=2), lengths, atol=1e-9)


def test_the_power_transform_is_scikit_learns():
    values = np.random.default_rng(3).gamma(2, 1, (200, 3)) - 1.5
    fitted = PowerTransformer(standardize=False).fit(values)
    assert np.allclose(yeo_johnson(values, fitted.lambdas_), fitted.transform(values), atol=1e-9)
    for power in (0.0, 2.0):
        fitted.lambdas_ = np.full(3, power)
        assert np.allclose(yeo_johnson(values, fitted.lambdas_), fitted.transform(values), atol=1e-9)
