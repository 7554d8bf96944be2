"""When each frame of a take's video was captured, by its frame log or else by the video's own timecode.

The app logs a timecode with each frame, so the log comes first. A video without either has no place in time: it is
refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median_low

from semanticface.errors import InputError, MediaError
from semanticface.media.reader import MediaInfo
from semanticface.media.source import MediaKind, MediaRef
from semanticface.media.timecode import frame_from_timecode, nominal_rate, parse_timecode
from semanticface_training.dataset.alignment import VideoClock
from semanticface_training.dataset.frame_log import LogEntry, read_frame_log, timecode_base

FIRST_ROW = "first-row"


def video_clock(video: Path, log: Path | None, start: str, first_row: Fraction) -> VideoClock:
    """The clock of a video file.

    `start` stands in where neither log nor file tell when it begins: a timecode, or FIRST_ROW for `first_row`, the
    time of day of the CSV's first row. Raises MediaError that names a file that can't be read, InputError for no start.
    """
    from semanticface.media.video import VideoReader

    with VideoReader.open(MediaRef(MediaKind.VIDEO, str(video))) as reader:
        info = reader.info
        times = tuple(reader.index.time_of(frame) for frame in range(len(reader.index)))
    if info.rate is None or len(times) < 2:
        raise MediaError(f"{video}: a single frame, no rate", "a take is a video of several frames")
    # Where frames were dropped the average is too slow: the usual step is the camera's own.
    rate = 1 / median_low(b - a for a, b in pairwise(times)) if info.variable_rate else info.rate
    entries = () if log is None else read_frame_log(log)
    if log is not None and entries:
        return _from_log(times, rate, entries, log.name)
    if info.timecode or not start:
        return VideoClock(_from_container(video, info, rate), times, rate, "the video's timecode track")
    if start == FIRST_ROW:
        return VideoClock(first_row, times, rate, "the CSV's first row, as was asked")
    return VideoClock(_seconds(start, rate), times, rate, "the start that was given")


def _from_log(times: Sequence[Fraction], rate: Fraction, entries: Sequence[LogEntry], name: str) -> VideoClock:
    """The log's clock: its own times where it has a line for each frame of the video, else only its first timecode."""
    kept = [entry for entry in entries if not entry.dropped]
    if not kept:
        raise InputError(f"{name}: every frame of the video is marked as dropped")
    base = timecode_base(entries, nominal_rate(rate))
    first = kept[0]
    start = first.seconds + first.frames / base
    dropped = tuple(entry.time - first.time for entry in entries if entry.dropped)
    logged = tuple(entry.time - first.time for entry in kept)
    ascending = all(b > a for a, b in pairwise(logged))
    if len(logged) == len(times) and ascending:
        return VideoClock(start, logged, rate, name, dropped)
    return VideoClock(
        start, tuple(times), rate, f"{name}'s first line (it has {len(kept)} for {len(times)} frames)", dropped
    )


def _from_container(video: Path, info: MediaInfo, rate: Fraction) -> Fraction:
    """Seconds of the day of frame 0."""
    if not info.timecode:
        raise InputError(
            f"{video.name}: it is not known when it starts: no frame_log.csv beside it and no timecode track in it",
            "copy the take's frame_log.csv into the folder, or tell the start (--start 10:15:30:00, or first-row)",
        )
    return _seconds(info.timecode, rate)


def _seconds(text: str, rate: Fraction) -> Fraction:
    """Of the day. Drop-frame labels keep to the clock; others count nominal frames to a second."""
    label = parse_timecode(text)
    if label.drop:
        return frame_from_timecode(label, rate) / rate
    return (label.hours * 60 + label.minutes) * 60 + label.seconds + Fraction(label.frames, nominal_rate(rate))
