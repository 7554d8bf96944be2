"""The trained models as a user has them: imported by `semanticface models import`, asked through the backend's engine.

Each reads all held-out pictures once; what was written and what the digits expected are both kept. Goes on after a kill
behind the last picture that was read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from semanticface.engines.mllm.checkpoint import FOLDER, Checkpoint
from semanticface.engines.mllm.engine import SemanticFaceEngine
from semanticface.engines.mllm.loading import Settings
from semanticface.errors import AssetError
from semanticface.paths import HOME_VARIABLE
from semanticface_training.chain.checkpoint import profile_of
from semanticface_training.chain.plan import Demo
from semanticface_training.chain.teaching import SHAPE
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.predict_backend import BackendPredictor
from semanticface_training.evaluation.store import Predictions, PredictionWriter, read_predictions
from semanticface_training.stage2.targets import Target

SPLIT = "test"
_TOLD_EVERY = 50
_WRITTEN = {"value": "argmax"}
"""What the text says is asked for; what its digits expect is kept beside it in any case."""
Say = Callable[[str], None]


def import_all(demo: Demo) -> dict[str, Any]:
    """Install the three checkpoints into the demo's own home, as a user would. Raises AssetError with what was said."""
    for target in Target:
        name = profile_of(target, SHAPE).name
        shutil.rmtree(demo.home / "models" / FOLDER / name, ignore_errors=True)  # of a run that was killed here
        code = "from semanticface.cli import main; main()"
        command = [sys.executable, "-c", code, "models", "import", str(demo.checkpoint(target.value))]
        environment = {**os.environ, HOME_VARIABLE: str(demo.home)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise AssetError(f"the checkpoint {name} can't be imported: {done.stderr.strip()[-500:]}")
    return {"names": [profile_of(target, SHAPE).name for target in Target]}


def read_all(dataset: Dataset, demo: Demo, say: Say) -> dict[str, Any]:
    """Let each model read the held-out pictures; returns seconds and counts of statuses by target."""
    return {target.value: _read(dataset, demo, target, say) for target in Target}


def _read(dataset: Dataset, demo: Demo, target: Target, say: Say) -> dict[str, Any]:
    engine = SemanticFaceEngine(Checkpoint.at(_installed(demo, target)), Settings(device="cpu", dtype="float32"))
    began = time.monotonic()
    try:
        predictor = BackendPredictor(target.value, engine, engine.options(_WRITTEN), dataset.digest, SPLIT)
        with PredictionWriter.open(demo.out / "predictions" / target.value, predictor.method) as writer:
            left = [int(row) for row in dataset.indices(SPLIT) if dataset.rows[int(row)].id not in writer.done]
            last = time.monotonic()
            for number, result in predictor.predict(dataset, left):
                now = time.monotonic()
                writer.add(dataset.rows[number].id, result, now - last)
                last = now
                if len(writer.done) % _TOLD_EVERY == 0:
                    say(f"{target.value.upper()}: {len(writer.done):,} pictures read")
    finally:
        engine.close()
    counts = predictions(dataset, demo, target).counts
    return {"pictures": sum(counts.values()), "status": counts, "seconds": round(time.monotonic() - began, 1)}


def _installed(demo: Demo, target: Target) -> Any:
    return demo.home / "models" / FOLDER / profile_of(target, SHAPE).name


def predictions(dataset: Dataset, demo: Demo, target: Target) -> Predictions:
    """What the model read, in the order of the held-out rows."""
    rows = [int(row) for row in dataset.indices(SPLIT)]
    return read_predictions(demo.out / "predictions" / target.value, dataset, rows)
