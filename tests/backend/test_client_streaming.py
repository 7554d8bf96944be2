"""The client's side of a text that grows: it is shown while it is news, and never stands in a queue."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest

from semanticface.client import Client, Event, JobFinished, JobRequest, JobResult, Partial, Pump
from semanticface.errors import BackendError, ProtocolError
from semanticface.jobs import JobView
from semanticface.mock_script import Script, make_result
from semanticface.protocol import MAX_TEXT, REPLIES, REQUESTS, JobState, pack, unpack

CLIP = JobRequest({"path": "/footage/a.mp4"}, range(3))


def test_a_script_sees_the_text_of_each_frame_grow_before_its_result(start_mock) -> None:
    start_mock(delay=0.25)
    seen: list[Partial] = []
    answered: list[int] = []
    with Client.connect(start=False) as client:
        results = client.analyze("/footage/a.mp4", frames=range(3), on_partial=seen.append)
        for result in results:
            assert all(text.frame == result.frame for text in seen), "the text of the frame in work"
            assert all(later.text.startswith(earlier.text) for earlier, later in pairwise(seen))
            assert len(seen) >= 3
            whole = make_result(Script(), result.frame, 0.0).analysis
            assert whole is not None and whole.to_text().startswith(seen[-1].text)
            answered.append(result.frame)
            seen.clear()
    assert answered == [0, 1, 2]


def test_nothing_is_asked_for_and_nothing_comes_when_nobody_follows(start_mock) -> None:
    mock = start_mock(delay=0.1)
    with Client.connect(start=False) as client:
        list(client.analyze("/footage/a.mp4", frames=range(2)))
    (submit,) = [message for message in mock.backend.received if message.type == "submit"]
    assert submit.get("partials") is None, "a backend of 1.0 sees what it knows"


def test_a_script_that_is_slow_itself_gets_one_text_a_frame_and_no_backlog(start_mock) -> None:
    start_mock(delay=0.2)
    seen: list[Partial] = []
    counts = []
    with Client.connect(start=False) as client:
        for _ in client.analyze("/footage/a.mp4", frames=range(8), on_partial=seen.append):
            counts.append(len(seen))
            seen.clear()
            time.sleep(0.5)  # the lease thread reads meanwhile, two frames long
    # Texts of frames that were answered by then were dropped, those of the one in work replaced by its last.
    assert counts[0] >= 3 and sum(counts[1:]) <= 4


def test_a_host_gets_the_text_as_an_event(start_mock) -> None:
    mock = start_mock(delay=0.2)
    pump = Pump(mock.run, "host")
    events: list[Event] = []
    until = time.monotonic() + 10
    job = ""
    while not any(isinstance(event, JobFinished) for event in events):
        assert time.monotonic() < until
        pump.wait(0.02)
        events += pump.poll()
        if not job and pump.welcome is not None:
            job = pump.submit(replace(CLIP, partials=True))
    pump.close()
    texts = [event for event in events if isinstance(event, Partial)]
    assert {(event.job, event.frame) for event in texts} == {(job, 0), (job, 1), (job, 2)}
    kinds = [type(event) for event in events if isinstance(event, (Partial, JobResult, JobFinished))]
    assert kinds[0] is Partial and kinds[-1] is JobFinished


def test_an_older_backend_is_not_asked_to_end_one_engine_since_it_would_end_all(start_mock) -> None:
    mock = start_mock(protocol=(1, 0))
    with Client.connect(start=False) as client:
        with pytest.raises(BackendError, match="all engines"):
            client.release("semanticface")
        client.release()
    assert mock.types.count("release") == 1


def test_release_names_what_was_ended(start_mock) -> None:
    start_mock()
    with Client.connect(start=False) as client:
        assert client.release("mock") == ["mock"]


def test_a_text_of_a_frame_that_nobody_asked_for_breaks_the_protocol() -> None:
    view = JobView("a", CLIP)
    view.state = JobState.RUNNING
    view.partial(2)
    with pytest.raises(ProtocolError, match="frame 3"):
        view.partial(3)


def test_a_text_has_a_bound_and_the_flag_is_a_flag() -> None:
    assert unpack(REPLIES, pack(REPLIES, "partial", job="a", frame=1, text="x" * MAX_TEXT))["frame"] == 1
    with pytest.raises(ProtocolError, match="65536 characters"):
        pack(REPLIES, "partial", job="a", frame=1, text="x" * (MAX_TEXT + 1))
    with pytest.raises(ProtocolError, match="`partials`"):
        pack(REQUESTS, "submit", id=1, job="a", engine="x", options={}, priority="batch", partials="yes")
