"""A small dataset whose truth the echo engine can be held to: each picture's brightness is its JawOpen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from semanticface.actions import CSV_ORDER, mirrored
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta


def png(level: int, side: int = 16) -> bytes:
    picture = np.full((side, side, 3), level, np.uint8)
    return bytes(cv2.imencode(".png", picture)[1].tobytes())


def truth(level: int) -> dict[str, float]:
    """What the echo engine says of such a picture, and a left/right difference that it doesn't see."""
    jaw = level / 255
    values = dict.fromkeys(CSV_ORDER, 0.0)
    return values | {"JawOpen": jaw, "MouthClose": jaw, "MouthSmileLeft": 0.3 * jaw, "HeadYaw": 0.2 - jaw}


def row(take: str, frame: int, level: int, split: Split = Split.TEST, tags: Iterable[str] = ()) -> Row:
    return Row(take, frame, take, split, truth(level), time=frame / 30, tags=tuple(tags))


def build(folder: Path, takes: int = 2, frames: int = 12, probes: bool = True) -> Dataset:
    """`takes` test subjects with `frames` frames each, a training subject, and, with `probes`, a sweep and a mirror
    pair."""
    levels = np.random.default_rng(5).integers(10, 250, (takes + 1, frames))
    with DatasetWriter(folder, Meta("test")) as writer:
        for take in range(takes):
            for frame in range(frames):
                tags = ["toon"] if frame % 4 == 3 else []
                level = int(levels[take, frame])
                writer.add(row(f"t{take}", frame, level, tags=tags), png(level))
        for frame in range(frames):
            level = int(levels[takes, frame])
            writer.add(row("train", frame, level, Split.TRAIN), png(level))
        if probes:
            for step in range(5):
                level = 50 * step
                writer.add(row("sweep", step, level, tags=["sweep:JawOpen"]), png(level))
            pair = [("pair", 0, "mirror:pair/1"), ("pair", 1, "mirror:pair/0")]
            for (take, frame, tag), values in zip(pair, (truth(90), mirrored(truth(90))), strict=True):
                writer.add(Row(take, frame, take, Split.TEST, values, time=frame / 30, tags=(tag,)), png(90))
        return writer.finish()
