"""The canonical face of the bundle, and the head pose that fits it to landmarks.

The pose is MediaPipe's: a camera at the origin with 63 degrees of vertical view, x to the image's right, y up, z
towards the viewer, centimetres; weighted Procrustes with scale, three times (geometry_pipeline.cc,
procrustes_solver.cc). Angles leave this module in Live Link Face convention. Knows nothing of pictures.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import AssetError

Matrix = NDArray[np.float64]

_HALF_VIEW = math.tan(math.radians(63.0) / 2)
_SURFACE = 468  # landmarks 468 to 477 are the irises, which the canonical face lacks


@dataclass(frozen=True, slots=True)
class CanonicalFace:
    """`vertices` (468, 3) in cm and `weights` (468,) of the fit, both float64."""

    vertices: Matrix
    weights: Matrix


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(field number, bytes) of one protobuf message; variable-length integers come as 8 little-endian bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            number, at = _varint(data, at)
            yield key >> 3, number.to_bytes(10, "little")[:8]
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(data):
            raise ValueError("it ends in the middle of a field")
        yield key >> 3, data[at : at + length]
        at += length


def read_canonical_face(data: bytes) -> CanonicalFace:
    """The canonical face in `geometry_pipeline_metadata_landmarks.binarypb`; raises AssetError when it isn't one."""
    buffer: list[float] = []
    weights: dict[int, float] = {}
    try:
        for number, message in _fields(data):
            if number == 1:  # mesh; its field 3 is the vertex buffer: x y z u v of each vertex
                for inner, value in _fields(message):
                    if inner == 3:
                        buffer.extend(struct.unpack(f"<{len(value) // 4}f", value))
            elif number == 2:  # one weighted landmark; protobuf leaves out an id of 0
                entry = dict(_fields(message))
                weights[int.from_bytes(entry.get(1, b"\0"), "little")] = struct.unpack("<f", entry[2])[0]
        vertices = np.array(buffer, np.float64).reshape(_SURFACE, 5)[:, :3]
        dense = np.zeros(_SURFACE)
        dense[list(weights)] = list(weights.values())
    except (ValueError, IndexError, KeyError, struct.error) as error:
        raise AssetError(f"the canonical face in the model file can't be read: {error}") from error
    return CanonicalFace(vertices, dense)


def fit_similarity(source: Matrix, target: Matrix, weights: Matrix) -> tuple[float, Matrix, Matrix]:
    """Scale s, proper rotation R (3, 3) and translation t (3,) that minimise sum w |s R source + t - target|^2.

    Weighted orthogonal Procrustes with scale (Schoenemann; MediaPipe's procrustes_solver.cc).
    """
    w = weights / weights.sum()
    mean_source, mean_target = w @ source, w @ target
    a, b = source - mean_source, target - mean_target
    u, _, vt = np.linalg.svd((b * w[:, None]).T @ a)
    if np.linalg.det(u) * np.linalg.det(vt) < 0:
        u[:, 2] = -u[:, 2]
    rotation: Matrix = u @ vt
    turned = a @ rotation.T
    scale = float((w @ (turned * b)).sum() / (w @ (a * a)).sum())
    return scale, rotation, mean_target - scale * rotation @ mean_source


class PoseSolver:
    """The canonical face's weighted points, ready to be fitted."""

    def __init__(self, face: CanonicalFace) -> None:
        self._index = np.flatnonzero(face.weights)
        self._source = face.vertices[self._index]
        self._weights = face.weights[self._index]

    def __call__(self, landmarks: Matrix, width: int, height: int) -> Matrix:
        """(4, 4) canonical face to camera, in cm, for (478, 3) landmarks (x / width, y / height, z / width).

        The upper left (3, 3) holds a scale very close to 1. The distance is true only for a camera with 63
        degrees of vertical view.
        """
        view_height = 2 * _HALF_VIEW
        view_width = view_height * width / height
        depth = float(landmarks[:_SURFACE, 2].mean()) * view_width
        points = landmarks[self._index]
        x = (points[:, 0] - 0.5) * view_width
        y = (0.5 - points[:, 1]) * view_height
        z = points[:, 2] * view_width

        def lifted(scale: float) -> Matrix:
            d = (z - depth + 1.0) / scale
            return np.stack([x * d, y * d, -d], 1)

        first = fit_similarity(self._source, np.stack([x, y, -z], 1), self._weights)[0]
        second = fit_similarity(self._source, lifted(first), self._weights)[0]
        scale, rotation, translation = fit_similarity(self._source, lifted(first * second), self._weights)
        matrix = np.eye(4)
        matrix[:3, :3] = scale * rotation
        matrix[:3, 3] = translation
        return matrix


@dataclass(frozen=True, slots=True)
class HeadAngles:
    """Radians, Live Link Face convention: +yaw to the subject's right, +pitch down, +roll tilts to the left."""

    yaw: float
    pitch: float
    roll: float


def head_angles(matrix: Matrix) -> HeadAngles:
    """The angles of a pose matrix, as R = Ry(-yaw) Rx(pitch) Rz(-roll) in the camera's axes.

    Live Link Face's eye rolls are about yaw * pitch, which is what this order and these signs give for a
    rotation without twist; the head follows the same rule so that the nine rotations are of one kind.
    """
    r = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    pitch = math.asin(max(-1.0, min(1.0, -float(r[1, 2]))))
    yaw = math.atan2(float(r[0, 2]), float(r[2, 2]))
    roll = math.atan2(float(r[1, 0]), float(r[1, 1]))
    return HeadAngles(-yaw, pitch, -roll)
