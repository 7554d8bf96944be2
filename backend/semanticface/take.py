"""A take on disk: a folder with `take.json` (what was asked of which footage) and `frames.jsonl` (what came back).

`frames.jsonl` is append-only, one JSON object a frame, in the order in which results arrived; where a frame
stands twice the later line holds. A writer that is killed leaves at most one torn last line, which readers
drop and the next writer cuts off, so a take is readable at any moment and resumes where it stopped. Raw results
stay as the engine gave them. This module knows nothing of engines or sockets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from semanticface.errors import ProtocolError, TakeError
from semanticface.results import FrameResult, Status
from semanticface.steps import Work, finished

FORMAT = "semanticface-take"
VERSION = 1
HEADER_NAME = "take.json"
FRAMES_NAME = "frames.jsonl"
MAX_LINE = 1 << 20
MAX_HEADER = 16 << 20
OTHER_TAKE = "holds a take of other footage or other settings"
"""How the refusal to resume a take under another key is worded; the sentence begins with the folder."""


@dataclass(frozen=True, slots=True)
class TakeHeader:
    """What `take.json` holds.

    `source` describes the footage (path, size, content hash), `rate` is its exact frame rate, None where it
    has none. `timecode` is that of source frame 0, "" where there is none. `frames` are the requested source
    frame numbers as [first, last, step] runs, None while not known. `engine` and `options` say who answered
    and how it was asked; `key` is a digest of everything that a result depends on: a take is resumed only
    under the same key.
    """

    source: Mapping[str, Any]
    rate: Fraction | None
    engine: Mapping[str, Any]
    options: Mapping[str, Any]
    key: str
    frames: tuple[tuple[int, int, int], ...] | None = None
    timecode: str = ""
    created: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "created": self.created,
            "source": dict(self.source),
            "rate": None if self.rate is None else f"{self.rate.numerator}/{self.rate.denominator}",
            "timecode": self.timecode,
            "frames": None if self.frames is None else [list(run) for run in self.frames],
            "engine": dict(self.engine),
            "options": dict(self.options),
            "key": self.key,
            "extra": dict(self.extra),
        }

    @classmethod
    def from_dict(cls, data: Any, where: Path) -> TakeHeader:
        """Raises TakeError that names the file when it is not a take of a version that is understood."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise TakeError(f"{where} is not the header of a SemanticFace take")
        if data.get("version") != VERSION:
            raise TakeError(f"{where} has version {data.get('version')!r}, this program reads {VERSION}", "update it")
        try:
            rate, frames = data.get("rate"), data.get("frames")
            return cls(
                source=dict(data["source"]),
                rate=None if rate is None else Fraction(rate),
                engine=dict(data["engine"]),
                options=dict(data["options"]),
                key=str(data["key"]),
                frames=None if frames is None else tuple((int(a), int(b), int(c)) for a, b, c in frames),
                timecode=str(data.get("timecode", "")),
                created=str(data.get("created", "")),
                extra=dict(data.get("extra", {})),
            )
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise TakeError(f"{where} is damaged: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Take:
    """A take as it stands on disk: `results` by ascending frame number, `damaged` the line numbers left out."""

    path: Path
    header: TakeHeader
    results: tuple[FrameResult, ...]
    damaged: tuple[int, ...] = ()

    def by_frame(self) -> dict[int, FrameResult]:
        return {result.frame: result for result in self.results}

    def counts(self) -> dict[str, int]:
        """How many frames ended with each status; statuses that did not occur are left out."""
        tally = {status.value: 0 for status in Status}
        for result in self.results:
            tally[result.status.value] += 1
        return {status: count for status, count in tally.items() if count}


def is_take(path: Path) -> bool:
    """Whether the folder looks like a take (it has the header file)."""
    return (path / HEADER_NAME).is_file()


def read_take(path: Path) -> Take:
    """Read a take folder, also while it is being written. Raises TakeError naming what is wrong."""
    return finished(reading_take(path))


def reading_take(path: Path) -> Work[Take]:
    """The same in steps of a frame, some 60 µs each (measured)."""
    header = read_header(path)
    results, damaged, _ = yield from _scanning(path / FRAMES_NAME)
    return Take(path, header, tuple(results[number] for number in sorted(results)), tuple(damaged))


def read_header(path: Path) -> TakeHeader:
    """The header alone, without reading the frames. Raises TakeError naming what is wrong."""
    file = path / HEADER_NAME
    try:
        if file.stat().st_size > MAX_HEADER:
            raise TakeError(f"{file} is larger than {MAX_HEADER} bytes; a take's header is small")
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TakeError(f"{path} is not a take: {error.strerror or error}") from error
    except ValueError as error:
        raise TakeError(f"{file} is not valid JSON: {error}") from error
    return TakeHeader.from_dict(data, file)


def _scanning(file: Path) -> Work[tuple[dict[int, FrameResult], list[int], int]]:
    """Results by frame, numbers of damaged lines, and the byte length up to the last whole line."""
    results: dict[int, FrameResult] = {}
    damaged: list[int] = []
    length = number = 0
    try:
        stream = file.open("rb")
    except FileNotFoundError:
        return results, damaged, 0
    with stream:
        while line := stream.readline(MAX_LINE):
            if not line.endswith(b"\n"):
                if len(line) < MAX_LINE:
                    break  # the torn tail of a killed writer
                while line and not line.endswith(b"\n"):  # an absurd line: pass over it whole
                    length += len(line)
                    line = stream.readline(MAX_LINE)
            number += 1
            length += len(line)
            try:
                result = FrameResult.from_dict(json.loads(line))
            except (ValueError, ProtocolError, RecursionError):
                damaged.append(number)
            else:
                results[result.frame] = result
            yield
    return results, damaged, length


class TakeWriter:
    """Appends results to a take folder; one writer at a time.

    A folder that does not exist is made. A take under the same `key` is resumed: `stored` holds what it has
    already. A take under another key, or a folder with other things in it, is refused with TakeError: nothing of the
    user's is overwritten. Each result is on disk (flushed to the system) when `append` returns.
    """

    def __init__(self, path: Path, header: TakeHeader) -> None:
        self.path = path
        self.stored: dict[int, FrameResult] = {}
        frames = path / FRAMES_NAME
        try:
            if is_take(path):
                old = read_header(path)
                if old.key != header.key:
                    raise TakeError(f"{path} {OTHER_TAKE}", "choose another folder or remove it")
                self.stored, _, length = finished(_scanning(frames))
                if frames.exists() and frames.stat().st_size != length:
                    os.truncate(frames, length)
            elif path.exists() and any(entry not in _leftovers(path) for entry in path.iterdir()):
                raise TakeError(f"{path} exists and is not a take", "choose a new or an empty folder")
            path.mkdir(parents=True, exist_ok=True)
            for part in _leftovers(path):
                part.unlink(missing_ok=True)
            write_atomic(path / HEADER_NAME, json.dumps(header.to_dict(), indent=1, ensure_ascii=False) + "\n")
            self._stream = frames.open("ab", buffering=0)
        except OSError as error:
            raise TakeError(f"{path} can't be written: {error.strerror or error}") from error

    def append(self, result: FrameResult) -> None:
        line = json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        try:
            self._stream.write(line)
        except OSError as error:
            raise TakeError(f"{self.path} can't be written: {error.strerror or error}", "is the disk full?") from error

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> TakeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _leftovers(path: Path) -> list[Path]:
    """Headers that a writer began and was killed over; such a folder is no other than an empty one."""
    return list(path.glob(f".{HEADER_NAME}.*.part"))


def write_atomic(file: Path, text: str) -> None:
    """Write a text file so that a reader or a crash sees the old or the new one, never half of it."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
