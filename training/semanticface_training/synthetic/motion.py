"""What the sample's head does: stretches of a Live Link Face recording, joined, with a head motion of our own.

Everything that this returns is what gets rendered, so it is the exact truth of the pictures. The recording's own
head rotation is zero throughout (its app streamed none), and its subject looked down at the phone: the resting
gaze is taken out. This module knows nothing of meshes and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER, SHAPES, ordered
from semanticface.errors import ExchangeError
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface_training.synthetic.ict import EYE_RADIANS_PER_UNIT, gaze_from_shapes

Doubles = NDArray[np.float64]

STRETCHES: tuple[tuple[int, int], ...] = ((114, 150), (176, 212), (528, 594), (1952, 2058), (2224, 2294))
"""Rows of the recording (from 0, end excluded): brows and blink, gaze, mouth left and right, smile and open jaw."""

CROSSFADE = 8
"""Frames over which one stretch melts into the next."""

RESTING_PITCH = 0.17
"""How far down the recorded subject looks at rest, in radians."""

HEAD_SEED = 7
HEAD_LIMITS = {"HeadYaw": 20.0, "HeadPitch": 12.0, "HeadRoll": 10.0}
"""Largest angle that the head motion reaches, in degrees."""


def read_recording(path: Path) -> Doubles:
    """All rows of a Live Link Face CSV as (N, 61) float64 in CSV order.

    Raises ExchangeError when it isn't a recording, or when a row that it would need has no face.
    """
    rows = read_livelink_csv(path).rows
    faceless = [row.line for row in rows if row.coefficients is None]
    if faceless:
        raise ExchangeError(f"{path.name}, line {faceless[0]}: no face in this row", "use a recording without gaps")
    return np.array([ordered(row.coefficients) for row in rows if row.coefficients is not None])


def joined(recording: Doubles, stretches: Sequence[tuple[int, int]] = STRETCHES) -> Doubles:
    """The stretches one after the other, overlapping by CROSSFADE frames, (F, 61) float64."""
    if max(last for _, last in stretches) > len(recording):
        raise ExchangeError(f"the recording has {len(recording)} rows, fewer than the sample uses", "use the named one")
    out = recording[slice(*stretches[0])]
    ramp = np.linspace(0.0, 1.0, CROSSFADE + 2)[1:-1, None]
    ease = ramp * ramp * (3 - 2 * ramp)
    for first, last in stretches[1:]:
        following = recording[first:last]
        seam = out[-CROSSFADE:] * (1 - ease) + following[:CROSSFADE] * ease
        out = np.concatenate([out[:-CROSSFADE], seam, following[CROSSFADE:]])
    return out


def head_motion(frames: int, rate: float, seed: int = HEAD_SEED) -> Doubles:
    """Smooth head angles, (frames, 3) float64 in radians: yaw, pitch, roll; zero in the first half second.

    A sum of three slow sines a channel (0.08 to 0.32 Hz), scaled so that each channel just reaches its limit.
    """
    rng = np.random.default_rng(seed)
    seconds = np.arange(frames) / rate
    ease = np.clip((seconds - 0.5) / 1.5, 0.0, 1.0)
    ease = ease * ease * (3 - 2 * ease)
    channels = []
    for limit in HEAD_LIMITS.values():
        waves = np.zeros(frames)
        for low in (0.08, 0.16, 0.24):
            waves += np.sin(2 * np.pi * rng.uniform(low, low + 0.08) * seconds + rng.uniform(0, 2 * np.pi)) / low
        waves *= ease
        channels.append(np.radians(limit) * waves / np.abs(waves).max())
    return np.stack(channels, axis=1)


def sample_truth(recording: Doubles, rate: float) -> list[dict[str, float]]:
    """One dict of all 61 coefficients a frame: what is rendered, and what the sample's CSV says.

    Gaze is recomputed from the recorded one without its resting pitch, so that EyeLook shapes and eye rotations
    state the same angle; TongueOut is 0, because the head model has no tongue shape.
    """
    rows = joined(recording)
    angles = head_motion(len(rows), rate)
    truth = []
    for row, head in zip(rows, angles, strict=True):
        frame = dict(zip(CSV_ORDER, (float(value) for value in row), strict=True))
        for side in ("Left", "Right"):
            down = frame[f"EyeLookDown{side}"] - frame[f"EyeLookUp{side}"] - RESTING_PITCH / EYE_RADIANS_PER_UNIT
            frame[f"EyeLookDown{side}"], frame[f"EyeLookUp{side}"] = max(down, 0.0), max(-down, 0.0)
        frame["TongueOut"] = 0.0
        frame |= {name: min(max(frame[name], 0.0), 1.0) for name in SHAPES}
        frame |= gaze_from_shapes(frame) | dict(zip(HEAD_LIMITS, map(float, head), strict=True))
        truth.append({name: round(frame[name], 10) for name in CSV_ORDER})
    return truth
