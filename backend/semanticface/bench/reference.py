"""MediaPipe as a reference: drives `mediapipe_child` in another Python, chunk by chunk.

Knows nothing of our engine. The two processes never run at the same time: a chunk is handed over, then waited for.
"""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import EngineError

_ROW = 69
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Answers:
    """For N pictures: `present` (N,) bool, `scores` (N, 52), `matrices` (N, 4, 4), and what the chunk took in s."""

    present: NDArray[np.bool_]
    scores: NDArray[np.float64]
    matrices: NDArray[np.float64]
    cpu: float
    wall: float


class MediaPipe:
    """One MediaPipe process. A context manager; leaving it ends the process."""

    def __init__(self, python: Path, model: Path) -> None:
        """Raises EngineError when that Python can't run MediaPipe."""
        self._folder = tempfile.TemporaryDirectory(prefix="semanticface-bench-")
        self._pictures = Path(self._folder.name) / "pictures"
        self._answers = Path(self._folder.name) / "answers"
        script = Path(__file__).with_name("mediapipe_child.py")
        command = [str(python), str(script), str(model), str(self._pictures), str(self._answers)]
        self._lines: queue.Queue[str] = queue.Queue()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except OSError as error:
            self._folder.cleanup()
            raise EngineError(f"can't start {python}: {error.strerror or error}", "see --mediapipe-python") from error
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.version = str(self._answer()["version"])
        except EngineError:
            self.close()
            raise

    def run(self, pictures: NDArray[np.uint8], stamps: Sequence[int], fresh: bool) -> Answers:
        """Track (N, H, W, 3) RGB pictures with time stamps in ms; `fresh` starts a new video."""
        count = len(pictures)
        np.memmap(self._pictures, np.uint8, "w+", shape=pictures.shape)[:] = pictures
        np.memmap(self._answers, np.float64, "w+", shape=(count, _ROW)).flush()
        order = {"shape": pictures.shape, "stamps": list(stamps), "fresh": fresh}
        if self._process.stdin is None:
            raise EngineError("MediaPipe's process has no input")
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise EngineError(f"MediaPipe's process ended: {error}") from error
        took = self._answer()
        rows = np.array(np.memmap(self._answers, np.float64, "r", shape=(count, _ROW)))
        matrices = rows[:, 53:].reshape(-1, 4, 4)
        return Answers(rows[:, 0] > 0, rows[:, 1:53], matrices, float(took["cpu"]), float(took["wall"]))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put("")

    def _answer(self) -> dict[str, Any]:
        """The next line that is an answer; MediaPipe's libraries may print others."""
        while True:
            try:
                line = self._lines.get(timeout=_PATIENCE)
            except queue.Empty:
                raise EngineError(f"MediaPipe did not answer within {_PATIENCE:.0f} s") from None
            if not line:
                raise EngineError("MediaPipe's process ended", "does that Python have mediapipe 1.2.2?")
            if line.startswith("{"):
                return dict(json.loads(line))
