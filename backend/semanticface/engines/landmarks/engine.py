"""The landmark engine as the product sees it: sessions of frames in, named coefficients out.

Sessions may run side by side, one thread each; every session borrows a set of networks, which the engine keeps for
the next one. Building an engine sets OpenCV to one thread for the whole process, since its lanes are the
parallelism; it belongs in the engine worker, not in a host.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from semanticface import assets
from semanticface.assets.store import sha256_of
from semanticface.engines.base import EngineInfo, FrameInput, RunOptions, Traits
from semanticface.engines.landmarks.bundle import Networks, read_bundle
from semanticface.engines.landmarks.calibration import Calibration, chosen, input_vector
from semanticface.engines.landmarks.coefficients import coefficients
from semanticface.engines.landmarks.frontal import Frontaliser
from semanticface.engines.landmarks.geometry import PoseSolver
from semanticface.engines.landmarks.options import complete
from semanticface.engines.landmarks.sampling import MAX_SIDE
from semanticface.engines.landmarks.tracker import Settings, Sighting, Tracker
from semanticface.engines.stretches import WARMUP
from semanticface.errors import EngineError
from semanticface.results import Analysis, FrameResult, Status

Describe = Callable[[Mapping[str, float]], Analysis]

VERSION = "1"
"""Goes up when the same picture would give another result: stored results of an older version are not reused."""


class LandmarkEngine:
    """Implements `engines.base.Engine`."""

    def __init__(self, model: Path | None = None, lanes: int | None = None, describe: Describe | None = None) -> None:
        """`model` is a bundle (the installed one by default), `lanes` the sessions to run side by side (one a core
        by default), `describe` writes the analysis (none by default; `load` sets it). Raises AssetError when the
        bundle is missing or damaged."""
        path = assets.verify(assets.FACE_LANDMARKER) if model is None else model
        cv2.setNumThreads(1)
        self._bundle = read_bundle(path)
        self._pose = PoseSolver(self._bundle.canonical)
        self.turn = Frontaliser(self._bundle.canonical)
        self._describe = describe
        self._lock = threading.Lock()
        self._idle: list[Networks] = []
        self._closed = False
        self._model_hash = sha256_of(path)[:16]
        self.info = EngineInfo("landmarks", VERSION, f"{path.name} sha256:{self._model_hash}", "cpu")
        self.traits = Traits(sequential=True, warmup=WARMUP, lanes=lanes or _cores(), batch=1)

    def options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The options completed with `options.DEFAULTS`; raises OptionsError that names the wrong one."""
        options = complete(values)
        chosen(options["calibration"], self._model_hash)
        return options

    def fingerprint(self, options: Mapping[str, Any], video: bool) -> str:
        """Model, engine version, options, and whether frames follow each other. A video's result depends on the
        frames before as well, which the caller's key has to say. A calibration stands for what it holds, not for
        its path; without one the text is what it was before there were any."""
        plain = complete(options)
        calibration = chosen(plain.pop("calibration"), self._model_hash)
        shown = json.dumps(plain | ({"calibration": calibration.digest} if calibration else {}), sort_keys=True)
        text = "described" if self._describe else "plain"
        return f"landmarks/{VERSION} {self._model_hash} {'video' if video else 'still'} {text} {shown}"

    def session(self, options: RunOptions, video: bool) -> LandmarkSession:
        """A fresh session; `video` False means unrelated stills: each is searched anew and nothing is smoothed."""
        wanted = complete(options.values)
        settings, calibration = Settings.of(wanted), chosen(wanted["calibration"], self._model_hash)
        tracker = Tracker(self._borrow(), self._pose, settings, video)
        return LandmarkSession(self, tracker, settings, options.cancelled, self._describe, calibration)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._idle.clear()

    def _borrow(self) -> Networks:
        with self._lock:
            if self._closed:
                raise EngineError("the landmark engine is closed")
            if self._idle:
                return self._idle.pop()
        try:
            return Networks(self._bundle)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"LiteRT can't load the landmark models: {error}", "run `semanticface doctor`") from error

    def give_back(self, networks: Networks) -> None:
        """A session returns its networks when it is closed."""
        with self._lock:
            if not self._closed and len(self._idle) < self.traits.lanes:
                self._idle.append(networks)


class LandmarkSession:
    """Implements `engines.base.Session`; one thread's own."""

    def __init__(
        self,
        engine: LandmarkEngine,
        tracker: Tracker,
        settings: Settings,
        cancelled: Callable[[], bool],
        describe: Describe | None,
        calibration: Calibration | None,
    ) -> None:
        self._engine = engine
        self._tracker: Tracker | None = tracker
        self._settings = settings
        self._cancelled = cancelled
        self._describe = describe
        self._calibration = calibration

    def analyze(self, frames: Iterable[FrameInput]) -> Iterator[FrameResult]:
        """One result per frame, in order; ends early once the run is cancelled. May be called again to go on."""
        for frame in frames:
            if self._cancelled():
                return
            yield self._one(frame)

    def close(self) -> None:
        """Hand the networks on. The session can't be used afterwards; closing twice does no harm."""
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            self._engine.give_back(tracker.networks)

    def _one(self, frame: FrameInput) -> FrameResult:
        if self._tracker is None:
            raise EngineError(f"frame {frame.frame} came to a session that is closed")
        self.sighting = None
        problem = _problem_with(frame.image)
        if problem:
            return FrameResult(frame.frame, frame.time, Status.UNREADABLE, message=problem)
        try:
            seen = self.sighting = self._tracker.look(frame)
        except (RuntimeError, MemoryError, cv2.error) as error:
            raise EngineError(f"the landmark engine failed at frame {frame.frame}: {error}") from error
        faces = self._tracker.faces
        if seen is None:
            message = self._settings.choice.absent(faces)
            return FrameResult(frame.frame, frame.time, Status.NO_FACE, faces=faces, message=message)
        return self._found(frame, seen, faces)

    def _found(self, frame: FrameInput, seen: Sighting, faces: int) -> FrameResult:
        values = coefficients(seen.scores.tolist(), seen.tongue, seen.head)
        if self._calibration is not None:
            inputs = input_vector(seen.pixels, seen.scores, self._engine.turn)
            values = self._calibration.applied(values, inputs)
        return FrameResult(
            frame=frame.frame,
            time=frame.time,
            status=Status.OK,
            coefficients=values,
            analysis=None if self._describe is None else self._describe(values),
            confidence=seen.presence,
            faces=faces,
            box=seen.box,
        )


def load(lanes: int | None = None) -> LandmarkEngine:
    """The engine as the backend runs it: installed bundle, one lane a core, analysis texts."""
    from semanticface.analysis.describe import describe

    return LandmarkEngine(lanes=lanes, describe=describe)


def _problem_with(image: object) -> str:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        return "the picture is not (H, W, 3) uint8 RGB"
    if not image.size:
        return "the picture has no pixels"
    if max(image.shape) > MAX_SIDE:
        return f"the picture is {image.shape[1]} x {image.shape[0]}; a side may have at most {MAX_SIDE} pixels"
    return ""


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
