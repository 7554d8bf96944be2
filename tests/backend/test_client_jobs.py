"""The job as its client sees it: its transitions, its window, and that each frame comes exactly once."""

from __future__ import annotations

import itertools

import pytest

from semanticface.errors import OptionsError, ProtocolError
from semanticface.jobs import ImageFrame, JobRequest, JobView
from semanticface.protocol import REPLIES, JobState, PixelFormat, pack, unpack
from semanticface.results import FrameResult, Status

LEGAL = {
    ("queued", "queued"),
    ("queued", "running"),
    ("queued", "done"),
    ("queued", "failed"),
    ("queued", "cancelled"),
    ("running", "running"),
    ("running", "done"),
    ("running", "failed"),
    ("running", "cancelled"),
}


def result(frame: int) -> FrameResult:
    return FrameResult(frame, None, Status.NO_FACE)


def accepted(view: JobView, window: int = 2, total: int | None = None) -> JobView:
    view.accept(unpack(REPLIES, pack(REPLIES, "accepted", re=1, job="a", window=window, total=total)))
    return view


@pytest.mark.parametrize(("before", "after"), list(itertools.product(JobState, JobState)))
def test_a_job_takes_the_drawn_steps_and_no_other(before: JobState, after: JobState) -> None:
    view = JobView("a", JobRequest({"path": "/a"}))
    view.state = before
    if (before.value, after.value) in LEGAL:
        view.move(after)
        assert view.state is after
    else:
        with pytest.raises(ProtocolError, match=f"from {before} to {after}"):
            view.move(after)


def test_the_window_opens_with_accepted_and_moves_with_results() -> None:
    view = JobView("a", JobRequest())
    assert view.room == 0
    accepted(view)
    assert view.room == 2
    view.send(10)
    view.send(11)
    assert view.room == 0
    view.result(result(10))
    assert view.room == 1
    view.closed = True
    assert view.room == 0


def test_media_jobs_take_no_pictures() -> None:
    view = accepted(JobView("a", JobRequest({"path": "/a"})))
    assert view.room == 0
    with pytest.raises(OptionsError):
        view.send(1)


def test_a_picture_number_is_used_once() -> None:
    view = accepted(JobView("a", JobRequest()))
    view.send(1)
    with pytest.raises(OptionsError, match="sent before"):
        view.send(1)


@pytest.mark.parametrize("frames", [[5, 6], None])
def test_a_second_result_for_a_frame_is_an_error(frames: list[int] | None) -> None:
    view = accepted(JobView("a", JobRequest({"path": "/a"}, frames)), total=2)
    view.result(result(5))
    with pytest.raises(ProtocolError, match="second result for frame 5"):
        view.result(result(5))


def test_a_result_that_nobody_asked_for_is_an_error() -> None:
    view = accepted(JobView("a", JobRequest({"path": "/a"}, [5, 6])))
    with pytest.raises(ProtocolError, match="frame 7, which was not asked"):
        view.result(result(7))


def test_an_end_before_all_results_names_the_missing_frames() -> None:
    view = accepted(JobView("a", JobRequest({"path": "/a"}, range(0, 20, 2))))
    view.result(result(4))
    with pytest.raises(ProtocolError, match=r"without 9 of its frames: 0, 2, 6, 8, 10, \.\.\."):
        view.check_complete()
    for frame in (0, 2, *range(6, 20, 2)):
        view.result(result(frame))
    view.check_complete()


def test_the_total_counts_where_no_frames_were_named() -> None:
    view = accepted(JobView("a", JobRequest({"path": "/a"})), total=2)
    view.result(result(0))
    with pytest.raises(ProtocolError, match="1 of its 2"):
        view.check_complete()


def test_frames_are_asked_for_ascending_and_once() -> None:
    request = JobRequest({"path": "/a"}, [9, 3, 6, 3])
    assert request.fields()["frames"] == [[3, 9, 3]]


@pytest.mark.parametrize("frames", [[], [-1], [100_000_001]])
def test_frames_that_cannot_be_meant_are_refused(frames: list[int]) -> None:
    with pytest.raises(OptionsError):
        JobRequest({"path": "/a"}, frames).fields()


def test_pictures_bring_their_own_numbers() -> None:
    with pytest.raises(OptionsError, match="frames"):
        JobRequest(None, [1, 2]).fields()


@pytest.mark.parametrize(
    "frame",
    [
        ImageFrame(0, b""),
        ImageFrame(0, b"x" * 101),
        ImageFrame(0, b"x" * 12, format=PixelFormat.RGB8),
        ImageFrame(0, b"x" * 12, format=PixelFormat.RGB8, width=2, height=3),
        ImageFrame(0, b"x" * 12, format=PixelFormat.RGBA8, width=2, height=2),
    ],
)
def test_pictures_that_cannot_be_sent_are_refused_with_their_number(frame: ImageFrame) -> None:
    with pytest.raises(OptionsError, match="frame 0"):
        frame.check(limit=100)


def test_raw_pictures_whose_size_fits_may_be_sent() -> None:
    ImageFrame(0, b"x" * 12, format=PixelFormat.RGB8, width=2, height=2).check()
    ImageFrame(0, memoryview(bytes(4)), format=PixelFormat.GREY8, width=2, height=2).check()
