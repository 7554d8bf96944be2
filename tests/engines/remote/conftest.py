"""Engines against a local chat server: each test writes its script, and the engine is closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Script, chat_server
from remote_kit import Connect, server_at

from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.remote.engine import RemoteEngine, connect


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def profile() -> Profile:
    return Profile("test", "Answer exactly.", "<image>Describe the face.", layouts=(Layout.BARE,), decimals=1)


@pytest.fixture
def remote(profile: Profile) -> Iterator[Connect]:
    """`remote(script, profile=..., fields of Server)`: a running server and the engine that asks it."""
    with ExitStack() as stack:

        def start(
            script: Script | None = None, asked: Profile | None = None, **fields: Any
        ) -> tuple[ChatServer, RemoteEngine]:
            server = stack.enter_context(chat_server(script))
            engine = connect(server_at(server.url, asked or profile, **fields))
            stack.callback(engine.close)
            return server, engine

        yield start
