"""Image sequences and single images as media: frame k is the file k numbers after the first.

Holes keep their place and are MISSING by name. Knows file numbers and image files, nothing of videos.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import MediaError
from semanticface.media.images import FILE_LIMITS, check_bytes, decode_image, image_header
from semanticface.media.numbering import MAX_SPAN, NumberedFiles, describe_holes
from semanticface.media.reader import DEFAULT_RATE, MediaInfo, Picture
from semanticface.media.source import MediaKind, MediaRef
from semanticface.results import Status


class StillsReader:
    """See `MediaReader`. Holds no open file, so `close` has nothing to do."""

    def __init__(self, info: MediaInfo, files: NumberedFiles | Path) -> None:
        self.info = info
        self._files = files

    @classmethod
    def open(cls, ref: MediaRef) -> StillsReader:
        """Raises MediaError when no file is there, or when none of a sequence's first files is an image."""
        if ref.kind is MediaKind.IMAGE:
            path = Path(ref.path)
            (width, height), codec = _size([path])
            return cls(MediaInfo(ref.kind, width, height, 1, None, 0.0, codec), path)
        files = ref.files()
        first = min(files.names) if ref.first is None else ref.first
        last = max(files.names)
        if last < first:
            raise MediaError(f"{files.folder}: no file of {files.pattern} has number {first} or higher")
        if last - first >= MAX_SPAN:
            raise MediaError(f"{files.folder}: from {first} to {last} are more than {MAX_SPAN:,} frames")
        rate = DEFAULT_RATE if ref.rate is None else ref.rate
        count = last - first + 1
        present = [files.folder / name for number, name in files.names.items() if number >= first]
        (width, height), codec = _size(present[:16])
        missing = tuple(number for number in range(first, last + 1) if number not in files.names)
        info = MediaInfo(
            kind=ref.kind,
            width=width,
            height=height,
            frame_count=count,
            rate=rate,
            duration=float(count / rate),
            codec=codec,
            rate_assumed=ref.rate is None,
            first_number=first,
            missing=missing,
            note=f"{len(missing)} numbers have no file: {describe_holes(missing)}" if missing else "",
        )
        return cls(info, files)

    def clone(self) -> StillsReader:
        return StillsReader(self.info, self._files)

    def read(self, frames: Iterable[int]) -> Iterator[Picture]:
        """See `MediaReader.read`."""
        for frame in frames:
            yield self._picture(frame)

    def _picture(self, frame: int) -> Picture:
        path, problem = self._locate(frame)
        time = self._time(frame)
        if path is None:
            return Picture(frame, time, None, Status.MISSING, problem)
        try:
            return Picture(frame, time, _load(path))
        except FileNotFoundError:
            return Picture(frame, time, None, Status.MISSING, f"{path.name} is gone since the sequence was opened")
        except OSError as error:
            return Picture(frame, time, None, Status.UNREADABLE, f"{path.name}: {error.strerror or error}")
        except MediaError as error:
            return Picture(frame, time, None, Status.UNREADABLE, str(error))

    def _time(self, frame: int) -> float | None:
        rate: Fraction | None = self.info.rate
        return None if rate is None or not 0 <= frame < self.info.frame_count else float(frame / rate)

    def _locate(self, frame: int) -> tuple[Path | None, str]:
        if not 0 <= frame < self.info.frame_count:
            return None, f"no frame {frame}: there are frames 0 to {self.info.frame_count - 1}"
        if isinstance(self._files, Path):
            return self._files, ""
        number = frame + (self.info.first_number or 0)
        name = self._files.names.get(number)
        if name is None:
            return None, f"no file {self._files.pattern.name_of(number)} in the sequence"
        return self._files.folder / name, ""

    def close(self) -> None:
        """Nothing is held between pictures."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _load(path: Path) -> NDArray[np.uint8]:
    check_bytes(path.stat().st_size, path.name, FILE_LIMITS)
    return decode_image(path.read_bytes(), FILE_LIMITS, path.name)


def _size(paths: list[Path]) -> tuple[tuple[int, int], str]:
    """Upright size and format of the first of these files whose header can be read; raises its error when none can."""
    problem: MediaError | None = None
    for path in paths:
        try:
            check_bytes(path.stat().st_size, str(path), FILE_LIMITS)
            header = image_header(path.read_bytes(), FILE_LIMITS, str(path))
        except OSError as error:
            problem = problem or MediaError(f"{path}: can't be read: {error.strerror or error}")
        except MediaError as error:
            problem = problem or error
        else:
            return header.upright_size, header.format.value
    raise problem or MediaError("no image file was named")
