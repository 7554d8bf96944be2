"""An engine without a model, for testing pipelines: answers made from the picture alone, and misbehaviour on order.

The values of a frame are made from the picture's brightness; like a tracker's, they also depend on the frames just
before it (`MouthClose`: the mean brightness of this frame and up to three before). Needs numpy and nothing
else. Not for animation: `semanticface` never chooses it by itself.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.engines.base import EngineInfo, FrameInput, RunOptions, Traits
from semanticface.errors import EngineError, OptionsError
from semanticface.results import Analysis, FrameResult, Status

WARMUP = 3
BATCH = 8
DEFAULTS: Mapping[str, Any] = {
    "delay": 0.0,
    "words": 0,
    "ragged": 0,
    "crash_on": [],
    "hang_on": [],
    "fail_on": [],
    "no_face_on": [],
    "unparseable_on": [],
    "salt": "",
}
"""`delay`: seconds per frame. `words`: it writes so many of them on the way, `delay` apart, all frames of a batch side
by side as a language model does; frame `n` writes up to `ragged` more, so that a batch ends when its slowest frame
does. The lists name frames on which it crashes, hangs (both in the middle of the words), raises, sees no face, or
gives an answer that can't be read."""


class EchoEngine:
    """Implements `engines.base.Engine`; `sequential` like a tracker, or frame by frame in batches like a model."""

    def __init__(self, sequential: bool = True, variant: str = "") -> None:
        self.info = EngineInfo("echo", "1", variant or "none", "cpu")
        self.traits = Traits(sequential, WARMUP, 2, 1) if sequential else Traits(sequential, 0, 1, BATCH)

    def options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The options completed with `DEFAULTS`; raises OptionsError that names the wrong one."""
        unknown = set(values) - set(DEFAULTS)
        if unknown:
            raise OptionsError(f"echo has no option {min(unknown)!r}", f"its options: {', '.join(DEFAULTS)}")
        for name, value in values.items():
            if isinstance(DEFAULTS[name], list) and not isinstance(value, list):
                raise OptionsError(f"echo's option {name} needs a list of frame numbers")
        return {**DEFAULTS, **values}

    def fingerprint(self, options: Mapping[str, Any], video: bool) -> str:
        return f"echo/1 {video} {self.traits.sequential} {sorted(options['no_face_on'])} {options['salt']}"

    def session(self, options: RunOptions, video: bool) -> EchoSession:
        values = self.options(options.values)
        if values["words"]:
            return WritingSession(values, options, self.traits.batch)
        return EchoSession(values, video and self.traits.sequential)

    def close(self) -> None:
        """Nothing is held."""


class EchoSession:
    """Implements `engines.base.Session`."""

    def __init__(self, options: Mapping[str, Any], video: bool) -> None:
        self._options = options
        self._recent: deque[float] = deque(maxlen=WARMUP + 1 if video else 1)

    def analyze(self, frames: Iterable[FrameInput]) -> Iterator[FrameResult]:
        for frame in frames:
            self._misbehave(frame.frame)
            if self._options["delay"]:
                time.sleep(self._options["delay"])
            yield self._answer(frame)

    def close(self) -> None:
        """Nothing is held."""

    def _misbehave(self, frame: int) -> None:
        if frame in self._options["crash_on"]:
            os.abort()
        while frame in self._options["hang_on"]:
            time.sleep(1)
        if frame in self._options["fail_on"]:
            raise EngineError(f"echo was told to fail on frame {frame}")

    def _answer(self, frame: FrameInput) -> FrameResult:
        level = float(frame.image.mean()) / 255
        self._recent.append(level)
        if frame.frame in self._options["no_face_on"]:
            return FrameResult(frame.frame, frame.time, Status.NO_FACE)
        if frame.frame in self._options["unparseable_on"]:
            text = f"word {frame.frame}"
            return FrameResult(frame.frame, frame.time, Status.UNPARSEABLE, message="as it was told", raw_text=text)
        values = dict.fromkeys(CSV_ORDER, 0.0)
        values |= {"JawOpen": level, "MouthClose": float(np.mean(self._recent))}
        analysis = Analysis("echo", {"jaw": f"open by {level:.3f}"}, "not clearly observable", "symmetric")
        return FrameResult(frame.frame, frame.time, Status.OK, values, analysis, 1.0, 1)


class WritingSession(EchoSession):
    """Writes words before it answers, the frames of a batch side by side, and stops when nobody waits any more."""

    def __init__(self, values: Mapping[str, Any], options: RunOptions, batch: int) -> None:
        super().__init__(values, False)
        self._run = options
        self._batch = batch

    def analyze(self, frames: Iterable[FrameInput]) -> Iterator[FrameResult]:
        waiting = iter(frames)
        while batch := list(islice(waiting, self._batch)):
            if not self._write(batch):
                return
            yield from map(self._answer, batch)

    def _write(self, batch: list[FrameInput]) -> bool:
        """Write the texts of these frames; False when it was cancelled on the way."""
        lengths = {frame.frame: self._options["words"] + frame.frame % (self._options["ragged"] + 1) for frame in batch}
        for step in range(max(lengths.values())):
            for frame in batch:
                if step == lengths[frame.frame] // 2:
                    self._misbehave(frame.frame)
                words = min(step + 1, lengths[frame.frame])
                self._run.partial(frame, " ".join(f"{frame.frame}:{word}" for word in range(words)))
            time.sleep(self._options["delay"])
            if self._run.cancelled():
                return False
        return True


class BlindEngine(EchoEngine):
    """Looks at one byte of the picture as it came, undecoded: what is left is the way to the backend and back."""

    def __init__(self) -> None:
        super().__init__()
        self.traits = Traits(False, 0, 1, 1)

    def session(self, options: RunOptions, video: bool) -> EchoSession:
        return _BlindSession(self.options(options.values), False)


class _BlindSession(EchoSession):
    def _answer(self, frame: FrameInput) -> FrameResult:
        return EchoSession._answer(self, FrameInput(frame.frame, frame.time, frame.image[:1, :1]))
