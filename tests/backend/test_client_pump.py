"""The pump as a host uses it: polled from a timer, over real sockets, against a backend that misbehaves on demand."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from semanticface import launch
from semanticface.client import (
    Answer,
    Connected,
    ConnectionState,
    Event,
    ImageFrame,
    JobAccepted,
    JobFinished,
    JobProgress,
    JobRequest,
    JobResult,
    Lost,
    Pump,
    RequestFailed,
)
from semanticface.errors import (
    BackendError,
    BackendLost,
    JobFailed,
    MediaError,
    OptionsError,
    ProtocolError,
    VersionMismatch,
)
from semanticface.mock_script import Fault, motion
from semanticface.protocol import JobState, Priority
from semanticface.runfile import RunFile

CLIP = JobRequest({"path": "/footage/a.mp4"}, range(10))


@pytest.fixture
def pump_to() -> Iterator[Callable[[RunFile], Pump]]:
    pumps: list[Pump] = []

    def make(run: RunFile) -> Pump:
        pumps.append(Pump(run, "test host"))
        return pumps[-1]

    yield make
    for pump in pumps:
        pump.close()


@pytest.fixture
def own_process(home: Path, tmp_path: Path) -> Iterator[tuple[RunFile, subprocess.Popen[bytes]]]:
    """A mock in a process of its own, to kill or to stop."""
    process = subprocess.Popen([sys.executable, "-m", "semanticface.mock"])
    deadline = time.monotonic() + 20
    while (run := launch.live_run_file()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run is not None
    yield run, process
    process.kill()
    process.wait()


@pytest.fixture
def no_gc() -> Iterator[None]:
    """The collector walks the whole test session's objects, which takes tens of milliseconds of any call's time."""
    gc.disable()
    yield
    gc.enable()


def drive(pump: Pump, until: type[Event] | tuple[type[Event], ...], seconds: float = 10) -> list[Event]:
    """Poll as a host's timer does until an event of this kind has come; all events so far."""
    events: list[Event] = []
    deadline = time.monotonic() + seconds
    while not any(isinstance(event, until) for event in events):
        assert time.monotonic() < deadline, f"no {until} among {events}"
        events += pump.poll()
        time.sleep(0.005)
    return events


def connect(pump: Pump) -> Pump:
    (event,) = drive(pump, (Connected, Lost))
    assert isinstance(event, Connected)
    return pump


def of_kind(events: list[Event], kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


def test_a_job_tells_its_whole_story_in_order(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock().run))
    job = pump.submit(CLIP)
    events = drive(pump, JobFinished)
    assert events[0] == JobAccepted(job, 10)
    assert [event.result.frame for event in of_kind(events, JobResult)] == list(range(10))
    assert of_kind(events, JobResult)[3].result.coefficients == motion(3)
    assert of_kind(events, JobProgress)[0].state is JobState.RUNNING
    finished = events[-1]
    assert isinstance(finished, JobFinished)
    assert (finished.state, finished.counts, finished.error) == (JobState.DONE, {"ok": 10}, None)
    assert not pump.jobs


@pytest.mark.clock
def test_polling_never_takes_longer_than_its_budget_and_one_message(own_process, pump_to, no_gc: None) -> None:
    pump = connect(pump_to(own_process[0]))
    pump.submit(JobRequest({"path": "/long.mp4"}, range(3000)))
    time.sleep(1.5)  # a host that did not look for a while: many results wait
    longest, events = 0.0, []
    while not of_kind(events, JobFinished):
        begin = time.thread_time()  # the machine's other work must not count
        some = pump.poll(budget=0.008)
        longest = max(longest, time.thread_time() - begin)
        events += some
        time.sleep(0.001)
    assert len(of_kind(events, JobResult)) == 3000
    assert longest < 0.012


@pytest.mark.clock
def test_polling_with_nothing_to_do_returns_at_once(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock().run))
    begin = time.perf_counter()
    for _ in range(100):
        assert pump.poll() == []
    assert time.perf_counter() - begin < 0.1


def test_the_window_holds_pictures_back(start_mock, pump_to) -> None:
    mock = start_mock(window=3, delay=0.2)
    pump = connect(pump_to(mock.run))
    job = pump.submit(JobRequest())
    assert not pump.send_frame(job, ImageFrame(0, b"x"))  # not accepted yet
    drive(pump, JobAccepted)
    assert [pump.send_frame(job, ImageFrame(number, b"x")) for number in range(5)] == [True, True, True, False, False]
    drive(pump, JobResult)
    assert pump.send_frame(job, ImageFrame(3, b"x"))
    pump.end(job)
    pump.end(job)
    assert not pump.send_frame(job, ImageFrame(9, b"x"))
    finished = drive(pump, JobFinished)[-1]
    assert finished.counts == {"ok": 4}
    assert mock.types.count("end") == 1


def test_answers_carry_the_number_of_their_request(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock().run))
    first, second = pump.request("probe", media={"path": "/a.mp4"}), pump.request("status")
    events = []
    while len(events) < 2:
        events += pump.poll()
    assert [(event.re, event.message.type) for event in events] == [(first, "media"), (second, "status")]


def test_a_refused_request_is_an_event_with_its_number(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(check_files=True).run))
    number = pump.request("probe", media={"path": "/no/such.mp4"})
    (event,) = drive(pump, RequestFailed)
    assert event.re == number
    assert isinstance(event.error, MediaError)


def test_a_refused_job_is_an_event_and_leaves_no_job(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(check_files=True).run))
    job = pump.submit(CLIP)
    (event,) = drive(pump, RequestFailed)
    assert event.job == job
    assert not pump.jobs


def test_cancelling_ends_the_job_as_cancelled(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(delay=0.05).run))
    job = pump.submit(CLIP)
    drive(pump, JobResult)
    pump.cancel(job)
    finished = drive(pump, JobFinished)[-1]
    assert finished.state is JobState.CANCELLED
    pump.cancel(job)  # too late, and no error


def test_interactive_jobs_go_first(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(delay=0.02).run))
    batch = pump.submit(CLIP)
    single = pump.submit(replace(CLIP, frames=[3], priority=Priority.INTERACTIVE))
    ends: list[JobFinished] = []
    while len(ends) < 2:
        ends += of_kind(drive(pump, JobFinished), JobFinished)
    assert [end.job for end in ends] == [single, batch]


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (Fault.MALFORMED, RequestFailed, "not msgpack"),
        (Fault.BAD_RESULT, RequestFailed, "61 known names"),
        (Fault.TWICE, RequestFailed, "second result for frame 4"),
        (Fault.STRANGE, RequestFailed, "not asked for"),
        (Fault.LOSE, JobFinished, "without 1 of its frames: 4"),
        (Fault.FAIL_JOB, JobFinished, "the script says"),
    ],
)
def test_what_breaks_the_protocol_is_an_event_and_no_exception(
    start_mock, pump_to, fault: Fault, kind: type, text: str
) -> None:
    pump = connect(pump_to(start_mock(faults={4: fault}).run))
    pump.submit(CLIP)
    events = drive(pump, JobFinished)
    (event,) = [event for event in of_kind(events, kind) if event.error is not None]
    assert isinstance(event.error, JobFailed if fault is Fault.FAIL_JOB else ProtocolError)
    assert text in str(event.error)
    assert pump.state is ConnectionState.CONNECTED


def test_frames_without_a_face_come_as_such(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(faults={4: Fault.NO_FACE}).run))
    pump.submit(CLIP)
    events = drive(pump, JobFinished)
    assert of_kind(events, JobResult)[4].result.coefficients is None
    assert events[-1].counts == {"ok": 9, "no_face": 1}


@pytest.mark.clock
@pytest.mark.parametrize("fault", [Fault.DIE, Fault.FREEZE])
def test_a_backend_that_dies_or_hangs_is_lost_within_three_seconds(start_mock, pump_to, fault: Fault) -> None:
    pump = connect(pump_to(start_mock(faults={0: fault}).run))
    pump.submit(CLIP)
    begin = time.monotonic()
    lost = drive(pump, Lost)[-1]
    assert time.monotonic() - begin < 3.0
    assert isinstance(lost.error, BackendLost)
    assert pump.state is ConnectionState.LOST
    assert not pump.jobs
    assert pump.poll() == []  # it is said once
    with pytest.raises(BackendLost):
        pump.submit(CLIP)


def test_a_stalled_job_is_no_loss(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(faults={0: Fault.STALL}).run))
    pump.submit(CLIP)
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        pump.poll()
        time.sleep(0.02)
    assert pump.state is ConnectionState.CONNECTED


@pytest.mark.clock
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP"])
def test_a_front_that_is_killed_or_stopped_is_lost_within_three_seconds(own_process, pump_to, number: str) -> None:
    run, process = own_process
    pump = connect(pump_to(run))
    pump.submit(replace(CLIP, frames=range(100_000)))
    drive(pump, JobResult)
    os.kill(process.pid, getattr(signal, number))
    begin = time.monotonic()
    assert isinstance(drive(pump, Lost)[-1].error, BackendLost)
    assert time.monotonic() - begin < 3.0


def test_another_version_is_refused(start_mock, pump_to) -> None:
    pump = pump_to(start_mock(protocol=(7, 0)).run)
    assert isinstance(drive(pump, Lost)[-1].error, VersionMismatch)
    assert pump.state is ConnectionState.REFUSED


def test_a_wrong_token_is_refused(start_mock, pump_to) -> None:
    pump = pump_to(replace(start_mock().run, token="guess"))
    error = drive(pump, Lost)[-1].error
    assert isinstance(error, ProtocolError)
    assert "token" in str(error)
    assert pump.state is ConnectionState.REFUSED


def test_a_wrong_key_reaches_nothing(start_mock, pump_to) -> None:
    mock = start_mock()
    wrong = start_mock().run.public_key
    pump = pump_to(replace(mock.run, public_key=wrong))
    assert isinstance(drive(pump, Lost)[-1].error, BackendLost)
    assert mock.backend.received == []


@pytest.mark.clock
def test_nobody_at_the_address_is_a_loss_at_once(home, pump_to, start_mock) -> None:
    run = replace(start_mock().run, endpoint="tcp://127.0.0.1:9")
    begin = time.monotonic()
    assert isinstance(drive(pump_to(run), Lost)[-1].error, BackendLost)
    assert time.monotonic() - begin < 1


@pytest.mark.clock
def test_closing_while_busy_is_quick_and_gives_the_lease_back(start_mock, pump_to) -> None:
    mock = start_mock(delay=0.01, window=64)
    pump = connect(pump_to(mock.run))
    job = pump.submit(JobRequest())
    drive(pump, JobAccepted)
    for number in range(64):
        pump.send_frame(job, ImageFrame(number, bytes(20_000)))
    begin = time.perf_counter()
    pump.close()
    assert time.perf_counter() - begin < 0.1
    assert pump.poll() == []
    deadline = time.monotonic() + 20
    while "bye" not in mock.types:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.clock
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_closing_never_waits_for_a_backend_that_hangs(own_process, pump_to) -> None:
    run, process = own_process
    pump = connect(pump_to(run))
    job = pump.submit(JobRequest())
    drive(pump, JobAccepted)
    os.kill(process.pid, signal.SIGSTOP)
    for number in range(8):
        pump.send_frame(job, ImageFrame(number, bytes(4_000_000)))
    begin = time.perf_counter()
    pump.close()
    assert time.perf_counter() - begin < 0.1


@pytest.mark.clock
def test_closing_before_the_connection_is_up_is_quick(start_mock) -> None:
    pump = Pump(start_mock().run)
    begin = time.perf_counter()
    pump.close()
    pump.close()
    assert time.perf_counter() - begin < 0.1


def test_a_hundred_pumps_leave_no_socket_behind(start_mock) -> None:
    run = start_mock().run
    before = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
    for _ in range(100):
        Pump(run).close()
    if sys.platform == "linux":
        time.sleep(0.2)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 5


def test_jobs_need_a_connection(start_mock, pump_to) -> None:
    pump = pump_to(start_mock().run)
    with pytest.raises(BackendError, match="connecting"):
        pump.submit(CLIP)
    connect(pump)
    job = pump.submit(replace(CLIP, job="mine"))
    assert job == "mine"
    with pytest.raises(OptionsError, match="running already"):
        pump.submit(replace(CLIP, job="mine"))


def test_a_lapsed_lease_is_said(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock(lease=0.3).run))
    time.sleep(0.6)  # a host that stood still for longer than its lease
    lost = drive(pump, Lost)[-1]
    assert "lease" in str(lost.error)


def test_answer_is_a_frozen_event(start_mock, pump_to) -> None:
    pump = connect(pump_to(start_mock().run))
    pump.request("release")
    (event,) = drive(pump, Answer)
    with pytest.raises(AttributeError):
        event.re = 3
