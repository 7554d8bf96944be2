"""Detection: decoding, merging of boxes, and tiles, against cases worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semanticface.engines.landmarks.bundle import Networks, read_bundle
from semanticface.engines.landmarks.detector import Face, decode, detect, distinct, overlap, suppress, whole_picture
from semanticface.engines.landmarks.sampling import Region
from semanticface.engines.landmarks.search import tiles


def face(score: float, left: float, top: float, right: float, bottom: float) -> Face:
    return Face(score, (left, top, right, bottom), (left + 1, top + 1), (right - 1, top + 1))


def test_overlapping_boxes_are_averaged_by_score():
    boxes = np.array([[0.0, 0.0, 0.4, 0.4], [0.1, 0.0, 0.5, 0.4], [0.6, 0.6, 0.9, 0.9]])
    points = np.arange(12.0).reshape(3, 2, 2)
    found = suppress(np.array([0.6, 0.9, 0.7]), boxes, points)
    assert [score for score, _, _ in found] == [0.9, 0.7]
    assert found[0][1] == pytest.approx([0.06, 0.0, 0.46, 0.4])  # (0.9 * 0.1 + 0.6 * 0) / 1.5 = 0.06
    assert found[0][2] == pytest.approx(0.6 * points[1] + 0.4 * points[0])
    assert found[1][1] == pytest.approx(boxes[2])


def test_boxes_that_overlap_by_less_than_half_are_not_averaged():
    boxes = np.array([[0.0, 0.0, 0.3, 0.3], [0.15, 0.0, 0.45, 0.3]])  # a third of the union
    assert len(suppress(np.array([0.9, 0.8]), boxes, np.zeros((2, 2, 2)))) == 2


def test_no_boxes_are_no_faces():
    assert suppress(np.zeros(0), np.zeros((0, 4)), np.zeros((0, 2, 2))) == []


def test_one_face_seen_twice_is_one_face():
    best, again, inside, other = (
        face(0.9, 0, 0, 10, 10),
        face(0.8, 4, 0, 14, 10),
        face(0.7, 2, 2, 6, 6),
        face(0.6, 30, 0, 40, 10),
    )
    assert distinct([other, inside, again, best]) == [best, other]


def test_decoding_follows_the_anchor():
    raw = np.zeros((1, 16), np.float32)
    raw[0, :4] = (12.8, -12.8, 64, 32)
    raw[0, 4:6] = (6.4, 0)
    boxes, points = decode(raw, np.array([[0.5, 0.5]]))
    assert boxes[0] == pytest.approx([0.35, 0.275, 0.85, 0.525])
    assert points[0, 0] == pytest.approx([0.55, 0.5])
    assert points.shape == (1, 6, 2)


def test_the_region_is_half_as_large_again_and_level_with_the_eyes():
    turned = Face(0.9, (10, 20, 50, 80), (20, 40), (40, 60))
    assert turned.region() == Region(30, 50, 60, 90, pytest.approx(math.pi / 4))


def test_overlap_is_intersection_over_union():
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (1, 1, 2, 2)) == 0


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 640), (3000, 200)])
@pytest.mark.parametrize("scale", [1.0, 2 / 3, 0.5])
def test_a_small_face_anywhere_lies_whole_in_a_tile(size, scale):
    width, height = size
    squares = [tile.bounds() for tile in tiles(width, height, scale)]
    side = min(width, height) * scale
    small = 0.39 * side
    for x in np.linspace(0, width - small, 40):
        for y in np.linspace(0, height - small, 20):
            assert any(
                left <= x + 1e-6 and top <= y + 1e-6 and x + small <= right + 1e-6 and y + small <= bottom + 1e-6
                for left, top, right, bottom in squares
            )


def test_the_sample_head_is_one_face_where_it_is(face_landmarker, head):
    networks = Networks(read_bundle(face_landmarker))
    found = detect(networks, head[0].image, whole_picture(head[0].image), 0.5)
    assert len(found) == 1
    assert overlap(found[0].box, (171, 230, 469, 545)) > 0.6
    assert found[0].right_eye[0] < found[0].left_eye[0]  # the subject's right is at the image's left
    assert detect(networks, np.zeros((400, 600, 3), np.uint8), Region(300, 200, 600, 600), 0.5) == []
