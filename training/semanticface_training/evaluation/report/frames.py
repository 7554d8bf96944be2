"""The frames on which a method is furthest from the truth: picture, both faces, and the values that differ most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from semanticface.actions import ACTIONS, CSV_ORDER, Kind
from semanticface.errors import MediaError
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface.report import charts
from semanticface.report.page import picture_uri
from semanticface.report.pictures import encode
from semanticface_training.evaluation.report.answers import Answer, Answers, Doubles
from semanticface_training.evaluation.report.views import shown

WORST = 4
"""Frames of each method."""
DIFFERENCES = 6
"""Values of each frame."""
SIDE = 220
"""Pixels of a picture's longer side."""
_FULL_ANGLE = float(np.radians(30))
"""A full bar of an angle."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One action on one frame: bars and texts of true and predicted."""

    name: str
    true: str
    said: str
    true_bar: Markup
    said_bar: Markup


@dataclass(frozen=True, slots=True)
class WorstFrame:
    """`uri` is "" where the picture can't be read. `true` and `said` are all 61 values, for the drawn faces."""

    id: str
    error: str
    uri: str
    about: str
    differences: tuple[Difference, ...]
    true: tuple[float, ...]
    said: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class WorstOfMethod:
    label: str
    mark: str
    frames: tuple[WorstFrame, ...]


def worst_frames(answers: Answers, names: Sequence[str], most: int = WORST) -> list[WorstOfMethod]:
    """For each method its frames with the greatest mean squared error over `names`, the worst first.

    Of a sequence's neighbours, which look alike, only the worst is shown: those of one sequence within a second.
    """
    if answers.truth is None:
        return []
    columns = [CSV_ORDER.index(name) for name in names]
    uris: dict[int, str] = {}
    made = []
    for method in answers.methods:
        errors = np.square(method.values - answers.truth)[:, columns].mean(axis=1)
        chosen = _apart(answers, np.where(answers.main, errors, np.nan), most)
        frames = tuple(_frame(answers, method, place, float(errors[place]), columns, uris) for place in chosen)
        if frames:
            made.append(WorstOfMethod(method.label, method.mark, frames))
    return made


def _apart(answers: Answers, errors: NDArray[np.float64], most: int) -> list[int]:
    rows = answers.rows
    chosen: list[int] = []
    for place in np.argsort(-np.nan_to_num(errors, nan=-1.0), kind="stable").tolist():
        if len(chosen) == most or np.isnan(errors[place]):
            break
        row = rows[place]
        near = [rows[other] for other in chosen if rows[other].sequence == row.sequence]
        if not any(abs(other.time - row.time) < 1.0 and other.time != row.time for other in near):
            chosen.append(place)
    return chosen


def _frame(
    answers: Answers, method: Answer, place: int, error: float, columns: Sequence[int], uris: dict[int, str]
) -> WorstFrame:
    assert answers.truth is not None
    true, said = answers.truth[place], method.values[place]
    if place not in uris:
        uris[place] = picture_of(answers, place)
    row = answers.rows[place]
    order = sorted(columns, key=lambda column: -abs(said[column] - true[column]))[:DIFFERENCES]
    return WorstFrame(
        id=row.id,
        error=shown(error, 4),
        uri=uris[place],
        about=", ".join(filter(None, (f"subject {row.subject}", *row.tags))),
        differences=tuple(_difference(column, true, said) for column in order),
        true=tuple(round(float(value), 4) for value in true),
        said=tuple(round(float(value), 4) for value in said),
    )


def _difference(column: int, true: Doubles, said: Doubles) -> Difference:
    action = ACTIONS[column]
    if action.kind is Kind.SHAPE:
        texts = [f"{value[column]:.2f}" for value in (true, said)]
        bars = [charts.bar(float(value[column]), css) for value, css in ((true, "truth"), (said, "said"))]
    else:
        texts = [f"{round(float(np.degrees(value[column])))}°" for value in (true, said)]
        bars = [charts.bar(0.5 + 0.5 * float(value[column]) / _FULL_ANGLE, css, low=0.5)
                for value, css in ((true, "truth"), (said, "said"))]  # fmt: skip
    return Difference(action.name, texts[0], texts[1], bars[0], bars[1])


def picture_of(answers: Answers, place: int) -> str:
    """The row's picture, small; "" where it can't be read: its numbers are shown all the same."""
    try:
        image = decode_image(answers.dataset.image_bytes(answers.indices[place]), FILE_LIMITS, "a picture")
        data = encode(image, None, SIDE, 40_000)
    except (MediaError, cv2.error):
        return ""
    return "" if data is None else picture_uri(data)
