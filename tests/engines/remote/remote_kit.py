"""For the tests of the remote engine: servers as settings, and grey pictures as frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from chat_server import MODEL, ChatServer

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.engine import RemoteEngine
from semanticface.engines.remote.settings import Server
from semanticface.results import FrameResult

Connect = Callable[..., tuple[ChatServer, RemoteEngine]]


def server_at(url: str, profile: Profile, **fields: Any) -> Server:
    settings = {"concurrency": 4, "timeout": 10.0, "patience": 5.0, **fields}
    return Server("studio", url, MODEL, asdict(profile), **settings)


def frames(levels: list[float], size: tuple[int, int] = (64, 96)) -> list[FrameInput]:
    """Grey pictures of these brightnesses (rounded to 1/255), numbered from 10."""
    return [
        FrameInput(10 + number, number / 24, np.full((*size, 3), round(level * 255), np.uint8))
        for number, level in enumerate(levels)
    ]


def run(engine: RemoteEngine, inputs: list[FrameInput], run_options: RunOptions | None = None) -> list[FrameResult]:
    session = engine.session(run_options or RunOptions(), video=True)
    try:
        return list(session.analyze(inputs))
    finally:
        session.close()
