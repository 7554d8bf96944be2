"""What a run says: JSON lines and TensorBoard on the disk, events for whoever started it.

A line of `log.jsonl` is {"event": ..., "step": ..., "time": ...}. A run that is gone on with writes `resume`; of
several lines about a step the last one counts. Knows nothing of models.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG_NAME, TENSORBOARD_NAME = "log.jsonl", "tensorboard"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `plan`, `note`, `resume`, `step`, `validation`, `checkpoint`, `best`, `done`."""

    name: str
    step: int
    facts: Mapping[str, Any]


Tell = Callable[[Event], None]


def unheard(_: Event) -> None:
    """Nobody listens."""


class RunLog:
    """Writes events of a run as they come; a line is on the disk when `write` returns. One process writes."""

    def __init__(self, folder: Path, tell: Tell = unheard) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / LOG_NAME).open("ab", buffering=0)
        if self._file.tell() and not _ends_line(folder / LOG_NAME):
            self._file.write(b"\n")  # a kill tore the last line
        self._board = _board(folder / TENSORBOARD_NAME)
        self._tell = tell

    def write(self, name: str, step: int, /, **facts: Any) -> None:
        """Note an event and tell it; numbers among its facts go to TensorBoard, too."""
        line = {"event": name, "time": round(time.time(), 3), **facts, "step": step}
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        if self._board is not None and name in ("step", "validation"):
            for key, value in facts.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    self._board.add_scalar(f"{'train' if name == 'step' else name}/{key}", value, step)
        self._tell(Event(name, step, facts))

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """All whole lines of a run's log."""
    lines = (folder / LOG_NAME).read_bytes().split(b"\n")
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # torn by a kill
    return found


def _ends_line(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(-1, 2)
        return stream.read(1) == b"\n"


def _board(folder: Path) -> Any:
    """TensorBoard's writer, None where it isn't installed: the lines hold the same."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), flush_secs=10)
