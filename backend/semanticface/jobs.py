"""A job as its client sees it: what was asked, what has come back, what may be sent next.

    QUEUED -> RUNNING -> DONE | FAILED | CANCELLED      (a job may end from QUEUED too)

Each requested frame must come back exactly once; a result that nobody asked for, a second one for the same
frame, and an end before all have come are ProtocolErrors here. This module knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semanticface.errors import OptionsError, ProtocolError
from semanticface.protocol import (
    MAX_FRAME_NUMBER,
    MAX_FRAMES,
    MAX_PAYLOAD,
    JobState,
    Message,
    PixelFormat,
    Priority,
    to_runs,
)
from semanticface.results import FrameResult

_CHANNELS = {PixelFormat.RGB8: 3, PixelFormat.RGBA8: 4, PixelFormat.BGR8: 3, PixelFormat.GREY8: 1}


@dataclass(frozen=True, slots=True)
class ImageFrame:
    """One picture that travels as bytes: an image file's own bytes, or raw rows of 8-bit channels.

    `frame` is the number under which the result comes back, `time` its seconds from the start of the performance.
    Raw formats need `width` and `height`; rows are top-down unless `bottom_up` (as Blender keeps pixels).
    """

    frame: int
    data: bytes | memoryview
    time: float | None = None
    format: PixelFormat = PixelFormat.ENCODED
    width: int | None = None
    height: int | None = None
    bottom_up: bool = False

    def check(self, limit: int = MAX_PAYLOAD) -> None:
        """Raises OptionsError that names the frame and what is wrong with it."""
        size = len(self.data) if isinstance(self.data, bytes) else self.data.nbytes
        if size == 0 or size > min(limit, MAX_PAYLOAD):
            raise OptionsError(
                f"frame {self.frame}: {size} bytes, needs 1 to {min(limit, MAX_PAYLOAD)}",
                "send an encoded image (JPEG, PNG), or name the file instead",
            )
        channels = _CHANNELS.get(self.format)
        if channels is None:
            return
        if not self.width or not self.height or self.width * self.height * channels != size:
            raise OptionsError(
                f"frame {self.frame}: {size} bytes are not {self.width} x {self.height} x {channels}",
                "give the width and height of the raw picture",
            )


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What to analyze and how. Without `media` the frames follow as `ImageFrame`s.

    `media` is `{"path": ...}` and what else names local footage; `frames` are source frame numbers, None for all.
    `video`: the pictures that follow are consecutive ones of one performance. `take`: absolute folder to keep
    the results in. `job`: an id of one's own choosing, else one is made. `partials`: tell what is written of a frame
    while an engine that writes is at it.
    """

    media: Mapping[str, Any] | None = None
    frames: Sequence[int] | None = None
    engine: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    priority: Priority = Priority.BATCH
    video: bool = False
    take: str | None = None
    job: str | None = None
    partials: bool = False

    def fields(self) -> dict[str, Any]:
        """The fields of `submit` without id and job. Raises OptionsError for frames that can't be meant."""
        if self.media is None and self.frames is not None:
            raise OptionsError("`frames` chooses among the frames of a media file", "leave it out for pictures")
        runs = None if self.frames is None else to_runs(self.numbers())
        return {
            "engine": self.engine,
            "options": dict(self.options),
            "priority": self.priority,
            "media": None if self.media is None else dict(self.media),
            "frames": runs,
            "video": self.video,
            "take": self.take,
            "partials": self.partials or None,
        }

    def numbers(self) -> list[int]:
        """The requested source frames, ascending, each once; empty when all of the media were asked for."""
        numbers = sorted(set(self.frames or ()))
        if self.frames is not None and not numbers:
            raise OptionsError("no frames were chosen", "leave `frames` out to analyze all")
        if len(numbers) > MAX_FRAMES:
            raise OptionsError(f"{len(numbers)} frames are more than {MAX_FRAMES}", "split them into several jobs")
        if numbers and not 0 <= numbers[0] <= numbers[-1] <= MAX_FRAME_NUMBER:
            raise OptionsError(f"frame numbers {numbers[0]} to {numbers[-1]} are outside 0 to {MAX_FRAME_NUMBER}")
        return numbers


_NEXT = {
    JobState.QUEUED: set(JobState),
    JobState.RUNNING: set(JobState) - {JobState.QUEUED},
    JobState.DONE: set[JobState](),
    JobState.FAILED: set[JobState](),
    JobState.CANCELLED: set[JobState](),
}


class JobView:
    """One job's state, and the count of what may still be sent."""

    def __init__(self, job: str, request: JobRequest) -> None:
        self.job = job
        self.streams = request.media is None
        self.state = JobState.QUEUED
        self.total: int | None = None
        self.closed = False  # no more pictures will be sent
        self._window = 0
        self._asked: set[int] | None = set() if self.streams else set(request.numbers()) or None
        self._seen: set[int] = set()

    @property
    def room(self) -> int:
        """How many pictures may be sent now: the window less those whose results are awaited."""
        if not self.streams or self.closed or self.state.ended or self._asked is None:
            return 0
        return max(0, self._window - (len(self._asked) - len(self._seen)))

    def accept(self, message: Message) -> None:
        self._window = message["window"]
        self.total = message.get("total")

    def move(self, state: JobState) -> None:
        """Raises ProtocolError for a step that the drawing above doesn't have."""
        if state not in _NEXT[self.state]:
            raise ProtocolError(f"job {self.job} went from {self.state} to {state}")
        self.state = state

    def send(self, frame: int) -> None:
        """Note a picture as sent. Raises OptionsError when its number was used before or the job takes none."""
        if self._asked is None or not self.streams or self.closed or self.state.ended:
            raise OptionsError(f"job {self.job} takes no pictures (now)")
        if frame in self._asked:
            raise OptionsError(f"job {self.job}: frame {frame} was sent before", "give each picture its own number")
        self._asked.add(frame)

    def result(self, result: FrameResult) -> None:
        """Note a result. Raises ProtocolError when it was not asked for or came before."""
        if result.frame in self._seen:
            raise ProtocolError(f"job {self.job}: a second result for frame {result.frame}")
        if self._asked is not None and result.frame not in self._asked:
            raise ProtocolError(f"job {self.job}: a result for frame {result.frame}, which was not asked for")
        self._seen.add(result.frame)

    def partial(self, frame: int) -> None:
        """Check whose text so far has come. Raises ProtocolError when that frame was not asked for."""
        if self._asked is not None and frame not in self._asked:
            raise ProtocolError(f"job {self.job}: a text for frame {frame}, which was not asked for")

    def check_complete(self) -> None:
        """Raises ProtocolError that names the first frames that never came."""
        if self._asked is not None:
            missing = sorted(self._asked - self._seen)
            if missing:
                some = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
                raise ProtocolError(f"job {self.job} ended without {len(missing)} of its frames: {some}")
        elif self.total is not None and self.total != len(self._seen):
            raise ProtocolError(f"job {self.job} ended with {len(self._seen)} of its {self.total} frames")
