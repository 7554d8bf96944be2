"""The crop holds the whole chosen face and nothing is made up where there is none."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.engines.mllm.crop import FaceCrop, cut, window
from semanticface.engines.mllm.picture import to_patches
from semanticface.errors import AssetError, OptionsError
from semanticface.results import Status


@pytest.fixture(scope="module")
def finder(engine):
    return FaceCrop(lambda: engine)


@pytest.fixture(scope="module")
def wide(head, paste) -> np.ndarray:
    """A wide picture with a large head on the left and a small one on the right."""
    small = np.ascontiguousarray(head[20].image[::2, ::2])
    return paste(1280, 640, (head[0].image, 40, 0), (small, 920, 200))


def inside(part: tuple[float, ...], whole: tuple[float, ...]) -> bool:
    return (
        whole[0] <= part[0]
        and whole[1] <= part[1]
        and part[0] + part[2] <= whole[0] + whole[2]
        and part[1] + part[3] <= whole[1] + whole[3]
    )


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        ((100, 100, 40, 60), 0.0, (90, 100, 150, 160)),
        ((100, 60, 40, 60), 0.5, (60, 30, 180, 150)),
        ((100.4, 100.4, 40, 40), 0.0, (100, 100, 141, 141)),
        ((-20, 10, 60, 60), 0.25, (0, 0, 55, 85)),
        ((180, 140, 60, 60), 1.0, (120, 80, 200, 160)),
        ((0, 0, 200, 160), 4.0, (0, 0, 200, 160)),
        ((-80, 10, 60, 60), 0.0, None),
        ((10, 170, 60, 60), 0.0, None),
    ],
)
def test_the_window_is_a_square_around_the_face_clipped_to_the_picture(box, margin, expected):
    assert window(box, margin, 200, 160) == expected


def test_the_crop_holds_the_face_at_the_pictures_own_resolution(finder, head):
    image = head[0].image
    crop, box = finder.crop(image, 0.25)
    assert box is not None
    left, top, right, bottom = window(box, 0.25, image.shape[1], image.shape[0])
    assert inside(box, (left, top, right - left, bottom - top))
    assert np.array_equal(crop, image[top:bottom, left:right])
    assert crop.size < image.size


def test_a_wider_margin_shows_more_and_none_shows_the_face_alone(finder, head):
    image = head[10].image
    sides = [finder.crop(image, margin)[0].shape[0] for margin in (0.0, 0.25, 0.5)]
    assert sides == sorted(set(sides))
    _, _, width, height = finder.found(image).box
    assert sides[0] <= max(width, height) + 2


def test_the_face_is_found_again_in_the_crop_at_the_same_place(finder, wide):
    """The crop is of the face, not of somewhere beside it: its own landmarks say so."""
    crop, box = finder.crop(wide, 0.4)
    left, top, _, _ = window(box, 0.4, wide.shape[1], wide.shape[0])
    again = finder.found(crop).box
    moved = (again[0] + left, again[1] + top, again[2], again[3])
    assert np.allclose(moved, box, atol=0.03 * max(box[2:]))


def test_the_face_that_was_asked_for_is_cut_out(finder, wide):
    first, second = finder.crop(wide, 0.2, 0), finder.crop(wide, 0.2, 1)
    assert first[1][0] < 640 < second[1][0]
    assert second[0].shape[0] < first[0].shape[0]
    assert finder.crop(wide, 0.2)[1] == first[1]
    assert finder.crop(wide, 0.2, [900, 180, 360, 360])[1] == second[1]
    assert finder.found(wide).faces == 2


def test_a_picture_without_a_face_stays_whole_and_says_so(finder):
    image = np.full((200, 300, 3), 90, np.uint8)
    crop, box = finder.crop(image, 0.2)
    assert crop is image and box is None
    assert finder.found(image).status is Status.NO_FACE
    assert "no face" in finder.found(image).message


def test_a_face_that_is_not_there_among_others_stays_absent(finder, wide):
    assert finder.crop(wide, 0.2, 5)[1] is None
    assert finder.found(wide, 5).status is Status.NO_FACE


def test_each_picture_is_looked_at_for_itself(finder, head, wide):
    alone = finder.found(head[30].image)
    finder.found(wide)
    finder.found(head[0].image)
    assert finder.found(head[30].image) == alone


def test_a_crop_makes_the_same_patches_as_a_copy_of_it(finder, head):
    crop, _ = finder.crop(head[0].image, 0.3)
    assert not crop.flags.c_contiguous
    assert np.array_equal(to_patches(crop, (4, 256)).values, to_patches(crop.copy(), (4, 256)).values)


def test_a_box_outside_the_picture_cuts_nothing():
    image = np.zeros((50, 60, 3), np.uint8)
    for box in (None, (100, 100, 10, 10)):
        whole, seen = cut(image, box, 0.1)
        assert whole is image and seen is None


def test_a_wrong_choice_of_face_is_named(finder, head):
    with pytest.raises(OptionsError, match="'face'"):
        finder.crop(head[0].image, 0.2, "smallest")


def test_the_landmark_engine_is_built_at_the_first_picture_and_once(face_landmarker: Path, head):
    built = []

    def build() -> LandmarkEngine:
        built.append(LandmarkEngine(face_landmarker, lanes=1))
        return built[-1]

    finder = FaceCrop(build)
    assert not built
    threads = [threading.Thread(target=finder.found, args=(head[0].image,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    finder.close()
    finder.close()
    assert finder.found(head[0].image).status is Status.OK
    assert len(built) == 2
    finder.close()


def test_a_missing_landmark_model_is_said_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head):
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path))
    monkeypatch.setenv("SEMANTICFACE_MODELS", "")
    with pytest.raises(AssetError, match=r"face_landmarker\.task"):
        FaceCrop().crop(head[0].image, 0.2)
