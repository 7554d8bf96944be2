"""The face at rest of a session, taken away from recordings that the app did not calibrate itself.

A calibrated recording shows how far a face is from its own neutral; an uncalibrated one has each person's resting
values in it, which a model would have to learn by heart. The arithmetic is that of `semanticface.curves.neutral`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import CSV_ORDER
from semanticface.curves.neutral import neutral_from, read_neutral_file, subtract
from semanticface.curves.recipe import Neutral
from semanticface.curves.samples import Mark, Samples
from semanticface.errors import InputError
from semanticface.exchange.livelink_csv import LiveLinkRecording, read_livelink_csv


def neutral_of_file(path: Path) -> Neutral:
    """The median of a Live Link Face CSV (`_neutral.csv`, or any recording of a face at rest), or a stored neutral.

    Raises InputError or ExchangeError that names the file.
    """
    if path.suffix.lower() == ".json":
        return read_neutral_file(path)
    recording = read_livelink_csv(path)
    faces = [row.coefficients for row in recording.rows]
    return neutral_of_rows(faces, list(range(len(faces))), path.name)


def neutral_of_rows(rows: Sequence[Mapping[str, float] | None], places: Sequence[int], origin: str) -> Neutral:
    """The median over the rows at `places`. Raises InputError that names `origin` without faces, or not at rest."""
    try:
        return neutral_from(_samples(rows), places, "session", origin)
    except InputError as error:
        raise InputError(f"{origin}: {error.message}", error.hint) from error


def calibrated(recording: LiveLinkRecording, neutral: Neutral) -> list[Mapping[str, float] | None]:
    """Each row's coefficients with the neutral taken away; None where there was no face."""
    rows = [row.coefficients for row in recording.rows]
    values = subtract(_samples(rows).values, neutral)
    return [
        None if row is None else dict(zip(CSV_ORDER, map(float, values[place]), strict=True))
        for place, row in enumerate(rows)
    ]


def _samples(rows: Sequence[Mapping[str, float] | None]) -> Samples:
    count = len(rows)
    values: NDArray[np.float64] = np.full((count, len(CSV_ORDER)), np.nan)
    for place, row in enumerate(rows):
        if row is not None:
            values[place] = [row[name] for name in CSV_ORDER]
    marks = np.where(np.isnan(values).any(axis=1), Mark.ABSENT, Mark.GIVEN).astype(np.int8)
    frames = np.arange(count, dtype=np.int64)
    return Samples(frames, frames.astype(np.float64), values, np.ones_like(values), marks)
