"""The landmark engine against MediaPipe: does it say the same, and how fast, measured in one interleaved run.

MediaPipe runs in a Python of its own (`--mediapipe-python`); without one only our own figures are given. Agreement and
splitting are measured on every frame of the clips as they are, speed on frames of the first clip fitted into 1080p. In
each round one lane of ours, MediaPipe, and two lanes of ours take turns, so that other load on the machine
hits all alike; medians of the rounds are reported. Decoding is not part of any time.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semanticface import assets
from semanticface.bench.agreement import Track, compare, reference_track, split_difference, track_of
from semanticface.bench.clips import open_clip, read_frames, there_and_back
from semanticface.bench.reference import MediaPipe
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.engines.stretches import SPLIT_TOLERANCE, WARMUP
from semanticface.errors import OptionsError

TARGETS = {
    "score difference, mean": ("at most", 0.001),
    "score difference, p99": ("at most", 0.008),
    "rotation difference, degrees": ("at most", 0.3),
    "frames with a face in one alone": ("at most", 0),
    "CPU time, of MediaPipe's": ("at most", 0.85),
    "frames/s on 2 lanes, of MediaPipe's": ("at least", 1.7),
}
_CHUNK_BYTES = 64 << 20
_STEP_MS = 40
_STILL_STEP = 24


def run(clips: Sequence[Path], mediapipe_python: Path | None, frames: int, rounds: int) -> dict[str, Any]:
    """Figures by name, nested by part and clip. `frames` a round and `rounds` shape the speed test.

    Raises AssetError without the model, MediaError for a clip that can't be read, EngineError when MediaPipe
    can't be run.
    """
    if frames < 2 or rounds < 1:
        raise OptionsError("the bench needs at least 2 frames and 1 round")
    model = assets.verify(assets.FACE_LANDMARKER)
    engine = LandmarkEngine(model, lanes=2)
    mediapipe = None if mediapipe_python is None else MediaPipe(mediapipe_python, model)
    try:
        out: dict[str, Any] = {
            "engine": engine.info.model,
            "MediaPipe": mediapipe.version if mediapipe else "not measured: give --mediapipe-python",
            "agreement": {},
            "split": {"warm-up": WARMUP, "tolerance": SPLIT_TOLERANCE},
        }
        for clip in clips:
            whole = _ours(engine, clip)
            out["split"][clip.name] = split_difference(engine, clip, whole, (2, 4))
            if mediapipe:
                out["agreement"][clip.name] = compare(whole, _theirs(mediapipe, clip))
        out["speed at 1080p"] = _speed(engine, mediapipe, _looped(clips[0], frames), rounds)
        if mediapipe:
            out["targets"] = _verdicts(out["agreement"], out["speed at 1080p"])
        return out
    finally:
        engine.close()
        if mediapipe:
            mediapipe.close()


def _verdicts(agreement: dict[str, Any], speed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each target beside what the worst clip reached."""
    clips = list(agreement.values())
    faces = [clip for clip in clips if "scores" in clip]
    reached = {
        "score difference, mean": max((clip["scores"]["mean"] for clip in faces), default=0.0),
        "score difference, p99": max((clip["scores"]["p99"] for clip in faces), default=0.0),
        "rotation difference, degrees": max((clip["rotation, degrees"]["max"] for clip in faces), default=0.0),
        "frames with a face in one alone": max(clip["presence differs"] for clip in clips),
        **{name: speed[name] for name in TARGETS if name in speed},
    }
    out = {}
    for name, (word, bound) in TARGETS.items():
        met = reached[name] <= bound if word == "at most" else reached[name] >= bound
        out[name] = {"reached": reached[name], "target": f"{word} {bound}", "met": met}
    return out


def write_reference(clip: Path, mediapipe_python: Path, out: Path) -> None:
    """Store what MediaPipe says about a clip, for tests that run without it.

    The .npz holds `present` (N,), `scores` (N, 51) and `angles` (N, 3) in degrees of one pass over the clip; `stills`,
    frame numbers, with `still_scores` and `still_angles` of these frames each taken as a new video, which is detection
    without tracking and smoothing; and MediaPipe's `version`.
    """
    with MediaPipe(mediapipe_python, assets.verify(assets.FACE_LANDMARKER)) as mediapipe, open_clip(clip) as reader:
        track = _theirs(mediapipe, clip)
        stills = range(0, reader.info.frame_count, _STILL_STEP)
        frames = read_frames(reader, stills)
        alone = reference_track([mediapipe.run(frame.image[None], [0], fresh=True) for frame in frames])
        np.savez_compressed(
            out,
            present=track.present,
            scores=track.scores.astype(np.float32),
            angles=track.angles.astype(np.float32),
            stills=np.array(stills),
            still_scores=alone.scores.astype(np.float32),
            still_angles=alone.angles.astype(np.float32),
            version=np.array(mediapipe.version),
        )


def _ours(engine: LandmarkEngine, clip: Path) -> Track:
    with open_clip(clip) as reader:
        session = engine.session(RunOptions(), video=True)
        try:
            return track_of(list(session.analyze(read_frames(reader, range(reader.info.frame_count)))))
        finally:
            session.close()


def _theirs(mediapipe: MediaPipe, clip: Path) -> Track:
    answers = []
    with open_clip(clip) as reader:
        info = reader.info
        chunk = max(1, _CHUNK_BYTES // (info.width * info.height * 3))
        for first in range(0, info.frame_count, chunk):
            part = list(read_frames(reader, range(first, min(first + chunk, info.frame_count))))
            pictures = np.stack([frame.image for frame in part])
            stamps = [round((frame.time or 0.0) * 1000) for frame in part]
            answers.append(mediapipe.run(pictures, stamps, fresh=first == 0))
    return reference_track(answers)


def _looped(clip: Path, count: int) -> list[FrameInput]:
    return [FrameInput(i, i * _STEP_MS / 1000, image) for i, image in enumerate(there_and_back(clip, count))]


class _Lane:
    """An endless tracking session on a loop of frames."""

    def __init__(self, engine: LandmarkEngine, frames: Sequence[FrameInput]) -> None:
        self._frames = frames
        self._session = engine.session(RunOptions(), video=True)
        self._passes = 0

    def run(self) -> None:
        first = self._passes * len(self._frames)
        self._passes += 1
        numbered = (FrameInput(first + f.frame, (first + f.frame) * _STEP_MS / 1000, f.image) for f in self._frames)
        for _ in self._session.analyze(numbered):
            pass


def _timed(lanes: Sequence[_Lane]) -> tuple[float, float]:
    """CPU and wall seconds of one pass of all lanes side by side."""
    threads = [threading.Thread(target=lane.run) for lane in lanes]
    cpu, wall = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.process_time() - cpu, time.perf_counter() - wall


def _speed(
    engine: LandmarkEngine, mediapipe: MediaPipe | None, frames: Sequence[FrameInput], rounds: int
) -> dict[str, Any]:
    count = len(frames)
    lanes = [_Lane(engine, frames) for _ in range(2)]
    pictures = np.stack([frame.image for frame in frames])
    names = ("cpu1", "fps1", "cpu2", "fps2", "cores", "their cpu", "their fps")
    seen: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        one = _timed(lanes[:1])
        stamps = [(turn * count + i) * _STEP_MS for i in range(count)]
        theirs = mediapipe.run(pictures, stamps, fresh=turn == 0) if mediapipe else None
        two = _timed(lanes)
        if turn == 0:  # the first pass fills caches and acquires the face
            continue
        seen["cpu1"].append(one[0] / count * 1000)
        seen["fps1"].append(count / one[1])
        seen["cpu2"].append(two[0] / count / 2 * 1000)
        seen["fps2"].append(count * 2 / two[1])
        seen["cores"].append(two[0] / two[1])
        if theirs:
            seen["their cpu"].append(theirs.cpu / count * 1000)
            seen["their fps"].append(count / theirs.wall)
    middle = {name: statistics.median(values) for name, values in seen.items() if values}
    out: dict[str, Any] = {
        "frames a round": count,
        "rounds": rounds,
        "ours, 1 lane": {"CPU ms/frame": middle["cpu1"], "frames/s": middle["fps1"]},
        "ours, 2 lanes": {
            "CPU ms/frame": middle["cpu2"],
            "frames/s": middle["fps2"],
            "cores that were free for it": middle["cores"],
        },
    }
    if mediapipe:
        out["MediaPipe"] = {"CPU ms/frame": middle["their cpu"], "frames/s": middle["their fps"]}
        out["CPU time, of MediaPipe's"] = middle["cpu1"] / middle["their cpu"]
        out["frames/s on 2 lanes, of MediaPipe's"] = middle["fps2"] / middle["their fps"]
    return out
