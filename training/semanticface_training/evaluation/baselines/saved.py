"""A fitted model on disk: arrays and a few facts in one npz file, read without pickle.

This module knows nothing of what the arrays mean.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import InputError

Arrays = Mapping[str, NDArray[Any]]
_FACTS = "facts"
MAX_BYTES = 256 << 20


def write_arrays(path: Path, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write, whole or not at all; the same arrays and facts give the same bytes. Raises InputError."""
    part = path.with_name(f".{path.name}.part")
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez_compressed(file, **{_FACTS: np.array(text), **arrays})
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}") from error


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(facts, arrays). Raises InputError that names the file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts: dict[str, Any] = json.loads(str(arrays.pop(_FACTS)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no saved model: {error}", "remove it; it is fitted anew") from error
    return facts, arrays
