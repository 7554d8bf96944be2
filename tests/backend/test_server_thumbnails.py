"""Thumbnails: the right frame, cut to its face, small; what has no picture is named, and nothing waits for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from server_kit import Backend, Wire, backend, sequence

from semanticface.client import Client
from semanticface.errors import BackendError, ProtocolError
from semanticface.media.reader import open_media
from semanticface.media.source import MediaRef
from semanticface.mock_script import Fault
from semanticface.protocol import MAX_THUMBNAIL_BYTES, REPLIES, Message, cut_payload, pack, unpack
from semanticface.server.thumbnails import crop, encode, shrink

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "rom_head.mp4"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with backend(tmp_path_factory.mktemp("backend"), "client_thumbnails=3") as running:
        yield running


@pytest.fixture
def wire(live: Backend) -> Iterator[Wire]:
    with Wire(live.run) as client:
        yield client
        client.ask("bye")


def decoded(data: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_each_thumbnail_shows_the_frame_that_was_asked_for(wire: Wire) -> None:
    frames = [31, 7, 60]
    answer = wire.ask("thumbnails", media={"path": str(SAMPLE)}, frames=frames, side=96)
    pictures = cut_payload(answer)
    assert list(pictures) == sorted(frames) and answer["problems"] == []
    with open_media(MediaRef.from_user(str(SAMPLE))) as reader:
        exact = {picture.frame: shrink(picture.image, 96) for picture in reader.read(sorted(frames))}
    for frame, data in pictures.items():
        seen = decoded(data).astype(int)
        assert max(seen.shape[:2]) == 96
        errors = {number: np.abs(seen - other.astype(int)).mean() for number, other in exact.items()}
        assert min(errors, key=errors.__getitem__) == frame and errors[frame] < 4


def test_a_box_cuts_the_face_out(wire: Wire) -> None:
    with open_media(MediaRef.from_user(str(SAMPLE))) as reader:
        (picture,) = reader.read([20])
    height, width = picture.image.shape[:2]
    box = (width * 0.4, height * 0.4, width * 0.1, height * 0.1)
    answer = wire.ask("thumbnails", media={"path": str(SAMPLE)}, frames=[20, 21], side=64, boxes=[[20, *box]])
    cut, whole = (decoded(data) for data in cut_payload(answer).values())
    assert cut.shape[0] == cut.shape[1], "a square"
    expected = shrink(crop(picture.image, box), 64)
    assert np.abs(cut.astype(int) - expected.astype(int)).mean() < 4
    assert whole.shape[:2] != cut.shape[:2] or np.abs(cut.astype(int) - whole.astype(int)).mean() > 10


def test_frames_without_a_picture_are_named_with_the_reason(wire: Wire, tmp_path: Path) -> None:
    answer = wire.ask("thumbnails", media=sequence(tmp_path / "seq", 6, holes=[3]), frames=[2, 3, 4, 99], side=32)
    assert [frame for frame, _ in answer["pictures"]] == [2, 4]
    assert [(frame, status) for frame, status, _ in answer["problems"]] == [(3, "missing"), (99, "missing")]
    gone = wire.ask("thumbnails", media={"path": str(tmp_path / "gone.mp4")}, frames=[0], side=32)
    assert gone["pictures"] == [] and gone.payload == b""
    assert "gone.mp4" in gone["problems"][0][2]


def test_more_requests_than_may_wait_are_refused_and_the_others_answered(live: Backend) -> None:
    with Wire(live.run) as client:
        for number in range(100, 106):
            client.send("thumbnails", id=number, media={"path": str(SAMPLE)}, frames=list(range(40)), side=64)
        answers = [client.until("thumbnails", "error") for _ in range(6)]
        refused = [answer for answer in answers if answer.type == "error"]
        assert len(refused) == 3 and all("wait already" in answer["error"]["message"] for answer in refused)
        again = client.ask("thumbnails", media={"path": str(SAMPLE)}, frames=[0], side=64)
        assert again.type == "thumbnails", "what was answered makes room"
        client.ask("bye")


@pytest.mark.clock
def test_the_front_answers_within_milliseconds_while_thumbnails_are_made(wire: Wire) -> None:
    wire.ask("thumbnails", media={"path": str(SAMPLE)}, frames=[0], side=64)
    wire.send("thumbnails", id=900, media={"path": str(SAMPLE)}, frames=list(range(64)), side=512)
    rounds = []
    for _ in range(15):
        start = time.perf_counter()
        assert wire.ask("ping").type == "pong"
        rounds.append(time.perf_counter() - start)
    assert sorted(rounds)[len(rounds) // 2] < 0.05
    assert wire.until("thumbnails")["re"] == 900


def test_noise_of_the_greatest_size_stays_under_the_limit() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (512, 512, 3), np.uint8)
    data = encode(noise)
    assert data is not None and len(data) <= MAX_THUMBNAIL_BYTES
    assert decoded(data).shape == noise.shape


@pytest.mark.parametrize("box", [(-50, -50, 20, 20), (990, 5, 500, 500), (3, 3, 0.1, 0.1), (0, 0, 1e6, 1e6)])
def test_a_box_that_is_not_in_the_picture_gives_what_there_is_of_it(box: tuple[float, ...]) -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    cut = crop(image, box)
    assert cut.shape[0] > 1 and cut.shape[1] > 1


def test_the_blocking_client_hands_out_pictures_and_refuses_an_older_backend(start_mock) -> None:
    run = start_mock(frames=10, faults={4: Fault.UNREADABLE}).run
    with Client.connect(run=run) as client:
        pictures = client.thumbnails("/any.mp4", [3, 4, 5, 12])
        assert list(pictures) == [3, 5] and all(data[:2] == b"\xff\xd8" for data in pictures.values())
    older = start_mock(protocol=(1, 1)).run
    with Client.connect(run=older) as client, pytest.raises(BackendError, match="no thumbnails"):
        client.thumbnails("/any.mp4", [3])


@pytest.mark.parametrize("sizes", [[(0, 3)], [(0, 5)], [(0, 2), (1, 1)]])
def test_a_payload_that_is_not_what_the_header_lists_is_refused(sizes: list[tuple[int, int]]) -> None:
    message: Message = unpack(REPLIES, pack(REPLIES, "thumbnails", payload=b"1234", re=1, pictures=sizes, problems=[]))
    with pytest.raises(ProtocolError, match="payload"):
        cut_payload(message)
