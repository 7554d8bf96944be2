"""The messages between a client and the backend: their fields, their limits, how they are packed.

A message is one or two ZeroMQ frames: a msgpack map (the header) and, where the type says so, a payload of
bytes. `type` names the message. A client's request carries `id`, a number of its choosing, and the direct
answer repeats it as `re`; messages about a job carry `job`. `docs/protocol.md` tells the story; the tables
here are the law. Both ends validate here and trust the values afterwards. This module knows nothing of sockets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgpack

from semanticface.errors import ProtocolError

MAJOR, MINOR = 1, 1
"""Equal majors understand each other; a higher minor adds optional fields and message types."""

MAX_HEADER = 1 << 20
MAX_PAYLOAD = 64 << 20
MAX_FRAME_NUMBER = 100_000_000
MAX_RUNS = 65_536
MAX_FRAMES = 1_000_000
MAX_TEXT = 65_536
"""Characters of a `partial`."""


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


Check = Callable[[Any], Any]


def _text(limit: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise ValueError(f"needs a text of at most {limit} characters")
        return value

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"needs a whole number from {low} to {high}")
        return value

    return check


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("needs a finite number")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("needs true or false")
    return value


def _one_of(kind: type[StrEnum]) -> Check:
    def check(value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise ValueError("needs one of " + ", ".join(kind)) from None

    return check


def _version(value: Any) -> tuple[int, int]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("needs [major, minor]")
    part = _whole(0, 10_000)
    return part(value[0]), part(value[1])


_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _job(value: Any) -> str:
    if not isinstance(value, str) or not _JOB_ID.fullmatch(value):
        raise ValueError("needs 1 to 64 letters, digits, - or _")
    return value


def _runs(value: Any) -> list[tuple[int, int, int]]:
    """Source frames as [first, last, step] runs, last included."""
    if not isinstance(value, (list, tuple)) or len(value) > MAX_RUNS:
        raise ValueError(f"needs a list of at most {MAX_RUNS} [first, last, step]")
    number = _whole(0, MAX_FRAME_NUMBER)
    runs = []
    for run in value:
        if not isinstance(run, (list, tuple)) or len(run) != 3:
            raise ValueError("needs [first, last, step] in each place")
        first, last, step = number(run[0]), number(run[1]), _whole(1, MAX_FRAME_NUMBER)(run[2])
        if last < first:
            raise ValueError(f"a run ends at {last} before it starts at {first}")
        runs.append((first, last, step))
    return runs


def _plain(value: Any, depth: int = 0) -> Any:
    """JSON-like data with text keys, at most eight levels deep."""
    if depth > 8:
        raise ValueError("is nested more than 8 levels deep")
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    raise ValueError("holds something that is not plain data")


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("needs a map")
    out: dict[str, Any] = _plain(value)
    return out


def _result(value: Any) -> Mapping[str, Any]:
    """A map; what is in it `FrameResult.from_dict` checks in full, and once is enough for the commonest message."""
    if not isinstance(value, Mapping):
        raise ValueError("needs a map")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError("needs a list of texts")
    return list(value)


@dataclass(frozen=True, slots=True)
class Shape:
    """A message type's fields, required and optional, and whether a payload follows."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]
    payload: bool = False


_ID: dict[str, Check] = {"id": _whole(0, 2**53)}
_RE: dict[str, Check] = {"re": _whole(0, 2**53)}
_JOB: dict[str, Check] = {"job": _job}
_PATH = _text(4096)
_SIDE = _whole(1, 65_536)

REQUESTS: Mapping[str, Shape] = {
    "hello": Shape(
        _ID | {"protocol": _version, "client": _text(200), "schema": _text(64), "token": _text(200)},
        {"app": _text(200)},
    ),
    "ping": Shape(_ID, {}),
    "bye": Shape(_ID, {}),
    "probe": Shape(_ID | {"media": _map}, {}),
    "submit": Shape(
        _ID | _JOB | {"engine": _text(100), "options": _map, "priority": _one_of(Priority)},
        {"media": _map, "frames": _runs, "video": _flag, "take": _PATH, "partials": _flag},
    ),
    "frame": Shape(
        _JOB | {"frame": _whole(0, MAX_FRAME_NUMBER), "format": _one_of(PixelFormat)},
        {"time": _number, "width": _SIDE, "height": _SIDE, "bottom_up": _flag},
        payload=True,
    ),
    "end": Shape(_JOB, {}),
    "cancel": Shape(_JOB, {}),
    "status": Shape(_ID, {}),
    "release": Shape(_ID, {"engine": _text(100)}),
    "shutdown": Shape(_ID, {}),
}
"""What a client may send. In `submit`, `media` names local footage; without it frames follow as `frame` messages."""

REPLIES: Mapping[str, Shape] = {
    "welcome": Shape(
        _RE
        | {
            "protocol": _version,
            "backend": _text(200),
            "instance": _text(64),
            "schema": _text(64),
            "engines": _plain,
            "window": _whole(1, 10_000),
            "max_payload": _whole(1, 2**40),
            "lease": _number,
        },
        {},
    ),
    "pong": Shape(_RE, {}),
    "media": Shape(_RE | {"info": _map}, {}),
    "accepted": Shape(_RE | _JOB | {"window": _whole(1, 10_000)}, {"total": _whole(0, MAX_FRAME_NUMBER)}),
    "progress": Shape(
        _JOB | {"state": _one_of(JobState), "worker": _one_of(WorkerState), "done": _whole(0, MAX_FRAME_NUMBER)},
        {"total": _whole(0, MAX_FRAME_NUMBER), "message": _text(2000)},
    ),
    "partial": Shape(_JOB | {"frame": _whole(0, MAX_FRAME_NUMBER), "text": _text(MAX_TEXT)}, {}),
    "result": Shape(_JOB | {"result": _result, "stored": _flag}, {}),
    "finished": Shape(
        _JOB | {"state": _one_of(JobState), "counts": _map}, {"error": _map, "take": _PATH, "engine": _map}
    ),
    "status": Shape(_RE | {"status": _map}, {}),
    "done": Shape(_RE, {"ended": _texts}),
    "error": Shape({"error": _map}, {**_RE, **_JOB}),
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
