"""From a dataset with known coefficients to a calibration of the landmark engine.

The fit is the ridge baseline's; which shapes a calibration takes over is the caller's choice. This module knows nothing
of footage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from semanticface.actions import CSV_ORDER
from semanticface.engines.landmarks.calibration import Calibration
from semanticface.errors import OptionsError
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.baselines.design import Material
from semanticface_training.evaluation.baselines.fitted import Linear, fit_ridge
from semanticface_training.evaluation.baselines.raw import engine_values
from semanticface_training.evaluation.metrics.coefficients import per_coefficient

CALIBRATABLE = tuple(name for name in CSV_ORDER[:52] if name != "TongueOut")
"""TongueOut stays what the tongue network says: rendered heads have no tongue to learn it from."""


def calibration_of(linear: Linear, names: Sequence[str], facts: dict[str, Any]) -> Calibration:
    """The ridge's answers to those shapes as one matrix. Raises OptionsError for a name that can't be calibrated."""
    wrong = [name for name in names if name not in CALIBRATABLE]
    if wrong or not names or len(set(names)) != len(names):
        raise OptionsError(
            f"{wrong[0] if wrong else 'this list of shapes'} can't be calibrated",
            "name shapes such as JawOpen, each once; TongueOut and rotations stay as they are",
        )
    columns = [CSV_ORDER.index(name) for name in names]
    weights = linear.weights[:, columns] / linear.spread[:, None]
    offset = linear.offset[columns] - linear.centre @ weights
    return Calibration(tuple(names), weights.astype(np.float32), offset.astype(np.float32), facts)


def fit_calibration(dataset: Dataset, rows: Material, models: str, names: Sequence[str]) -> Calibration:
    """Fit on the dataset's training pictures with `models` (the landmark bundle's SHA-256).

    Its facts say what it was fitted on, and for each shape the error and Pearson's r on the held-out people, raw and
    calibrated. Those people also chose the ridge's strength, so that the figures flatter a little.
    """
    linear = fit_ridge(rows)
    facts = {
        "models": models,
        "dataset": {"digest": dataset.digest, "made_from": dataset.header.get("made_from", {})},
        "pictures": rows.asked,
        "with_face": rows.found,
        "method": "ridge on the pictures and their mirror images, one strength a shape chosen on held-out people",
        "held_out": {"pictures": len(rows.held_values), "shapes": _held_out(linear, rows, names)},
    }
    return calibration_of(linear, names, facts)


def _held_out(linear: Linear, rows: Material, names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    tables = (engine_values(rows.held_faces), linear.values(rows.held_faces))
    raw, fitted = (
        {row.name: row for row in per_coefficient(rows.held_values, values, CSV_ORDER) if row.name in names}
        for values in tables
    )
    return {
        name: {
            "mse_raw": round(raw[name].mse, 6),
            "mse": round(fitted[name].mse, 6),
            "r_raw": _rounded(raw[name].pearson),
            "r": _rounded(fitted[name].pearson),
        }
        for name in names
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
