"""The face at rest: found in a take, subtracted from it, and kept by name for the next take of the same actor.

A neutral is part of a recipe, so it is seen, changed and removed like any other of its settings. Stored ones are files
of their own, one an actor, that a recipe copies; nothing applies them unasked.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface import paths
from semanticface.actions import BY_NAME, CSV_ORDER, Kind
from semanticface.curves.recipe import MAX_NAME, Neutral, plain_neutral, read_neutral
from semanticface.curves.samples import COLUMN, Samples
from semanticface.errors import InputError
from semanticface.take import write_atomic

FORMAT = "semanticface-neutral"
VERSION = 1
MAX_TEXT = 1 << 16
MOST_FILES = 1000
HIGHEST_REST = 0.9
"""A shape above this in a face at rest leaves nothing to scale: the frames were not of a face at rest."""


def neutral_from(samples: Samples, frames: Sequence[int], name: str, origin: str = "") -> Neutral:
    """The median of each action over the given source frames that have values.

    Where values lie on a grid, hand over smoothed samples: the median of steps is a step. Raises InputError when none
    of the frames has values, or when an action stands above HIGHEST_REST.
    """
    chosen = np.isin(samples.frames, np.asarray(list(frames), np.int64)) & samples.present
    if not chosen.any():
        raise InputError(
            "none of the frames chosen for the neutral has a result", "choose frames that show the face at rest"
        )
    middle = np.median(samples.values[chosen], axis=0)
    values = {}
    for action in CSV_ORDER:
        value = float(middle[COLUMN[action]])
        if BY_NAME[action].kind is Kind.SHAPE:
            if value > HIGHEST_REST:
                raise InputError(
                    f"{action} is {value:.2f} in the frames chosen for the neutral", "choose a face at rest"
                )
            value = max(value, 0.0)
        values[action] = round(value, 6)
    return Neutral(name, values, origin)


def subtract(values: NDArray[np.float64], neutral: Neutral | None) -> NDArray[np.float64]:
    """(F, 61) values with the face at rest at zero: see `Neutral` for the formulas."""
    if neutral is None:
        return values
    out = values.copy()
    for action, rest in neutral.values.items():
        column = COLUMN[action]
        if BY_NAME[action].kind is Kind.SHAPE:
            out[:, column] = np.maximum((values[:, column] - rest) / (1.0 - rest), 0.0)
        else:
            out[:, column] = values[:, column] - rest
    return out


def neutrals_dir() -> Path:
    return paths.data_dir() / "neutrals"


def file_of(name: str) -> Path:
    """Where a neutral of this name is kept. Names that differ only in what a file name can't hold stay apart."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    digest = zlib.crc32(name.encode("utf-8", "replace"))
    return neutrals_dir() / f"{slug or 'neutral'}-{digest:08x}.json"


def save_neutral(neutral: Neutral) -> Path:
    """Keep it under its name, in place of one that has the same. Raises InputError when that can't be written."""
    if not neutral.name.strip() or len(neutral.name) > MAX_NAME:
        raise InputError(f"a stored neutral needs a name of at most {MAX_NAME} characters", "name the actor")
    path = file_of(neutral.name)
    text = json.dumps({"format": FORMAT, "version": VERSION, **plain_neutral(neutral)}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise InputError(f"the neutral can't be written to {path}: {error.strerror or error}") from error
    return path


def read_neutral_file(path: Path) -> Neutral:
    """Raises InputError that names the file and what is wrong with it."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_TEXT + 1)
        if len(raw) > MAX_TEXT:
            raise ValueError(f"more than {MAX_TEXT} bytes")
        data = json.loads(raw)
        if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("version") != VERSION:
            raise ValueError(f'it must say "format": "{FORMAT}" and "version": {VERSION}')
        return read_neutral(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path.name} is not a stored neutral: {error}", f"delete it from {path.parent} if it is not needed"
        ) from error


def load_neutrals() -> dict[str, Neutral]:
    """Stored neutrals by name, in the order of names; files that are none are passed over."""
    found = {}
    folder = neutrals_dir()
    files = sorted(folder.glob("*.json"))[:MOST_FILES] if folder.is_dir() else []
    for path in files:
        try:
            neutral = read_neutral_file(path)
        except InputError:
            continue
        if file_of(neutral.name).name == path.name:  # a copied file doesn't stand in for the one of that name
            found[neutral.name] = neutral
    return dict(sorted(found.items()))


def remove_neutral(name: str) -> bool:
    """Forget it; False when there was none of that name."""
    path = file_of(name)
    existed = path.is_file()
    path.unlink(missing_ok=True)
    return existed
