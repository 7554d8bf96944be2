"""The client against the true backend, with the echo engine: what the mock promises holds there too."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

cv2 = pytest.importorskip("cv2", reason="the backend's libraries")
np = pytest.importorskip("numpy")
if importlib.util.find_spec("semanticface.server.__main__") is None:
    pytest.skip("the backend is not there", allow_module_level=True)

from semanticface import installation, launch, processes  # noqa: E402
from semanticface.client import Client, ImageFrame, JobProgress  # noqa: E402
from semanticface.errors import BackendLost, EngineError, MediaError, OptionsError, ProtocolError  # noqa: E402
from semanticface.installation import Verdict  # noqa: E402
from semanticface.launch import find_backend  # noqa: E402
from semanticface.protocol import JobState, PixelFormat  # noqa: E402
from semanticface.results import Status  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One true backend for this file, started as a host starts it."""
    home = tmp_path_factory.mktemp("server") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMANTICFACE_HOME", str(home))
        patch.setenv(installation.BACKEND_VARIABLE, f"{sys.executable} -m semanticface.server")
        launch.start()
        yield home
        launch.stop()


@pytest.fixture
def client(server: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("SEMANTICFACE_HOME", str(server))
    monkeypatch.setenv(installation.BACKEND_VARIABLE, f"{sys.executable} -m semanticface.server")
    with Client.connect(app="test") as client:
        yield client


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures, each darker than the next, with a hole at frame 5."""
    folder = tmp_path_factory.mktemp("sequence")
    for number in range(12):
        if number != 5:
            cv2.imwrite(str(folder / f"face_{number:04d}.png"), picture(number))
    return folder


def picture(number: int) -> np.ndarray:
    return np.full((48, 64, 3), 15 + 15 * number, np.uint8)


def encoded(count: int, taken: list[int] | None = None) -> Iterator[ImageFrame]:
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield ImageFrame(number, cv2.imencode(".png", picture(number % 16))[1].tobytes(), time=number / 24)


def test_starting_leaves_a_register_that_finds_the_backend_again(server: Path, client: Client) -> None:
    installed = installation._registered()
    assert installed is not None
    assert installed.command == (sys.executable, "-m", "semanticface.server")
    assert find_backend(verify=True).verdict is Verdict.OK
    assert client.welcome["backend"].startswith("semanticface ")


def test_a_second_client_joins_the_same_backend(client: Client) -> None:
    with Client.connect(start=False) as other:
        assert other.welcome["instance"] == client.welcome["instance"]
        assert other.status()["clients"] >= 2


def test_footage_comes_back_once_each_in_order_with_its_hole_named(client: Client, sequence: Path) -> None:
    told: list[JobProgress] = []
    results = list(client.analyze(sequence, engine="echo", on_progress=told.append))
    assert [result.frame for result in results] == list(range(12))
    assert results[5].status is Status.MISSING
    assert {result.status for result in results if result.frame != 5} == {Status.OK}
    assert JobState.RUNNING in {event.state for event in told}


def test_chosen_frames_and_a_take(client: Client, sequence: Path, tmp_path: Path) -> None:
    results = list(client.analyze(sequence, frames=[9, 3, 6], engine="echo", take=tmp_path / "take"))
    assert [result.frame for result in results] == [3, 6, 9]
    assert (tmp_path / "take" / "frames.jsonl").is_file()


def test_pictures_flow_through_the_window(client: Client) -> None:
    taken: list[int] = []
    window = client.welcome["window"]
    frames = []
    for result in client.analyze(encoded(100, taken), engine="echo", video=True):
        frames.append(result.frame)
        assert len(taken) <= len(frames) + window
    assert sorted(frames) == list(range(100))


def test_raw_pictures_are_taken_as_they_are(client: Client) -> None:
    pixels = picture(4)
    frames = [
        ImageFrame(0, pixels.tobytes(), format=PixelFormat.RGB8, width=64, height=48),
        ImageFrame(1, pixels[:, :, 0].tobytes(), format=PixelFormat.GREY8, width=64, height=48, bottom_up=True),
    ]
    results = {result.frame: result for result in client.analyze(frames, engine="echo")}
    assert {result.status for result in results.values()} == {Status.OK}


def test_a_picture_that_cannot_be_decoded_is_said_and_the_rest_goes_on(client: Client) -> None:
    frames = [*encoded(2), ImageFrame(2, b"no picture at all")]
    results = {result.frame: result for result in client.analyze(frames, engine="echo")}
    assert results[2].status is Status.UNREADABLE
    assert results[0].status is results[1].status is Status.OK


def test_probe_and_its_error(client: Client, sequence: Path) -> None:
    info = client.probe(sequence)
    assert (info["width"], info["height"], info["frame_count"], info["missing"]) == (64, 48, 12, [5])
    with pytest.raises(MediaError):
        client.probe("/no/such/clip.mp4")


def test_errors_keep_their_class(client: Client, sequence: Path) -> None:
    with pytest.raises(MediaError):
        list(client.analyze("/no/such/clip.mp4", engine="echo"))
    with pytest.raises(EngineError):
        list(client.analyze(sequence, engine="no-such-engine"))
    with pytest.raises(OptionsError):
        list(client.analyze(sequence, engine="echo", options={"colour": "blue"}))


def test_leaving_early_cancels_the_job(client: Client) -> None:
    results = client.analyze(encoded(1000), engine="echo", options={"delay": 0.01})
    next(results)
    results.close()
    deadline = time.monotonic() + 5
    while client.status()["jobs"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_that_crashes_costs_no_frame(client: Client, sequence: Path) -> None:
    results = list(client.analyze(sequence, engine="echo", options={"crash_on": [7], "salt": "crash"}))
    assert [result.frame for result in results] == list(range(12))
    assert results[7].status is Status.FAILED


def test_a_wrong_token_is_refused(server: Path, client: Client) -> None:
    run = launch.live_run_file()
    with pytest.raises(ProtocolError, match="token"):
        Client.connect(run=replace(run, token="guess"))


def test_release_ends_the_worker_and_the_next_job_starts_it_again(client: Client, sequence: Path) -> None:
    list(client.analyze(sequence, frames=[0], engine="echo"))
    client.release()
    assert client.status()["worker"]["pid"] is None
    assert len(list(client.analyze(sequence, frames=[1], engine="echo"))) == 1


@pytest.mark.clock
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_front_is_lost_within_three_seconds_and_the_next_connect_starts_anew(client: Client) -> None:
    run = launch.live_run_file()
    results = client.analyze(encoded(10_000), engine="echo", options={"delay": 0.01})
    next(results)
    os.kill(run.pid, signal.SIGKILL)
    begin = time.monotonic()
    with pytest.raises(BackendLost):
        list(results)
    assert time.monotonic() - begin < 3.0
    with Client.connect() as again:
        assert again.welcome["instance"] != run.instance
    assert not processes.is_alive(run.pid, run.started)
