"""Small pictures of footage for a page: which frames get one, how they are cut, and how many bytes they may take.

Where there are more frames than pictures, the ones that matter come first and the rest stands at even steps; the page
says what was left out. Footage that is gone or that can't be read is said, never raised: a report without pictures is
still a report. This module knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError, MediaError
from semanticface.media.reader import MediaReader, open_media
from semanticface.media.source import MediaRef
from semanticface.results import FrameResult
from semanticface.take import TakeHeader

MOST_PICTURES = 240
SIDE = 400
"""Pixels of a picture's longer side."""
BUDGET = 10_000_000
"""Bytes of all pictures of a page together; in a page they take a third more."""
QUALITIES = (82, 70, 55, 40, 25)
ROOM = 0.45
"""Of the faces' longer side, added on each side of where faces were seen."""
WORTH_CUTTING = 0.6
"""Pictures are cut only where less than this share of them is left."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG bytes by source frame. `notes` say what the reader should know. `cut` is left, top, width, height in pixels.

    `size` is the footage's (width, height) when it was opened; `wanted` how many pictures were asked for.
    """

    jpegs: Mapping[int, bytes] = field(repr=False)
    notes: tuple[str, ...]
    wanted: int
    cut: Box | None = None
    size: tuple[int, int] | None = None


def choose_frames(frames: Sequence[int], important: Sequence[int], most: int) -> list[int]:
    """At most `most` of `frames`, ascending: all, or the important ones (thinned evenly to half) and even steps."""
    if len(frames) <= most:
        return sorted(frames)
    if most <= 0:
        return []
    there = set(frames)
    first = _evenly([frame for frame in dict.fromkeys(important) if frame in there], max(most // 2, 1))
    rest = sorted(there - set(first))
    return sorted({*first, *_evenly(rest, most - len(first))})


def _evenly(items: Sequence[int], most: int) -> list[int]:
    if len(items) <= most:
        return list(items)
    places: list[int] = np.linspace(0, len(items) - 1, most).round().astype(int).tolist()
    return [items[place] for place in dict.fromkeys(places)]


def take_pictures(
    header: TakeHeader, footage: str, results: Sequence[FrameResult], frames: Sequence[int], side: int = SIDE
) -> Pictures:
    """Pictures of these frames of a take's footage, or of the one that is named in `footage`.

    `results` are the take's, whose boxes say where to cut. Raises InputError only for a named footage that isn't there.
    """
    if not frames:
        return Pictures({}, (), 0)
    try:
        reference = _reference(header, footage)
    except MediaError as error:
        if footage:
            raise InputError(error.message, error.hint) from error
        return Pictures({}, (_gone(header, error),), len(frames))
    notes = list(_other_content(header, reference)) if footage else []
    try:
        with open_media(reference) as reader:
            return _read(reader, results, sorted(frames), side, notes)
    except MediaError as error:
        if footage:
            raise InputError(error.message, error.hint) from error
        return Pictures({}, (_gone(header, error),), len(frames))


def source_name(source: Mapping[str, Any]) -> str:
    """The footage as a reader knows it, without the folders of whoever analyzed it."""
    if source.get("sent"):
        return "pictures that the host sent"
    name = str(source.get("path", "")).replace("\\", "/").rstrip("/").rpartition("/")[2]
    pattern = str(source.get("pattern") or "")
    return f"{name}/{pattern}" if pattern and name else pattern or name or "unnamed footage"


def _reference(header: TakeHeader, footage: str) -> MediaRef:
    if footage:
        first = header.source.get("first")
        whole = header.source.get("kind") == "sequence"
        return MediaRef.from_user(footage, sequence=whole, rate=header.rate, first=first if whole else None)
    if header.source.get("sent"):
        raise MediaError("the host sent its pictures one by one")
    return MediaRef.from_dict(header.source)


def _gone(header: TakeHeader, error: MediaError) -> str:
    if header.source.get("sent"):
        return "The host sent its pictures one by one, so the take knows no footage to show."
    name = source_name(header.source)
    return f"Shown without pictures: {name} can't be read where the take has it. --footage names another place."


def _other_content(header: TakeHeader, reference: MediaRef) -> list[str]:
    """A remark when the named footage isn't the one that was analyzed, as far as the take can tell."""
    known = str(header.source.get("content", ""))
    found = reference.fingerprint()
    if len(known) == len(found) and known != found:
        return ["The pictures are of other footage than the numbers: its content differs from what was analyzed."]
    return []


def _read(
    reader: MediaReader, results: Sequence[FrameResult], frames: list[int], side: int, notes: list[str]
) -> Pictures:
    size = reader.info.width, reader.info.height
    cut = cut_of(results, size)
    jpegs: dict[int, bytes] = {}
    bad: list[int] = []
    for picture in reader.read(frames):
        data = None if picture.image is None else encode(picture.image, cut, side, BUDGET // len(frames))
        if data is None:
            bad.append(picture.frame)
        else:
            jpegs[picture.frame] = data
    if bad:
        shown = ", ".join(map(str, bad[:8])) + (" ..." if len(bad) > 8 else "")
        notes.append(f"{len(bad)} of {len(frames)} pictures can't be read from the footage (frames {shown}).")
    return Pictures(jpegs, tuple(notes), len(frames), cut, size)


def cut_of(results: Sequence[FrameResult], size: tuple[int, int]) -> Box | None:
    """The part of the picture in which all faces of the take lie, with room; None where that is most of it."""
    boxes = np.array([result.box for result in results if result.box is not None], float).reshape(-1, 4)
    if not len(boxes) or not np.isfinite(boxes).all():
        return None
    room = ROOM * float(np.median(boxes[:, 2:].max(axis=1)))
    low = np.clip(boxes[:, :2].min(axis=0) - room, 0, size)
    high = np.clip((boxes[:, :2] + boxes[:, 2:]).max(axis=0) + room, 0, size)
    left, top, wide, tall = (int(value) for value in (*low, *(high - low)))
    if wide < 16 or tall < 16 or wide * tall > WORTH_CUTTING * size[0] * size[1]:
        return None
    return left, top, wide, tall


def encode(image: NDArray[np.uint8], cut: Box | None, side: int, most: int) -> bytes | None:
    """(H, W, 3) uint8 RGB as a JPEG of at most `most` bytes if any quality allows it; None where it can't be made."""
    if cut is not None:
        left, top, wide, tall = cut
        image = image[top : top + tall, left : left + wide]
    if not image.size:
        return None
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1.0:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    data = b""
    for quality in QUALITIES:
        done, coded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            return None
        data = coded.tobytes()
        if len(data) <= most:
            break
    return data
