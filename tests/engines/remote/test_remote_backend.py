"""The whole way: client, front, worker, and a server that speaks the protocol, each a process or thread of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from chat_server import ChatServer, Script, chat_server
from remote_kit import server_at

from semanticface import installation, launch
from semanticface.client import Client, ImageFrame, Partial
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.remote.settings import add_server
from semanticface.errors import EngineError, OptionsError
from semanticface.results import FrameResult, Status

KEY = "sk-not-for-anybodys-eyes"
COUNT = 24


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatServer]:
    with chat_server(Script(key=KEY)) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, chat: ChatServer) -> Iterator[Path]:
    """A backend of its own, with the server `studio` written down."""
    home = tmp_path_factory.mktemp("remote") / "home"
    profile = Profile("test", "Answer exactly.", "Describe the face.", layouts=(Layout.BARE,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMANTICFACE_HOME", str(home))
        patch.setenv("STUDIO_KEY", KEY)
        patch.setenv(installation.BACKEND_VARIABLE, f"{sys.executable} -m semanticface.server")
        add_server(server_at(chat.url, profile, key_variable="STUDIO_KEY", concurrency=6, patience=0.5))
        launch.start()
        yield home
        launch.stop()


@pytest.fixture
def client(home: Path, chat: ChatServer) -> Iterator[Client]:
    chat.script.token_delay = chat.script.delay = 0.0
    with Client.connect(app="test") as client:
        yield client


def sequence(folder: Path, offset: int = 0) -> Path:
    """Grey pictures, each brighter than the one before."""
    folder.mkdir()
    for number in range(COUNT):
        cv2.imwrite(str(folder / f"face_{number:04d}.png"), np.full((64, 96, 3), offset + number * 10, np.uint8))
    return folder


def analyze(client: Client, source: Path, take: Path | None = None, **options: object) -> list[FrameResult]:
    return list(client.analyze(source, engine="remote:studio", options=options, take=take, video=True))


def test_a_shot_comes_back_frame_by_frame(client: Client, chat: ChatServer, tmp_path: Path, home: Path) -> None:
    chat.script.delay = 0.02
    take = tmp_path / "take"
    results = analyze(client, sequence(tmp_path / "shot"), take)
    assert [result.frame for result in results] == list(range(COUNT))
    assert all(result.status is Status.OK and result.estimates is not None for result in results)
    for number, result in enumerate(results):
        assert result.coefficients is not None
        assert result.coefficients["JawOpen"] == pytest.approx(number * 10 / 255, abs=0.051)
    assert 1 < chat.seen.most_at_once <= 6
    written = b"".join(path.read_bytes() for folder in (take, home) for path in folder.rglob("*") if path.is_file())
    assert b"EyeBlinkLeft" in written and KEY.encode() not in written


def test_what_was_answered_is_not_asked_again(client: Client, chat: ChatServer, tmp_path: Path) -> None:
    shot = sequence(tmp_path / "shot", offset=3)
    first = analyze(client, shot)
    asked = len(chat.seen.pictures)
    assert analyze(client, shot) == first and len(chat.seen.pictures) == asked
    analyze(client, shot, value="median")
    assert len(chat.seen.pictures) == asked + COUNT  # another option, other results


def test_the_text_is_seen_while_it_is_written(client: Client, chat: ChatServer) -> None:
    chat.script.token_delay = 0.003
    heard: list[Partial] = []
    picture = cv2.imencode(".png", np.full((64, 64, 3), 77, np.uint8))[1].tobytes()
    frames = client.analyze(iter([ImageFrame(4, picture)]), engine="remote:studio", on_partial=heard.append)
    (result,) = list(frames)
    assert result.status is Status.OK and result.analysis is not None
    texts = [partial.text for partial in heard if partial.frame == 4]
    assert len(texts) >= 2 and all(result.raw_text.startswith(text) for text in texts)


def test_a_wrong_option_is_refused_before_anything_is_sent(client: Client, chat: ChatServer, tmp_path: Path) -> None:
    asked = len(chat.seen.pictures)
    with pytest.raises(OptionsError, match="no option 'temperature'"):
        analyze(client, sequence(tmp_path / "shot", offset=1), temperature=1)
    assert len(chat.seen.pictures) == asked


def test_a_server_that_nobody_wrote_down_is_named(client: Client, tmp_path: Path) -> None:
    with pytest.raises((EngineError, OptionsError), match="nobody"):
        list(client.analyze(sequence(tmp_path / "shot"), engine="remote:nobody"))


def test_a_job_ends_soon_when_its_server_is_gone(client: Client, chat: ChatServer, tmp_path: Path) -> None:
    shot = sequence(tmp_path / "shot", offset=5)
    assert analyze(client, shot)[0].status is Status.OK
    chat.stop()
    began = time.monotonic()
    try:
        results = analyze(client, sequence(tmp_path / "other", offset=7))
    finally:
        chat.start()
    assert time.monotonic() - began < 30
    assert len(results) == COUNT and {result.status for result in results} == {Status.FAILED}
    assert "not there" in results[-1].message and KEY not in results[-1].message
