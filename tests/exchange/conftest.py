"""The real Live Link Face recording, where it is at hand, and frames to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.results import FrameResult, Status

MakeFrame = Callable[..., FrameResult]


@pytest.fixture(scope="session")
def real_recording() -> Path:
    path = Path(__file__).parents[2].parent / "shared" / "data" / "livelink" / "alex_rom_3.csv"
    if not path.is_file():
        pytest.skip(f"the real recording is not at {path}")
    return path


@pytest.fixture
def frame() -> MakeFrame:
    """`frame(7, 0.25, JawOpen=0.5)`: an OK result, zeros elsewhere; `frame(7, 0.25, face=False)`: no face."""

    def make(number: int, time: float | None, face: bool = True, **values: float) -> FrameResult:
        if not face:
            return FrameResult(number, time, Status.NO_FACE)
        return FrameResult(number, time, Status.OK, dict.fromkeys(CSV_ORDER, 0.0) | values)

    return make
