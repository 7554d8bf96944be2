"""What the metrics cost: all of them over so many frames, in a process of its own, by time and by peak of memory.

`python -m semanticface_training.evaluation.metrics.cost FRAMES WIDTH` is that process; it prints one JSON object. Knows
nothing of datasets: the frames are drawn, sparse and rounded as recordings are, so that ranks meet their ties.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.errors import EngineError, OptionsError
from semanticface_training.evaluation.metrics import (
    agreement,
    coefficients,
    consistency,
    cross,
    detection,
    errors,
    head_pose,
    retrieval,
    significance,
    temporal,
)
from semanticface_training.evaluation.metrics.arrays import Floats
from semanticface_training.evaluation.metrics.subsets import TABLE1_14

FRAMES = 100_000
WIDTH = 512
"""Of the embeddings, as the retrieval evaluator's motion side has it."""
ASKED_SECONDS = 10.0
ASKED_BYTES = 2 << 30
TEXTS = 100
"""Texts are judged one by one: these are timed, and the rest of the frames are not."""
_SEQUENCE = 600
"""Frames of a sequence: ten seconds at 60 a second."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of processor time per metric, all over `frames` x 61 (retrieval: embeddings of `width`).

    `peak_bytes`: the most memory that the process had, libraries and data included; None where the system doesn't say.
    `text_ms`: what judging one text takes, which is not in the sum.
    """

    frames: int
    width: int
    seconds: dict[str, float]
    processor: dict[str, float]
    peak_bytes: int | None
    text_ms: float

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    @property
    def met(self) -> bool:
        return self.total < ASKED_SECONDS and (self.peak_bytes is None or self.peak_bytes < ASKED_BYTES)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "total": self.total, "asked_seconds": ASKED_SECONDS, "asked_bytes": ASKED_BYTES,
                "met": self.met}  # fmt: skip


def measure(frames: int = FRAMES, width: int = WIDTH) -> Cost:
    """Run the child and read what it says. Raises OptionsError for too few frames, EngineError when the child fails."""
    if frames < 2 * _SEQUENCE or width < 1:
        raise OptionsError(f"{frames} frames, embeddings of {width}", f"at least {2 * _SEQUENCE} frames")
    command = [sys.executable, "-m", __name__, str(frames), str(width)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"the measurement ended with {done.returncode}: {done.stderr[-400:].strip()}",
                          "fewer frames need less memory")  # fmt: skip
    return Cost(**json.loads(done.stdout))


def draw(frames: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Truth and a prediction of it, (frames, 61) each: mostly 0, else three decimals; four columns never move."""
    random = np.random.default_rng(seed)
    active = random.random((frames, len(CSV_ORDER))) < 0.3
    truth = np.round(np.where(active, random.beta(1.2, 3.0, active.shape), 0.0), 3)
    truth[:, ::16] = 0.0
    predicted = np.round(np.clip(truth + random.normal(0.0, 0.05, truth.shape), 0.0, 1.0), 3)
    return truth, predicted


def run(frames: int, width: int) -> Cost:
    """All metrics in this process; see `measure`."""
    truth, predicted = draw(frames)
    seconds, processor = {}, {}
    work = {"loading scipy": lambda: import_module("scipy.stats"), **_metrics(truth, predicted, width)}
    for name, metric in work.items():
        clock, begin = time.perf_counter(), time.process_time()
        metric()
        seconds[name], processor[name] = time.perf_counter() - clock, time.process_time() - begin
    return Cost(frames, width, seconds, processor, _peak_bytes(), _text_ms(truth))


def _metrics(truth: Floats, predicted: Floats, width: int) -> dict[str, Callable[[], object]]:
    frames, names = len(truth), CSV_ORDER
    sequences = (np.arange(frames) // _SEQUENCE).tolist()
    times = np.arange(frames) % _SEQUENCE / 60
    swept = [names[row // _SEQUENCE % len(names)] for row in range(frames)]
    random = np.random.default_rng(1)
    images = random.standard_normal((frames, width), dtype=np.float32)
    motions = images + 3 * random.standard_normal((frames, width), dtype=np.float32)
    return {
        "mse": lambda: errors.mse_summary(truth, predicted, names),
        "per coefficient": lambda: coefficients.average(coefficients.per_coefficient(truth, predicted, names)),
        "cross-comparison, 13": lambda: cross.cross_comparison(truth, predicted, names),
        "cross-comparison, 14": lambda: cross.cross_comparison(truth, predicted, names, TABLE1_14),
        "threshold sweep": lambda: detection.threshold_sweep(truth, predicted, names),
        "head pose": lambda: head_pose.head_pose(truth, predicted, names),
        "r-precision, shuffled": lambda: retrieval.r_precision(images, motions, retrieval.batches(frames)),
        "r-precision, same sequence": lambda: retrieval.r_precision(
            images, motions, retrieval.batches(frames, groups=sequences)
        ),
        "paired tests": lambda: significance.compare(
            errors.per_frame_mse(truth, predicted, names), errors.per_frame_mse(truth, truth * 0.9, names), sequences
        ),
        "mirror": lambda: consistency.mirror_consistency(predicted, truth, names),
        "sides": lambda: consistency.side_agreement(truth, predicted, names),
        "sweeps": lambda: consistency.sweep_monotonicity(truth, predicted, names, swept, sequences),
        "jitter and lag": lambda: temporal.jitter_and_lag(truth, predicted, names, times, sequences),
    }


def _text_ms(truth: Floats) -> float:
    rows = truth[:TEXTS]
    texts = [describe(dict(zip(CSV_ORDER, row.tolist(), strict=True))) for row in rows]
    begin = time.process_time()
    agreement.text_agreement(texts, rows)
    return 1000 * (time.process_time() - begin) / len(rows)


def _peak_bytes() -> int | None:
    """Linux counts per program (VmHWM); getrusage would count what the process was before it became this one."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) << 10
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


if __name__ == "__main__":
    cost = asdict(run(int(sys.argv[1]), int(sys.argv[2])))
    sys.stdout.write(json.dumps(cost) + "\n")
