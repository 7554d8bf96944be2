"""The landmark engine as a whole, on pictures of the sample head: found, lost, small, several, chosen, followed."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from semanticface.actions import BY_NAME
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.engines.landmarks.tracker import SEARCH_EVERY
from semanticface.errors import AssetError, EngineError, OptionsError
from semanticface.results import Analysis, FrameResult, Status


def still(image, frame=0):
    return FrameInput(frame, None, image)


def sized(image, width):
    """The sample picture scaled so that its face is `width` pixels wide (it is 297 in 640)."""
    side = round(640 * width / 297)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def blank():
    return np.full((640, 640, 3), 60, np.uint8)


@pytest.fixture(scope="module")
def crowd(head, paste):
    """Three heads left to right: small, large, middle."""
    image = head[0].image
    return paste(
        1920, 1080, (sized(image, 220), 20, 300), (sized(image, 330), 560, 250), (sized(image, 270), 1320, 250)
    )


def test_a_frame_gives_61_values_a_box_and_a_confidence(engine, head, run):
    (result,) = run(engine, head[:1])
    assert result.status is Status.OK
    assert result.coefficients.keys() == BY_NAME.keys()
    assert result.confidence > 0.99
    assert result.faces == 1
    x, y, width, height = result.box
    assert (x, y, width, height) == pytest.approx((171, 192, 297, 353), abs=15)
    assert FrameResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_frames_without_a_face_have_that_status_and_shift_nothing(engine, head, blank, run):
    frames = [replace(frame, image=blank) if 10 <= frame.frame < 14 else frame for frame in head]
    results = run(engine, frames)
    assert [result.frame for result in results] == [frame.frame for frame in frames]
    assert [result.time for result in results] == [frame.time for frame in frames]
    lost = [result.frame for result in results if result.status is Status.NO_FACE]
    assert lost == [10, 11, 12, 13]
    assert all(result.coefficients is None and result.faces == 0 and result.message for result in results[10:14])


def test_a_face_that_comes_back_is_not_mixed_with_its_former_self(engine, head, blank, run):
    """Smoothing starts anew: the first frame after a gap is what a fresh session says about it."""
    frames = [head[0], replace(head[1], image=blank), head[39]]
    assert run(engine, frames)[2] == run(engine, [head[39]])[0]


def test_stills_do_not_depend_on_each_other(engine, head, run):
    alone = run(engine, [head[20]], video=False)
    among = run(engine, [head[0], head[20]], video=False)
    assert alone[0] == among[1]
    assert run(engine, [head[20]], video=False, smoothing=False) == alone


@pytest.mark.parametrize("place", [(0, 0), (900, 480), (1780, 940)])
def test_a_face_60_pixels_wide_in_1080p_is_found(engine, head, paste, run, place):
    image = paste(1920, 1080, (sized(head[0].image, 60), *place))
    (result,) = run(engine, [still(image)], video=False)
    assert result.status is Status.OK
    assert result.box[2] == pytest.approx(60, abs=8)
    assert result.box[0] == pytest.approx(place[0] + 171 * 60 / 297, abs=8)
    (without,) = run(engine, [still(image)], video=False, small_faces=False)
    assert without.status is Status.NO_FACE


def test_a_small_face_is_followed_through_a_video(engine, head, paste, run):
    frames = [replace(f, image=paste(1920, 1080, (sized(f.image, 60), 300 + 3 * f.frame, 200))) for f in head[:12]]
    results = run(engine, frames)
    assert all(result.status is Status.OK for result in results)
    assert results[-1].box[0] - results[0].box[0] == pytest.approx(33, abs=6)


def test_while_a_clip_shows_no_face_the_closer_search_rests(engine, head, paste, run, blank):
    """A small face that appears is found at the next search, at most SEARCH_EVERY frames later."""
    small = paste(1920, 1080, (sized(head[0].image, 60), 900, 480))
    empty = np.full_like(small, 90)
    frames = [FrameInput(i, i / 30, small if i >= 3 else empty) for i in range(SEARCH_EVERY + 3)]
    found = [result.frame for result in run(engine, frames) if result.status is Status.OK]
    assert found[0] == SEARCH_EVERY


def test_all_faces_are_counted_and_the_largest_is_taken(engine, crowd, run):
    (result,) = run(engine, [still(crowd)], video=False)
    assert result.faces == 3
    assert 560 < result.box[0] < 1000


@pytest.mark.parametrize(("index", "left", "right"), [(0, 20, 500), (1, 560, 1200), (2, 1320, 1900)])
def test_a_face_is_taken_by_its_number_from_the_left(engine, crowd, run, index, left, right):
    (result,) = run(engine, [still(crowd)], video=False, face=index)
    assert result.status is Status.OK
    assert left < result.box[0] < result.box[0] + result.box[2] < right


def test_a_number_beyond_the_faces_is_no_face_and_says_how_many_there_were(engine, crowd, run):
    (result,) = run(engine, [still(crowd)], video=False, face=3)
    assert result.status is Status.NO_FACE
    assert result.faces == 3
    assert "3 were found" in result.message


def test_a_face_is_taken_by_a_box(engine, crowd, run):
    (third,) = run(engine, [still(crowd)], video=False, face=[1400, 300, 300, 500])
    assert third.box[0] > 1320
    (nobody,) = run(engine, [still(crowd)], video=False, face=[0, 0, 60, 60])
    assert nobody.status is Status.NO_FACE


def test_the_chosen_face_is_followed_when_another_becomes_larger(engine, head, paste, run):
    """Two heads grow and shrink past each other over 20 frames."""

    def scene(frame):
        near, far = sized(frame.image, 330 - 5 * frame.frame), sized(frame.image, 235 + 5 * frame.frame)
        return paste(1920, 1080, (near, 480 - near.shape[1] // 2, 150), (far, 1440 - far.shape[1] // 2, 150))

    results = run(engine, [replace(frame, image=scene(frame)) for frame in head[:20]])
    assert all(result.box[0] < 900 for result in results)
    assert {result.faces for result in results} == {2}


def test_a_session_goes_on_where_the_last_call_stopped(engine, head):
    session = engine.session(RunOptions(), video=True)
    parts = [*session.analyze(head[:5]), *session.analyze(head[5:10])]
    session.close()
    other = engine.session(RunOptions(), video=True)
    assert list(other.analyze(head[:10])) == parts
    other.close()


def test_cancelling_ends_the_run_between_frames(engine, head):
    seen = []
    session = engine.session(RunOptions(cancelled=lambda: len(seen) >= 3), video=True)
    seen.extend(result for result in session.analyze(head) if seen.append(result))
    session.close()
    assert len(seen) == 3


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_a_picture_of_another_kind_is_unreadable_and_the_rest_goes_on(engine, head, run, image):
    results = run(engine, [head[0], FrameInput(1, 0.03, image), head[2]])
    assert [result.status for result in results] == [Status.OK, Status.UNREADABLE, Status.OK]
    assert results[1].message


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 2), (33, 35)])
def test_odd_pictures_are_no_face_and_no_crash(engine, run, shape):
    (result,) = run(engine, [still(np.zeros((*shape, 3), np.uint8))], video=False)
    assert result.status is Status.NO_FACE


def test_a_view_of_another_picture_gives_the_same(engine, head, run):
    wide = np.concatenate([head[0].image, head[0].image[::-1]], 1)
    view = wide[:, :640]
    assert not view.flags.c_contiguous
    assert run(engine, [still(view)], video=False) == run(engine, [still(head[0].image)], video=False)


def test_the_text_comes_from_the_function_that_was_given(face_landmarker, head, run):
    said = Analysis("neutral", {}, "none", "symmetric")
    engine = LandmarkEngine(face_landmarker, lanes=1, describe=lambda values: said)
    assert run(engine, head[:1])[0].analysis is said
    engine.close()


def test_networks_are_handed_on_and_a_closed_engine_says_so(face_landmarker, head):
    engine = LandmarkEngine(face_landmarker, lanes=1)
    first = engine.session(RunOptions(), video=True)
    list(first.analyze(head[:1]))
    first.close()
    first.close()
    with pytest.raises(EngineError, match="closed"):
        list(first.analyze(head[:1]))
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.session(RunOptions(), video=True)


def test_wrong_options_never_open_a_session(engine):
    with pytest.raises(OptionsError, match="face"):
        engine.session(RunOptions({"face": "any"}), video=True)


def test_the_fingerprint_changes_with_everything_that_changes_a_result(engine):
    base = engine.fingerprint({}, True)
    assert base == engine.fingerprint(engine.options({}), True)
    assert base != engine.fingerprint({}, False)
    assert base != engine.fingerprint({"smoothing": False}, True)


def test_a_missing_model_is_an_asset_error_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path))
    monkeypatch.delenv("SEMANTICFACE_MODELS")
    with pytest.raises(AssetError) as caught:
        LandmarkEngine()
    assert "models pull" in caught.value.hint
