"""The messages between a client and the backend: their fields, their limits, how they are packed.

A message is one or two ZeroMQ frames: a msgpack map (the header) and, where the type says so, a payload of
bytes. `type` names the message. A client's request carries `id`, a number of its choosing, and the direct
answer repeats it as `re`; messages about a job carry `job`. `docs/protocol.md` tells the story; the tables
here are the law. Both ends validate here and trust the values afterwards. This module knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgpack

from semanticface.errors import ProtocolError
from semanticface.fields import (
    MAX_FRAME_NUMBER,
    MAX_PAYLOAD,
    MAX_RUNS,
    MAX_THUMBNAIL_BYTES,
    MAX_THUMBNAILS,
    THUMBNAIL_SIDES,
    Check,
    boxes,
    few_frames,
    finite,
    flag,
    job_id,
    mapping,
    one_of,
    pictures,
    plain,
    problems,
    result,
    runs,
    text,
    texts,
    version,
    whole,
)

__all__ = [
    "MAJOR",
    "MAX_FRAMES",
    "MAX_FRAME_NUMBER",
    "MAX_HEADER",
    "MAX_PAYLOAD",
    "MAX_RUNS",
    "MAX_TEXT",
    "MAX_THUMBNAILS",
    "MAX_THUMBNAIL_BYTES",
    "MINOR",
    "REPLIES",
    "REQUESTS",
    "THUMBNAILS_SINCE",
    "THUMBNAIL_SIDES",
    "JobState",
    "Message",
    "PixelFormat",
    "Priority",
    "Shape",
    "WorkerState",
    "cut_payload",
    "expand_runs",
    "pack",
    "to_runs",
    "unpack",
]

MAJOR, MINOR = 1, 2
"""Equal majors understand each other; a higher minor adds optional fields and message types."""

MAX_HEADER = 1 << 20
MAX_FRAMES = 1_000_000
MAX_TEXT = 65_536
"""Characters of a `partial`."""
THUMBNAILS_SINCE = 1, 2
"""The protocol of the first backends that make thumbnails."""


class Priority(StrEnum):
    """INTERACTIVE jobs go before BATCH jobs."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class JobState(StrEnum):
    """QUEUED -> RUNNING -> one of the three ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class WorkerState(StrEnum):
    """The engine's process: NONE until a job needs it, LOADING its model, READY, or FAILED to come up."""

    NONE = "none"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class PixelFormat(StrEnum):
    """How a payload holds a picture: an image file's own bytes, or raw rows of 8-bit channels."""

    ENCODED = "encoded"
    RGB8 = "rgb8"
    RGBA8 = "rgba8"
    BGR8 = "bgr8"
    GREY8 = "grey8"


@dataclass(frozen=True, slots=True)
class Message:
    """One validated message: `type`, `fields` (without the type), and the payload, None where the type has none."""

    type: str
    fields: Mapping[str, Any]
    payload: bytes | memoryview | None = None

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)


@dataclass(frozen=True, slots=True)
class Shape:
    """A message type's fields, required and optional, and whether a payload follows."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]
    payload: bool = False


_ID: dict[str, Check] = {"id": whole(0, 2**53)}
_RE: dict[str, Check] = {"re": whole(0, 2**53)}
_JOB: dict[str, Check] = {"job": job_id}
_PATH = text(4096)
_SIDE = whole(1, 65_536)

REQUESTS: Mapping[str, Shape] = {
    "hello": Shape(
        _ID | {"protocol": version, "client": text(200), "schema": text(64), "token": text(200)},
        {"app": text(200)},
    ),
    "ping": Shape(_ID, {}),
    "bye": Shape(_ID, {}),
    "probe": Shape(_ID | {"media": mapping}, {}),
    "thumbnails": Shape(
        _ID | {"media": mapping, "frames": few_frames, "side": whole(*THUMBNAIL_SIDES)}, {"boxes": boxes}
    ),
    "submit": Shape(
        _ID | _JOB | {"engine": text(100), "options": mapping, "priority": one_of(Priority)},
        {"media": mapping, "frames": runs, "video": flag, "take": _PATH, "partials": flag},
    ),
    "frame": Shape(
        _JOB | {"frame": whole(0, MAX_FRAME_NUMBER), "format": one_of(PixelFormat)},
        {"time": finite, "width": _SIDE, "height": _SIDE, "bottom_up": flag},
        payload=True,
    ),
    "end": Shape(_JOB, {}),
    "cancel": Shape(_JOB, {}),
    "status": Shape(_ID, {}),
    "release": Shape(_ID, {"engine": text(100)}),
    "shutdown": Shape(_ID, {}),
}
"""What a client may send. In `submit`, `media` names local footage; without it frames follow as `frame` messages."""

REPLIES: Mapping[str, Shape] = {
    "welcome": Shape(
        _RE
        | {
            "protocol": version,
            "backend": text(200),
            "instance": text(64),
            "schema": text(64),
            "engines": plain,
            "window": whole(1, 10_000),
            "max_payload": whole(1, 2**40),
            "lease": finite,
        },
        {},
    ),
    "pong": Shape(_RE, {}),
    "media": Shape(_RE | {"info": mapping}, {}),
    "thumbnails": Shape(_RE | {"pictures": pictures, "problems": problems}, {}, payload=True),
    "accepted": Shape(_RE | _JOB | {"window": whole(1, 10_000)}, {"total": whole(0, MAX_FRAME_NUMBER)}),
    "progress": Shape(
        _JOB | {"state": one_of(JobState), "worker": one_of(WorkerState), "done": whole(0, MAX_FRAME_NUMBER)},
        {"total": whole(0, MAX_FRAME_NUMBER), "message": text(2000)},
    ),
    "partial": Shape(_JOB | {"frame": whole(0, MAX_FRAME_NUMBER), "text": text(MAX_TEXT)}, {}),
    "result": Shape(_JOB | {"result": result, "stored": flag}, {}),
    "finished": Shape(
        _JOB | {"state": one_of(JobState), "counts": mapping}, {"error": mapping, "take": _PATH, "engine": mapping}
    ),
    "status": Shape(_RE | {"status": mapping}, {}),
    "done": Shape(_RE, {"ended": texts}),
    "error": Shape({"error": mapping}, {**_RE, **_JOB}),
}
"""What the backend may send. `stored` marks a result that came from the take or the cache instead of the engine.

`partial` goes to jobs that asked for it with `partials`: a client of 1.0 doesn't know the type and must never get one.
"""


def pack(table: Mapping[str, Shape], kind: str, payload: bytes | memoryview | None = None, **fields: Any) -> list[Any]:
    """Frames for `send_multipart`. Validates as the other end will; raises ProtocolError."""
    checked = _validate(table, {"type": kind, **fields}, payload is not None)
    header = msgpack.packb({"type": kind, **checked})
    if len(header) > MAX_HEADER:
        raise ProtocolError(f"{kind}: header of {len(header)} bytes is over the limit of {MAX_HEADER}")
    if payload is None:
        return [header]
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolError(f"{kind}: payload of {len(payload)} bytes is over the limit of {MAX_PAYLOAD}")
    return [header, payload]


def unpack(table: Mapping[str, Shape], frames: Sequence[bytes | memoryview]) -> Message:
    """The validated message in these frames; raises ProtocolError that says which field of what is wrong."""
    if not 1 <= len(frames) <= 2:
        raise ProtocolError(f"a message has 1 or 2 frames, this one has {len(frames)}")
    if len(frames[0]) > MAX_HEADER:
        raise ProtocolError(f"header of {len(frames[0])} bytes is over the limit of {MAX_HEADER}")
    payload = frames[1] if len(frames) == 2 else None
    if payload is not None and len(payload) > MAX_PAYLOAD:
        raise ProtocolError(f"payload of {len(payload)} bytes is over the limit of {MAX_PAYLOAD}")
    header = _unpack_header(frames[0])
    return Message(header["type"], _validate(table, header, payload is not None), payload)


def _unpack_header(data: bytes | memoryview) -> dict[str, Any]:
    try:
        header = msgpack.unpackb(data, raw=False, strict_map_key=True, max_ext_len=0, max_bin_len=0)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise ProtocolError(f"the header is not msgpack of plain data: {type(error).__name__}: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get("type"), str):
        raise ProtocolError("the header is not a map with a text `type`")
    return header


def _validate(table: Mapping[str, Shape], header: Mapping[str, Any], has_payload: bool) -> dict[str, Any]:
    kind = header["type"]
    shape = table.get(kind)
    if shape is None:
        raise ProtocolError(f"unknown message type {kind[:80]!r}", "see docs/protocol.md for the types")
    if has_payload != shape.payload:
        raise ProtocolError(f"{kind}: {'a payload must follow' if shape.payload else 'no payload may follow'}")
    fields = {}
    for name, check in (*shape.required.items(), *shape.optional.items()):
        value = header.get(name)
        if value is None:
            if name in shape.required:
                raise ProtocolError(f"{kind}: the field `{name}` is missing")
            continue
        try:
            fields[name] = check(value)
        except ValueError as error:
            raise ProtocolError(f"{kind}: the field `{name}` {error}") from None
    return fields


def cut_payload(message: Message) -> dict[int, bytes]:
    """The pictures of a `thumbnails` reply by source frame. Raises ProtocolError when they aren't what is listed."""
    payload = memoryview(message.payload or b"")
    if sum(size for _, size in message["pictures"]) != len(payload):
        raise ProtocolError("thumbnails: the payload is not made of the pictures that the header lists")
    found, start = {}, 0
    for frame, size in message["pictures"]:
        found[frame] = bytes(payload[start : start + size])
        start += size
    return found


def expand_runs(runs: Sequence[tuple[int, int, int]]) -> list[int]:
    """The frame numbers of [first, last, step] runs, ascending and each once; refuses more than MAX_FRAMES."""
    if sum((last - first) // step + 1 for first, last, step in runs) > MAX_FRAMES:
        raise ProtocolError(f"a job holds at most {MAX_FRAMES} frames", "split it into several jobs")
    return sorted({number for first, last, step in runs for number in range(first, last + 1, step)})


def to_runs(frames: Sequence[int]) -> list[list[int]]:
    """The same numbers as few [first, last, step] runs; `frames` ascending, each once."""
    runs: list[list[int]] = []
    for number in frames:
        run = runs[-1] if runs else None
        if run is not None and run[0] == run[1]:
            run[1], run[2] = number, number - run[0]
        elif run is not None and number - run[1] == run[2]:
            run[1] = number
        else:
            runs.append([number, number, 1])
    return runs
