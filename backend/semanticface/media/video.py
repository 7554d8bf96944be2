"""Video files as media: numbers in, pictures out, and the facts about the file.

Knows video files, nothing of sequences; what a frame number means is the index's matter, how to get there the cursor's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

import av

from semanticface.errors import MediaError
from semanticface.media.colour import RgbConverter, display_matrix
from semanticface.media.cursor import FrameCursor
from semanticface.media.images import FILE_LIMITS, check_size
from semanticface.media.index import FrameIndex, build_index, reason
from semanticface.media.reader import MediaInfo, Picture
from semanticface.media.source import MediaKind, MediaRef
from semanticface.results import Status


class VideoReader:
    """See `MediaReader`. State: a cursor in the open file."""

    def __init__(self, ref: MediaRef, index: FrameIndex, threads: int, info: MediaInfo | None = None) -> None:
        """Use `open` or `clone`: this one trusts that `index` belongs to the file."""
        self._ref = ref
        self._index = index
        self._threads = threads
        self._convert = RgbConverter(threads)
        self._cursor: FrameCursor | None = FrameCursor(ref.path, index, threads)
        try:
            self.info = info or _facts(ref, index, self._cursor)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, ref: MediaRef, *, threads: int = 1) -> VideoReader:
        """Scan the file and decode its first picture. Raises MediaError when there is none."""
        return cls(ref, build_index(ref.path, threads), threads)

    def clone(self) -> VideoReader:
        return VideoReader(self._ref, self._index, self._threads, self.info)

    @property
    def index(self) -> FrameIndex:
        """The frame index, shared with clones."""
        return self._index

    def read(self, frames: Iterable[int]) -> Iterator[Picture]:
        """See `MediaReader.read`."""
        for frame in frames:
            if self._cursor is None:
                raise MediaError(f"{self._ref.path}: the reader is closed")
            yield self._picture(frame, self._cursor)

    def close(self) -> None:
        """Close the file; may be called again."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _picture(self, number: int, cursor: FrameCursor) -> Picture:
        if not 0 <= number < len(self._index):
            return Picture(number, None, None, Status.MISSING, self._past_end(number))
        time = float(self._index.time_of(number) if self._ref.rate is None else number / self._ref.rate)
        decoded = cursor.decode(number)
        if decoded.frame is None:
            message = f"frame {number} can't be decoded: {decoded.cause}"
            return Picture(number, time, None, Status.UNREADABLE, message)
        try:
            check_size(decoded.frame.width, decoded.frame.height, f"frame {number}", FILE_LIMITS)
            return Picture(number, time, self._convert(decoded.frame))
        except (MediaError, av.FFmpegError, ValueError) as error:
            message = f"frame {number} can't be converted: {reason(error)}"
            return Picture(number, time, None, Status.UNREADABLE, message)

    def _past_end(self, number: int) -> str:
        count, promised = len(self._index), self._index.promised
        more = f"; the file is cut off, its header promises {promised}" if promised > count else ""
        return f"no frame {number}: there are frames 0 to {count - 1}{more}"


def _facts(ref: MediaRef, index: FrameIndex, cursor: FrameCursor) -> MediaInfo:
    """The file's facts; decodes its first picture, because only that tells the rotation and whether any decodes."""
    context = cursor.stream.codec_context
    check_size(max(context.width, 1), max(context.height, 1), ref.path, FILE_LIMITS)
    first = cursor.first()
    if first is None:
        raise MediaError(f"{ref.path}: no frame of it can be decoded", "it may be damaged, or its codec is not known")
    stored = first.width, first.height
    width, height = stored if display_matrix(first)[0] else stored[::-1]
    rate = index.rate if ref.rate is None else ref.rate
    cut = index.promised > len(index)
    return MediaInfo(
        kind=MediaKind.VIDEO,
        width=width,
        height=height,
        frame_count=len(index),
        rate=rate,
        duration=float(index.duration if ref.rate is None else len(index) / ref.rate),
        codec=context.name,
        variable_rate=index.variable and ref.rate is None,
        rate_assumed=index.rate_assumed and ref.rate is None,
        timecode=_start_timecode(cursor),
        note=f"the file is cut off: its header promises {index.promised} frames" if cut else "",
    )


def _start_timecode(cursor: FrameCursor) -> str | None:
    """Timecode of frame 0 as the file's timecode track or metadata gives it."""
    tracks = (stream.metadata for stream in cursor.container.streams)
    holders = [cursor.stream.metadata, *tracks, cursor.container.metadata]
    return next((holder["timecode"] for holder in holders if holder.get("timecode")), None)
