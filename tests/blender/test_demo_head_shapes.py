"""Claims about the demo head's geometry and its 52 movements, without Blender."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from blender_addon.demo_head import eyelids, model, proportions, shapes, teeth
from semanticface.actions import SHAPES

EYE_SHAPES = [name for name in shapes.SHAPE_NAMES if name.startswith(("eye", "cheekSquint"))]


@pytest.fixture(scope="module")
def head():
    return model.build_head()


@pytest.fixture(scope="module")
def deltas(head):
    return shapes.all_deltas(head)


@pytest.fixture(scope="module")
def contact(head):
    """Indices (upper, lower) of the vertices on which the lips meet, from corner to corner of the mouth, by tau."""
    skin = head.skin
    line = skin.lip_ring == 2.0
    pick = [np.flatnonzero(line & (skin.lip == side)) for side in (1.0, -1.0)]
    return tuple(indices[np.argsort(skin.lip_tau[indices])] for indices in pick)


def lip_gap(points, contact):
    upper, lower = (points[indices] for indices in contact)
    middle = np.linspace(-1.2, 1.2, 9)
    heights = (
        np.interp(middle, row[np.argsort(row[:, 0]), 0], row[np.argsort(row[:, 0]), 2]) for row in (upper, lower)
    )
    return np.subtract(*heights)


def lid_gap(head, points):
    """Height in cm of the left eye's slit along its margins."""
    skin = head.skin
    ring = (skin.lid_side > 0) & (skin.lid_ring == 0.0)
    first = ring & (
        np.linalg.norm(skin.part.vertices - proportions.EYE_CENTER, axis=1) >= proportions.LID_RADIUS - 1e-3
    )
    rows = []
    for side in (1.0, -1.0):
        row = points[np.flatnonzero(first & (skin.lid_upper == side))]
        row = row[np.argsort(row[:, 0])]
        rows.append(np.interp(np.linspace(2.3, 4.2, 12), row[:, 0], row[:, 2]))
    return rows[0] - rows[1]


def test_names_are_the_52_of_arkit_in_live_links_order(deltas):
    arkit = [name[0].lower() + name[1:] for name in SHAPES]
    assert list(deltas) == arkit
    assert len(deltas) == 52


def test_mesh_is_sound_and_mostly_quads(head):
    vertices, faces = head.mesh.vertices, head.mesh.faces
    assert np.isfinite(vertices).all()
    assert 5_000 < len(vertices) < 15_000
    assert np.mean(faces[:, 3] >= 0) > 0.95
    assert set(np.unique(faces[faces >= 0])) == set(range(len(vertices)))
    following = np.where(faces[:, 3:] < 0, faces[:, [1, 2, 0, 3]], np.roll(faces, -1, axis=1))
    directed = np.stack([faces, following], axis=-1)[faces >= 0]
    assert len(np.unique(directed, axis=0)) == len(directed), "two faces run along an edge the same way"


@pytest.mark.parametrize("name", shapes.SHAPE_NAMES)
def test_shape_moves_the_face_by_a_finite_visible_amount(name, deltas):
    moved = np.linalg.norm(deltas[name], axis=1)
    assert np.isfinite(moved).all()
    assert 0.1 < moved.max() < 6.0
    assert np.mean(moved > 0.02) < 0.75


@pytest.mark.parametrize("name", [name for name in shapes.SHAPE_NAMES if name.endswith("Left")])
def test_left_and_right_are_mirror_images(name, head, deltas):
    other = deltas[name.removesuffix("Left") + "Right"]
    np.testing.assert_array_equal(other, shapes.mirrored_delta(head, deltas[name]))
    weight = np.linalg.norm(deltas[name], axis=1)
    if not name.startswith(("jaw", "mouthLeft")):
        assert np.average(head.mesh.vertices[:, 0], weights=weight) > 0.3, "left is the subject's left, +X"


@pytest.mark.parametrize("name", sorted(set(shapes.WHOLE) - {"jawLeft", "mouthLeft"}))
def test_whole_face_shapes_are_symmetric(name, head, deltas):
    np.testing.assert_allclose(deltas[name], shapes.mirrored_delta(head, deltas[name]), atol=1e-12)


def test_left_and_right_add_up_to_one_smooth_movement(head, deltas):
    whole = deltas["mouthSmileLeft"] + deltas["mouthSmileRight"]
    np.testing.assert_allclose(whole, shapes.mirrored_delta(head, whole), atol=1e-12)
    middle = (np.abs(head.mesh.vertices[:, 0]) < 1e-6) & (np.linalg.norm(whole, axis=1) > 1e-3)
    assert middle.any()
    np.testing.assert_allclose(deltas["mouthSmileLeft"][middle], 0.5 * whole[middle], atol=1e-12)


def test_jaw_left_goes_to_the_subjects_left(deltas):
    assert deltas["jawLeft"][:, 0].max() > 0.8
    assert deltas["mouthLeft"][:, 0].max() > 0.8


def test_blink_closes_the_eye_and_leaves_the_other_open(head, deltas):
    skin = head.skin.part.vertices
    body = head.ranges["skin"]
    assert lid_gap(head, skin).max() > 1.0
    assert np.abs(lid_gap(head, skin + deltas["eyeBlinkLeft"][body])).max() < 0.02
    np.testing.assert_allclose(lid_gap(head, skin + deltas["eyeBlinkRight"][body]), lid_gap(head, skin), atol=1e-9)


def test_wide_opens_and_squint_narrows(head, deltas):
    skin, body = head.skin.part.vertices, head.ranges["skin"]
    neutral = lid_gap(head, skin).max()
    assert lid_gap(head, skin + deltas["eyeWideLeft"][body]).max() > neutral + 0.2
    assert lid_gap(head, skin + deltas["eyeSquintLeft"][body]).max() < neutral - 0.2


@pytest.mark.parametrize("name", EYE_SHAPES)
@pytest.mark.parametrize("value", [0.25, 0.5, 0.75, 1.0])
def test_lids_stay_outside_the_eyeball(name, value, head, deltas):
    """Measured at vertices and in the middle of faces, on the way to the full shape too; 0.02 cm is allowed."""
    skin, body = head.skin, head.ranges["skin"]
    side = 1.0 if name.endswith("Left") else -1.0
    center = proportions.EYE_CENTER * [side, 1.0, 1.0]
    outside = np.linalg.norm(skin.part.vertices - center, axis=1) >= proportions.LID_RADIUS - 1e-3
    lids = (skin.lid_side == side) & outside
    points = skin.part.vertices + value * deltas[name][body]
    quads = skin.part.faces[skin.part.faces[:, 3] >= 0]
    middles = points[quads[lids[quads].all(axis=1)]].mean(axis=1)
    nearest = np.linalg.norm(np.concatenate([points[lids], middles]) - center, axis=1).min()
    assert nearest > proportions.EYE_RADIUS - 0.02


def test_jaw_opens_the_lips_and_lowers_chin_teeth_and_tongue(head, deltas, contact):
    opened = head.mesh.vertices + deltas["jawOpen"]
    assert np.abs(lip_gap(head.mesh.vertices, contact)).max() < 0.05
    assert lip_gap(opened, contact).min() > 1.5
    drops = {name: -deltas["jawOpen"][where, 2] for name, where in head.ranges.items()}
    assert drops["lower_teeth"].max() > 2.0
    assert drops["tongue"].max() > 1.5
    assert np.abs(deltas["jawOpen"][head.ranges["upper_teeth"]]).max() == 0.0
    assert deltas["jawOpen"][head.mesh.vertices[:, 2].argmin()] == pytest.approx([0.0, 0.0, 0.0])


def test_mouth_close_is_the_corrective_for_the_open_jaw(head, deltas, contact):
    closed = head.mesh.vertices + deltas["jawOpen"] + deltas["mouthClose"]
    assert np.abs(lip_gap(closed, contact)).max() < 0.05
    chin = np.argmin(np.linalg.norm(head.mesh.vertices - [0.0, -9.0, -9.6], axis=1))
    assert deltas["jawOpen"][chin, 2] + deltas["mouthClose"][chin, 2] < -1.5, "the jaw stays down"


@pytest.mark.parametrize("name", ["mouthPucker", "mouthShrugLower", "mouthRollLower", "mouthRollUpper", "cheekPuff"])
def test_closed_mouth_shapes_keep_the_lips_together(name, head, deltas, contact):
    assert np.abs(lip_gap(head.mesh.vertices + deltas[name], contact)).max() < 0.25


def test_smile_raises_the_corners_and_frown_lowers_them(deltas, head):
    corner = np.flatnonzero((head.skin.lip_ring == 2.0) & (head.skin.lip == 0.0) & (head.skin.part.vertices[:, 0] > 0))[
        0
    ]
    assert deltas["mouthSmileLeft"][corner, 2] > 0.5
    assert deltas["mouthSmileLeft"][corner, 0] > 0.5
    assert deltas["mouthFrownLeft"][corner, 2] < -0.5
    assert deltas["mouthPucker"][corner, 0] < -0.5


def test_brow_shapes_carry_the_brows(deltas, head):
    brows = head.ranges["brows"]
    assert deltas["browDownLeft"][brows, 2].min() < -0.4
    assert deltas["browInnerUp"][brows, 2].max() > 0.6
    assert deltas["browOuterUpRight"][brows, 2].max() > 0.6


@pytest.mark.parametrize("name", [name for name in shapes.SHAPE_NAMES if name.startswith(("mouth", "cheek", "nose"))])
def test_lips_stay_in_front_of_the_teeth(name, head, deltas):
    """At each vertex of the lips' front as high as the upper teeth, against the teeth's front at its x."""
    skin, body = head.skin, head.ranges["skin"]
    lips = (skin.lip_ring >= 1.0) & (skin.lip_ring <= 2.0) & (np.abs(skin.part.vertices[:, 0]) < 2.2)
    moved = deltas[name] + deltas["jawOpen"] if name == "mouthClose" else deltas[name]
    points = (skin.part.vertices + moved[body])[lips]
    upper = head.part("upper_teeth")
    edge = upper[(upper[:, 2] < teeth.UPPER_EDGE_Z + 0.6)]
    reach = edge[:, 0].max()
    for x, y, _ in points[(np.abs(points[:, 0]) < reach) & (points[:, 2] > teeth.UPPER_EDGE_Z)]:
        near = edge[np.abs(edge[:, 0] - x) < 0.25]
        assert y < near[:, 1].min() + 0.02


def test_tongue_comes_out_between_the_lips(deltas, head, contact):
    moved = head.mesh.vertices + deltas["tongueOut"]
    tongue = moved[head.ranges["tongue"]]
    lips = moved[np.concatenate(contact)]
    assert tongue[:, 1].min() < lips[:, 1].min() - 1.0
    between = tongue[(tongue[:, 1] > lips[:, 1].min()) & (tongue[:, 1] < lips[:, 1].min() + 0.4)]
    assert between[:, 2].max() < moved[contact[0]][:, 2].max() + 0.05
    assert between[:, 2].min() > moved[contact[1]][:, 2].min() - 0.05


def test_eyeball_has_a_pupil_in_front_and_is_a_sphere():
    ball = eyelids.eyeball()
    np.testing.assert_allclose(np.linalg.norm(ball.vertices, axis=1), proportions.EYE_RADIUS, rtol=1e-9)
    pupil = ball.faces[np.array(ball.materials) == "pupil"]
    assert ball.vertices[np.unique(pupil[pupil >= 0]), 1].max() < -0.9 * proportions.EYE_RADIUS
