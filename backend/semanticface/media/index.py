"""The frame index of a video: which packet is frame N, when it shows, and from which keyframe it can be decoded.

Frame N is the N-th picture in presentation order, from 0. Demuxing gives every packet's presentation time without
decoding, and their sorted order is the numbering; it holds with B-frames, edit lists, variable rate and any start
time. Some files have no such times (raw streams, H.264 in AVI): then pictures are counted by decoding once.
Knows packets and times, nothing of pixels.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from semanticface.errors import MediaError

MAX_FRAMES = 5_000_000
"""Frames of one video: 23 hours at 60 a second."""

_DEMUXERS = (
    "mov,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,mxf,ogg,asf,flv,3gp,h264,hevc,m4v,dv,mjpeg,nut,ivf,"
    "yuv4mpegpipe,obu,wtv,rm,vob"
)
"""What may open a file. No playlists and no scripts: those name other files and addresses."""

_TRUE_TIMES = ("mov", "matroska", "mpegts", "mpeg", "mxf", "ogg", "asf", "flv", "nut", "ivf")
_STANDARD_RATES = tuple(
    Fraction(n * 1000, d) for n in (24, 25, 30, 48, 50, 60, 12, 15, 90, 100, 120, 240) for d in (1000, 1001)
)


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A packet where decoding may begin: its place in the file's order and its times in ticks."""

    position: int
    pts: int
    dts: int | None


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """`pts[n]` is frame n's presentation time in ticks of `time_base`, `positions[n]` its place in the file's order.

    When `counted`, the file has no times of its own: `pts[n]` is n, and only reading from the start gives numbers.
    `end` is when the last frame ends, in ticks. `promised` is the number of frames that the header speaks of, 0
    if it is silent. `rate` is exact, or the average when `variable`.
    """

    pts: array[int]
    positions: array[int]
    keyframes: tuple[Keyframe, ...]
    time_base: Fraction
    end: int
    counted: bool
    promised: int
    rate: Fraction | None
    variable: bool = False
    rate_assumed: bool = False

    def __len__(self) -> int:
        return len(self.pts)

    def number_of(self, pts: int | None) -> int | None:
        """The frame that shows at exactly this time, None if there is none."""
        if pts is None:
            return None
        at = bisect_left(self.pts, pts)
        return at if at < len(self.pts) and self.pts[at] == pts else None

    def position_of(self, pts: int | None) -> int | None:
        """The place in the file's order of the packet with this time; also of keyframes that an edit list hides."""
        number = self.number_of(pts)
        if number is not None:
            return self.positions[number]
        return next((key.position for key in self.keyframes if key.pts == pts), None)

    def time_of(self, frame: int) -> Fraction:
        """Seconds from frame 0, exact."""
        return (self.pts[frame] - self.pts[0]) * self.time_base

    @property
    def duration(self) -> Fraction:
        """Seconds from the start of frame 0 to the end of the last."""
        return (self.end - self.pts[0]) * self.time_base

    def keyframe_for(self, frame: int) -> int:
        """Place in `keyframes` of the last one from which the frame can be decoded.

        It comes before the frame in the file and shows no later: pictures that follow an open group's keyframe in
        the file but show before it need the group before.
        """
        position, pts = self.positions[frame], self.pts[frame]
        at = bisect_right(self.keyframes, position, key=lambda key: key.position) - 1
        while at > 0 and self.keyframes[at].pts > pts:
            at -= 1
        return max(at, 0)


def open_container(path: str) -> tuple[InputContainer, VideoStream]:
    """Open a local file as a video. Raises MediaError."""
    try:
        container = av.open(
            path,
            mode="r",
            container_options={"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path}: can't be opened as a video: {reason(error)}", _open_hint(error)) from error
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        container.close()
        raise MediaError(f"{path}: has no video track", "it may hold sound only")
    return container, streams[0]


def _open_hint(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "check the path"
    return "it may be incomplete (a recording that was cut off), damaged, or not a video"


def reason(error: BaseException) -> str:
    """The decoder's words for an error, without its internals."""
    return str(getattr(error, "strerror", None) or error)[:200]


@dataclass(slots=True)
class _Scan:
    """What one pass over the packets collects: `shown` is (pts, position, duration); `timed`: each has a pts."""

    shown: list[tuple[int, int, int]]
    keyframes: list[Keyframe]
    last_dts: int | None = None
    timed: bool = True
    sorted: bool = True
    count: int = 0


def _scan(path: str, container: InputContainer, stream: VideoStream) -> _Scan:
    scan = _Scan([], [])
    previous = None
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue  # the end, or an empty packet that stands for "as before": neither is a picture
            if packet.pts is None:
                scan.timed = False
            else:
                scan.sorted = scan.sorted and (previous is None or packet.pts > previous)
                previous = packet.pts
                scan.last_dts = packet.dts
                if packet.is_keyframe:
                    scan.keyframes.append(Keyframe(scan.count, packet.pts, packet.dts))
                if not packet.is_discard:
                    scan.shown.append((packet.pts, scan.count, packet.duration or 0))
            scan.count += 1
            if scan.count > MAX_FRAMES:
                raise MediaError(f"{path}: more than {MAX_FRAMES:,} frames", "cut it into parts")
    except (av.FFmpegError, OSError) as error:
        if not scan.count:
            raise MediaError(f"{path}: can't be read: {reason(error)}", _open_hint(error)) from error
    return scan


def build_index(path: str, threads: int = 1) -> FrameIndex:
    """Scan a file once from end to end. Raises MediaError when it can't be opened or has no frame."""
    container, stream = open_container(path)
    with container:
        scan = _scan(path, container, stream)
        if not scan.count:
            raise MediaError(f"{path}: has a video track but no frame in it", _open_hint(ValueError()))
        # A muxer without presentation times makes them up in the file's order, which reordered pictures contradict.
        made_up = (
            scan.sorted and stream.codec_context.has_b_frames and not container.format.name.startswith(_TRUE_TIMES)
        )
        scan.shown.sort()
        hidden = scan.count - len(scan.shown) if scan.timed else 0
        promised = max(stream.frames - hidden, 0)
        if stream.frames > scan.count:
            _drop_uncertain_end(scan)
        unique = all(a[0] != b[0] for a, b in pairwise(scan.shown))
        if scan.timed and unique and scan.shown and scan.keyframes and not made_up:
            return _timed(scan, stream, promised)
        rate = stream.codec_context.framerate or stream.guessed_rate
        raw = not stream.codec_context.framerate and stream.duration is None
    return _counted(path, rate, raw, promised, threads)


def _drop_uncertain_end(scan: _Scan) -> None:
    """In a file that is cut off, keep only frames that no lost packet can show before.

    A lost packet is decoded after the last one there, and shows no earlier than it is decoded: what shows later
    than that may have lost a neighbour before it, and its number with it.
    """
    if scan.last_dts is not None:
        last = scan.last_dts
        scan.shown = [entry for entry in scan.shown if entry[0] <= last]


def _timed(scan: _Scan, stream: VideoStream, promised: int) -> FrameIndex:
    pts = array("q", (entry[0] for entry in scan.shown))
    base = stream.time_base or Fraction(1, 1000)
    rate, variable = _rate(pts, base, [stream.guessed_rate, stream.average_rate, stream.base_rate])
    last = scan.shown[-1][2] or (round(1 / (rate * base)) if rate else 0)
    return FrameIndex(
        pts=pts,
        positions=array("q", (entry[1] for entry in scan.shown)),
        keyframes=tuple(scan.keyframes),
        time_base=base,
        end=pts[-1] + last,
        counted=False,
        promised=promised,
        rate=rate,
        variable=variable,
    )


def _counted(path: str, rate: Fraction | None, assumed: bool, promised: int, threads: int) -> FrameIndex:
    """Decode everything once, only to count. Damaged packets give no picture and no number here: nothing names them."""
    container, stream = open_container(path)
    count = 0
    with container:
        set_threads(stream, threads)
        for packet in container.demux(stream):
            try:
                count += len(packet.decode())
            except av.FFmpegError:
                continue
    if not count:
        raise MediaError(f"{path}: no frame of it can be decoded", _open_hint(ValueError()))
    numbers = array("q", range(count))
    exact = Fraction(rate) if rate else Fraction(25)
    first = (Keyframe(0, 0, None),)
    return FrameIndex(numbers, numbers, first, 1 / exact, count, True, promised, exact, False, assumed or not rate)


def set_threads(stream: VideoStream, threads: int) -> None:
    """Let the decoder use this many threads; 1 means the caller's only."""
    stream.codec_context.thread_count = threads
    stream.codec_context.thread_type = "AUTO" if threads > 1 else "NONE"


def _rate(pts: array[int], base: Fraction, hints: list[Fraction | None]) -> tuple[Fraction | None, bool]:
    """The exact constant rate that explains every time to within one tick; else the average, and True.

    Containers round times to their ticks (Matroska to milliseconds), so a constant rate shows as times that are at
    most a tick away from their place.
    """
    if len(pts) < 2:
        return next((Fraction(hint) for hint in hints if hint), None), False
    average = (len(pts) - 1) / ((pts[-1] - pts[0]) * base)
    step = pts[1] - pts[0]
    if all(b - a == step for a, b in pairwise(pts)):
        even = 1 / (step * base)
        # Few or coarse ticks can look even by chance: 33 ms is 30 frames a second.
        nearby = (rate for rate in _standard(even) if abs(1 / rate - 1 / even) * (len(pts) - 1) <= base)
        return next(nearby, even), False
    # A usual rate before the container's own guess: Matroska's is rounded (19001/317 for 60000/1001).
    told = [Fraction(hint) for hint in hints if hint]
    usual = [rate for near in (*told, average) for rate in _standard(near)]
    for rate in dict.fromkeys((*usual, *told)):
        if _explains(rate, pts, base):
            return rate, False
    return average, True


def _explains(rate: Fraction, pts: array[int], base: Fraction) -> bool:
    # |ticks * base * rate - n| <= base * rate in whole numbers: fractions would take seconds for a long file.
    tick, frame = (base * rate).as_integer_ratio()
    return all(abs((time - pts[0]) * tick - n * frame) <= tick for n, time in enumerate(pts))


def _standard(near: Fraction) -> list[Fraction]:
    """Usual rates within one percent, nearest first."""
    return sorted(
        (rate for rate in _STANDARD_RATES if abs(rate - near) < near / 100), key=lambda rate: abs(rate - near)
    )
