"""What an engine is to the rest of the product: a small interface that every engine fills.

The worker process owns one engine. For each run of frames it opens a `Session`, which yields one result per
frame, in order. An engine that is `sequential` (a tracker) has state between the frames of a session; one
that is not (a language model) may be handed frames of several jobs at once. This module knows nothing of
sockets, jobs or files, and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from semanticface.results import FrameResult


@dataclass(frozen=True, slots=True)
class FrameInput:
    """One upright picture: `image` is (H, W, 3) uint8 RGB; `time` in seconds, None for a still."""

    frame: int
    time: float | None
    image: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Traits:
    """How the backend may feed an engine.

    `sequential`: a session's frames must be consecutive and in order. `warmup`: frames to run before a
    stretch, results thrown away, so that its first result equals what one uninterrupted pass gives. `lanes`:
    sessions that run side by side. `batch`: frames that one call takes.
    """

    sequential: bool
    warmup: int
    lanes: int
    batch: int


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Who answers: `name`, `version`, `model` (file or checkpoint with its hash) and `device`."""

    name: str
    version: str
    model: str
    device: str

    def to_dict(self) -> dict[str, str]:
        return {"name": self.name, "version": self.version, "model": self.model, "device": self.device}


def _untold(frame: FrameInput, text: str) -> None:
    """Nobody follows the text as it is written."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the client asked of the engine, already validated by it: `values` as plain JSON types.

    `cancelled` turns true when nobody waits for the frames in hand any more; a slow engine asks it now and then.
    `partial(frame, text)` tells the whole analysis of a frame as far as it is written. An engine that takes long over a
    frame calls it as often as it likes, also with a text that has not grown: each call is a sign of life, without which
    the backend takes a worker for hanging. `frame` must be the object that the session was given. Cheap, never raises.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    cancelled: Callable[[], bool] = lambda: False
    partial: Callable[[FrameInput, str], None] = _untold


class Session(Protocol):
    """A run of frames through an engine. Not shared between threads."""

    def analyze(self, frames: Iterable[FrameInput]) -> Iterator[FrameResult]:
        """One result per frame, in order. A frame that fails has a status; raises EngineError if the engine does."""

    def close(self) -> None: ...


class Engine(Protocol):
    """An engine with its memory. Building one may take minutes; `close` gives everything back."""

    info: EngineInfo
    traits: Traits

    def options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The options completed with defaults; raises OptionsError that names the wrong one."""

    def fingerprint(self, options: Mapping[str, Any], video: bool) -> str:
        """Everything besides the picture that a result depends on, as a short text: part of the cache's key."""

    def session(self, options: RunOptions, video: bool) -> Session:
        """A fresh session; `video` False means that the frames are unrelated stills."""

    def close(self) -> None: ...
