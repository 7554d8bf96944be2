"""Opening media, and what comes out: pictures, each with its own number and time, and facts about the source.

The asked number always comes back with an answer: a picture, MISSING or UNREADABLE. Nothing is repeated from a
neighbour and nothing shifts. Light to import; decoders are loaded when something is opened. Knows nothing of
faces or jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from semanticface.media.source import MediaKind, MediaRef
from semanticface.results import Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_RATE = Fraction(24)
"""What a sequence without a given rate is timed by; `MediaInfo.rate_assumed` says so."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Facts about a source, all measured from its content.

    `width` and `height` are of the upright picture. `frame_count` counts from frame 0 to the last, holes included.
    `rate` is exact in frames a second, the average when `variable_rate`, None for a still; `rate_assumed` when
    the source doesn't say and the default was taken. `duration` is in seconds. `timecode` labels frame 0 as the
    file does. `missing` are the file numbers of a sequence's holes, `first_number` the file number of frame 0.
    `note` tells of something odd that the user should know.
    """

    kind: MediaKind
    width: int
    height: int
    frame_count: int
    rate: Fraction | None
    duration: float
    codec: str
    variable_rate: bool = False
    rate_assumed: bool = False
    timecode: str | None = None
    first_number: int | None = None
    missing: tuple[int, ...] = field(default=(), repr=False)
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the wire; the rate is a pair of whole numbers or None."""
        return {
            "kind": self.kind.value,
            "width": self.width,
            "height": self.height,
            "frame_count": self.frame_count,
            "rate": None if self.rate is None else [self.rate.numerator, self.rate.denominator],
            "rate_assumed": self.rate_assumed,
            "variable_rate": self.variable_rate,
            "duration": self.duration,
            "timecode": self.timecode,
            "codec": self.codec,
            "first_number": self.first_number,
            "missing": list(self.missing),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame: `image` is (H, W, 3) uint8 RGB, upright, when `status` is OK, else None and `message` says why.

    `frame` counts from 0. `time` is in seconds from frame 0, None for a still and where there is no such frame.
    """

    frame: int
    time: float | None
    image: NDArray[np.uint8] | None
    status: Status = Status.OK
    message: str = ""


class MediaReader(Protocol):
    """An open source. One thread at a time may use it; `clone` gives another thread its own without a new scan."""

    @property
    def info(self) -> MediaInfo: ...

    def read(self, frames: Iterable[int]) -> Iterator[Picture]:
        """One Picture per number, in the order asked; ascending is fast, any order is right. Lazy."""

    def clone(self) -> MediaReader: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_media(ref: MediaRef, *, threads: int = 1) -> MediaReader:
    """Open a source and learn its `info`. A video is scanned once from end to end, without decoding it.

    `threads` is what the decoder may use; 1 suits callers that run several readers. Raises MediaError that names
    the file when there is nothing to read.
    """
    if ref.kind is MediaKind.VIDEO:
        from semanticface.media.video import VideoReader

        return VideoReader.open(ref, threads=threads)
    from semanticface.media.stills import StillsReader

    return StillsReader.open(ref)
