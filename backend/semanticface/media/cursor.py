"""A place in a video file: asked for a frame number, it gives the decoded frame, seeking only where that pays.

Frames are recognised by their presentation time in the frame index, never by counting what the decoder gives, so
one that is lost doesn't move the others. Knows packets and decoded frames, nothing of colours or results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from semanticface.media.images import FILE_LIMITS
from semanticface.media.index import FrameIndex, open_container, reason, set_threads

_ONE_PASS_ONLY = frozenset({"mpeg"})
"""Demuxers that compute other times after a seek than in one pass (measured on MPEG program streams)."""

_SEEK_GAIN = 16
"""Packets that a seek must save before it is worth its cost; reading on from frame to frame never seeks."""


@dataclass(slots=True)
class _Run:
    """One uninterrupted stretch of decoding.

    `fed` is the last packet's place in the file's order. `held` is the picture that came out last. `errors` keeps
    the decoder's words by frame number. `damaged` are the places of damaged packets since the last sound keyframe.
    `retry` says that the run began at a keyframe in the middle and may be begun one earlier. `strange` counts
    pictures with a time that the index doesn't know.
    """

    packets: Iterator[Packet[VideoStream]]
    fed: int
    retry: bool
    strange: int = 0
    held: tuple[int, VideoFrame] | None = None
    damaged: list[int] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A sound `frame`, or None and why."""

    frame: VideoFrame | None
    cause: str = ""


class FrameCursor:
    """An open file with its decoder. One thread at a time."""

    def __init__(self, path: str, index: FrameIndex, threads: int) -> None:
        """Raises MediaError when the file can't be opened any more."""
        self._path = path
        self._index = index
        self._threads = threads
        self._frames: Iterator[tuple[int, VideoFrame]]
        self._open()
        self._seekable = not index.counted and self.container.format.name not in _ONE_PASS_ONLY

    def first(self) -> VideoFrame | None:
        """The first picture that decodes; only at the start."""
        following = next(self._frames, None)
        if following is not None:
            self._take(*following)
        return None if following is None else following[1]

    def decode(self, number: int) -> Decoded:
        """Frame `number`, which the index must have."""
        found = self._judged(number, self._find(number))
        if found.frame is None and self._run.retry:
            # Some streams need more than one keyframe's run-up (intra refresh): once more, one keyframe earlier.
            self._seek(self._index.keyframe_for(number) - 1)
            self._run.retry = False
            found = self._judged(number, self._forward(number))
        if found.frame is None and self._run.strange and self._seekable:
            # This file, too, has other times after a seek: never seek in it again.
            self._seekable = False
            self._restart()
            found = self._judged(number, self._forward(number))
        return found

    def _judged(self, number: int, frame: VideoFrame | None) -> Decoded:
        """What is made up, or built on what is lost, is no frame: it would show another moment."""
        position = self._index.positions[number]
        if frame is None:
            return Decoded(None, self._run.errors.get(number, "the decoder gave no picture for it"))
        if frame.is_corrupt:
            return Decoded(None, "its data is damaged, the decoder had to make up parts of it")
        if any(place < position for place in self._run.damaged):
            return Decoded(None, "it builds on a damaged frame before it; the next keyframe is sound again")
        return Decoded(frame)

    def close(self) -> None:
        """Close the file; nothing may be asked afterwards."""
        self._frames = iter(())
        self.container.close()

    # --- moving -----------------------------------------------------------------------------------------

    def _find(self, number: int) -> VideoFrame | None:
        reached = -1 if self._run.held is None else self._run.held[0]
        if not self._seekable:
            if number < reached:
                self._restart()
        elif number != reached:
            key = self._index.keyframe_for(number)
            if number < reached or self._index.keyframes[key].position > self._run.fed + _SEEK_GAIN:
                self._seek(key)
        return self._forward(number)

    def _forward(self, number: int) -> VideoFrame | None:
        while self._run.held is None or self._run.held[0] < number:
            following = next(self._frames, None)
            if following is None:
                return None
            self._take(*following)
        return self._run.held[1] if self._run.held[0] == number else None

    def _take(self, number: int, frame: VideoFrame) -> None:
        """Hold the picture, and remember damage that later pictures build on until a keyframe ends it."""
        run, position = self._run, self._index.positions[number]
        if frame.is_corrupt:
            run.damaged.append(position)
        elif frame.key_frame:
            run.damaged = [place for place in run.damaged if place > position]
        elif run.held is not None and number > run.held[0] + 1:
            run.damaged.append(self._index.positions[number - 1])  # the decoder left one out
        run.held = number, frame

    def _restart(self) -> None:
        self.container.close()
        self._open()

    def _open(self) -> None:
        """Be at the start of the file with a fresh decoder."""
        self.container, self.stream = open_container(self._path)
        set_threads(self.stream, self._threads)
        options = {"max_pixels": str(FILE_LIMITS.max_pixels)}
        if self.stream.codec_context.name == "mjpeg":
            options["err_detect"] = "explode"  # else a cut picture is filled up in silence; each stands alone
        self.stream.codec_context.options = options
        self._begin(self.container.demux(self.stream), fed=-1, retry=False)

    def _begin(self, packets: Iterator[Packet[VideoStream]], *, fed: int, retry: bool) -> None:
        self._run = _Run(packets, fed, retry)
        self._frames = self._decoding(self._run)

    def _seek(self, key: int) -> None:
        """Be at keyframe number `key` or before it; at the file's start where the file can't seek."""
        if key > 0:
            wanted = self._index.keyframes[key]
            times = (wanted.pts, wanted.pts if wanted.dts is None else wanted.dts)
            if any(self._jump(ticks, wanted.position) for ticks in dict.fromkeys(times)):
                return
        self._restart()

    def _jump(self, ticks: int, latest: int) -> bool:
        """Seek, and see by the first packet whether that led to a place not after `latest`."""
        try:
            self.container.seek(ticks, stream=self.stream, backward=True)
            packets = self.container.demux(self.stream)
            first = next(packets, None)
        except (av.FFmpegError, OSError):
            return False
        position = None if first is None else self._index.position_of(first.pts)
        if first is None or position is None or position > latest:
            return False
        self._begin(chain([first], packets), fed=position - 1, retry=True)
        return True

    # --- decoding ---------------------------------------------------------------------------------------

    def _decoding(self, run: _Run) -> Iterator[tuple[int, VideoFrame]]:
        """Numbered frames as the decoder gives them, until the end. Errors don't stop it."""
        count = 0
        try:
            for packet in run.packets:
                if packet.size == 0 and packet.dts is not None:
                    continue  # an empty packet would end the decoder's work
                run.fed += 1
                for frame in self._decode_packet(run, packet):
                    number = count if self._index.counted else self._index.number_of(frame.pts)
                    count += 1
                    if number is None:
                        run.strange += 1
                    else:
                        yield number, frame
        except (av.FFmpegError, OSError):
            return  # the file ends here; the scan ended here too

    def _decode_packet(self, run: _Run, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            return packet.decode()
        except av.FFmpegError as error:
            position = self._index.position_of(packet.pts)
            run.damaged.append(run.fed if position is None or self._index.counted else position)
            number = None if self._index.counted else self._index.number_of(packet.pts)
            if number is not None:
                run.errors[number] = reason(error)
            return []
