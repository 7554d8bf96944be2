"""A calibration against the raw scores on footage without truth: numbers, curves, and the pictures to judge them by.

For each shape: how far the two go together, the range of each, how much each trembles, both curves over the clip, and
the face at the frames where the calibrated value is highest and lowest, where the raw one is highest, and where the two
differ most. What is right only the eye can say; this module puts before it what decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.bench.clips import open_clip, read_frames
from semanticface.engines.base import FrameInput
from semanticface.engines.landmarks.calibration import Calibration
from semanticface.engines.landmarks.coefficients import SCORES
from semanticface.errors import InputError
from semanticface_training.evaluation.baselines.design import vectors
from semanticface_training.evaluation.features.extract import Extractor, footage_features

Doubles = NDArray[np.float64]

MOST_FRAMES = 3000
ROWS = 10
"""Shapes on one picture."""
_PICKS = ("calibrated highest", "raw highest", "they differ most", "calibrated lowest")
_MOVES = 0.01
_SIDE = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One shape over a clip. Ranges are the 1st, 50th and 99th percentile; `agreement` is Pearson's r, None where one
    of the two hardly moves (standard deviation below 0.01); trembling is the mean absolute second difference."""

    name: str
    agreement: float | None
    raw: tuple[float, float, float]
    calibrated: tuple[float, float, float]
    raw_trembling: float
    calibrated_trembling: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """`frames` (F,) are the numbers of those with a face, `raw` and `calibrated` (F, K) in the order of `names`."""

    names: tuple[str, ...]
    frames: NDArray[np.int64] = field(repr=False)
    boxes: Doubles = field(repr=False)
    raw: Doubles = field(repr=False)
    calibrated: Doubles = field(repr=False)

    def lines(self) -> list[Line]:
        return [_line(name, self.raw[:, k], self.calibrated[:, k]) for k, name in enumerate(self.names)]


def _line(name: str, raw: Doubles, calibrated: Doubles) -> Line:
    moves = min(raw.std(), calibrated.std()) >= _MOVES
    agreement = float(np.corrcoef(raw, calibrated)[0, 1]) if moves else None
    return Line(name, agreement, _range(raw), _range(calibrated), _trembling(raw), _trembling(calibrated))


def _range(values: Doubles) -> tuple[float, float, float]:
    low, middle, high = (float(value) for value in np.percentile(values, (1, 50, 99)))
    return low, middle, high


def _trembling(values: Doubles) -> float:
    return float(np.abs(np.diff(values, 2)).mean()) if len(values) > 2 else 0.0


def compare(clip: Path, calibration: Calibration, extractor: Extractor) -> Comparison:
    """Follow the face through the clip's first `MOST_FRAMES` frames. Raises MediaError; InputError without a face."""
    with open_clip(clip) as reader:
        count = min(reader.info.frame_count, MOST_FRAMES)
        faces = footage_features(read_frames(reader, range(count)), extractor)
    frames = np.flatnonzero(faces.found)
    if len(frames) < 3:
        raise InputError(f"{clip.name}: a face was found in {len(frames)} of {count} frames", "give footage of a face")
    faces = faces.take(frames)
    names = tuple(name for name in calibration.names if name in SCORES)
    columns = [calibration.names.index(name) for name in names]
    calibrated = calibration.read(vectors(faces, extractor.canonical))[:, columns]
    raw = faces.scores[:, [1 + SCORES.index(name) for name in names]].astype(np.float64)
    flat = faces.points[:, :, :2]
    boxes = np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1).astype(np.float64)
    return Comparison(names, frames, boxes, raw, calibrated)


def picks(raw: Doubles, calibrated: Doubles) -> tuple[int, int, int, int]:
    """Places of the four frames that are shown, in the order of the captions."""
    difference = np.abs(calibrated - raw)
    return int(calibrated.argmax()), int(raw.argmax()), int(difference.argmax()), int(calibrated.argmin())


def write_comparison(
    clip: Path, comparison: Comparison, out: Path, only: Sequence[str] = (), told: Callable[[Path], None] | None = None
) -> list[Path]:
    """`comparison.json` and pictures of `ROWS` shapes each, into `out`; the pictures' paths. Raises InputError.

    `only` names the shapes to draw, all of the comparison's by default.
    """
    chosen = [k for k, name in enumerate(comparison.names) if not only or name in only]
    try:
        out.mkdir(parents=True, exist_ok=True)
        facts: dict[str, Any] = {"clip": clip.name, "frames": len(comparison.frames)}
        facts["shapes"] = [asdict(line) for line in comparison.lines()]
        (out / "comparison.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} can't be written: {error.strerror or error}") from error
    pages = []
    for number, start in enumerate(range(0, len(chosen), ROWS), 1):
        page = out / f"comparison-{number:02d}.png"
        _draw(clip, comparison, chosen[start : start + ROWS], page)
        pages.append(page)
        if told is not None:
            told(page)
    return pages


def _draw(clip: Path, comparison: Comparison, columns: Sequence[int], page: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = {k: picks(comparison.raw[:, k], comparison.calibrated[:, k]) for k in columns}
    crops = _crops(clip, comparison, sorted({place for places in shown.values() for place in places}))
    figure = Figure(figsize=(15, 2.1 * len(columns)), dpi=80, layout="constrained")
    grid = figure.subplots(len(columns), 5, squeeze=False, gridspec_kw={"width_ratios": (3, 1, 1, 1, 1)})
    for axes, k in zip(grid, columns, strict=True):
        raw, calibrated = comparison.raw[:, k], comparison.calibrated[:, k]
        axes[0].plot(comparison.frames, raw, color="0.55", linewidth=0.9, label="raw")
        axes[0].plot(comparison.frames, calibrated, color="tab:red", linewidth=0.9, label="calibrated")
        axes[0].set_ylim(-0.02, 1.02)
        axes[0].set_title(comparison.names[k], fontsize=9, loc="left")
        axes[0].legend(fontsize=6, loc="upper right")
        axes[0].tick_params(labelsize=6)
        for axis, place, caption in zip(axes[1:], shown[k], _PICKS, strict=True):
            axis.imshow(crops[place])
            axis.set_axis_off()
            told = f"raw {raw[place]:.2f}, calibrated {calibrated[place]:.2f}"
            axis.set_title(f"{caption}\nframe {comparison.frames[place]}: {told}", fontsize=6)
    FigureCanvasAgg(figure)
    figure.savefig(page, format="png")


def _crops(clip: Path, comparison: Comparison, places: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    numbers = [int(comparison.frames[place]) for place in places]
    with open_clip(clip) as reader:
        return {
            place: _crop(frame, comparison.boxes[place])
            for place, frame in zip(places, read_frames(reader, numbers), strict=True)
        }


def _crop(frame: FrameInput, box: Doubles) -> NDArray[np.uint8]:
    import cv2

    height, width = frame.image.shape[:2]
    x, y = (box[:2] + box[2:]) / 2
    half = 0.62 * max(box[2] - box[0], box[3] - box[1])
    left, top = max(0, int(x - half)), max(0, int(y - half))
    part = frame.image[top : max(top + 1, min(height, int(y + half))), left : max(left + 1, min(width, int(x + half)))]
    scale = _SIDE / max(part.shape[:2])
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
