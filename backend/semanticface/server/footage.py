"""Pictures for the worker's lanes: media read from disk, and payloads as the client sent them.

One `Library` per worker knows what is open, so that a video is scanned once; each lane has a `Shelf` of its own
readers. Runs in the worker only. This module knows nothing of engines or sockets.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from semanticface.errors import MediaError
from semanticface.media.images import decode_image, raw_image
from semanticface.media.reader import MediaReader, Picture, open_media
from semanticface.media.source import MediaRef, parse_rate
from semanticface.protocol import PixelFormat
from semanticface.results import Status

OPEN_SOURCES = 8
OPEN_READERS = 4


def reference(media: Mapping[str, Any]) -> MediaRef:
    """The reference in a message: complete with `kind`, or just what a person would type. Raises MediaError."""
    if "kind" in media:
        return MediaRef.from_dict(media)
    path, rate, first = media.get("path"), media.get("rate"), media.get("first")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise MediaError(f"media path {str(path)[:200]!r} is not an absolute path", "the backend has another folder")
    if first is not None and not isinstance(first, int):
        raise MediaError("media field 'first' is not a whole number")
    exact = "/".join(str(part) for part in rate) if isinstance(rate, list) else str(rate)
    sequence = media.get("sequence") is True
    return MediaRef.from_user(path, sequence=sequence, rate=None if rate is None else parse_rate(exact), first=first)


def _state(ref: MediaRef) -> str:
    """The reference with the file's or folder's time and size: what is open is opened anew when they change."""
    try:
        status = Path(ref.path).stat()
    except OSError as error:
        raise MediaError(f"{ref.path}: can't be read: {error.strerror or error}", "check the path") from error
    return json.dumps([ref.to_dict(), status.st_mtime_ns, status.st_size], sort_keys=True)


class Library:
    """Opened sources of a worker, and the fingerprints of files that it has read. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: OrderedDict[str, MediaReader] = OrderedDict()
        self._prints: dict[tuple[str, int, int], str] = {}

    def clone(self, media: Mapping[str, Any]) -> tuple[str, MediaReader]:
        """A reader for the caller's thread, and the state of the file that it reads. Raises MediaError."""
        ref = reference(media)
        state = _state(ref)
        with self._lock:
            source = self._sources.get(state)
            if source is None:
                source = self._sources[state] = open_media(ref)
                while len(self._sources) > OPEN_SOURCES:
                    self._sources.popitem(last=False)[1].close()
            self._sources.move_to_end(state)
            return state, source.clone()

    def describe(self, media: Mapping[str, Any]) -> dict[str, Any]:
        """What `probe` answers: the media's facts. Raises MediaError."""
        _, reader = self.clone(media)
        with reader:
            info = reader.info
        rate = None if info.rate is None else f"{info.rate.numerator}/{info.rate.denominator}"
        return {**info.to_dict(), "rate": rate, "media": reference(media).to_dict()}

    def fingerprint(self, media: Mapping[str, Any]) -> str:
        """The content's hash; reads it all once. Raises MediaError."""
        return reference(media).fingerprint(self._prints)


class Shelf:
    """One lane's open readers, by job."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._readers: OrderedDict[str, MediaReader] = OrderedDict()

    def read(self, job: str, media: Mapping[str, Any], frames: Iterable[int]) -> Iterator[Picture]:
        """Pictures of these frames, each with its status. A source that has gone is UNREADABLE frame by frame."""
        try:
            if job not in self._readers:
                self._readers[job] = self._library.clone(media)[1]
                while len(self._readers) > OPEN_READERS:
                    self._readers.popitem(last=False)[1].close()
            self._readers.move_to_end(job)
        except MediaError as error:
            for frame in frames:
                yield Picture(frame, None, None, Status.UNREADABLE, error.message)
            return
        yield from self._readers[job].read(frames)

    def forget(self, job: str) -> None:
        reader = self._readers.pop(job, None)
        if reader is not None:
            reader.close()


def decode(payload: Any, row: tuple[int, float | None, str, int | None, int | None, bool]) -> Picture:
    """A payload as a picture; `row`: frame, time, format, width, height, bottom_up. What is wrong is in its status."""
    frame, time, format_, width, height, bottom_up = row
    where = f"frame {frame}"
    try:
        if format_ == PixelFormat.ENCODED:
            return Picture(frame, time, decode_image(bytes(payload), where=where))
        if width is None or height is None:
            raise MediaError(f"{where}: raw pixels without width and height", "send both")
        pixels = raw_image(bytes(payload), width, height, PixelFormat(format_), bottom_up=bottom_up)
        return Picture(frame, time, pixels)
    except MediaError as error:
        return Picture(frame, time, None, Status.UNREADABLE, str(error))
