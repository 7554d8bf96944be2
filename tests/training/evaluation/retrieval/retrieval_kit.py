"""Pictures whose look is a function of a few coefficients, drawn in microseconds: enough to tell pairs by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta

SHOWN = ("JawOpen", "EyeBlinkLeft", "EyeBlinkRight", "MouthSmileLeft", "MouthSmileRight", "BrowInnerUp", "HeadYaw")
COUNTS = {Split.TRAIN: 128, Split.VAL: 64, Split.TEST: 128}


def drawn(values: dict[str, float], noise: np.random.Generator, size: int = 32) -> np.ndarray:
    """(size, size, 3) uint8: a face as the viewer sees it, its left eye on the right."""
    image = np.full((size, size, 3), 60, np.uint8)
    unit, middle = size / 48, size // 2 + round(values["HeadYaw"] * size * -0.3)

    def oval(x: float, y: float, wide: float, high: float, grey: int) -> None:
        axes = (max(1, round(wide * unit)), max(1, round(high * unit)))
        cv2.ellipse(image, (middle + round(x * unit), round(y * unit)), axes, 0, 0, 360, (grey,) * 3, -1)

    oval(0, 24, 17, 22, 190)
    for side, x in (("Left", 7), ("Right", -7)):
        oval(x, 18, 4, 4 * (1 - values[f"EyeBlink{side}"]), 30)
        oval(x, 11 - 5 * values["BrowInnerUp"], 4, 1, 90)
        oval(x * 0.8, 34 - 6 * values[f"MouthSmile{side}"], 3, 1, 120)
    oval(0, 36, 6, 1 + 7 * values["JawOpen"], 20)
    return np.clip(image + noise.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def make_dataset(path: Path, counts: dict[Split, int] = COUNTS, per_sequence: int = 32, seed: int = 0) -> Dataset:
    """Each sequence is a subject of its own; what isn't shown is constant."""
    draw = np.random.default_rng(seed)
    with DatasetWriter(path, Meta("drawn", options={"seed": seed})) as writer:
        for split, count in counts.items():
            for number in range(count):
                take = f"{split}-{number // per_sequence}"
                values = dict.fromkeys(CSV_ORDER, 0.25) | {name: float(draw.uniform(0, 1)) for name in SHOWN}
                values["HeadYaw"] = float(draw.uniform(-0.5, 0.5))
                _, encoded = cv2.imencode(".png", drawn(values, draw))
                writer.add(Row(take, number % per_sequence, take, split, values), encoded.tobytes())
        with pytest.MonkeyPatch.context() as patch:  # the card, which has tests of its own, takes longer than all this
            patch.setattr("semanticface_training.dataset.card.write_card", lambda *facts: None)
            return writer.finish()


def part_of(dataset: Dataset, indices: Sequence[int]) -> Dataset:
    """The dataset with these rows alone, in this order; its digest is not theirs."""
    return replace(dataset, rows=tuple(dataset.rows[index] for index in indices), values=dataset.values[list(indices)])
