"""Head pose: rotations that were put in come out again, with Live Link Face's signs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semanticface.engines.landmarks.bundle import read_bundle
from semanticface.engines.landmarks.geometry import PoseSolver, fit_similarity, head_angles, read_canonical_face
from semanticface.errors import AssetError

VIEW = 2 * math.tan(math.radians(63) / 2)


@pytest.fixture(scope="module")
def canonical(face_landmarker):
    return read_bundle(face_landmarker).canonical


def rotation(axis: str, angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def posed(canonical, yaw: float, pitch: float, roll: float, place=(2.0, -1.0, -40.0)):
    """Landmarks of the canonical face as the camera of the pose solver sees them in 1920 x 1080."""
    turn = rotation("y", -yaw) @ rotation("x", pitch) @ rotation("z", -roll)
    points = canonical.vertices @ turn.T + place
    distance = -points[:, 2]
    wide = VIEW * 1920 / 1080
    landmarks = np.zeros((478, 3))
    landmarks[:468, 0] = 0.5 + points[:, 0] / distance / wide
    landmarks[:468, 1] = 0.5 - points[:, 1] / distance / VIEW
    landmarks[:468, 2] = distance / distance.mean() / wide
    return landmarks


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (0.5, 0, 0), (0, -0.4, 0), (0, 0, 0.6), (0.4, 0.3, -0.5), (-0.7, 0.2, 0.3)]
)
def test_a_known_rotation_is_recovered(canonical, angles):
    matrix = PoseSolver(canonical)(posed(canonical, *angles), 1920, 1080)
    head = head_angles(matrix)
    assert (head.yaw, head.pitch, head.roll) == pytest.approx(angles, abs=2e-5)
    assert matrix[:3, 3] == pytest.approx((2.0, -1.0, -40.0), abs=0.01)


def test_signs_are_those_of_live_link_face(canonical):
    """+yaw brings the nose to the image's left, +pitch lowers it, +roll brings the crown to the image's right."""
    nose, crown = 1, 10
    rest = posed(canonical, 0, 0, 0)
    assert posed(canonical, 0.3, 0, 0)[nose, 0] < rest[nose, 0]
    assert posed(canonical, 0, 0.3, 0)[nose, 1] > rest[nose, 1]
    assert posed(canonical, 0, 0, 0.3)[crown, 0] > rest[crown, 0]


def test_a_fit_never_mirrors(canonical):
    mirrored = canonical.vertices * (-1, 1, 1)
    _, turn, _ = fit_similarity(canonical.vertices, mirrored, canonical.weights)
    assert np.linalg.det(turn) == pytest.approx(1)


def test_a_fit_finds_scale_rotation_and_translation(canonical):
    turn = rotation("y", 0.4) @ rotation("x", 0.2)
    target = 2.5 * canonical.vertices @ turn.T + (1, 2, 3)
    scale, found, move = fit_similarity(canonical.vertices, target, canonical.weights)
    assert scale == pytest.approx(2.5)
    assert found == pytest.approx(turn)
    assert move == pytest.approx((1, 2, 3))


def test_the_canonical_face_is_the_published_one(canonical):
    assert canonical.vertices.shape == (468, 3)
    assert np.count_nonzero(canonical.weights) == 33
    assert canonical.vertices[1] == pytest.approx((0, -1.13, 7.48), abs=0.01)
    assert canonical.weights[[129, 358]] == pytest.approx(0.1206, abs=1e-4)


@pytest.mark.parametrize("data", [b"", b"\x0a\xff\xff\x03abc", b"\x0f", b"\x80" * 3])
def test_a_broken_canonical_face_is_an_asset_error(data):
    with pytest.raises(AssetError, match="canonical face"):
        read_canonical_face(data)


def test_a_file_that_is_no_bundle_is_an_asset_error(tmp_path):
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(b"PK nonsense")
    with pytest.raises(AssetError, match="not a face landmark bundle"):
        read_bundle(path)
