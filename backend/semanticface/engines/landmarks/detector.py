"""Find faces in a picture or in a part of it: BlazeFace short range (Bazarevsky et al., 2019).

Decoding and the weighted non-maximum suppression are MediaPipe's (face_detector_graph.cc), for all faces instead
of the best one. Knows nothing of video or of choosing among faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from semanticface.engines.landmarks.bundle import DETECTOR_SIZE, Networks
from semanticface.engines.landmarks.sampling import Image, Region, crop_exact, wrapped

Floats = NDArray[np.float64]

_MERGE_OVERLAP = 0.5
"""Boxes that overlap the best one by more are averaged into it."""
_SAME_FACE_OVERLAP = 0.3
"""Averaged boxes that still overlap by more, or lie in each other, are one face seen twice."""
_REGION_SCALE = 1.5


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face in pixels: `box` left, top, right, bottom; the subject's right and left eye; score 0..1."""

    score: float
    box: tuple[float, float, float, float]
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]

    @property
    def centre(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def area(self) -> float:
        return max(0.0, self.box[2] - self.box[0]) * max(0.0, self.box[3] - self.box[1])

    def region(self) -> Region:
        """Where the landmark network should look: 1.5 times the box, turned so that the eyes are level."""
        x, y = self.centre
        (x0, y0), (x1, y1) = self.right_eye, self.left_eye
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        angle = wrapped(-math.atan2(-(y1 - y0), x1 - x0))
        return Region(x, y, _REGION_SCALE * width, _REGION_SCALE * height, angle)


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union


def contains(box: tuple[float, ...], point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


@cache
def _anchors() -> Floats:
    """(896, 2) anchor centres in 0..1: two in each cell of a 16 x 16 grid, then six in each of 8 x 8."""
    centres = [
        ((x + 0.5) / n, (y + 0.5) / n)
        for n, each in ((16, 2), (8, 6))
        for y in range(n)
        for x in range(n)
        for _ in range(each)
    ]
    return np.array(centres)


def whole_picture(image: Image) -> Region:
    """The centred square around the picture that the detector sees, letterboxed."""
    height, width = image.shape[:2]
    side = max(width, height)
    return Region(width / 2, height / 2, side, side)


def detect(networks: Networks, image: Image, square: Region, min_score: float) -> list[Face]:
    """Faces in an unrotated square of the picture, best score first, in pixels of the picture."""
    regressors, logits = networks.detect(crop_exact(image, square, DETECTOR_SIZE, zero_border=True))
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    keep = np.flatnonzero(scores >= min_score)
    boxes, points = decode(regressors[keep], _anchors()[keep])
    left, top, _, _ = square.bounds()
    faces = []
    for score, box, eyes in suppress(scores[keep], boxes, points[:, :2]):
        x0, y0, x1, y1 = (box * square.width + np.tile((left, top), 2)).tolist()
        right, other = (eyes * square.width + (left, top)).tolist()
        faces.append(Face(score, (x0, y0, x1, y1), (right[0], right[1]), (other[0], other[1])))
    return distinct(faces)


def decode(regressors: NDArray[np.float32], anchors: Floats) -> tuple[Floats, Floats]:
    """(N, 4) boxes (left, top, right, bottom) and (N, 6, 2) key points in 0..1 of the square, from raw outputs.

    Raw order is x, y, w, h, six points, in 1/128 of the square, positions relative to the anchor. Points: the eye at
    the image's left (the subject's right), the other eye, nose tip, mouth, two ears.
    """
    values = regressors.astype(np.float64) / DETECTOR_SIZE
    centre, half = values[:, :2] + anchors, values[:, 2:4] / 2
    return np.hstack([centre - half, centre + half]), values[:, 4:].reshape(-1, 6, 2) + anchors[:, None]


def suppress(scores: Floats, boxes: Floats, points: Floats) -> list[tuple[float, Floats, Floats]]:
    """Weighted non-maximum suppression: (score, box, points) of each cluster, best first.

    The best box takes all that overlap it by more than half, averaged by score; then the next best of the rest.
    """
    found = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        best, rest = left[0], left
        low = np.maximum(boxes[rest, :2], boxes[best, :2])
        high = np.minimum(boxes[rest, 2:], boxes[best, 2:])
        inter = np.prod(np.maximum(high - low, 0), 1)
        area = np.prod(boxes[rest, 2:] - boxes[rest, :2], 1)
        group = inter > _MERGE_OVERLAP * (area + area[0] - inter)
        group[0] = True
        members = rest[group]
        weights = scores[members] / scores[members].sum()
        found.append((float(scores[best]), weights @ boxes[members], np.tensordot(weights, points[members], 1)))
        left = rest[~group]
    return found


def distinct(faces: list[Face]) -> list[Face]:
    """Without faces that are a better-scored one seen again, best first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        again = any(
            overlap(face.box, other.box) > _SAME_FACE_OVERLAP
            or contains(other.box, face.centre)
            or contains(face.box, other.centre)
            for other in kept
        )
        if not again and face.area > 0:
            kept.append(face)
    return kept
