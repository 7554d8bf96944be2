"""How far two passes over the same clip differ: ours and MediaPipe's, or ours cut differently.

Scores are compared as they come (0 to 1), head rotation in degrees in Live Link Face convention. TongueOut and the eye
rotations are ours alone and not compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.bench.clips import open_clip, read_frames
from semanticface.bench.reference import Answers
from semanticface.engines.base import RunOptions
from semanticface.engines.landmarks.coefficients import SCORES
from semanticface.engines.landmarks.engine import LandmarkEngine
from semanticface.engines.landmarks.geometry import head_angles
from semanticface.engines.stretches import plan_stretches
from semanticface.results import FrameResult

_HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
_MOVING = 0.01
"""A score whose standard deviation is below this says nothing by its correlation."""


@dataclass(frozen=True, slots=True)
class Track:
    """For N frames: `present` (N,) bool, `scores` (N, 51) in the order of SCORES, `angles` (N, 3) in degrees."""

    present: NDArray[np.bool_]
    scores: NDArray[np.float64]
    angles: NDArray[np.float64]


def track_of(results: Sequence[FrameResult]) -> Track:
    """Our results; frames without a face are rows of zeros."""
    rows = [result.coefficients for result in results]
    scores = np.array([[row[name] if row else 0.0 for name in SCORES] for row in rows])
    angles = np.degrees([[row[name] if row else 0.0 for name in _HEAD] for row in rows])
    return Track(np.array([row is not None for row in rows]), scores, angles)


def reference_track(answers: Sequence[Answers]) -> Track:
    """MediaPipe's answers of one clip, chunk after chunk."""
    present = np.concatenate([answer.present for answer in answers])
    scores = np.concatenate([answer.scores[:, 1:] for answer in answers])
    angles = np.zeros((len(present), 3))
    matrices = np.concatenate([answer.matrices for answer in answers])
    for i in np.flatnonzero(present):
        head = head_angles(matrices[i])
        angles[i] = [math.degrees(angle) for angle in (head.yaw, head.pitch, head.roll)]
    return Track(present, scores, angles)


def compare(ours: Track, other: Track) -> dict[str, Any]:
    """Differences over the frames in which both see a face, and how many frames only one of them sees."""
    both = ours.present & other.present
    out: dict[str, Any] = {
        "frames": len(both),
        "frames with a face": int(both.sum()),
        "presence differs": int((ours.present != other.present).sum()),
    }
    if not both.any():
        return out
    out["scores"] = spread(ours.scores[both] - other.scores[both])
    out["rotation, degrees"] = spread(ours.angles[both] - other.angles[both])
    moving = np.flatnonzero(other.scores[both].std(0) > _MOVING)
    if len(moving):
        pairs = (np.corrcoef(ours.scores[both, i], other.scores[both, i])[0, 1] for i in moving)
        out["lowest correlation"] = float(min(pairs))
    return out


def spread(difference: NDArray[np.float64]) -> dict[str, float]:
    """Mean, 95th and 99th percentile and maximum of the absolute values."""
    size = np.abs(difference)
    p95, p99 = np.percentile(size, (95, 99)).tolist()
    return {"mean": float(size.mean()), "p95": p95, "p99": p99, "max": float(size.max())}


def split_difference(engine: LandmarkEngine, clip: Path, whole: Track, ways: Sequence[int]) -> dict[str, Any]:
    """What cutting the clip into 2, 4 ... stretches changes, against one uninterrupted pass (`whole`)."""
    out = {}
    with open_clip(clip) as reader:
        frames = range(reader.info.frame_count)
        for lanes in ways:
            results: list[FrameResult] = []
            stretches = plan_stretches(frames, lanes, engine.traits.warmup, minimum=1)
            for stretch in stretches:
                session = engine.session(RunOptions(), video=True)
                kept = set(stretch.frames)
                results += [r for r in session.analyze(read_frames(reader, stretch.feed)) if r.frame in kept]
                session.close()
            out[f"{len(stretches)} stretches"] = compare(track_of(results), whole)
    return out
