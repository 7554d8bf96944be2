"""The qualitative figure: a few frames that differ most, and beside each picture what every method makes of it.

Methods that answer in coefficients are drawn from their numbers. Others, such as those that fit a FLAME mesh, have
pictures of their own, rendered elsewhere: a folder whose files are named as the dataset's pictures are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from semanticface.errors import MediaError
from semanticface.media.images import FILE_LIMITS, decode_image
from semanticface.report.page import picture_uri
from semanticface.report.pictures import encode
from semanticface_training.dataset.table import IMAGES_NAME, Row
from semanticface_training.evaluation.report.answers import Answers, Doubles
from semanticface_training.evaluation.report.frames import SIDE, picture_of

FRAMES = 6
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Tile:
    """One method on one frame: a picture (`uri`), or a `face` of 61 values that the page draws; neither: no answer."""

    label: str
    mark: str = ""
    uri: str = ""
    face: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class GalleryRow:
    id: str
    about: str
    tiles: tuple[Tile, ...]


def gallery(answers: Answers, beside: Mapping[str, Path], most: int = FRAMES) -> list[GalleryRow]:
    """Rows of the figure. `beside`: label -> folder of pictures; with one, frames that it has go first."""
    columns = [(label, folder) for label, folder in beside.items()]
    return [_row(answers, place, columns) for place in _chosen(answers, [folder for _, folder in columns], most)]


def picture_beside(folder: Path, row: Row) -> Path | None:
    """The folder's picture of a row: `<take>/<frame>` as the dataset names its own, or `<take>_<frame>`; else None."""
    own = PurePosixPath(row.image).with_suffix("")
    parts = own.parts[1:] if own.parts[:1] == (IMAGES_NAME,) else own.parts
    for name in ("/".join(parts), "_".join(parts), f"{row.take}_{row.frame}"):
        for suffix in SUFFIXES:
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    return None


def _chosen(answers: Answers, folders: Sequence[Path], most: int) -> list[int]:
    """Places far from each other in their values: first the one furthest from the mean, then that furthest from all."""
    rows = answers.rows
    places = [place for place in range(len(rows)) if answers.main[place]]
    with_pictures = [place for place in places if any(picture_beside(folder, rows[place]) for folder in folders)]
    places = with_pictures or places
    values = answers.truth if answers.truth is not None else next((one.values for one in answers.methods), None)
    if not places or values is None:
        return []
    points = np.nan_to_num(values[places])
    distance = np.linalg.norm(points - points.mean(axis=0), axis=1)
    chosen: list[int] = []
    while len(chosen) < min(most, len(places)):
        best = int(distance.argmax())
        chosen.append(best)
        distance = np.minimum(distance, np.linalg.norm(points - points[best], axis=1))
        distance[chosen] = -1.0
    return [places[one] for one in chosen]


def _row(answers: Answers, place: int, beside: Sequence[tuple[str, Path]]) -> GalleryRow:
    row = answers.rows[place]
    tiles = [Tile("picture", uri=picture_of(answers, place))]
    if answers.truth is not None:
        tiles.append(Tile("true", face=_values(answers.truth[place])))
    for method in answers.methods:
        answered = bool(np.isfinite(method.values[place]).all())
        tiles.append(Tile(method.label, method.mark, face=_values(method.values[place]) if answered else ()))
    tiles += [Tile(label, uri=_uri(picture_beside(folder, row))) for label, folder in beside]
    return GalleryRow(row.id, ", ".join(filter(None, (f"subject {row.subject}", *row.tags))), tuple(tiles))


def _values(values: Doubles) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


def _uri(file: Path | None) -> str:
    """A picture, small; "" where there is none or it can't be read."""
    try:
        if file is None or file.stat().st_size > _MOST_BYTES:
            return ""
        data = encode(decode_image(file.read_bytes(), FILE_LIMITS, "a picture"), None, SIDE, 40_000)
    except (MediaError, cv2.error, OSError):
        return ""
    return "" if data is None else picture_uri(data)
