"""The blocking client: results once each, errors with their types, nothing left running."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from semanticface import installation, launch, processes
from semanticface.client import Client, ImageFrame, JobProgress
from semanticface.errors import (
    BackendLost,
    BackendMissing,
    JobCancelled,
    JobFailed,
    MediaError,
    OptionsError,
    ProtocolError,
    VersionMismatch,
)
from semanticface.mock_script import Fault, motion
from semanticface.protocol import JobState

CLIP = "/footage/a.mp4"


def pictures(count: int, taken: list[int] | None = None) -> Iterator[ImageFrame]:
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield ImageFrame(number, b"\xff\xd8picture", time=number / 25)


def test_footage_comes_back_frame_by_frame(start_mock) -> None:
    start_mock()
    with Client.connect(start=False) as client:
        results = list(client.analyze(CLIP, frames=range(5, 50, 5)))
    assert [result.frame for result in results] == list(range(5, 50, 5))
    assert results[1].coefficients == motion(10)
    assert results[0].coefficients["MouthSmileLeft"] != results[0].coefficients["MouthSmileRight"]


def test_paths_leave_absolute(start_mock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mock = start_mock()
    monkeypatch.chdir(tmp_path)
    with Client.connect(start=False) as client:
        list(client.analyze("a.mp4", frames=[0], take="takes/one"))
        client.probe(Path("b.mp4"))
    submit, probe = (message for message in mock.backend.received if message.type in {"submit", "probe"})
    assert submit["media"] == {"path": str(tmp_path / "a.mp4")}
    assert submit["take"] == str(tmp_path / "takes" / "one")
    assert probe["media"] == {"path": str(tmp_path / "b.mp4")}


def test_pictures_come_back_under_their_numbers(start_mock) -> None:
    start_mock()
    frames = [ImageFrame(number, b"picture") for number in (7, 3, 90)]
    with Client.connect(start=False) as client:
        assert [result.frame for result in client.analyze(frames)] == [7, 3, 90]


def test_pictures_are_taken_only_as_fast_as_results_come(start_mock) -> None:
    mock = start_mock(window=4)
    taken: list[int] = []
    with Client.connect(start=False) as client:
        for count, result in enumerate(client.analyze(pictures(60, taken), video=True), 1):
            assert len(taken) <= count + 4
            assert result.time == result.frame / 25
    assert taken == list(range(60))
    assert not [message for message in mock.backend.received if message.type == "cancel"]


def test_nothing_is_sent_before_the_first_result_is_wanted(start_mock) -> None:
    mock = start_mock()
    with Client.connect(start=False) as client:
        client.analyze(CLIP)
        client.status()
    assert "submit" not in mock.types


def test_no_pictures_at_all_is_an_empty_answer(start_mock) -> None:
    start_mock()
    with Client.connect(start=False) as client:
        assert list(client.analyze(iter(()))) == []


def test_leaving_early_cancels_the_job(start_mock) -> None:
    mock = start_mock(delay=0.01)
    with Client.connect(start=False) as client:
        results = client.analyze(CLIP)
        next(results)
        results.close()
        assert client.status()["jobs"] == []
    assert mock.types.count("cancel") == 1


def test_an_error_in_the_callers_pictures_cancels_the_job_and_is_his_own(start_mock) -> None:
    mock = start_mock()

    def broken() -> Iterator[ImageFrame]:
        yield ImageFrame(0, b"picture")
        raise ZeroDivisionError

    with Client.connect(start=False) as client:
        with pytest.raises(ZeroDivisionError):
            list(client.analyze(broken()))
        client.status()
    assert mock.types.count("cancel") == 1


@pytest.mark.parametrize("source", [["no frame"], [ImageFrame(0, b"")], [ImageFrame(1, b"x"), ImageFrame(1, b"x")]])
def test_pictures_that_cannot_be_sent_are_refused_here(start_mock, source: list[ImageFrame]) -> None:
    start_mock()
    with Client.connect(start=False) as client, pytest.raises(OptionsError):
        list(client.analyze(source))


def test_what_cannot_be_meant_is_refused_before_the_job(start_mock) -> None:
    start_mock()
    with Client.connect(start=False) as client:
        for arguments in ({"source": CLIP, "frames": []}, {"source": pictures(3), "frames": [1]}):
            with pytest.raises(OptionsError):
                client.analyze(**arguments)


def test_progress_is_told(start_mock) -> None:
    start_mock(delay=0.02)
    told: list[JobProgress] = []
    with Client.connect(start=False) as client:
        list(client.analyze(CLIP, frames=range(30), on_progress=told.append))
    assert told[0].state is JobState.RUNNING
    assert [event.total for event in told] == [30] * len(told)
    assert [event.done for event in told] == sorted(event.done for event in told)
    assert len(told) >= 2


@pytest.mark.clock
@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (Fault.LOSE, ProtocolError, "without 1 of its frames: 4"),
        (Fault.TWICE, ProtocolError, "second result"),
        (Fault.STRANGE, ProtocolError, "not asked"),
        (Fault.MALFORMED, ProtocolError, "not msgpack"),
        (Fault.BAD_RESULT, ProtocolError, "61 known names"),
        (Fault.FAIL_JOB, JobFailed, "fail_job"),
        (Fault.DIE, BackendLost, "lost"),
        (Fault.FREEZE, BackendLost, "not answered"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_every_failure_is_a_typed_error_within_three_seconds(
    start_mock, fault: Fault, kind: type[Exception], text: str, streamed: bool
) -> None:
    start_mock(faults={4: fault})
    begin = time.monotonic()
    with Client.connect(start=False) as client, pytest.raises(kind, match=text):
        list(client.analyze(pictures(12)) if streamed else client.analyze(CLIP, frames=range(12)))
    assert time.monotonic() - begin < 3.2


def test_an_error_of_one_job_leaves_the_client_usable(start_mock) -> None:
    start_mock(faults={90: Fault.FAIL_JOB, 80: Fault.TWICE})
    with Client.connect(start=False) as client:
        with pytest.raises(JobFailed):
            list(client.analyze(CLIP, frames=[90]))
        with pytest.raises(ProtocolError):
            list(client.analyze(CLIP, frames=[80]))
        assert len(list(client.analyze(CLIP, frames=[1, 2]))) == 2


def test_the_backends_own_error_class_is_raised(start_mock) -> None:
    start_mock(check_files=True)
    with Client.connect(start=False) as client:
        with pytest.raises(MediaError, match="does not exist"):
            client.probe("/no/such.mp4")
        with pytest.raises(MediaError, match="does not exist"):
            list(client.analyze("/no/such.mp4"))


def test_a_job_that_somebody_else_cancels_says_so(start_mock) -> None:
    mock = start_mock(delay=0.01)
    with Client.connect(start=False) as client:
        results = client.analyze(CLIP)
        next(results)
        job = next(iter(client._pump.jobs))
        client._pump._connection.send("cancel", job=job)
        with pytest.raises(JobCancelled):
            list(results)
    assert mock.types.count("cancel") == 1


def test_two_jobs_of_one_client_do_not_mix(start_mock) -> None:
    start_mock(delay=0.002)
    with Client.connect(start=False) as client:
        first, second = client.analyze(CLIP, frames=range(20)), client.analyze(pictures(20))
        for number in range(20):
            assert next(first).frame == next(second).frame == number


def test_one_client_serves_several_threads(start_mock) -> None:
    start_mock(delay=0.001)
    counts: list[int] = []
    with Client.connect(start=False) as client:

        def work() -> None:
            counts.append(len(list(client.analyze(pictures(40)))) + len(list(client.analyze(CLIP))))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert counts == [160] * 4


def test_the_lease_is_kept_while_the_callers_code_works_slowly(start_mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semanticface.client.KEEP_INTERVAL", 0.1)
    start_mock(lease=0.6, delay=0.02)
    with Client.connect(start=False) as client:
        results = client.analyze(CLIP)
        next(results)
        time.sleep(1.5)
        assert len(list(results)) == 119


@pytest.mark.clock
def test_closing_while_busy_is_quick(start_mock) -> None:
    start_mock(delay=0.01)
    client = Client.connect(start=False)
    results = client.analyze(pictures(1000))
    next(results)
    begin = time.perf_counter()
    client.close()
    client.close()
    assert time.perf_counter() - begin < 0.1
    with pytest.raises(BackendLost, match="closed"):
        list(results)
    with pytest.raises(BackendLost, match="closed"):
        client.status()
    assert "semanticface-lease" not in {thread.name for thread in threading.enumerate()}


def test_another_version_or_token_is_refused(start_mock) -> None:
    start_mock(protocol=(3, 1))
    with pytest.raises(VersionMismatch):
        Client.connect(start=False)


def test_without_a_backend_and_without_leave_to_start_one_it_is_missing(home: Path) -> None:
    with pytest.raises(BackendMissing, match="semanticface serve"):
        Client.connect(start=False)


def test_two_clients_share_the_backend_that_the_first_has_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(installation.BACKEND_VARIABLE, f"{sys.executable} -m semanticface.mock")
    with Client.connect() as first, Client.connect() as second:
        assert first.welcome["instance"] == second.welcome["instance"]
        assert second.status()["clients"] == 2
        run = launch.live_run_file()
        second.shutdown()
        deadline = time.monotonic() + 5
        while run is not None and processes.is_alive(run.pid, run.started):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(BackendLost):
            first.status()


DYING = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
listener.accept()[0].close()
listener.close()
time.sleep(1)
"""


def test_a_backend_whose_sockets_are_shut_already_is_waited_out_and_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(installation.BACKEND_VARIABLE, f"{sys.executable} -m semanticface.mock")
    with subprocess.Popen([sys.executable, "-c", DYING], stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        endpoint = f"tcp://127.0.0.1:{int(dying.stdout.readline())}"
        key = zmq.curve_keypair()[0].decode()
        run = launch.own_run_file(endpoint=endpoint, instance="dying", public_key=key, token="t")
        launch.write_run_file(replace(run, pid=dying.pid, started=processes.start_time(dying.pid)))
        with pytest.raises(BackendLost):
            Client.connect(start=False)
        assert dying.poll() is None  # it lives while its sockets are shut
        reaper = threading.Thread(target=dying.wait)
        reaper.start()
        with Client.connect() as client:
            assert client.welcome["instance"] != "dying"
        reaper.join()
        launch.stop()


@pytest.mark.clock
def test_importing_the_client_is_light_and_quick() -> None:
    code = """
import sys, time
begin = time.process_time()  # other work on the machine must not count
import semanticface.client
took = time.process_time() - begin
loaded = {name.partition(".")[0] for name in sys.modules}
print(took, sorted(loaded & {"numpy", "cv2", "av", "asyncio", "torch", "typer", "rich", "email", "http"}))
"""
    times: list[float] = []
    while len(times) < 15 and min(times, default=1.0) >= 0.100:  # a busy machine inflates CPU time too
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert out[1] == "[]"
        times.append(float(out[0]))
    assert min(times) < 0.100, times
