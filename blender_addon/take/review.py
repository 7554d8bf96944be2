# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of a take somebody has looked at: `reviewed.json` in the take's folder, beside the raw results.

The results themselves are never touched. Knows files, nothing of Blender.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semanticface.errors import ProtocolError, TakeError
from semanticface.protocol import MAX_FRAME_NUMBER, MAX_FRAMES, expand_runs, to_runs
from semanticface.take import write_atomic

NAME = "reviewed.json"
FORMAT = "semanticface-reviewed"
VERSION = 1
MAX_BYTES = 4 << 20


def load_reviewed(take: Path) -> frozenset[int]:
    """The source frames of this take that are marked as reviewed; none when nothing was marked.

    Raises TakeError that names the file when it can't be read.
    """
    file = take / NAME
    try:
        if file.stat().st_size > MAX_BYTES:
            raise TakeError(f"{file} is larger than {MAX_BYTES} bytes", "remove it; only the marks in it are lost")
        return _frames(json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise TakeError(f"{file} can't be read: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ProtocolError) as error:
        raise TakeError(f"{file} is damaged: {error}", "remove it; only the marks in it are lost") from error


def _frames(data: Any) -> frozenset[int]:
    if data["format"] != FORMAT or data["version"] != VERSION:
        raise ValueError(f"it is no list of reviewed frames of version {VERSION}")
    runs = [(int(first), int(last), int(step)) for first, last, step in data["frames"]]
    if any(not 0 <= first <= last <= MAX_FRAME_NUMBER or step < 1 for first, last, step in runs):
        raise ValueError("it has a run that is none")
    return frozenset(expand_runs(runs))


def save_reviewed(take: Path, frames: Iterable[int]) -> None:
    """Write the marks in one step. Raises TakeError when the folder can't be written, or is gone."""
    runs = to_runs(sorted(set(frames))[:MAX_FRAMES])
    text = json.dumps({"format": FORMAT, "version": VERSION, "frames": runs}) + "\n"
    try:
        write_atomic(take / NAME, text)
    except OSError as error:
        hint = "is the folder there, and may it be written to?"
        raise TakeError(f"{take / NAME} can't be written: {error.strerror or error}", hint) from error
