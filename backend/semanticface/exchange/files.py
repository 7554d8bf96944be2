"""Text files that are either written whole or not at all, and read in bounded lines.

Every format of this room goes through here. A reader of the target path sees the old file or the new one, never
half of one. This module knows nothing of what the lines mean.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from semanticface.errors import ExchangeError


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """A text handle (UTF-8, LF) whose content becomes `path` when the block ends without an error.

    The text goes to a temporary file in the same folder, which is flushed to disk and renamed over `path`; on any
    error it is removed and `path` stays as it was. Raises ExchangeError when the folder can't be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except OSError as error:
        raise ExchangeError(f"{path} can't be written: {error.strerror or error}", "choose another place") from error
    finally:
        with suppress(OSError):
            part.unlink()


def bounded_lines(path: Path, longest: int, most: int) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end) for each line; a byte order mark and CR LF are taken off.

    Raises ExchangeError, with file and line, for a line of more than `longest` characters, for more than `most`
    lines, and for text that isn't UTF-8.
    """
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as handle:
            while line := handle.readline(longest + 1):
                number += 1
                if len(line) > longest:
                    raise ExchangeError(f"{path.name}, line {number}: longer than {longest} characters")
                if number > most:
                    raise ExchangeError(f"{path.name}: more than {most} lines", "split the file")
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ExchangeError(f"{path.name}, after line {number}: not UTF-8 text ({error.reason})") from error
    except OSError as error:
        raise ExchangeError(f"{path} can't be read: {error.strerror or error}") from error
