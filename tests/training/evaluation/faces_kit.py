"""A small dataset of real pictures with exact coefficients: frames of the sample clip, in three splits.

One rendered head stands for all subjects, since what is tested is that things are fitted, kept and told, not how well.
Made without the dataset's writer, whose card of pictures takes longer than the tests.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from semanticface.bench.clips import open_clip, read_frames
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface_training.dataset.table import Dataset, Row, Split, digest_of, values_of

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
FACELESS = "test-blank/0"
"""The id of a test row whose picture shows no face."""


def faces_dataset(folder: Path, train: int = 40, val: int = 20, test: int = 12) -> Dataset:
    """Frames spread over the clip, 256 px, and one test picture without a face; neighbours may be in different
    splits."""
    truth = read_livelink_csv(SAMPLES / "rom_head.csv").rows
    numbers = np.linspace(0, len(truth) - 1, train + val + test).round().astype(int)
    order = np.random.default_rng(0).permutation(len(numbers))
    kinds = [Split.TRAIN] * train + [Split.VAL] * val + [Split.TEST] * test
    splits = dict(zip(numbers[order].tolist(), kinds, strict=True))
    rows = []
    with open_clip(SAMPLES / "rom_head.mp4") as reader:
        for frame in read_frames(reader, numbers.tolist()):
            split = splits[frame.frame]
            subject = f"{split}-{frame.frame % 3}"
            small = cv2.resize(frame.image, (256, 256), interpolation=cv2.INTER_AREA)
            row = Row(subject, frame.frame, subject, split, truth[frame.frame].coefficients)
            rows.append(_stored(folder, row, small))
    blank = Row("test-blank", 0, "test-blank", Split.TEST, truth[0].coefficients)
    rows.append(_stored(folder, blank, np.full((64, 64, 3), 90, np.uint8)))
    return of_rows(folder, tuple(rows))


def of_rows(folder: Path, rows: tuple[Row, ...]) -> Dataset:
    return Dataset(folder, {"digest": digest_of(rows), "counts": {"rows": len(rows)}}, rows, values_of(rows))


def _stored(folder: Path, row: Row, image: np.ndarray) -> Row:
    data = cv2.imencode(".png", image[:, :, ::-1])[1].tobytes()
    name = f"images/{row.take}/{row.frame:06d}.png"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    height, width = image.shape[:2]
    return replace(row, image=name, image_sha256=hashlib.sha256(data).hexdigest(), width=width, height=height)
