"""A take in which everything goes wrong once, over footage of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.results import Analysis, FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
"""What a file name, an engine or a model may say; a page must show it and never run it."""
ANALYSIS = Analysis("neutral", {}, "calm", "symmetric")


def sequence(folder: Path, count: int) -> Path:
    """Pictures 64 x 48, numbered from 0; the frame's number is in their brightness."""
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(
            str(folder / f"shot_{number:04d}.png"), np.full((48, 64, 3), number * 255 // max(count, 1), np.uint8)
        )
    return folder


def source_of(folder: Path) -> dict[str, object]:
    return {"kind": "sequence", "path": str(folder), "pattern": "shot_####.png", "width": 64, "height": 48}


def values(frame: int, count: int) -> dict[str, float]:
    """A jaw that opens and closes, a smile of the left side alone, and a head that turns."""
    phase = frame / max(count - 1, 1)
    moved = {
        "JawOpen": 0.5 - 0.5 * float(np.cos(phase * 4 * np.pi)),
        "MouthSmileLeft": 0.8 * phase,
        "HeadYaw": 0.3 * float(np.sin(phase * 2 * np.pi)),
    }
    return dict.fromkeys(CSV_ORDER, 0.0) | moved


def write_take(folder: Path, footage: Path | None, count: int, special: dict[int, FrameResult] | None = None) -> Path:
    """`special` results take the place of the plain ones; a frame beyond `count` is added."""
    source = {"sent": True} if footage is None else source_of(footage)
    header = TakeHeader(source, Fraction(24), {"name": "landmarks", "version": "1"}, {}, "key", timecode="01:00:00:00")
    results = {frame: plain(frame, count) for frame in range(count)} | (special or {})
    with TakeWriter(folder, header) as writer:
        for result in results.values():
            writer.append(result)
    return folder


def plain(frame: int, count: int) -> FrameResult:
    told = values(frame, count)
    return FrameResult(frame, frame / 24, Status.OK, told, describe(told), 0.97, 1)
