"""Real parts for the engine's tests: the landmark bundle and the sample clip's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from semanticface.bench.clips import open_clip, read_frames
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.results import FrameResult

Frames = Sequence[FrameInput]


@pytest.fixture(scope="session")
def engine(face_landmarker) -> Iterator[LandmarkEngine]:
    made = LandmarkEngine(face_landmarker, lanes=2)
    yield made
    made.close()


@pytest.fixture(scope="session")
def clip(samples) -> Path:
    path = samples / "rom_head.mp4"
    if not path.is_file():
        pytest.skip("the sample clip samples/rom_head.mp4 is not there")
    return path


@pytest.fixture(scope="session")
def head(clip) -> list[FrameInput]:
    """The first 40 frames of the sample: one head, 640 x 640."""
    with open_clip(clip) as reader:
        return list(read_frames(reader, range(40)))


@pytest.fixture(scope="session")
def whole(engine, clip) -> list[FrameResult]:
    """One uninterrupted pass over the sample."""
    with open_clip(clip) as reader:
        return run(engine, read_frames(reader, range(reader.info.frame_count)))


def run(engine: LandmarkEngine, frames, video: bool = True, **options) -> list[FrameResult]:
    """All frames through one session."""
    session = engine.session(RunOptions(options), video)
    try:
        return list(session.analyze(frames))
    finally:
        session.close()


@pytest.fixture(name="run", scope="session")
def run_fixture():
    return run


def paste(width: int, height: int, *pieces: tuple[np.ndarray, int, int]) -> np.ndarray:
    """A grey picture with pictures laid into it at (left, top)."""
    out = np.full((height, width, 3), 90, np.uint8)
    for image, left, top in pieces:
        out[top : top + image.shape[0], left : left + image.shape[1]] = image
    return out


@pytest.fixture(name="paste", scope="session")
def paste_fixture():
    return paste
