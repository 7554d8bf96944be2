"""A calibration: some of the 52 shapes read by a linear fit on landmarks, pose and scores, instead of taken as scores.

The models' scores carry resting levels and scales of their own, and hardly move for some shapes. A calibration is
fitted on pictures whose coefficients are known and replaces the coefficients that it names; all others stay. One ships
with the engine (docs/landmarks.md: what it was fitted on, and how its coefficients were chosen); others can be given
by path. Files are npz without pickle. This module knows nothing of how one is fitted.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.actions import SHAPES
from semanticface.engines.landmarks.coefficients import SCORES, eye_angles
from semanticface.engines.landmarks.frontal import Frontaliser
from semanticface.errors import InputError, OptionsError

INPUTS = "frontal landmarks 478 x 3, rotation 3 x 3, scores 51"
"""What `input_vector` holds, in this order; a file fitted on something else is refused."""
WIDTH = 478 * 3 + 9 + len(SCORES)
FORMAT = "semanticface-calibration"
VERSION = 1
MAX_BYTES = 4 << 20
SHIPPED = Path(__file__).with_name("calibration.npz")
_PARTS = ("facts", "names", "weights", "offset")


def input_vector(pixels: NDArray[Any], scores: NDArray[Any], turn: Frontaliser) -> NDArray[np.float64]:
    """(1494,) of (478, 3) landmarks in pixels and the network's (52,) scores: see `INPUTS`."""
    points, rotation = turn(pixels)
    return np.concatenate([points.ravel(), rotation.ravel(), np.asarray(scores[1:], np.float64)])


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """`names` (K) are the shapes that it reads, as `input_vector @ weights + offset` in [0, 1].

    `weights` (1494, K) and `offset` (K,) float32. `facts` are plain values: what it was fitted on, with which models.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float32] = field(repr=False)
    offset: NDArray[np.float32] = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 over what decides its answers."""
        total = hashlib.sha256("\n".join(self.names).encode())
        for part in (self.weights, self.offset):
            total.update(np.ascontiguousarray(part, "<f4").tobytes())
        return total.hexdigest()

    def read(self, inputs: NDArray[Any]) -> NDArray[np.float64]:
        """(..., K) for (..., 1494) inputs."""
        return np.clip(np.asarray(inputs, np.float64) @ self.weights + self.offset, 0.0, 1.0)

    def applied(self, values: Mapping[str, float], inputs: NDArray[Any]) -> dict[str, float]:
        """The 61 with those that it names read anew, and the eyes' rotations again as the EyeLook shapes have them."""
        out = {**values, **dict(zip(self.names, self.read(inputs).tolist(), strict=True))}
        if any(name.startswith("EyeLook") for name in self.names):
            out |= eye_angles(out)
        return {name: float(out[name]) for name in values}


def write_calibration(path: Path, calibration: Calibration) -> None:
    """The same calibration gives the same bytes. Raises InputError when the file can't be written."""
    facts = {"format": FORMAT, "version": VERSION, "inputs": INPUTS, **calibration.facts}
    parts = {
        "facts": np.array(json.dumps(facts, sort_keys=True, ensure_ascii=False)),
        "names": np.array(calibration.names),
        "weights": np.asarray(calibration.weights, "<f4"),
        "offset": np.asarray(calibration.offset, "<f4"),
    }
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, **parts)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}") from error


def read_calibration(path: Path) -> Calibration:
    """Raises OptionsError that names the file and what is wrong with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ValueError(f"it holds more than {MAX_BYTES:,} bytes")
        with np.load(path, allow_pickle=False) as file:
            facts, names, weights, offset = (file[part] for part in _PARTS)
        return _checked(json.loads(str(facts)), [str(name) for name in names.tolist()], weights, offset)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        hint = "give off, on, or the path of a file that `semanticface-train benchmark calibrate` wrote"
        raise OptionsError(f"option 'calibration': {path} is no calibration: {error}", hint) from error


def _checked(facts: Any, names: list[str], weights: NDArray[Any], offset: NDArray[Any]) -> Calibration:
    if facts["format"] != FORMAT or facts["version"] != VERSION or facts["inputs"] != INPUTS:
        raise ValueError(f"it is {facts['format']} {facts['version']} on {str(facts['inputs'])[:80]}")
    wrong = [name for name in names if name not in SHAPES]
    if wrong or len(set(names)) != len(names):
        raise ValueError(f"{wrong[0][:40] if wrong else 'an action that comes twice'} can't be calibrated")
    if weights.shape != (WIDTH, len(names)) or offset.shape != (len(names),):
        raise ValueError(f"its weights are {weights.shape}, not {(WIDTH, len(names))}")
    if weights.dtype.kind != "f" or offset.dtype.kind != "f" or not np.isfinite(weights).all():
        raise ValueError("its weights are no finite numbers")
    if not np.isfinite(offset).all():
        raise ValueError("its offsets are no finite numbers")
    return Calibration(tuple(names), weights.astype(np.float32), offset.astype(np.float32), facts)


def chosen(option: str, model: str) -> Calibration | None:
    """What the engine's option asks for: None for "off", the shipped one for "on", else the one at that path.

    `model` is the SHA-256 of the landmark bundle, or its first digits. Raises OptionsError for a file that is none,
    and for one that was fitted on other models.
    """
    if option == "off":
        return None
    path = SHIPPED if option == "on" else Path(option)
    calibration = read_calibration(path)
    if not str(calibration.facts.get("models", "")).startswith(model):
        raise OptionsError(
            f"option 'calibration': {path.name} was fitted on other landmark models than those in use",
            "fit one with these models, or give off",
        )
    return calibration
